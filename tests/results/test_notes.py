from __future__ import annotations

import json
from typing import Any

import pytest
import synthetic

import ictbench
from ictbench.results import Result
from ictbench.results.loops_needed import mean_row
from ictbench.results.notes import remarks


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    sizes: dict[str, Any] = {"turns": 1, "batch_size": 1, "loops": 3, "selection_size": 1, "test_size": 1}
    out = tmp_path_factory.mktemp("run") / "small"
    return ictbench.run(suite="minihack-v1", families="room-random", out=out, **sizes).result


def remarks_on(result: Result, **changes: Any) -> list[str]:
    return list(remarks(Result.model_validate_json(json.dumps(json.loads(result.to_json()) | changes))))


def test_a_scripted_quick_run_is_not_ranked(result: Result) -> None:
    brackets, line, scripted = remarks_on(result)
    assert brackets.startswith("In brackets: 95 % intervals.")
    assert line.startswith("Not ranked: the quick profile is never ranked; ")
    assert all(deviation in line for deviation in result.deviations)
    assert scripted == "The actor is scripted, not a language model."


def test_missing_loops_come_first(result: Result) -> None:
    first, second, *_ = remarks_on(result, complete=False, owed=3, retried_failures={"empty": 2})
    assert first == "Incomplete: 3 owed, 3 of 3 loops are finished; the table holds the finished loops only."
    assert second == "Failed episodes played again: empty 2."


def test_the_scope_of_the_intervals_is_stated(result: Result) -> None:
    sizes = result.sizes.model_dump() | {"loops": 2}
    assert "Fewer than 3 loops: no intervals." in remarks_on(result, sizes=sizes)
    games = "All loops are scored on the same games: the intervals hold for these games only."
    assert games in remarks_on(result, intervals="for these games")
    assert games not in remarks_on(result)


def test_no_finished_loop_owes_all_loops_and_has_no_legend_of_intervals(result: Result) -> None:
    (family,) = json.loads(result.to_json())["families"]
    empty = [family | {"loops": [], "measures": None, "behaviour": None}]
    first, *others = remarks_on(result, complete=False, owed=0, families=empty, by_role={}, intervals="for these games")
    assert first == "Incomplete: 0 of 3 loops are finished; the table holds the finished loops only."
    assert not any("intervals" in line for line in others)


def test_a_ranked_run_has_no_reason_against_ranking(result: Result) -> None:
    assert remarks_on(result, ranked=True)[1:] == ["The actor is scripted, not a language model."]


def test_few_loops_that_differ_state_how_many_show_a_small_difference() -> None:
    outcomes = [("0000000000", "0000011111"), ("0000000000", "0000001111"), ("0000000000", "0111111111")]
    few = synthetic.result({"read": outcomes})
    row = mean_row(few)
    assert row is not None
    assert row.needed is not None
    assert row.needed > 50
    (line,) = (line for line in remarks(few) if "ictbench power" in line)
    assert line.startswith("With 3 loops small differences do not show. To show a difference of 0.10 between two arms,")
    assert f"over held-out families: about {row.needed} loops" in line
    assert not any("ictbench power" in line for line in remarks(synthetic.result({"read": outcomes * 4})))
