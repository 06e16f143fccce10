"""Conditions that a run and its submitter's statement must meet, all reported at once."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from ictbench.runs.deviations import LEFT_OUT, SIZES, deviations, rejected_requests
from ictbench.runs.options import Options
from ictbench.submissions.known_players import KNOWN, control_of, is_known_program, player_problems
from ictbench.submissions.metadata import start_date, training_of
from ictbench.suites import load_suite, shipped_suites
from ictbench.suites.suite import RANKED_PROFILES

OPTIONS = frozenset(field.name for field in fields(Options))

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.results import Result
    from ictbench.results.schema import Player
    from ictbench.submissions.metadata import Statement


def ineligibility(result: Result, *, unranked: bool = False) -> Iterator[str]:
    """Yield why a board does not accept a run, each with its remedy.

    Controls, and reflectors that were trained on held-out families, are accepted; the board marks them and does not
    rank them.

    Args:
        result: The run's result.
        unranked: Accept runs of any profile, for entries that are shown without a rank.
    """
    name = result.suite.name
    if name not in shipped_suites():
        yield f"suite {name!r:.80} has no board; run one of {', '.join(shipped_suites())}"
        return
    suite = load_suite(name)
    if result.suite.digest != suite.digest:
        yield f"suite {name} has changed since this run ({result.suite.digest!r:.16}…); run it again"
    if not suite.deterministic:
        yield f"suite {name} is not verifiable: its environment is not deterministic, so a board cannot replay its runs"
    if not unranked and result.profile not in RANKED_PROFILES:
        profiles = " or ".join(profile for profile in suite.profiles if profile in RANKED_PROFILES)
        own = {*SIZES} - _fixed_sizes(result)
        own_sizes = [_flag(text) for text in result.deviations if _name(text) in own]
        without = f", without {', '.join(own_sizes)}" if own_sizes else ""
        yield f"profile {result.profile!r:.80} is not ranked; run with --profile {profiles}{without}"
    if not result.complete or result.owed:
        yield f"the run is incomplete: {result.owed} episodes or reflections are owed; continue it with the same --out"
    if not unranked:
        rejected = [*rejected_requests(result.families)]
        yield from (
            f"{text}: the server's words are in run.log; change its settings, and continue the run with "
            "--retry-failed bad_request"
            for text in rejected
        )
        yield from (
            f"the run deviates from its profile: {text!r:.200}; {_remedy(text)}"
            for text in _unacceptable(result)
            if text not in rejected and not _said_otherwise(text, result)
        )
    if not unranked and _has_no_held_out(result):
        yield "no held-out family was run, and ranks are by held-out families; run with --families held-out or all"
    for role in KNOWN:
        yield from player_problems(role, getattr(result, role))
    if start_date(result) is None:
        yield f"host.started is {result.host.started!r:.80}, which is not a date; continue the run to write it again"


def missing_statements(result: Result, statement: Statement) -> Iterator[str]:
    """Yield what the submitter must still state, each with its option."""
    if not statement.name:
        yield "name of the entry on the board: --name"
    if not statement.description:
        yield "description in a few sentences: --description"
    if not statement.submitted_by:
        yield "name of the submitter: --submitted-by"
    stated = {"reflector": statement.trained_on, "actor": statement.actor_trained_on}
    for role, families in training_of(result).items():
        if families is None and not stated[role] and not is_known_program(role, getattr(result, role)):
            yield (
                f"what the {role} was trained on: --{role}-trained-on SUITE/FAMILY, SUITE, other:NAME, nothing, or "
                "unknown"
            )
    yield from _missing_of_player(
        "reflector", result.reflector, statement.reflector_weights, statement.reflector_revision
    )
    yield from _missing_of_player("actor", result.actor, statement.actor_weights, statement.actor_revision)


def _missing_of_player(role: str, player: Player, weights: str | None, revision: str | None) -> Iterator[str]:
    if player.model is None:
        return
    if weights is None:
        yield f"whether the weights of {player.label} are public: --{role}-weights open or closed"
    if player.fingerprint is None and revision is None:
        yield f"version of {player.label}, which its provider does not report: --{role}-revision"


def training_deviations(result: Result) -> set[str]:
    """Return the deviations caused by the players' training; they mark an entry and do not exclude it."""
    return _deviations(result) - _deviations(_untrained(result))


def _untrained(result: Result) -> Result:
    return result.model_copy(update={"reflector_trained_on": None, "actor_trained_on": None})


def _unacceptable(result: Result) -> Iterator[str]:
    """Return the deviations that exclude a run: not those of training, nor the larger prompt cap of a control."""
    accepted = training_deviations(result)
    if control_of(result):
        default = load_suite(result.suite.name).limits.prompt_bytes
        accepted |= _deviations(result) - _deviations(result.model_copy(update={"prompt_bytes": default}))
    profiles = load_suite(result.suite.name).profiles
    if (fixed := _fixed_sizes(result)) and result.profile in profiles:
        sizes = profiles[result.profile]
        usual = result.sizes.model_copy(update={name: getattr(sizes, name) for name in fixed})
        accepted |= _deviations(result) - _deviations(result.model_copy(update={"sizes": usual}))
    return (text for text in result.deviations if text not in accepted)


def _fixed_sizes(result: Result) -> frozenset[str]:
    """Return the sizes that are not a choice: a run with transferred prompts has a turn for each of its two prompts."""
    return frozenset({"turns", "batch_size"} if result.reflector.name == "transferred" else ())


def _has_no_held_out(result: Result) -> bool:
    return all(family.role != "held-out" for family in result.families)


def _said_otherwise(text: str, result: Result) -> bool:
    """Check whether another sentence names a deviation: a size of a profile that is not ranked, or no family at all."""
    if _name(text) in SIZES:
        return result.profile not in RANKED_PROFILES
    return text.startswith(LEFT_OUT) and _has_no_held_out(result)


def _remedy(text: str) -> str:
    if text.startswith(LEFT_OUT):
        return "run with --families held-out or all"
    return f"run without {_flag(text) if _name(text) in OPTIONS else 'it'}"


def _name(text: str) -> str:
    """Return the option that a deviation starts with, as in `turns 2 instead of 6`; other texts have no such word."""
    return text.partition(" ")[0]


def _flag(text: str) -> str:
    return f"--{_name(text).replace('_', '-')}"


def _deviations(result: Result) -> set[str]:
    suite = load_suite(result.suite.name)
    if result.profile not in suite.profiles:
        return set()
    families = [family.name for family in result.families]
    return {
        *deviations(
            suite,
            result.profile,
            sizes=result.sizes,
            families=families,
            max_steps=result.max_steps,
            prompt_bytes=result.prompt_bytes,
            actor=result.actor,
            trained_on=result.reflector_trained_on,
            actor_trained_on=result.actor_trained_on,
        )
    }
