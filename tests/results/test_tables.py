from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import ictbench
from ictbench.records import prompt_digest
from ictbench.results import Result
from ictbench.results.outcomes import success_rate
from ictbench.results.result_file import read_result
from ictbench.results.schema import json_schema
from ictbench.results.tables import tables

NAMES = (
    *("base", "best", "last", "gain", "last_gain", "headroom_gain", "auc", "w_auc"),
    *("negative_transfer", "negative_last_transfer", "overfitting_gap", "stream_success"),
)


def columns(*names: str) -> list[str]:
    """Return the columns of measures with an interval."""
    return [f"{name}{end}" for name in names for end in ("", "_low", "_high")]


MEASURES = columns(*NAMES)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ictbench.Run:
    """A small run: two families of different roles, three loops, two turns."""
    return ictbench.run(
        suite="minihack-v1",
        families="room-random,read",
        turns=2,
        batch_size=2,
        loops=3,
        selection_size=3,
        test_size=4,
        out=tmp_path_factory.mktemp("run") / "small",
    )


def share(outcomes: str) -> float:
    return sum(map(int, outcomes)) / len(outcomes)


def test_tables_have_the_expected_rows_and_columns(run: ictbench.Run) -> None:
    found = run.tables()
    assert {name: len(table) for name, table in found.items()} == {
        "families": 2,
        "roles": 2,
        "loops": 2 * 3,
        "curves": 2 * 3 * 3,
        "turns": 2 * 3 * 2,
        "cost": 4,
    }
    assert list(found["families"].columns) == [
        *("family", "role", "loops", *MEASURES, *columns("invalid_base", "invalid_best", "unusable")),
        *("prompt_bytes", "prompt_change", "prompt_change_after_solved", "starts_shared"),
        *("failed_base", "failed_best", "gain_unfailed"),
        *("failed_episodes", "failed_reflections"),
    ]
    assert list(found["roles"].columns) == ["role", *MEASURES]
    assert list(found["loops"].columns) == [
        *("family", "loop", "base", "best", "last", "gain", "stream_success", "best_prompt", "unusable")
    ]
    assert list(found["turns"].columns) == ["family", "loop", "turn", "experience"]
    assert list(found["curves"].columns) == [
        *("family", "loop", "prompt", "selection", "test", "prompt_bytes", "failure", "digest")
    ]
    assert list(found["cost"]["role"]) == ["experience", "selection", "test", "reflector"]


def test_the_families_table_holds_the_measures_of_the_result(run: ictbench.Run) -> None:
    rows = run.tables()["families"].to_dict("records")
    assert [(row["family"], row["role"], row["loops"]) for row in rows] == [
        ("room-random", "meta-train", 3),
        ("read", "held-out", 3),
    ]
    for row, family in zip(rows, run.result.families, strict=True):
        assert family.measures is not None
        assert family.behaviour is not None
        intervals = {name: getattr(family.measures, name) for name in NAMES}
        intervals |= {name: getattr(family.behaviour, name) for name in ("invalid_base", "invalid_best", "unusable")}
        assert intervals.pop("overfitting_gap") is None
        assert pd.isna(row["overfitting_gap"])
        for name, interval in intervals.items():
            found = (row[name], row[f"{name}_low"], row[f"{name}_high"])
            ends = (interval.value, interval.low, interval.high)
            assert found == pytest.approx([float("nan") if end is None else end for end in ends], nan_ok=True)


def test_the_measures_follow_from_the_outcomes_in_the_result(run: ictbench.Run) -> None:
    for family in run.result.families:
        assert family.measures is not None
        best = [share(loop.test[loop.best]) for loop in family.loops]
        base = [share(loop.test[0]) for loop in family.loops]
        assert family.measures.best.value == pytest.approx(sum(best) / 3)
        assert family.measures.base.value == pytest.approx(sum(base) / 3)
        assert family.measures.gain.value == pytest.approx(sum(best) / 3 - sum(base) / 3)
        curve = [sum(share(loop.selection[i]) for loop in family.loops) / 3 for i in range(3)]
        assert [point.value for point in family.measures.curve] == pytest.approx(curve)
    assert run.result.by_role["held-out"] == run.result.families[1].measures


def test_the_loops_and_curves_tables_follow_from_the_result(run: ictbench.Run) -> None:
    found = run.tables()
    loops = [(family, loop) for family in run.result.families for loop in family.loops]
    for row, (family, loop) in zip(found["loops"].to_dict("records"), loops, strict=True):
        assert (row["family"], row["loop"], row["best_prompt"]) == (family.name, loop.index, loop.best)
        ends = share(loop.test[0]), share(loop.test[loop.best]), share(loop.test[2])
        assert (row["base"], row["best"], row["last"]) == ends
        assert row["gain"] == ends[1] - ends[0]
    points = [(family, loop, index) for family, loop in loops for index in range(3)]
    for row, (family, loop, index) in zip(found["curves"].to_dict("records"), points, strict=True):
        prompt = loop.prompts[index]
        assert (row["family"], row["loop"], row["prompt"]) == (family.name, loop.index, index)
        assert row["selection"] == share(loop.selection[index])
        if index in loop.test:
            assert row["test"] == share(loop.test[index])
        else:
            assert pd.isna(row["test"])
        assert row["prompt_bytes"] == len(prompt.text.encode())
        assert row["digest"] == prompt.digest == prompt_digest(prompt.text)


