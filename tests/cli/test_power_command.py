from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from synthetic import Outcomes, result

if TYPE_CHECKING:
    from command_line import CommandLine

OUTCOMES: list[Outcomes] = [("0000000000", "0000011111"), ("0000000000", "0000001111"), ("0000000000", "0001111111")]


@pytest.fixture(autouse=True)
def _results(call: CommandLine) -> None:
    for name, outcomes in (("pilot", OUTCOMES), ("other", OUTCOMES[::-1]), ("single", OUTCOMES[:1])):
        saved = result({"read": outcomes, "zap": outcomes}, name)
        Path(f"{name}.json").write_text(saved.to_json(), encoding="utf-8")


def test_power_prints_a_table_and_what_it_means(call: CommandLine) -> None:
    code, out, err = call("power", "pilot.json")
    assert (code, err) == (0, "")
    assert out.startswith("Loops to show a difference of 0.1 in best between pilot and another arm\n")
    assert "mean held-out" in out
    assert "80 of 100 comparisons" in out


def test_power_prints_other_formats(call: CommandLine) -> None:
    arguments = ("power", "pilot.json", "--against", "other.json", "--difference", "0.3", "--format")
    found = json.loads(call(*arguments, "json").out)
    assert (found["difference"], found["against"]) == (0.3, "other")
    rows = list(csv.DictReader(io.StringIO(call(*arguments, "csv").out)))
    assert [row["family"] for row in rows] == ["read", "zap", ""]
    assert [int(float(row["needed"])) for row in rows] == [row["needed"] for row in found["rows"]]
    assert "| loops needed |" in call(*arguments, "md").out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("pilot.json", "--difference", "2"), "difference 2 is not between two success rates"),
        (("pilot.json", "--power", "1"), "power 1 is not a probability between 0.05 and 1"),
        (("single.json",), "no family has two finished loops"),
        (("missing",), "missing"),
    ],
)
def test_bad_input_takes_one_line(call: CommandLine, arguments: tuple[str, ...], message: str) -> None:
    code, out, err = call("power", *arguments)
    assert code != 0
    assert out == ""
    assert message in err
    assert len(err.splitlines()) == 1
