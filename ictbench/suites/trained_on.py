"""What a reflector was trained on: families, in words that a result can state and a reader can compare.

`SUITE/FAMILY` is one family, `SUITE/meta-train` (or `held-out`) all of that role, `SUITE` all of it, a bare `FAMILY` or
role one of the suite that is run, `nothing` none, and `other:NAME` anything that is no suite here.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from ictbench.errors import ConfigError, UnknownNameError
from ictbench.plugins import suggest
from ictbench.suites.load import list_suites, load_suite

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench.suites.suite import Suite

TrainedOn = tuple[str, ...]
"""Sorted `SUITE/FAMILY` and `other:NAME`; empty for nothing."""

NOTHING, OTHER = "nothing", "other:"
GROUPS = ("all", "held-out", "meta-train")


def parse_trained_on(names: Sequence[str], suite: Suite) -> TrainedOn:
    """What a user says, spelled out; `suite` is the one that is run.

    Raises:
        UnknownNameError: there is no such suite or family.
        ConfigError: nothing and something at once.
    """
    if NOTHING in names and len(names) > 1:
        raise ConfigError(f"trained on {', '.join(names)}: {NOTHING} goes with nothing else")
    return tuple(sorted({place for name in names if name != NOTHING for place in _spelled_out(name, suite)}))


def was_seen(trained_on: TrainedOn, suite: str, env: str | None, family: str) -> bool:
    """Whether a family was trained on: in its suite, or by the same name in another suite of its environment."""
    places = [place.partition("/")[::2] for place in trained_on]
    return any(
        met == family and (name == suite or (env is not None and env_of_suite(name) == env)) for name, met in places
    )


def seen_held_out(trained_on: TrainedOn, suite: Suite) -> tuple[str, ...]:
    """A suite's held-out families that were trained on, which they may not be."""
    held_out = suite.select_families(["held-out"])
    return tuple(family for family in held_out if was_seen(trained_on, suite.name, suite.env, family))


def env_of_suite(name: str) -> str | None:
    """The environment of a suite that ships with ictbench; None of any other."""
    suite = _shipped(name)
    return suite.env if suite else None


def training_in_words(trained_on: TrainedOn | None) -> str:
    """The same, as short as it can be said: whole suites and roles by their names."""
    if trained_on is None:
        return "unknown"
    by_suite: dict[str, set[str]] = {}
    for place in trained_on:
        suite, _, family = place.partition("/")
        by_suite.setdefault(suite, set()).add(family)
    return ", ".join(word for suite, families in by_suite.items() for word in _words(suite, families)) or NOTHING


def _words(name: str, families: set[str]) -> Iterator[str]:
    if name.startswith(OTHER):
        yield name
        return
    left = set(families)
    if suite := _shipped(name):
        for group, word in (("all", name), ("meta-train", f"{name}/meta-train"), ("held-out", f"{name}/held-out")):
            if (members := set(suite.select_families([group]))) and members <= left:
                left -= members
                yield word
    yield from (f"{name}/{family}" for family in sorted(left))


@functools.cache
def _shipped(name: str) -> Suite | None:
    return load_suite(name) if name in list_suites() else None


def _spelled_out(name: str, own: Suite) -> list[str]:
    if name.startswith(OTHER) and name != OTHER:
        # A stroke would make it look like a family.
        return [name.replace("/", "-")]
    known = list_suites()
    if name in known or name == own.name:
        place, group = name, "all"
    elif "/" in name:
        place, _, group = name.partition("/")
    else:
        place, group = own.name, name
    if place != own.name and place not in known:
        hint = suggest(place, [*known, own.name])
        raise UnknownNameError(f"trained on {name!r}: there is no suite {place!r}; {hint} (or say {OTHER}NAME)")
    suite = own if place == own.name else load_suite(place)
    if group not in (*suite.families, *GROUPS):
        hint = suggest(group, [*suite.families, *GROUPS, *known])
        raise UnknownNameError(
            f"trained on {name!r}: suite {place} has no family {group!r}; {hint} (or say {OTHER}NAME)"
        )
    return [f"{place}/{family}" for family in suite.select_families([group])]