def test_the_files_hold_the_tables(run: ictbench.Run) -> None:
    for name, table in run.tables().items():
        read = pd.read_csv(run.folder / "tables" / f"{name}.csv")
        assert list(read.columns) == list(table.columns)
        assert len(read) == len(table)
        text = (run.folder / "tables" / f"{name}.md").read_text(encoding="utf-8")
        assert [cell.strip() for cell in text.splitlines()[0].strip("|").split("|")] == list(table.columns)
        assert len(text.splitlines()) == len(table) + 2
    read = pd.read_csv(run.folder / "tables" / "families.csv")
    assert list(read["best"]) == pytest.approx([f.measures.best.value for f in run.result.families if f.measures])


def changed(run: ictbench.Run, **changes: Any) -> Result:
    """Return the result with its second family changed."""
    plain = json.loads(run.result.to_json())
    plain["families"][1] |= changes
    return Result.model_validate_json(json.dumps(plain))


def test_failures_are_counted_by_kind(run: ictbench.Run) -> None:
    plain = json.loads(run.result.to_json())["families"][1]
    behaviour = plain["behaviour"] | {"failed": {"empty": 2, "refused": 1}, "reflection_failures": {"too_long": 4}}
    loops = plain["loops"]
    loops[0]["prompts"][1]["failure"] = loops[0]["prompts"][2]["failure"] = "too_long"
    result = changed(run, behaviour=behaviour, loops=loops)
    found = tables(result)
    assert list(found["families"]["failed_episodes"]) == ["", "empty 2, refused 1"]
    assert list(found["families"]["failed_reflections"]) == ["", "too_long 4"]
    assert list(found["loops"]["unusable"]) == [0, 0, 0, 2, 0, 0]
    assert list(found["curves"]["failure"].dropna()) == ["too_long", "too_long"]


def test_a_family_without_finished_loops_has_a_row_without_measures(run: ictbench.Run) -> None:
    result = changed(run, loops=[], measures=None, behaviour=None)
    found = tables(result)["families"].to_dict("records")[1]
    assert (found["family"], found["loops"], found["failed_episodes"]) == ("read", 0, "")
    assert all(pd.isna(found[name]) for name in MEASURES)


def test_a_run_without_finished_loops_has_readable_tables(run: ictbench.Run) -> None:
    plain = json.loads(run.result.to_json()) | {"complete": False, "owed": 1, "by_role": {}}
    for family in plain["families"]:
        family |= {"loops": [], "measures": None, "behaviour": None}
    found = tables(Result.model_validate(plain))
    for name, rows in {"families": 2, "roles": 0, "loops": 0, "curves": 0, "cost": 4}.items():
        read = pd.read_csv(io.StringIO(found[name].to_csv(index=False)))
        assert len(read) == rows
        assert {"family", "role"} & set(read.columns)
        assert found[name].to_markdown(index=False).startswith("|")


@pytest.mark.parametrize(("outcomes", "found"), [("1", 1), ("0", 0), ("0110", 0.5), ("001", 1 / 3)])
def test_the_success_rate_is_the_share_of_ones(outcomes: str, found: float) -> None:
    assert success_rate(outcomes) == pytest.approx(found)


def test_a_result_file_reads_back_as_it_was_written(run: ictbench.Run) -> None:
    assert read_result(run.folder / "result.json") == run.result
    text = (run.folder / "result.json").read_text(encoding="utf-8")
    assert text == run.result.to_json()
    plain = json.loads(text)
    assert next(iter(plain)) == "schema"
    assert plain["schema"] == "ictbench.result/2"
    assert Path(plain["host"]["folder"]) == run.folder


def test_the_committed_json_schema_matches_the_models() -> None:
    page = Path(__file__).parents[2] / "docs" / "result.schema.json"
    assert page.read_text(encoding="utf-8") == json_schema(), "run `make schema`"


def test_the_json_schema_names_every_field_of_a_real_result(run: ictbench.Run) -> None:
    schema = json.loads(json_schema())
    plain = json.loads(run.result.to_json())
    # Omitted are loop indices if they are 0 … L−1, online measures if not asked for, a pre-registration, repeated
    # reflections, words about failures and what memories add if there are none, whether replies repeat if that is
    # unknown, and the division of reflectors.
    optional = {"added_bytes", "division", "loop_indices", "online", "preregistration", "retried_reflections"}
    assert {*plain, *optional} == set(schema["properties"])
    # Fields added under the same schema have a default.
    assert set(plain) - {"control", "experience", "actor_trained_on"} <= set(schema["required"])
    definitions = schema["$defs"]
    found = {
        "LoopResult": plain["families"][0]["loops"][0],
        "Measures": plain["families"][0]["measures"],
        "Behaviour": plain["families"][0]["behaviour"],
        "Host": plain["host"],
        "Player": plain["actor"],
    }
    omitted = {"failure_words", "online", "reproducible", "reliability", "failed_base", "failed_best", "gain_unfailed"}
    omitted |= {"candidates", "mixed", "progress", "test_families"}
    for name, value in found.items():
        assert set(value) == set(definitions[name]["properties"]) - omitted
        assert definitions[name]["additionalProperties"] is False
    assert schema["properties"]["schema"]["const"] == "ictbench.result/2"
