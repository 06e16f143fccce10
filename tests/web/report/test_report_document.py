from __future__ import annotations

import json
from collections.abc import Callable
from statistics import fmean
from typing import Any

import pytest
from results.test_experience_gate import GROWS, arm

from ictbench.errors import ResultError
from ictbench.results.comparison import compare
from ictbench.results.experience_gate import judge
from ictbench.results.gate_text import gate_sentence
from ictbench.web.report import ReportSource
from ictbench.web.report.report_document import report_document

Edited = Callable[[Callable[[Any], None]], ReportSource]


def success_rate(outcomes: str) -> float:
    return outcomes.count("1") / len(outcomes)


def test_document_is_plain_json_and_contains_the_result(source: ReportSource) -> None:
    document = json.loads(json.dumps(report_document([source]), allow_nan=False))
    (run,) = document["runs"]
    result = json.loads(source.result.to_json())
    for name in ("suite", "profile", "sizes", "actor", "reflector", "cost", "deviations", "versions"):
        assert run[name] == result[name]
    for family, recorded in zip(run["families"], result["families"], strict=True):
        assert family | recorded == family
    assert document["differences"] == []
    assert run["spent"] == result["host"]["spent"]


def test_curves_are_means_over_loops_with_intervals(source: ReportSource) -> None:
    (run,) = report_document([source])["runs"]
    for family, recorded in zip(run["families"], source.result.families, strict=True):
        assert len(family["curve"]) == 3
        for index, point in enumerate(family["curve"]):
            value = fmean(success_rate(loop.selection[index]) for loop in recorded.loops)
            assert point["value"] == pytest.approx(value)
            assert 0 <= point["low"] <= point["value"] <= point["high"] <= 1
        assert recorded.measures is not None
        assert family["curve"] == [point.model_dump() for point in recorded.measures.curve]
    assert [role["role"] for role in run["roles"]] == ["held-out", "meta-train"]
    assert run["roles"][0]["curve"] == run["families"][1]["curve"]


def keep_one_loop(plain: Any) -> None:
    for family in plain["families"]:
        family["loops"] = family["loops"][:1]
        for point in family["measures"]["curve"]:
            point |= {"low": None, "high": None}
    plain["sizes"]["loops"] = 1


def test_curve_of_a_single_loop_has_no_interval(edited: Edited) -> None:
    (run,) = report_document([edited(keep_one_loop)])["runs"]
    for family in run["families"]:
        assert [(point["low"], point["high"]) for point in family["curve"]] == [(None, None)] * 3


def unfinished_family(plain: Any) -> None:
    plain["families"][1] |= {"loops": [], "measures": None, "behaviour": None}
    del plain["by_role"]["held-out"]
    plain |= {"complete": False, "owed": 9}


def test_family_without_a_finished_loop_has_no_curve(edited: Edited) -> None:
    (run,) = report_document([edited(unfinished_family)])["runs"]
    assert run["families"][1]["curve"] == []
    assert [role["role"] for role in run["roles"]] == ["meta-train"]


def test_labels_name_the_reflector_and_also_the_folder_if_reflectors_are_the_same(
    source: ReportSource, edited: Edited
) -> None:
    def other(plain: Any) -> None:
        plain["reflector"]["label"] = "none"

    same = ReportSource("again", source.result, source.episodes)
    labels = [run["label"] for run in report_document([source, edited(other), same])["runs"]]
    assert labels == ["rules (small)", "none", "rules (again)"]


def damage(path: str, value: Any) -> Callable[[Any], None]:
    def edit(plain: Any) -> None:
        target = plain["families"][1]["loops"][2]
        *parents, last = path.split(".")
        for name in parents:
            target = target[int(name) if isinstance(target, list) else name]
        target[int(last) if isinstance(target, list) else last] = value

    return edit


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("best", 7, r"prompt\[7\] has no test"),
        ("best", -1, r"prompt\[-1\] has no test"),
        ("test", {"0": "0101"}, r"prompt\[.\] has no test"),
        ("selection", ["000"], "selection has 1 entries, not 3"),
        ("selection.1", "01", "3 tasks and the outcomes '01'"),
        ("test_tasks", [], "0 tasks and the outcomes"),
        ("prompts", [], "prompts has 0 entries, not 3"),
    ],
)
def test_contradictory_result_is_refused(edited: Edited, path: str, value: Any, message: str) -> None:
    with pytest.raises(ResultError, match=f"the result of small contradicts itself: family read: loop 2: .*{message}"):
        report_document([edited(damage(path, value))])


def test_loops_of_different_length_are_refused(edited: Edited) -> None:
    def shorten(plain: Any) -> None:
        loop = plain["families"][0]["loops"][1]
        last = {"0": loop["test"]["0"], "1": loop["test"]["0"]}
        short = {name: loop[name][:-1] for name in ("prompts", "batches", "selection")}
        plain["families"][0]["loops"][1] = loop | short | {"best": 0, "test": last}

    with pytest.raises(ResultError, match="family room-random: loop 1: prompts has 2 entries, not 3"):
        report_document([edited(shorten)])


def test_a_report_of_a_reflector_and_its_arms_says_whether_it_learned() -> None:
    rules, copy = arm("rules", GROWS), arm("copy", GROWS)
    sources = [ReportSource(name, result, lambda: iter(())) for name, result in (("rules", rules), ("copy", copy))]
    first, second = report_document(sources)["runs"]
    assert gate_sentence(judge(rules, copy)) in first["remarks"]
    assert not any("learned from experience" in remark for remark in second["remarks"])


def test_runs_side_by_side_have_paired_differences(source: ReportSource, edited: Edited) -> None:
    def swap(plain: Any) -> None:
        plain["reflector"]["label"] = "other"

    other = edited(swap)
    document = report_document([source, other])["comparison"]
    (expected,) = compare(source.result, other.result).arms
    (shown,) = document["arms"]
    assert (shown["label"], shown["verdict"]) == ("other", list(expected.verdict))
    assert [(row["name"], row["p"]) for row in shown["rows"]] == [(row.name, row.p) for row in expected.rows]
    assert document["missing"] == []
    assert report_document([source])["comparison"] is None


def test_runs_that_cannot_be_compared_give_the_reason(source: ReportSource, edited: Edited) -> None:
    def rename(plain: Any) -> None:
        plain["actor"]["name"] = plain["actor"]["label"] = "other"

    document = report_document([source, edited(rename)])["comparison"]
    assert document["arms"] == []
    assert "actor" in document["missing"][0]["reason"]
