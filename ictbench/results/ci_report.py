"""A check as continuous integration reads it: JUnit XML, GitHub annotations, a Markdown summary."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from ictbench.results.formatting import cell, one_line, signed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.results.regression_check import Check, Regression

COLUMNS = ("measure", "of", "baseline", "run", "difference [95 %]", "shows falls from")
ANNOTATION = {"failed": "error", "warned": "warning"}
MARKS = {"passed": "✅ passed", "failed": "❌ failed", "warned": "⚠️ passed, but see below"}


def junit_xml(check: Check) -> str:
    """One test suite, one test case for each measure and family or mean; a warning is told in `system-out`."""
    suite = ElementTree.Element(
        "testsuite",
        name=one_line(f"ictbench check {check.suite}"),
        tests=str(len(check.falls)),
        failures=str(len(check.failed)),
        errors="0",
        skipped="0",
    )
    for fall in check.falls:
        where = one_line(f"{check.suite}.{fall.measure}")
        case = ElementTree.SubElement(suite, "testcase", classname=where, name=one_line(fall.name))
        if fall.outcome == "failed":
            failure = ElementTree.SubElement(case, "failure", message=one_line(fall.message))
            failure.text = one_line(describe(fall))
        ElementTree.SubElement(case, "system-out").text = one_line(f"{fall.outcome}: {describe(fall)}")
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def github_annotations(check: Check) -> Iterator[str]:
    """Workflow commands of GitHub Actions: an error for what failed, a warning for what could not be shown."""
    for fall in (*check.failed, *check.warned):
        title = _escaped(f"{fall.measure} of {fall.name}").replace(":", "%3A").replace(",", "%2C")
        yield f"::{ANNOTATION[fall.outcome]} title={title}::{_escaped(describe(fall))}"


def markdown(check: Check) -> str:
    """A summary with a table, ending in a newline."""
    verdict = "failed" if check.failed else "passed"
    lines = [
        f"## ictbench check {verdict}: {_code(check.run)} against {_code(check.baseline)}, {_code(check.suite)}",
        "",
    ]
    if check.not_comparable:
        lines += [f"Not comparable, compared by force: {cell('; '.join(check.not_comparable))}.", ""]
    lines += [f"| {' | '.join(COLUMNS)} | |", f"|{'---|' * len(COLUMNS)}---|"]
    for fall in check.falls:
        lines.append(f"| {' | '.join(map(cell, cells(fall)))} | {MARKS[fall.outcome]} |")
    notes = [f"- {fall.measure} of {cell(fall.name)} {fall.message}." for fall in (*check.failed, *check.warned)]
    return "\n".join([*lines, "", *notes, *([""] if notes else []), f"Tolerance {check.tolerance:g}.", ""])


def describe(fall: Regression) -> str:
    """One check on one line, with its figures."""
    figures = f"{fall.baseline:.3f} → {fall.run:.3f}, difference {signed(fall.difference)}"
    return f"{fall.measure} of {fall.name} {fall.message} ({figures})"


def cells(fall: Regression) -> tuple[str, ...]:
    """One row of a check's table, as texts under `COLUMNS`."""
    shows = "none" if fall.detectable is None else f"{fall.detectable:.3f}"
    return fall.measure, fall.name, f"{fall.baseline:.3f}", f"{fall.run:.3f}", signed(fall.difference), shows


def _escaped(text: str) -> str:
    return one_line(text).replace("%", "%25")


def _code(text: str) -> str:
    return f"`{cell(text).replace('`', '')}`"
