"""Made-up finished loops and summaries of their episodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench.protocol import LoopResult, episode_uses
from ictbench.protocol.loop_result import AuditResult, BatchResult, OnlineResult, PromptResult
from ictbench.records import EpisodeSummary, ReflectionFailure, Usage, prompt_digest

if TYPE_CHECKING:
    from collections.abc import Sequence

USAGE = Usage(calls=1, input_tokens=10, output_tokens=1, cost=None)


def task_ids(pool: str, family: str, loop: int, count: int) -> tuple[str, ...]:
    return tuple(f"{family}-{pool}-{loop}-{i}" for i in range(count))


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
    online: tuple[Sequence[str], Sequence[str]] | None = None,
) -> LoopResult:
    """Return a finished loop.

    Args:
        selection: Outcomes on selection tasks, by prompt.
        test: Outcomes on test tasks, by index of the prompt.
        best: Index of the best prompt.
        family: Prefix of the task ids.
        index: Index of the loop.
        prompts: Texts; `p0`, `p1` … by default.
        failures: Failures of the reflections, by turn; all usable by default.
        batch: Number of tasks per batch.
        experience: Outcomes of the batches; all solved by default.
        audit: Outcomes of the replayed and the fresh batch, by audited turn.
        online: Outcomes of the batches under prompt[0] and under the best prompt.
    """
    turns = len(selection) - 1
    experience_tasks = task_ids("experience", family, index, turns * batch)
    texts = prompts or [f"p{i}" for i in range(turns + 1)]
    analyses = ["", *(f"analysis {i + 1}" for i in range(turns))]
    outcomes = experience or ["1" * batch] * turns
    return LoopResult(
        index=index,
        prompts=tuple(
            PromptResult(digest=prompt_digest(text), text=text, analysis=analysis, failure=failure)
            for text, analysis, failure in zip(texts, analyses, [None, *(failures or [None] * turns)], strict=True)
        ),
        batches=tuple(
            BatchResult(tasks=experience_tasks[i * batch : (i + 1) * batch], outcomes=outcomes[i]) for i in range(turns)
        ),
        selection_tasks=task_ids("selection", family, index, len(selection[0])),
        selection=tuple(selection),
        best=best,
        test_tasks=task_ids("test", family, index, len(test[0])),
        test=test,
        audit=tuple(AuditResult(replayed=replayed, fresh=fresh) for replayed, fresh in audit),
        online=OnlineResult(base=tuple(online[0]), best=tuple(online[1])) if online else None,
    )


def episodes_of(*loops: LoopResult, **changes: dict[str, Any]) -> dict[str, EpisodeSummary]:
    """Return a summary of every episode of the loops.

    Args:
        loops: The loops.
        changes: Fields that differ from the default, by prefix of the key with `_` for `-`.
    """
    episodes: dict[str, EpisodeSummary] = {}
    for one in loops:
        for use in episode_uses(one):
            fields = {
                "key": use.key,
                "end": "step_limit",
                "failure": None,
                "decisions": 4,
                "invalid": 0,
                "first_digest": use.key,
                "usage": USAGE,
            }
            own_changes = (fields for prefix, fields in changes.items() if use.key.startswith(prefix.replace("_", "-")))
            episodes[use.key] = EpisodeSummary.model_validate(fields | next(own_changes, {}))
    return episodes
