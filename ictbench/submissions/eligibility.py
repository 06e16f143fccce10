"""What a board takes, and what is missing of a run or of what its submitter says: all of it at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.runs.deviations import deviations
from ictbench.submissions.metadata import start_date
from ictbench.suites import list_suites, load_suite
from ictbench.suites.suite import RANKED_PROFILES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.results import Result
    from ictbench.results.schema import Player
    from ictbench.submissions.metadata import Statement


def ineligibility(result: Result, *, unranked: bool = False) -> Iterator[str]:
    """Why a board does not take a run, each with what to do; `unranked` for one that it only shows, as it is.

    Controls, and reflectors that were trained on held-out families, are taken; the board marks them and ranks neither.
    """
    suite = result.suite.name
    if suite not in list_suites():
        yield f"suite {suite!r:.80} has no board; run one of {', '.join(list_suites())}"
        return
    if result.suite.digest != load_suite(suite).digest:
        yield f"suite {suite} was another one when this was run ({result.suite.digest!r:.16}…); run it again"
    if not unranked and result.profile not in RANKED_PROFILES:
        yield f"profile {result.profile!r:.80} is not ranked; run with --profile {' or '.join(RANKED_PROFILES)}"
    if not result.complete or result.owed:
        yield f"the run is incomplete, {result.owed} episodes or reflections are owed; continue it with the same --out"
    if not unranked:
        yield from (f"the run departs from its profile: {what!r:.200}; run without" for what in _unacceptable(result))
    if not unranked and all(family.role != "held-out" for family in result.families):
        yield "no held-out family was run, and these make the headline; run with --families held-out or all"
    if start_date(result) is None:
        yield f"host.started is {result.host.started!r:.80}, which is no date; continue the run to have it written anew"


def missing_statements(result: Result, statement: Statement) -> Iterator[str]:
    """What the submitter has not said and must, each with its option."""
    if not statement.name:
        yield "how the board is to name it: --name"
    if not statement.description:
        yield "what it is, in a few sentences: --description"
    if not statement.submitted_by:
        yield "who submits it: --submitted-by"
    if result.reflector_trained_on is None and not statement.trained_on:
        yield (
            "what the reflector was trained on: --reflector-trained-on SUITE/FAMILY, SUITE, other:NAME, nothing, or "
            "unknown"
        )
    yield from _unsaid_of("reflector", result.reflector, statement.reflector_weights, statement.reflector_revision)
    yield from _unsaid_of("actor", result.actor, statement.actor_weights, statement.actor_revision)


def _unsaid_of(role: str, player: Player, weights: str | None, revision: str | None) -> Iterator[str]:
    if player.model is None:
        return
    if weights is None:
        yield f"whether anyone can get the weights of {player.label}: --{role}-weights open or closed"
    if player.fingerprint is None and revision is None:
        yield f"which version of {player.label}, as its provider does not tell: --{role}-revision"


def training_deviations(result: Result, trained_on: tuple[str, ...] | None) -> set[str]:
    """Deviations that come of what a reflector was trained on: they mark an entry, and do not keep it out."""
    return _told(result, trained_on) - _told(result, None)


def _unacceptable(result: Result) -> Iterator[str]:
    """Deviations that keep a run out: all but those that mark it, and the cap that makes it a control."""
    accepted = training_deviations(result, result.reflector_trained_on)
    if result.control:
        usual = load_suite(result.suite.name).limits.prompt_bytes
        accepted |= _told(result, None) - _told(result.model_copy(update={"prompt_bytes": usual}), None)
    return (what for what in result.deviations if what not in accepted)


def _told(result: Result, trained_on: tuple[str, ...] | None) -> set[str]:
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
            trained_on=trained_on,
        )
    }
