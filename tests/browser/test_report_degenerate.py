"""Reports of results that are incomplete or extreme."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import ictbench
from ictbench import Result, Run

if TYPE_CHECKING:
    from .reader import Reader

Report = Callable[..., Path]


@pytest.fixture
def edited(rules: Run, tmp_path: Path) -> Callable[[Callable[[Any], None]], Run]:
    """A function that returns a copy of a run with the JSON of its result edited in place."""

    def edited(edit: Callable[[Any], None]) -> Run:
        folder = tmp_path / "edited"
        shutil.copytree(rules.folder, folder)
        plain = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        edit(plain)
        return ictbench.Run(folder, Result.model_validate(plain))

    return edited


def test_curve_of_a_single_loop_has_no_interval(reader: Reader, report_of: Report, edited: Callable[..., Run]) -> None:
    def keep_one_loop(plain: Any) -> None:
        for measures in (*plain["by_role"].values(), *(family["measures"] for family in plain["families"])):
            for name in ("base", "best", "last", "gain", "last_gain"):
                measures[name] |= {"low": None, "high": None}
            for point in measures["curve"]:
                point |= {"low": None, "high": None}
        for family in plain["families"]:
            family["loops"] = family["loops"][:1]
        plain["sizes"]["loops"] = 1

    page = reader.open(report_of(edited(keep_one_loop)))
    chart = page.get_by_role("img", name="Learning curve, read ")
    assert chart.locator(".mark").count() == 4
    assert page.locator(".band, .whisker").count() == 0
    assert page.get_by_text("Fewer than 3 loops: no intervals.").is_visible()


def test_family_without_a_finished_loop_says_so(reader: Reader, report_of: Report, edited: Callable[..., Run]) -> None:
    def unfinished(plain: Any) -> None:
        plain["families"][1] |= {"loops": [], "measures": None, "behaviour": None}
        del plain["by_role"]["held-out"]
        plain |= {"complete": False, "owed": 9}

    page = reader.open(report_of(edited(unfinished)))
    assert page.get_by_role("article", name="read").get_by_text("No loop has finished yet.").is_visible()
    assert page.get_by_text("Incomplete: 9 owed").is_visible()
    assert page.locator("#prompts").get_by_label("Family").locator("option").all_inner_texts() == ["room-random"]


def test_run_without_a_finished_loop_says_so(reader: Reader, report_of: Report, edited: Callable[..., Run]) -> None:
    def nothing(plain: Any) -> None:
        for family in plain["families"]:
            family |= {"loops": [], "measures": None, "behaviour": None}
        plain |= {"complete": False, "owed": 9, "by_role": {}}

    page = reader.open(report_of(edited(nothing)))
    for section in ("overview", "success", "gains", "prompts"):
        assert page.locator(f"#{section}").get_by_text("No loop has finished yet.").first.is_visible()
    assert page.get_by_text("This page holds 0 of 0 episodes of finished loops.").is_visible()


@pytest.mark.parametrize("outcome", ["0", "1"])
def test_success_rates_of_0_and_1_are_drawn(
    reader: Reader, report_of: Report, edited: Callable[..., Run], outcome: str
) -> None:
    def all_alike(plain: Any) -> None:
        for loop in plain["families"][0]["loops"]:
            loop["selection"] = [outcome * len(each) for each in loop["selection"]]
            loop["best"] = 0
        for point in plain["families"][0]["measures"]["curve"]:
            point |= {"value": float(outcome), "low": None, "high": None}

    page = reader.open(report_of(edited(all_alike)))
    marks = page.get_by_role("img", name="Learning curve, room-random ").locator(".mark")
    assert {mark.get_attribute("data-value") for mark in marks.all()} == {outcome}


def test_runs_of_different_suites_are_kept_apart(
    reader: Reader, report_of: Report, rules: Run, edited: Callable[..., Run]
) -> None:
    def other_suite(plain: Any) -> None:
        plain["suite"] = {"name": "other-v1", "digest": "f" * 64}

    page = reader.open(report_of(rules, edited(other_suite)))
    assert page.get_by_text("These runs are of different suites, so their numbers cannot be compared").is_visible()
    assert page.get_by_text("suite: minihack-v1 / other-v1").is_visible()
    for suite in ("minihack-v1", "other-v1"):
        chart = page.get_by_role("img", name=f"Learning curve, {suite}: read ")
        assert chart.locator("polyline").count() == 1
    assert page.get_by_role("heading", level=1).inner_text() == "minihack-v1 / other-v1"
