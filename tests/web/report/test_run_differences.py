from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from ictbench.web.report import ReportSource
from ictbench.web.report.run_differences import run_differences

Edited = Callable[[Callable[[Any], None]], ReportSource]


def test_runs_that_differ_only_in_their_reflector_are_comparable(source: ReportSource, edited: Edited) -> None:
    def other(plain: Any) -> None:
        plain["reflector"] |= {"label": "none", "name": "none"}
        plain["host"]["folder"] = "elsewhere"

    assert list(run_differences([source.result])) == []
    assert list(run_differences([source.result, edited(other).result])) == []


def change(*path: str, value: Any) -> Callable[[Any], None]:
    def edit(plain: Any) -> None:
        for name in path[:-1]:
            plain = plain[name]
        plain[path[-1]] = value

    return edit


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (change("suite", "digest", value="f" * 64), r"suite digest: .{12} / ffffffffffff"),
        (change("profile", value="lite"), "profile: quick / lite"),
        (change("sizes", "test_size", value=50), "test_size: 4 / 50"),
        (change("actor", "fingerprint", value="abc"), r"actor's fingerprint: None / abc"),
        (change("actor", "options", value={"k": 2}), r"actor's options: \{\} / \{'k': 2\}"),
        (change("prompt_bytes", value=9), "prompt_bytes: 8000 / 9"),
        (change("max_steps", value=6), "max_steps: 25 / 6"),
        (change("versions", value={"nle": "9", "minihack": "1.0.2"}), r"nle: 1\.3\.0 / 9"),
        (lambda plain: plain["families"].pop(), "families: room-random, read / room-random"),
        (lambda plain: plain["families"][0]["loops"].pop(), r"finished loops: \[0, 1, 2\] / \[0, 1\] and \[0, 1, 2\]"),
    ],
)
def test_other_differences_are_listed(
    source: ReportSource, edited: Edited, edit: Callable[[Any], None], expected: str
) -> None:
    (line,) = run_differences([source.result, edited(edit).result])
    assert re.fullmatch(expected, line), line
