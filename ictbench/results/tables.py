"""Aggregate tables of a result, as pandas frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench.results.outcomes import levels_of, success_rate

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from ictbench.protocol import LoopResult
    from ictbench.records import Record
    from ictbench.results.comparison_schema import Arm, Comparison, Difference
    from ictbench.results.schema import FamilyResult, Interval, Measures, Result

MEASURES = (
    *("base", "best", "last", "gain", "last_gain", "headroom_gain", "auc", "w_auc"),
    *("negative_transfer", "negative_last_transfer", "overfitting_gap"),
)


def tables(result: Result) -> dict[str, pd.DataFrame]:
    """`families`, `roles`, `loops`, `curves` and `cost`, each with one row a thing of its name."""
    import pandas as pd  # 0.3 s to import

    loops = [(family, loop) for family in result.families for loop in family.loops]
    found: dict[str, tuple[list[dict[str, Any]], list[str]]] = {
        "families": ([_family_row(family) for family in result.families], ["family"]),
        "roles": ([{"role": role, **_measures(m)} for role, m in result.by_role.items()], ["role"]),
        "loops": ([_loop_row(*one) for one in loops], ["family", "loop"]),
        "curves": ([row for one in loops for row in _curve_rows(*one)], ["family", "loop", "prompt"]),
        "cost": ([{"role": role, **usage.model_dump()} for role, usage in result.cost.items()], ["role"]),
    }
    # Without a finished loop there is nothing to tell, but still something to read.
    return {name: pd.DataFrame(rows, columns=None if rows else names) for name, (rows, names) in found.items()}


def comparison_table(comparison: Comparison) -> pd.DataFrame:
    """One row an arm and family, then the means over families, whose `family` is their role."""
    import pandas as pd

    return pd.DataFrame([_difference_row(comparison, arm, row) for arm in comparison.arms for row in arm.rows])


def errors(family: FamilyResult) -> int:
    """Episodes that the model failed and reflections that could not be used."""
    if family.behaviour is None:
        return 0
    return sum(family.behaviour.failed.values()) + sum(family.behaviour.reflection_failures.values())


def _difference_row(comparison: Comparison, arm: Arm, row: Difference) -> dict[str, Any]:
    ends = {"low": row.difference.low, "high": row.difference.high}
    plain = row.model_dump(exclude={"family", "difference"})
    named = {"reference": comparison.reference, "arm": arm.label, "measure": comparison.measure, "family": row.name}
    figures = {"reference_value": plain.pop("reference"), "arm_value": plain.pop("other")}
    return {**named, **figures, "difference": row.difference.value, **ends, **plain}


def _family_row(family: FamilyResult) -> dict[str, Any]:
    row: dict[str, Any] = {"family": family.name, "role": family.role, "loops": len(family.loops)}
    if family.measures and family.behaviour:
        row |= _measures(family.measures)
        row |= _intervals(family.behaviour, ("invalid_base", "invalid_best", "unusable"))
        names = ("prompt_bytes", "prompt_change", "prompt_change_after_solved", "starts_shared")
        row |= {name: getattr(family.behaviour, name) for name in names}
    return row | {"errors": errors(family)}


def _measures(measures: Measures) -> dict[str, Any]:
    return _intervals(measures, MEASURES)


def _intervals(record: Record, names: Iterable[str]) -> dict[str, Any]:
    """Three columns each: the value and the ends of its interval."""
    row: dict[str, Any] = {}
    for name in names:
        interval: Interval | None = getattr(record, name)
        ends = (interval.value, interval.low, interval.high) if interval else (None, None, None)
        row |= dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
    return row


def _loop_row(family: FamilyResult, loop: LoopResult) -> dict[str, Any]:
    levels = levels_of(loop)
    return {
        "family": family.name,
        "loop": loop.index,
        **levels._asdict(),
        "gain": levels.gain,
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
            "prompt_bytes": len(prompt.text.encode()),
            "failure": prompt.failure,
            "digest": prompt.digest,
        }
        for index, prompt in enumerate(loop.prompts)
    ]
