"""Finished loops made up for tests, and summaries of their episodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench.protocol import Audited, LoopOutcome, LoopPlan
from ictbench.records import EpisodeSummary, ReflectionFailure, Task, Usage
from ictbench.results.measures import episode_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

USAGE = Usage(calls=1, input_tokens=10, output_tokens=1, cost=None)


def bits(text: str) -> tuple[bool, ...]:
    return tuple(character == "1" for character in text)


def tasks(pool: str, family: str, loop: int, count: int) -> tuple[Task, ...]:
    return tuple(Task(id=f"{family}-{pool}-{loop}-{i}", family=family, env="e", params={}) for i in range(count))


def loop(
    selection: Sequence[str],
    test: dict[int, str],
    *,
    best: int,
    family: str = "read",
    index: int = 0,
    prompts: Sequence[str] | None = None,
    failures: Sequence[ReflectionFailure | None] | None = None,
    batch: int = 1,
    experience: Sequence[str] | None = None,
    audit: Sequence[tuple[str, str]] = (),
) -> LoopOutcome:
    """A finished loop from strings of outcomes: on selection by prompt, on test by index of the prompt."""
    turns = len(selection) - 1
    met = tasks("experience", family, index, turns * batch)
    return LoopOutcome(
        plan=LoopPlan(
            family=family,
            index=index,
            prompt="p0",
            batches=tuple(met[i * batch : (i + 1) * batch] for i in range(turns)),
            selection=tasks("selection", family, index, len(selection[0])),
            test=tasks("test", family, index, len(test[0])),
            prompt_bytes=8000,
        ),
        prompts=tuple(prompts or [f"p{i}" for i in range(turns + 1)]),
        analyses=tuple(f"analysis {i + 1}" for i in range(turns)),
        failures=tuple(failures or [None] * turns),
        experience=tuple(map(bits, experience or ["1" * batch] * turns)),
        selection=tuple(map(bits, selection)),
        best=best,
        test={number: bits(outcomes) for number, outcomes in test.items()},
        audit=tuple(Audited(bits(replayed), bits(fresh)) for replayed, fresh in audit),
    )


def episodes_of(*loops: LoopOutcome, **of_key: dict[str, Any]) -> dict[str, EpisodeSummary]:
    """A summary for every episode of the loops, with changes for those whose key starts as told."""
    found: dict[str, EpisodeSummary] = {}
    for one in loops:
        for _, key in episode_keys(one):
            changes = next((what for start, what in of_key.items() if key.startswith(start.replace("_", "-"))), {})
            plain: dict[str, Any] = {
                "key": key,
                "end": "step_limit",
                "failure": None,
                "decisions": 4,
                "invalid": 0,
                "first_digest": key,
                "usage": USAGE,
            }
            found[key] = EpisodeSummary.model_validate(plain | changes)
    return found
