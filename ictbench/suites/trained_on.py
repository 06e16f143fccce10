"""Names for what a reflector was trained on, which a result states and a reader can compare.

`SUITE/FAMILY` is one family, `SUITE/meta-train` (or `held-out`) all families of that role, `SUITE` all of its families;
a bare `FAMILY` or role refers to the suite of the run; `nothing` is no training; `other:NAME` is anything that is not a
suite of ictbench.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from ictbench.errors import ConfigError, UnknownNameError
from ictbench.plugins import suggest
from ictbench.suites.load import list_suites, load_suite

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ictbench.suites.suite import Suite

TrainedOn = tuple[str, ...]
"""Sorted names of the forms `SUITE/FAMILY` and `other:NAME`; empty for nothing."""

NOTHING, OTHER = "nothing", "other:"
GROUPS = ("all", "held-out", "meta-train")

POINTING = (
    "all",
    "benchmark",
    "board",
    "both",
    "each",
    "either",
    "entire",
    "every",
    "everything",
    "families",
    "family",
    "held",
    "heldout",
    "holdout",
    "ictbench",
    "leaderboard",
    "meta-train",
    "none",
    "nothing",
    "others",
    "same",
    "suite",
    "suites",
    "test",
    "tests",
    "them",
    "these",
    "those",
    "unseen",
    "whole",
)
"""Words that point at families instead of naming them. `other:held out too` would hide what disqualifies a run."""

WORD = re.compile(r"[^\W_]+")
CAMEL_CASE = re.compile("(?<=[a-z])(?=[A-Z])")
AS_LETTERS = str.maketrans("10i", "lol")


def parse_trained_on(names: Sequence[str], suite: Suite) -> TrainedOn:
    """Expand names as a user writes them.

    Args:
        names: Names in any form.
        suite: The suite of the run.

    Raises:
        UnknownNameError: A suite or family is unknown, or `other:NAME` may mean one.
        ConfigError: `nothing` is combined with another name.
    """
    if NOTHING in names and len(names) > 1:
        raise ConfigError(f"trained on {', '.join(names)}: {NOTHING!r} cannot be combined with other names")
    return tuple(sorted({expanded for name in names if name != NOTHING for expanded in _expand(name, suite)}))


def pointing_words(name: str, families: Iterable[str]) -> str | None:
    """Return the words of an `other:` name that may mean families of a suite; None if it names something else.

    Args:
        name: The name without its prefix.
        families: Names of families.
    """
    text = _words(name)
    hidden = [word for word in (*POINTING, *families) if _words(word) in text]
    return min(hidden, key=lambda word: (text.index(_words(word)), word), default=None)


def format_trained_on(trained_on: TrainedOn | None) -> str:
    """Return the shortest names: whole suites and roles instead of their families; `unknown` for None."""
    if trained_on is None:
        return "unknown"
    by_suite: dict[str, set[str]] = {}
    for name in trained_on:
        suite, _, family = name.partition("/")
        by_suite.setdefault(suite, set()).add(family)
    return ", ".join(name for suite, families in by_suite.items() for name in _shortest(suite, families)) or NOTHING


def was_trained_on(trained_on: TrainedOn, suite: str, env: str | None, family: str) -> bool:
    """Check whether a family was trained on: in its suite, or under its name in another suite of its environment.

    A stream was trained on if one of its families was, and the families of a stream if the stream was.
    """
    parts = _parts(suite, family)
    for name in trained_on:
        other_suite, _, other_family = name.partition("/")
        same_env = other_suite == suite or (env is not None and env_of_suite(other_suite) == env)
        if same_env and parts & _parts(other_suite, other_family):
            return True
    return False


def held_out_trained_on(trained_on: TrainedOn, suite: Suite) -> tuple[str, ...]:
    """Return the held-out families of a suite that were trained on, which disqualifies a run from ranking."""
    return tuple(
        family
        for family in suite.select_families(["held-out"])
        if any(was_trained_on(trained_on, suite.name, suite.env, part) for part in {family, *suite.parts(family)})
    )


def _parts(suite_name: str, family: str) -> set[str]:
    """Return a family, and if it is a stream of an installed suite, the families that it mixes."""
    suite = _installed(suite_name)
    return {family, *(suite.parts(family) if suite and family in suite.families else ())}


def env_of_suite(name: str) -> str | None:
    """Return the environment of a suite that is installed, None for any other suite."""
    suite = _installed(name)
    return suite.env if suite else None


def _words(text: str) -> str:
    """Return the words of a text with hyphens around them, in lower case, and digits as the letters they look like."""
    return f"-{'-'.join(WORD.findall(CAMEL_CASE.sub('-', text).casefold()))}-".translate(AS_LETTERS)


@functools.cache
def _installed(name: str) -> Suite | None:
    return load_suite(name) if name in list_suites() else None


def _shortest(suite_name: str, families: set[str]) -> Iterator[str]:
    if suite_name.startswith(OTHER):
        yield suite_name
        return
    remaining = set(families)
    if suite := _installed(suite_name):
        groups = (
            ("all", suite_name),
            ("meta-train", f"{suite_name}/meta-train"),
            ("held-out", f"{suite_name}/held-out"),
        )
        for group, short in groups:
            if (members := set(suite.select_families([group]))) and members <= remaining:
                remaining -= members
                yield short
    yield from (f"{suite_name}/{family}" for family in sorted(remaining))


def _expand(name: str, run_suite: Suite) -> list[str]:
    if name.startswith(OTHER) and name != OTHER:
        if words := pointing_words(name.removeprefix(OTHER), run_suite.select_families(["held-out"])):
            raise UnknownNameError(
                f"trained on {name!r}: {words!r} may mean families of a suite; "
                "name those as SUITE/FAMILY, and other data without this word"
            )
        # With a slash it would look like a family.
        return [name.replace("/", "-")]
    known = list_suites()
    if name in known or name == run_suite.name:
        suite_name, group = name, "all"
    elif "/" in name:
        suite_name, _, group = name.partition("/")
    else:
        suite_name, group = run_suite.name, name
    if suite_name != run_suite.name and suite_name not in known:
        hint = suggest(suite_name, [*known, run_suite.name])
        raise UnknownNameError(f"trained on {name!r}: {suite_name!r} is not a suite; {hint} (or write {OTHER}NAME)")
    suite = run_suite if suite_name == run_suite.name else load_suite(suite_name)
    if group not in (*suite.families, *GROUPS):
        hint = suggest(group, [*suite.families, *GROUPS, *known])
        raise UnknownNameError(
            f"trained on {name!r}: suite {suite_name} has no family {group!r}; {hint} (or write {OTHER}NAME)"
        )
    return [f"{suite_name}/{family}" for family in suite.select_families([group])]
