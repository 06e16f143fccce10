"""Content of a report without its episodes, as one JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench._version import __version__
from ictbench.errors import ResultError
from ictbench.results.experience_gate import learned_sentence
from ictbench.results.formatting import distinct_labels
from ictbench.results.notes import remarks
from ictbench.results.schema_checks import contradictions
from ictbench.web.report.run_comparison import run_comparison
from ictbench.web.report.run_differences import run_differences
from ictbench.web.report.transfer_document import run_transfers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.results.schema import FamilyResult, Measures, Result
    from ictbench.web.report.report_source import ReportSource


def report_document(sources: Sequence[ReportSource]) -> dict[str, Any]:
    """Return the document; its `runs` are in the order of `sources`.

    Raises:
        ResultError: A result contradicts itself.
    """
    for source in sources:
        for contradiction in contradictions(source.result):
            raise ResultError(f"the result of {source.name} contradicts itself: {contradiction}")
    results = [source.result for source in sources]
    labels = distinct_labels([result.reflector.label for result in results], [source.name for source in sources])
    return {
        "ictbench": __version__,
        "differences": list(run_differences(results)),
        "comparison": run_comparison(results, labels),
        "transfers": run_transfers(results, [source.name for source in sources]),
        "several_suites": len({result.suite.digest for result in results}) > 1,
        "runs": [_run(source, label, results) for source, label in zip(sources, labels, strict=True)],
    }


def _run(source: ReportSource, label: str, results: Sequence[Result]) -> dict[str, Any]:
    result = source.result
    others = [other for other in results if other is not result]
    learned = learned_sentence(result, others)
    plain = result.model_dump(mode="json", exclude={"schema_", "families", "host", "by_role"})
    return {
        **plain,
        "name": source.name,
        "label": label,
        "remarks": [*filter(None, (source.state,)), *remarks(result), *([learned] if learned else [])],
        "started": result.host.started,
        "seconds": result.host.seconds,
        "spent": result.host.spent.model_dump(mode="json"),
        "troubles": list(result.host.troubles),
        "roles": [
            {
                "role": role,
                "measures": measures.model_dump(mode="json"),
                "curve": _curve(measures),
            }
            for role, measures in result.by_role.items()
        ],
        "families": [_family(family) for family in result.families],
    }


def _family(family: FamilyResult) -> dict[str, Any]:
    # The page shows no progress of single test episodes.
    plain = family.model_dump(mode="json", exclude={"loops": {"__all__": {"progress"}}})
    return {**plain, "curve": _curve(family.measures)}


def _curve(measures: Measures | None) -> list[dict[str, Any]]:
    """Return mean selection success rates of prompt[0] … prompt[N], with intervals."""
    return [point.model_dump() for point in measures.curve] if measures else []
