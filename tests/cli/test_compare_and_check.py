from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from synthetic import Outcomes, result

import ictbench

if TYPE_CHECKING:
    from command_line import CommandLine

    from ictbench.results import Result

HIGH: list[Outcomes] = [("0000000000", "0000011111"), ("0000000000", "0000001111")] * 5
LOW: list[Outcomes] = [("0000000000", "0000000001"), ("0000000000", "0000000000")] * 5


@pytest.fixture(autouse=True)
def _results(call: CommandLine) -> None:
    """Write the results of two runs into the working folder of the command line."""
    for name, outcomes in (("high", HIGH), ("low", LOW)):
        save(result({"read": outcomes, "zap": outcomes}, name), f"{name}.json")


def save(saved: Result, name: str) -> None:
    Path(name).write_text(saved.to_json(), encoding="utf-8")


def test_compare_prints_a_table_and_conclusions(call: CommandLine) -> None:
    code, out, err = call("compare", "high.json", "low.json")
    assert (code, err) == (0, "")
    assert out.startswith("rooms-v1: best on test tasks, low compared with high\n")
    rows = [re.split(r"  +", line)[0] for line in out.partition("─" * 60)[2].splitlines()[1:4]]
    assert rows == ["read", "zap", "mean held-out"]
    comparison = ictbench.compare(ictbench.load_result("high.json"), ictbench.load_result("low.json"))
    assert all(sentence in out for sentence in comparison.arms[0].verdict)


def test_numbers_stay_whole_on_a_narrow_terminal(call: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    compared, checked = (
        call("compare", "high.json", "low.json").out,
        call("check", "low.json", "--against", "high.json").out,
    )
    for out in (compared, checked):
        head, _, rows = out.partition("─" * 60)
        assert max(map(len, head.splitlines())) <= 80
        assert len(re.findall(r"[+-]0\.40 \[-0\.\d\d, -0\.\d\d\]", rows.partition("Failed")[0])) >= 3
    assert "mean held-out" in compared


def test_compare_prints_other_formats(call: CommandLine) -> None:
    arguments = ("compare", "high.json", "low.json", "--measure", "gain", "--format")
    markdown = call(*arguments, "md").out
    assert markdown.startswith("**gain** on rooms-v1, compared with high\n\n| arm | family |")
    (first, *_) = csv.DictReader(io.StringIO(call(*arguments, "csv").out))
    assert (first["family"], first["measure"], first["wins"]) == ("read", "gain", "0")
    assert float(first["difference"]) == pytest.approx(-0.4)
    assert json.loads(call(*arguments, "json").out)["arms"][0]["families"][0]["loops"] == 10


def test_incomparable_runs_are_refused_with_the_reason_unless_forced(call: CommandLine) -> None:
    save(result({"read": LOW, "zap": LOW}, "other", max_steps=30), "other.json")
    code, out, err = call("compare", "high.json", "other.json")
    assert (code, out) == (2, "")
    assert err == (
        "ictbench: high and other are not comparable: max_steps 25 against 30; use --force to compare them anyway\n"
    )
    code, out, _ = call("compare", "high.json", "other.json", "--force")
    assert code == 0
    assert "Not comparable, compared by force: max_steps 25 against 30." in out


def test_names_are_printed_without_markup_and_control_characters(call: CommandLine) -> None:
    save(result({"[bold]x[/]": LOW, "zap": LOW}, "[/]\x1b[31m"), "hostile.json")
    out = call("compare", "hostile.json", "hostile.json").out
    assert "[bold]x[/]" in out
    assert "\x1b" not in out
    assert "[bold]x[/]" in call("check", "hostile.json", "--against", "hostile.json", "--measure", "last").out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compare", "high.json"], "a comparison needs at least two runs"),
        (
            ["compare", "high.json", "none.json"],
            "none.json does not exist; did you mean nan.json?",
        ),
        (["compare", "high.json", "."], ". is not the folder of a run: it has no run.json"),
        (["compare", "high.json", "low.json", "--measure", "bset"], "'bset' is not one of best"),
        (["check", "high.json"], "Missing option '--against'"),
        (
            ["check", "high.json", "--against", "low.json", "--tolerance", "5"],
            "the tolerance must be a share from 0 to below 1",
        ),
        (["check", "high.json", "--against", "low.json", "--junit", "no/such.xml"], "no/such.xml cannot be written"),
        (["check", "high.json", "--against", "cut.json"], "cut.json is not a result of schema ictbench.result/2"),
        (
            ["check", "high.json", "--against", "nan.json"],
            "nan.json is not a result of schema ictbench.result/2, or is cut off: the file: NaN is not a number",
        ),
        (
            ["check", "high.json", "--against", "short.json"],
            "loop 0: test of prompt[1]: 10 tasks and the outcomes '000001111'",
        ),
        (["check", "high.json", "--against", "empty.json"], "families (none) against read, zap"),
        (["check", "high.json", "--against", "empty.json", "--force"], "no loop was finished in both"),
    ],
)
def test_misuse_is_one_line_and_exit_code_2(call: CommandLine, arguments: list[str], message: str) -> None:
    text = Path("high.json").read_text(encoding="utf-8")
    Path("cut.json").write_text(text[:500], encoding="utf-8")
    Path("short.json").write_text(text.replace('"0000011111"', '"000001111"', 1), encoding="utf-8")
    measured = ictbench.load_result("high.json").model_dump(mode="json", by_alias=True)
    measured["host"]["seconds"] = float("nan")
    Path("nan.json").write_text(json.dumps(measured), encoding="utf-8")
    save(result({}, "empty"), "empty.json")
    code, _, err = call(*arguments)
    assert code == 2
    assert message in err
    assert len(err.splitlines()) == 1


def test_check_fails_on_a_regression_and_passes_otherwise(call: CommandLine) -> None:
    code, out, err = call("check", "low.json", "--against", "high.json")
    assert (code, err) == (1, "")
    assert "rooms-v1: low against baseline high, tolerance 0.05" in out
    assert "Failed: best of held-out fell by 0.400, more than the tolerance of 0.05, p = " in out
    assert out.endswith("Failed.\n")
    code, out, err = call("check", "high.json", "--against", "low.json", "--tolerance", "0.2")
    assert (code, err) == (0, "")
    assert out.endswith("Passed.\n")


def test_check_writes_junit_annotations_and_a_summary(call: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("check", "low.json", "--against", "high.json", "--junit", "check.xml", "--github")
    out = call(*arguments).out
    assert "::error title=best of held-out::" in out
    assert ElementTree.parse("check.xml").getroot()[0].attrib["failures"] == "3"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    Path("summary.md").write_text("# before\n", encoding="utf-8")
    assert call(*arguments, "--measure", "best", "--measure", "last").code == 1
    summary = Path("summary.md").read_text(encoding="utf-8")
    assert summary.startswith("# before\n## ictbench check failed")
    assert (
        summary
        == "# before\n" + call("check", *arguments[1:4], "--measure", "best", "--measure", "last", "--format", "md").out
    )


def test_check_prints_json(call: CommandLine) -> None:
    code, out, _ = call("check", "low.json", "--against", "high.json", "--format", "json")
    assert code == 1
    report = json.loads(out)
    assert [fall["outcome"] for fall in report["falls"]] == ["failed"] * 3
    assert report["tolerance"] == 0.05
