"""Reports of a regression check for continuous integration: JUnit XML, GitHub annotations and Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from ictbench.results.formatting import INTERVAL_MEANING, code_span, markdown_table, markdown_text, p_value, signed
from ictbench.visible_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench.results.regression_check import Check, Regression

COLUMNS = ("measure", "of", "baseline", "run", "difference [95 %]", "p", "detectable drop")
ANNOTATIONS = {"failed": "error", "warned": "warning"}
NOT_COMPLETE = "this cell of the baseline is not complete"
MARKS = {"passed": "✅ passed", "failed": "❌ failed", "warned": "⚠️ passed with a warning"}


def junit_xml(*checks: Check, missing: Sequence[str] = ()) -> str:
    """Return one JUnit test suite per check, with one test case per measure and family or mean.

    Warnings are in `system-out`.

    Args:
        checks: A check, or those of the cells of a campaign.
        missing: Cells of the baseline that are not complete; each is a suite with one failure.
    """
    root = ElementTree.Element("testsuites")
    root.extend(map(_suite, checks))
    for name in missing:
        counts = {"tests": "1", "failures": "1", "errors": "0", "skipped": "0"}
        suite = ElementTree.SubElement(root, "testsuite", {"name": one_line(f"ictbench check {name}"), **counts})
        case = ElementTree.SubElement(suite, "testcase", classname=one_line(name), name="complete")
        ElementTree.SubElement(case, "failure", message=NOT_COMPLETE)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(check: Check) -> ElementTree.Element:
    suite = ElementTree.Element(
        "testsuite",
        name=one_line(f"ictbench check {check.suite}{f' {check.cell}' if check.cell else ''}"),
        tests=str(len(check.falls)),
        failures=str(len(check.failed)),
        errors="0",
        skipped="0",
    )
    for fall in check.falls:
        classname = one_line(".".join(filter(None, (check.suite, check.cell, fall.measure))))
        case = ElementTree.SubElement(suite, "testcase", classname=classname, name=one_line(fall.name))
        if fall.outcome == "failed":
            failure = ElementTree.SubElement(case, "failure", message=one_line(fall.message))
            failure.text = one_line(describe(fall))
        ElementTree.SubElement(case, "system-out").text = one_line(f"{fall.outcome}: {describe(fall)}")
    return suite


def github_annotations(*checks: Check, missing: Sequence[str] = ()) -> Iterator[str]:
    """Yield workflow commands of GitHub Actions: an error per failed check, a warning per warning."""
    for name in missing:
        yield f"::error title={_title(name)}::{NOT_COMPLETE}"
    for check, fall in ((one, fall) for one in checks for fall in (*one.failed, *one.warned)):
        title = _title(f"{f'{check.cell}: ' if check.cell else ''}{fall.measure} of {fall.name}")
        yield f"::{ANNOTATIONS[fall.outcome]} title={title}::{_escape(describe(fall))}"


def markdown(check: Check) -> str:
    """Return a summary with a table, ending in a newline."""
    verdict = "failed" if check.failed else "passed"
    run, baseline, suite = map(code_span, (check.run, check.baseline, check.suite))
    cell = f"cell {code_span(check.cell)}, " if check.cell else ""
    lines = [f"## ictbench check {verdict}: {cell}{run} against {baseline}, {suite}", ""]
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


def _title(text: str) -> str:
    """Return the title of a workflow command."""
    return _escape(text).replace(":", "%3A").replace(",", "%2C")


def _escape(text: str) -> str:
    """Return text for a workflow command, on one line."""
    return one_line(text).replace("%", "%25")
