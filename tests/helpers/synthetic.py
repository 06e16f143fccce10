"""Made-up results: outcomes on test tasks as strings, everything else as small as possible."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from finished import episodes_of, loop

from ictbench.records import Role, Usage
from ictbench.results import Result
from ictbench.results.assemble import family_result, role_measures
from ictbench.results.schema import Host, Player, SuiteId
from ictbench.suites import Family, Sizes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ictbench.protocol import LoopResult
    from ictbench.records import PluginSpec

Outcomes = tuple[str, str]
"""Outcomes of prompt[0] and of the best prompt, one character per test task."""


def result(
    families: Mapping[str, Sequence[Outcomes]],
    label: str = "one",
    *,
    roles: Mapping[str, Role] | None = None,
    reflector: PluginSpec | None = None,
    **changes: Any,
) -> Result:
    """Return the result of a complete run of one turn whose best prompt is the last."""
    role_of = {name: (roles or {}).get(name, "held-out") for name in families}
    finished = {
        name: tuple(_loop(name, index, *outcomes) for index, outcomes in enumerate(loops))
        for name, loops in families.items()
    }
    results = tuple(
        family_result(name, Family(role=role_of[name]), loops, episodes_of(*loops)) for name, loops in finished.items()
    )
    fields: dict[str, Any] = {
        "schema": "ictbench.result/2",
        "ictbench": "0",
        "suite": SuiteId(name="rooms-v1", digest="d" * 64),
        "versions": {"nle": "1"},
        "profile": "quick",
        "sizes": Sizes(turns=1, batch_size=1, loops=max([1, *map(len, families.values())])),
        "intervals": "over loops",
        "test_every_turn": False,
        "audit": False,
        "max_steps": 25,
        "prompt_bytes": 8000,
        "actor": Player(label="rules", name="rules"),
        "reflector": Player(**reflector.model_dump()) if reflector else Player(label=label, name=_class_name(label)),
        "reflector_trained_on": (),
        "deviations": (),
        "ranked": False,
        "complete": True,
        "owed": 0,
        "retried_failures": {},
        "families": results,
        "by_role": role_measures(results),
        "cost": {},
        "episodes_sha256": "e" * 64,
        "host": Host(
            folder=f"runs/{label}",
            started="2026-01-01T00:00:00+00:00",
            seconds=1.0,
            spent=Usage(),
            addresses={},
            troubles=(),
            machine={},
        ),
    }
    return Result.model_validate({**fields, **changes})


def _class_name(label: str) -> str:
    """Return the name of a class for a label, or the label if it is a built-in reflector without a model."""
    return label if label in ("rules", "none") else f"made_up:{re.sub('[^a-zA-Z0-9]', '_', label)}"


def _loop(family: str, index: int, base: str, best: str) -> LoopResult:
    return loop(["0", "1"], {0: base, 1: best}, best=1, family=family, index=index)
