from __future__ import annotations

import json
from typing import Any

import pytest

import ictbench
from ictbench.results import Result
from ictbench.results.notes import remarks


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    sizes: dict[str, Any] = {"turns": 1, "batch_size": 1, "loops": 3, "selection_size": 1, "test_size": 1}
    out = tmp_path_factory.mktemp("run") / "small"
    return ictbench.run(suite="minihack-v1", families="room-random", out=out, **sizes).result


def remarks_on(result: Result, **changes: Any) -> list[str]:
    return list(remarks(Result.model_validate_json(json.dumps(json.loads(result.to_json()) | changes))))


def test_a_scripted_quick_run_is_not_ranked(result: Result) -> None:
    line, scripted = remarks_on(result)
    assert line.startswith("Not ranked: the quick profile is never ranked; ")
    assert all(deviation in line for deviation in result.deviations)
    assert scripted == "The actor is scripted, not a language model."


def test_missing_loops_come_first(result: Result) -> None:
    first, second, *_ = remarks_on(result, complete=False, owed=3, retried_failures={"empty": 2})
    assert first == "Incomplete: 3 owed; the table holds the finished loops only."
    assert second == "Failed episodes played again: empty 2."


def test_the_scope_of_the_intervals_is_stated(result: Result) -> None:
    sizes = result.sizes.model_dump() | {"loops": 2}
    assert "Fewer than 3 loops: no intervals." in remarks_on(result, sizes=sizes)
    games = "All loops are scored on the same games: the intervals hold for these games only."
    assert games in remarks_on(result, intervals="for these games")
    assert games not in remarks_on(result)


def test_a_ranked_run_has_no_reason_against_ranking(result: Result) -> None:
    assert remarks_on(result, ranked=True) == ["The actor is scripted, not a language model."]
