from __future__ import annotations

import pytest

from ictbench.results.failures import counts_by_kind, failures_text


@pytest.mark.parametrize(
    ("failed", "unusable", "text"),
    [
        ({}, {}, ""),
        ({"truncated": 7}, {}, "truncated 7"),
        ({"empty": 1, "truncated": 7, "bad_request": 1}, {}, "truncated 7, bad_request 1, empty 1"),
        ({}, {"context_overflow": 9}, "reflections: context_overflow 9"),
        ({"empty": 2}, {"too_long": 1}, "empty 2; reflections: too_long 1"),
    ],
)
def test_failures_are_named_by_kind_the_most_frequent_first(
    failed: dict[str, int], unusable: dict[str, int], text: str
) -> None:
    assert failures_text(failed, unusable) == text


def test_kinds_that_do_not_occur_are_not_named() -> None:
    assert counts_by_kind({"empty": 0, "refused": 3}) == "refused 3"
