"""Costs that a reported usage states, and counts that cannot be right."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.models.token_counts import MAX_COST, plausible, stated_cost
from ictbench.records import UNREPORTED, Usage


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        ({"cost": 0.00042, "is_byok": False}, 0.00042),
        # OpenRouter repeats the cost, which does not count twice.
        ({"cost": 0.95, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.95}}, 0.95),
        ({"cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.0360795}}, 0.0360795),
        ({"cost": 0.95, "is_byok": True, "cost_details": {"upstream_inference_cost": 19}}, 19.95),
        # The fee without the charge of the provider behind it is not the cost.
        ({"cost": 0.95, "is_byok": True}, None),
        ({"cost": 0.95, "is_byok": True, "cost_details": {"upstream_inference_cost": 0}}, None),
        ({"cost": {"input_tokens_cost": 0.001, "request_cost": 0.005, "total_cost": 0.006}}, 0.006),
        ({"cost": 0}, None),
        ({"cost": -1}, None),
        ({"cost": "0.1"}, None),
        ({"cost": True}, None),
        ({"cost": math.nan}, None),
        ({"cost": math.inf}, None),
        ({"cost": 10**400}, None),
        ({"cost": 1e6}, None),
        ({}, None),
        (None, None),
    ],
)
def test_the_stated_cost_of_a_reply(usage: Any, cost: float | None) -> None:
    assert stated_cost(usage) == (None if cost is None else pytest.approx(cost))


numbers = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
objects = st.recursive(numbers, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "cost": objects | st.fixed_dictionaries({"total_cost": objects}),
            "is_byok": objects,
            "cost_details": objects | st.fixed_dictionaries({"upstream_inference_cost": objects}),
        },
    )
)
def test_whatever_a_reply_states_is_a_positive_cost_or_none(usage: Any) -> None:
    cost = stated_cost(usage)
    assert cost is None or (isinstance(cost, float) and 0 < cost <= 2 * MAX_COST)


@pytest.mark.parametrize(
    ("reported", "believed"),
    [
        ({"input_tokens": 100, "output_tokens": 10}, True),
        ({"input_tokens": 9_000, "output_tokens": 900_000}, True),  # prompts of the server's own, long reasoning
        ({"input_tokens": 50_000, "output_tokens": 10}, False),
        ({"input_tokens": 10**9, "output_tokens": 10}, False),
        ({"input_tokens": 100, "output_tokens": 5_000_000}, False),
    ],
)
def test_counts_that_no_request_has_are_unreported(reported: dict[str, int], believed: bool) -> None:
    usage = Usage(calls=1, cost=None, **reported)
    assert plausible(usage, 400, lambda: (600, 500)) == (usage if believed else UNREPORTED)


def test_the_input_is_bounded_by_bytes_where_characters_are_few() -> None:
    usage = Usage(calls=1, input_tokens=12_000, output_tokens=1, cost=None)
    assert plausible(usage, 1_500, lambda: (6_000, 500)) == usage
    assert plausible(usage, 1_500, lambda: (1_500, 500)) == UNREPORTED


@pytest.mark.parametrize(("stated", "cost"), [(0.9, 0.9), (2.0, 2.0), (999.0, None)])
def test_a_cost_far_above_any_price_is_unknown(stated: float, cost: float | None) -> None:
    usage = Usage(calls=1, input_tokens=100, output_tokens=10, cost=stated)
    assert plausible(usage, 400, lambda: (600, 500)) == usage.model_copy(update={"cost": cost})


@pytest.mark.parametrize(("stated", "cost"), [(11.0, 11.0), (13.0, None)])
def test_without_counts_a_cost_is_judged_by_the_most_tokens_of_the_request(stated: float, cost: float | None) -> None:
    usage = UNREPORTED.model_copy(update={"cost": stated})
    assert plausible(usage, 400, lambda: (600, 500)).cost == cost
