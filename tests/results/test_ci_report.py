from __future__ import annotations

from xml.etree import ElementTree

from synthetic import Outcomes, result

import ictbench
from ictbench.results.ci_report import github_annotations, junit_xml, markdown

HIGH: list[Outcomes] = [("0000000000", "0000011111"), ("0000000000", "0000001111")] * 5
LOW: list[Outcomes] = [("0000000000", "0000000001"), ("0000000000", "0000000000")] * 5
FELL = ictbench.check(result({"read": LOW, "zap": HIGH}, "now"), result({"read": HIGH, "zap": HIGH}, "before"))
FEW = ictbench.check(result({"read": HIGH[:2]}, "now"), result({"read": HIGH[1:3]}, "before"))


def test_junit_has_one_case_per_check_and_marks_failures() -> None:
    (suite,) = ElementTree.fromstring(junit_xml(FELL))
    assert suite.attrib == {
        "name": "ictbench check rooms-v1",
        "tests": "3",
        "failures": "2",
        "errors": "0",
        "skipped": "0",
    }
    failed = {case.attrib["name"]: case.find("failure") is not None for case in suite}
    assert failed == {"held-out": True, "read": True, "zap": False}
    failure = suite[0].find("failure")
    assert failure is not None
    assert failure.attrib["message"] == FELL.falls[0].message
    (suite,) = ElementTree.fromstring(junit_xml(FEW))
    assert (suite.attrib["failures"], suite[0].find("failure")) == ("0", None)
    assert (suite[0].findtext("system-out") or "").startswith("warned: ")


def test_annotations_are_errors_and_warnings_of_one_line() -> None:
    lines = list(github_annotations(FELL))
    assert [line.partition(" ")[0] for line in lines[:2]] == ["::error", "::error"]
    assert lines[0].startswith("::error title=best of held-out::best of held-out fell by 0.20")
    assert "power" not in lines[0]
    assert [line.partition(" ")[0] for line in github_annotations(FEW)] == ["::warning"]


def test_hostile_names_are_escaped() -> None:
    hostile = "a::b,c%\n\x1b[31m|`<script>"
    fell = ictbench.check(result({hostile: LOW}, hostile), result({hostile: HIGH}, hostile))
    fell = fell.model_copy(update={"falls": tuple(f.model_copy(update={"name": hostile}) for f in fell.falls)})
    (suite,) = ElementTree.fromstring(junit_xml(fell))
    assert "�" in suite[0].attrib["name"]
    (line,) = github_annotations(fell)
    assert line.isprintable()
    title = line.removeprefix("::error title=").partition("::")[0]
    assert title.startswith("best of a%3A%3Ab%2Cc%25�")
    rows = [row for row in markdown(fell).splitlines() if row.startswith("| best")]
    assert len(rows) == 1
    assert "\x1b" not in markdown(fell)


def test_the_summary_shows_the_table_and_the_verdict() -> None:
    text = markdown(FELL)
    assert text.startswith("## ictbench check failed: `now` against `before`, `rooms-v1`\n")
    assert text.count("\n| best |") == 3
    assert "❌ failed" in text
    assert "Tolerance 0.05." in text
    assert markdown(FEW).startswith("## ictbench check passed: ")
    assert "⚠️" in markdown(FEW)
    forced = FELL.model_copy(update={"not_comparable": ("nle 1 against 2",)})
    assert "Not comparable, compared by force: nle 1 against 2." in markdown(forced)
