"""Aggregate tables of results and comparisons as data frames."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, Any

from ictbench.results.failures import counts_by_kind, failure_counts
from ictbench.results.forgetting import is_measured, stream_rates
from ictbench.results.formatting import tokens_estimate
from ictbench.results.online import online_rates, stream_rate
from ictbench.results.outcomes import levels_of, success_rate
from ictbench.results.task_progress import progress_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pandas as pd

    from ictbench.protocol import LoopResult
    from ictbench.records import Record
    from ictbench.results.comparison_schema import Arm, Comparison, Difference
    from ictbench.results.schema import CostRole, FamilyResult, Interval, Measures, Result

MEASURES = (
    *("base", "best", "last", "gain", "last_gain", "headroom_gain", "auc", "w_auc"),
    *("negative_transfer", "negative_last_transfer", "overfitting_gap", "stream_success"),
)
ONLINE = ("gain", "regret")
MIXED = ("forgetting", "forward_transfer")
FAILURES = ("failed_base", "failed_best", "gain_unfailed")
KEYS = {
    "families": ["family"],
    "roles": ["role"],
    "loops": ["family", "loop"],
    "curves": ["family", "loop", "prompt"],
    "turns": ["family", "loop", "turn"],
    "cost": ["role"],
    "streams": ["stream", "family"],
    "reliability": ["family", "role", "prompt"],
}
"""Columns that identify a row, by table."""


def tables(result: Result) -> dict[str, pd.DataFrame]:
    """Return the tables `families`, `roles`, `loops`, `curves` (one row per prompt), `turns` and `cost`.

    Of streams, `streams` has one row per family that is mixed.
    Where tasks are repeated, `reliability` has one row per prompt, for each family and for the mean of each role.
    """
    import pandas as pd  # takes 0.3 s to import

    loops = [(family, loop) for family in result.families for loop in family.loops]
    rows: dict[str, list[dict[str, Any]]] = {
        "families": [_family_row(family) for family in result.families],
        "roles": [{"role": role, **_measured(measures)} for role, measures in result.by_role.items()],
        "loops": [_loop_row(family, loop) for family, loop in loops],
        "curves": [row for family, loop in loops for row in _curve_rows(family, loop)],
        "turns": [row for family, loop in loops for row in _turn_rows(family, loop)],
        "cost": [{"role": role, **usage.model_dump(), **_added(result, role)} for role, usage in result.cost.items()],
    }
    if streams := [family for family in result.families if family.measures and family.measures.mixed]:
        rows["streams"] = [row for family in streams for row in _stream_rows(family)]
    if result.sizes.repeats > 1:
        rows["reliability"] = [*_reliability_rows(result)]
    # An empty table needs a column, or its file could not be read.
    return {name: pd.DataFrame(rows[name], columns=None if rows[name] else KEYS[name]) for name in rows}


def comparison_table(comparison: Comparison) -> pd.DataFrame:
    """Return one row per arm and family, and one per arm and role for the means, whose `family` is `mean ROLE`."""
    import pandas as pd

    return pd.DataFrame([_difference_row(comparison, arm, row) for arm in comparison.arms for row in arm.rows])


def _difference_row(comparison: Comparison, arm: Arm, row: Difference) -> dict[str, Any]:
    return {
        "reference": comparison.reference,
        "arm": arm.label,
        "measure": comparison.measure,
        "family": row.name,
        "reference_value": row.reference,
        "arm_value": row.other,
        "difference": row.difference.value,
        "low": row.difference.low,
        "high": row.difference.high,
        **row.model_dump(exclude={"family", "reference", "other", "difference"}),
    }


def _family_row(family: FamilyResult) -> dict[str, Any]:
    row: dict[str, Any] = {"family": family.name, "role": family.role, "loops": len(family.loops)}
    if family.measures and family.behaviour:
        row |= _measured(family.measures)
        row |= _intervals(family.behaviour, ("invalid_base", "invalid_best", "unusable"))
        names = ("prompt_bytes", "prompt_change", "prompt_change_after_solved", "starts_shared")
        row |= {name: getattr(family.behaviour, name) for name in names}
        row |= {name: getattr(family.behaviour, name) for name in FAILURES}
    failed, unusable = failure_counts([family])
    return row | {"failed_episodes": counts_by_kind(failed), "failed_reflections": counts_by_kind(unusable)}


def _measured(measures: Measures) -> dict[str, Any]:
    online = _intervals(measures.online, ONLINE) if measures.online else {}
    mixed = _intervals(measures.mixed, MIXED) if measures.mixed else {}
    return _intervals(measures, MEASURES) | _prefixed("online", online) | mixed | progress_columns(measures)


def progress_columns(measures: Measures) -> dict[str, Any]:
    """Return columns `progress_base` … with the ends of their intervals; none if progress is not known."""
    progress = measures.progress
    return _prefixed("progress", _intervals(progress, type(progress).model_fields)) if progress else {}


def _prefixed(prefix: str, row: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{prefix}_{name}": value for name, value in row.items()}


def _intervals(record: Record, names: Iterable[str]) -> dict[str, Any]:
    """Return three columns per name: the value and both ends of its interval."""
    row: dict[str, Any] = {}
    for name in names:
        interval: Interval | None = getattr(record, name)
        ends = (interval.value, interval.low, interval.high) if interval else (None, None, None)
        row |= dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
    return row


def _stream_rows(family: FamilyResult) -> Iterator[dict[str, Any]]:
    mixed = family.measures.mixed if family.measures else None
    for name, one in mixed.families.items() if mixed else ():
        yield {"stream": family.name, "family": name, **_intervals(one, type(one).model_fields)}


def _reliability_rows(result: Result) -> Iterator[dict[str, Any]]:
    measured = [(family.name, family.role, family.measures) for family in result.families]
    measured += [("mean", role, measures) for role, measures in result.by_role.items()]
    for family, role, measures in measured:
        for prompt, repeated in measures.reliability if measures and measures.reliability else ():
            row: dict[str, Any] = {"family": family, "role": role, "prompt": prompt, "noise": repeated.noise}
            for k, interval in enumerate(repeated.pass_k, 1):
                row |= {f"pass_{k}": interval.value, f"pass_{k}_low": interval.low, f"pass_{k}_high": interval.high}
            yield row


def _loop_row(family: FamilyResult, loop: LoopResult) -> dict[str, Any]:
    levels, progress = levels_of(loop), progress_of(loop)
    return {
        "family": family.name,
        "loop": loop.index,
        **levels._asdict(),
        "gain": levels.gain,
        **(_prefixed("progress", progress._asdict()) if progress else {}),
        "stream_success": stream_rate(loop),
        **dict(zip(("online_gain", "online_regret"), online_rates(loop) or (), strict=False)),
        **(dict(zip(MIXED, stream_rates(loop), strict=True)) if is_measured(loop) else {}),
        "best_prompt": loop.best,
        "unusable": sum(prompt.failure is not None for prompt in loop.prompts),
    }


def _curve_rows(family: FamilyResult, loop: LoopResult) -> list[dict[str, Any]]:
    return [
        {
            "family": family.name,
            "loop": loop.index,
            "prompt": index,
            "selection": success_rate(loop.selection[index]),
            "test": success_rate(loop.test[index]) if index in loop.test else None,
            **({"test_progress": fmean(loop.progress[index])} if index in loop.progress else {}),
            "prompt_bytes": len(prompt.text.encode()),
            "failure": prompt.failure,
            "digest": prompt.digest,
        }
        for index, prompt in enumerate(loop.prompts)
    ]


def _turn_rows(family: FamilyResult, loop: LoopResult) -> list[dict[str, Any]]:
    """Return the success rate on the experience of each turn, and under the prompts that stay the same."""
    rows: list[dict[str, Any]] = []
    for turn, batch in enumerate(loop.batches, 1):
        rate = success_rate(batch.outcomes) if batch.outcomes else None
        row = {"family": family.name, "loop": loop.index, "turn": turn, "experience": rate}
        if loop.online:
            row["online_base"] = success_rate(loop.online.base[turn - 1])
            row["online_best"] = success_rate(loop.online.best[turn - 1])
        rows.append(row)
    return rows


def _added(result: Result, role: CostRole) -> dict[str, int]:
    """Return what memories added, of a run in which they added something."""
    if not result.added_bytes:
        return {}
    size = result.added_bytes.get(role, 0)
    return {"added_bytes": size, "added_tokens_estimate": tokens_estimate(size)}
