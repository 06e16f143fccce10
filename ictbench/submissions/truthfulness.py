"""Statements of a result that cannot be true here and now: dates, versions, and names of training families."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, get_args

from pydantic import TypeAdapter, ValidationError

from ictbench._version import __version__
from ictbench.choices import FailureKind
from ictbench.records import ReflectionFailure
from ictbench.submissions.known_players import is_program
from ictbench.submissions.spelling import name_key
from ictbench.submissions.submission_schema import Clause
from ictbench.suites import load_suite, shipped_suites
from ictbench.suites.trained_on import OTHER, pointing_words
from ictbench.validation import describe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.results import Result

EPISODE_FAILURES = {*get_args(FailureKind)}
REFLECTION_FAILURES = {kind for kinds in get_args(ReflectionFailure) for kind in get_args(kinds)}

VERSION = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})\.([0-9]{1,4})(?:\.?(?:a|b|rc|dev|post)[0-9]{1,4})*")
POST = re.compile("post([0-9]+)")
MAX_RETRIES = 1_000_000
CLAUSE: TypeAdapter[str] = TypeAdapter(Clause)
CLOCKS_APART = timedelta(days=1)
"""How far the clock of a submitter may be ahead."""
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
"""There was no ictbench before."""


def untrue_statements(result: Result) -> Iterator[str]:
    """Yield what a result states about its date, its version and its training that cannot be true."""
    yield from _date_problems(result.host.started)
    yield from _version_problems(result.ictbench)
    yield from training_problems(result)
    for name, kinds in (("retried_failures", EPISODE_FAILURES), ("retried_reflections", REFLECTION_FAILURES)):
        counts: dict[str, int] = getattr(result, name)
        if unknown := sorted(counts.keys() - kinds):
            yield f"{name} names {unknown[0]!r:.80}, which is no kind of failure; submit the run again"
        elif wrong := [count for count in counts.values() if not 0 <= count <= MAX_RETRIES]:
            yield f"{name} counts {wrong[0]}, not between 0 and {MAX_RETRIES:,}; submit the run again"
    if result.retried_failures and is_program(result.actor):
        yield f"retried_failures counts failed episodes, but actor {result.actor.label!r:.80} is a program"
    yield from _control_problems(result.control)
    yield from model_problems_of_programs(result)
    for role in ("actor", "reflector"):
        model = getattr(result, role).model
        if model is not None and model.base_url is not None:
            yield f"its {role} has the address {model.base_url!r:.80}, which a result leaves out; submit the run again"


def _control_problems(control: str) -> Iterator[str]:
    """Yield why a board does not print what a class of the submitter's own says about itself."""
    try:
        CLAUSE.validate_python(control or "none")
    except ValidationError as error:
        yield f"control: {describe(error.errors(include_url=False)[0])}"


def model_problems_of_programs(result: Result) -> Iterator[str]:
    """Yield what a result states about the model of a player that has none: another version is another track."""
    for role in ("actor", "reflector"):
        player = getattr(result, role)
        stated = {name: getattr(player, name) for name in ("fingerprint", "reproducible")}
        for name, value in stated.items() if player.model is None else ():
            if value is not None:
                claim = f"its {role} {player.name!r:.80} has no model, but states {name}: {value!r:.80}"
                yield f"{claim}; submit the run again"


def training_problems(result: Result) -> Iterator[str]:
    """Yield the training families that a result does not name clearly: a look-alike would hide a held-out family."""
    for name in dict.fromkeys((*(result.reflector_trained_on or ()), *(result.actor_trained_on or ()))):
        yield from _training_problems(name, result)


def _date_problems(started: str) -> Iterator[str]:
    try:
        start = datetime.fromisoformat(started)
    except ValueError:
        yield f"host.started is {started!r:.80}, which is not a time in ISO 8601; submit the run again"
        return
    start = start if start.tzinfo else start.replace(tzinfo=UTC)
    if start > datetime.now(UTC) + CLOCKS_APART:
        yield f"the run was started on {start:%Y-%m-%d}, in the future; set the clock, and run it again"
    if start < FIRST:
        yield f"the run was started on {start:%Y-%m-%d}, before there was ictbench; set the clock, and run it again"


def _version_problems(version: str) -> Iterator[str]:
    own, stated = VERSION.fullmatch(__version__), VERSION.fullmatch(version)
    assert own is not None, __version__
    if stated is None:
        yield f"its version of ictbench is {version!r:.40}, which is no version of it; run it with a release"
    elif _order(stated) > _order(own):
        yield f"ictbench {version} made the run, and this is {__version__}: update ictbench to check it"


def _order(version: re.Match[str]) -> list[int]:
    """Return the numbers by which versions are ordered: those of the release, and of a release after it."""
    post = POST.search(version[0])
    return [*map(int, version.groups()), int(post[1]) if post else -1]


def _training_problems(name: str, result: Result) -> Iterator[str]:
    """Yield why a name is neither a family of a suite here, nor clearly something else."""
    suites = shipped_suites()
    if name.startswith(OTHER):
        text = name_key(name.removeprefix(OTHER))
        hidden = [suite for suite in suites if name_key(suite) in text]
        hidden += [family.name for family in result.families if name_key(family.name) == text]
        held_out = load_suite(result.suite.name).select_families(["held-out"]) if result.suite.name in suites else ()
        words = pointing_words(name.removeprefix(OTHER), held_out)
        # In other alphabets, such words would not be found.
        if "/" in name or not text or hidden or words or not name.isascii():
            yield f"trained on {name!a:.80}: write the suite and its family as SUITE/FAMILY, or name what it is"
        return
    suite, slash, family = name.partition("/")
    if suite in suites:
        if not slash or family not in load_suite(suite).families:
            yield f"trained on {name!a:.80}: {suite} has no such family ({', '.join(load_suite(suite).families)})"
    elif not slash or not name.isascii() or name_key(suite) in map(name_key, suites):
        known = ", ".join(suites)
        yield f"trained on {name!a:.80}, which is neither SUITE/FAMILY of a suite here ({known}) nor {OTHER}NAME"
