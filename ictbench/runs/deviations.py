"""Deviations of a run from its suite and profile; a result that has some is not ranked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench.actors.person import MEMORY
from ictbench.protocol import played_tasks
from ictbench.records import prompt_digest
from ictbench.results.comparability import START_PROMPT
from ictbench.results.failures import failure_counts
from ictbench.suites import Sizes
from ictbench.suites.trained_on import TrainedOn, held_out_trained_on

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from ictbench.choices import ProfileName
    from ictbench.records import PluginSpec
    from ictbench.results.schema import FamilyResult
    from ictbench.suites import Suite

SIZES = tuple(Sizes.model_fields)

LEFT_OUT = "held-out families left out"

MAX_REJECTED = 0.02
"""Largest share of episodes, or of reflections, that a server may reject as bad requests in a ranked run. A rejected
request says nothing about the model; up to this share it moves a success rate by less than the intervals are wide."""


def deviations(
    suite: Suite,
    profile: ProfileName,
    *,
    sizes: Sizes,
    families: Collection[str],
    max_steps: int,
    prompt_bytes: int,
    actor: PluginSpec,
    trained_on: TrainedOn | None,
    actor_trained_on: TrainedOn | None = None,
    loop_indices: Collection[int] | None = None,
) -> Iterator[str]:
    """Yield a sentence per deviation: sizes, limits, decoding of the actor, loops, families left out or trained on."""
    fixed: list[tuple[str, Any, Any]] = [
        (name, getattr(suite.profiles[profile], name), getattr(sizes, name)) for name in SIZES
    ]
    fixed.append(("max_steps", suite.limits.max_steps, max_steps))
    fixed.append(("prompt_bytes", suite.limits.prompt_bytes, prompt_bytes))
    if actor.model:
        fixed.append(("actor_max_tokens", suite.actor.max_tokens, actor.model.max_tokens))
        fixed += [
            (f"actor_{name}", getattr(suite.actor, name), actor.options.get(name)) for name in ("decoding", "history")
        ]
        past_actions = suite.actor.past_actions
        fixed.append(("actor_past_actions", past_actions, actor.options.get("past_actions", past_actions)))
    for name, standard, actual in fixed:
        if actual != standard:
            yield f"{name} {actual} instead of {_in_words(name, standard)}"
    if loop_indices is not None:
        yield f"loops {', '.join(map(str, loop_indices))} instead of the first {sizes.loops}"
    if missing := sorted(set(suite.select_families(["held-out"])) - set(families)):
        yield f"{LEFT_OUT}: {', '.join(missing)}"
    for role, families_of_role in (("reflector", trained_on), ("actor", actor_trained_on)):
        if seen := held_out_trained_on(families_of_role or (), suite):
            yield f"{role} trained on held-out {', '.join(seen)}"


def told_solutions(actor: PluginSpec) -> str:
    """Return the deviation of an actor that sees the solutions."""
    return f"actor {actor.label} is told the solutions"


def played_by_person(actor: PluginSpec) -> str:
    """Return the deviation of an actor that is a person."""
    return f"actor {actor.label} {MEMORY}"


def other_start(family: str, prompt: str) -> str:
    """Return the deviation of loops that start with another prompt than the suite's own."""
    return f"{START_PROMPT}{prompt_digest(prompt)} of {family} instead of the suite's own"


def rejected_requests(families: Iterable[FamilyResult]) -> Iterator[str]:
    """Yield a sentence if the server rejected too many episodes, and one if it rejected too many reflections.

    The families may contradict themselves: no index is looked up.
    """
    families = tuple(families)
    failed, unusable = failure_counts(families)
    if rejected := failed["bad_request"]:
        yield from _too_many(rejected, _count_episodes(families), "episodes")
    if rejected := unusable["bad_request"]:
        yield from _too_many(
            rejected, sum(len(loop.prompts[1:]) for family in families for loop in family.loops), "reflections"
        )


def _too_many(rejected: int, total: int, unit: str) -> Iterator[str]:
    if rejected > MAX_REJECTED * total:
        yield f"bad_request {rejected} of {total} {unit}, more than {MAX_REJECTED:.0%}"


def _count_episodes(families: Iterable[FamilyResult]) -> int:
    """Return the number of different episodes in the loops."""
    keys: set[str] = set()
    for family in families:
        for loop in family.loops:
            digests = dict(enumerate(prompt.digest for prompt in loop.prompts))
            for played in played_tasks(loop):
                keys.update(played.keys(digests.get(played.prompt, "")))
            keys.update(*loop.replays)
    return len(keys)


def _in_words(name: str, standard: object) -> str:
    """Return the value that a profile or suite fixes, in words."""
    return "the whole pool" if standard is None and name.endswith("_size") else str(standard)
