"""Reports of a regression check for continuous integration: JUnit XML, GitHub annotations and Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from ictbench.results.formatting import INTERVAL_MEANING, code_span, markdown_table, markdown_text, p_value, signed
from ictbench.visible_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.results.regression_check import Check, Regression

COLUMNS = ("measure", "of", "baseline", "run", "difference [95 %]", "p", "detectable drop")
ANNOTATIONS = {"failed": "error", "warned": "warning"}
MARKS = {"passed": "✅ passed", "failed": "❌ failed", "warned": "⚠️ passed with a warning"}


def junit_xml(check: Check) -> str:
    """Return one JUnit test suite with one test case per measure and family or mean; warnings are in `system-out`."""
    suite = ElementTree.Element(
        "testsuite",
        name=one_line(f"ictbench check {check.suite}"),
        tests=str(len(check.falls)),
        failures=str(len(check.failed)),
        errors="0",
        skipped="0",
    )
    for fall in check.falls:
        classname = one_line(f"{check.suite}.{fall.measure}")
        case = ElementTree.SubElement(suite, "testcase", classname=classname, name=one_line(fall.name))
        if fall.outcome == "failed":
            failure = ElementTree.SubElement(case, "failure", message=one_line(fall.message))
            failure.text = one_line(describe(fall))
        ElementTree.SubElement(case, "system-out").text = one_line(f"{fall.outcome}: {describe(fall)}")
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def github_annotations(check: Check) -> Iterator[str]:
    """Yield workflow commands of GitHub Actions: an error per failed check, a warning per warning."""
    for fall in (*check.failed, *check.warned):
        title = _escape(f"{fall.measure} of {fall.name}").replace(":", "%3A").replace(",", "%2C")
        yield f"::{ANNOTATIONS[fall.outcome]} title={title}::{_escape(describe(fall))}"


def markdown(check: Check) -> str:
    """Return a summary with a table, ending in a newline."""
    verdict = "failed" if check.failed else "passed"
    run, baseline, suite = map(code_span, (check.run, check.baseline, check.suite))
    lines = [f"## ictbench check {verdict}: {run} against {baseline}, {suite}", ""]
    if check.not_comparable:
        lines += [f"Not comparable, compared by force: {markdown_text('; '.join(check.not_comparable))}.", ""]
    lines += [markdown_table((*COLUMNS, ""), ((*cells(fall), MARKS[fall.outcome]) for fall in check.falls)), ""]
    if notable := (*check.failed, *check.warned):
        lines += [f"- {fall.measure} of {markdown_text(fall.name)} {fall.message}." for fall in notable]
        lines.append("")
    return "\n".join([*lines, f"Tolerance {check.tolerance:g}. {INTERVAL_MEANING}", ""])


def describe(fall: Regression) -> str:
    """Return one check as a sentence with its figures."""
    figures = f"{fall.baseline:.3f} → {fall.run:.3f}, difference {signed(fall.difference)}"
    return f"{fall.measure} of {fall.name} {fall.message} ({figures})"


def cells(fall: Regression) -> tuple[str, ...]:
    """Return the cells of one row, in the order of `COLUMNS`."""
    detectable = "none" if fall.detectable is None else f"{fall.detectable:.3f}"
    levels = f"{fall.baseline:.3f}", f"{fall.run:.3f}"
    return fall.measure, fall.name, *levels, signed(fall.difference), p_value(fall.p), detectable


def _escape(text: str) -> str:
    """Return text for a workflow command, on one line."""
    return one_line(text).replace("%", "%25")
