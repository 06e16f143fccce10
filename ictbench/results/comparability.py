"""Setup of a result: everything its numbers depend on except the reflector."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench.results.schema import Player, Result

ABSENT = "(none)"
START_PROMPT = "start prompt "
"""Start of the deviation of a run whose prompt[0] is not the suite's own."""
DEFAULTS = {"repeats": "1"}
"""Values of names that a setup omits at their default."""
PART_OF = {"suite digest": "suite"}
"""Names whose difference follows from that of another name."""


def disagreements(results: Sequence[Result]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield what differs between the setups of results, most important first: its name and its value in each result.

    If a whole differs, such as the suite or the actor, its parts are omitted.
    """
    setups = [setup_of(result) for result in results]
    reported: set[str] = set()
    for name in dict.fromkeys(name for setup in setups for name in setup):
        values = tuple(setup.get(name, DEFAULTS.get(name, ABSENT)) for setup in setups)
        whole = PART_OF.get(name, name.partition("'s ")[0])
        if len(set(values)) > 1 and (whole == name or whole not in reported):
            reported.add(name)
            yield name, values


def setup_of(result: Result) -> dict[str, str]:
    """Return the setup of a result by name, most important first; results with equal setups may be compared."""
    return dict(_setup(result))


def _setup(result: Result) -> Iterator[tuple[str, str]]:
    yield "suite", result.suite.name
    yield "suite digest", result.suite.digest[:12]
    yield from result.versions.items()
    yield "profile", result.profile
    # Without `repeats` of 1, so that the keys of tracks stay the same.
    yield from ((name, str(size)) for name, size in result.sizes.model_dump().items())
    yield "families", ", ".join(family.name for family in result.families) or ABSENT
    if starts := "; ".join(text for text in result.deviations if text.startswith(START_PROMPT)):
        yield "prompt[0]", starts
    yield "max_steps", str(result.max_steps)
    yield "prompt_bytes", str(result.prompt_bytes)
    yield from player_setup(result.actor)


def player_setup(actor: Player) -> Iterator[tuple[str, str]]:
    """Yield everything about an actor, or a reflector, except how its model is reached."""
    yield "actor", actor.label
    fields = actor.model_dump(mode="json", exclude={"label", "model", "reproducible"})
    if actor.model:
        fields |= actor.model.model_dump(mode="json", exclude={"base_url", "timeout", "options", "adaptation"})
        if actor.model.adaptation.in_words:
            fields["adaptation"] = actor.model.adaptation.in_words
        fields["model options"] = actor.model.options
    yield from ((f"actor's {name}", str(value)) for name, value in fields.items())
