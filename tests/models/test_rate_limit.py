from __future__ import annotations

import asyncio
import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.models.rate_limit import CATCH_UP_SECONDS, RateLimit

requests = st.lists(
    st.tuples(st.floats(0.0, 30.0), st.one_of(st.just(1.0), st.floats(0.1, 400.0))), min_size=1, max_size=60
)
"""Seconds that pass before each request is made, and its units."""


def starts(limit: RateLimit, made: list[tuple[float, float]], lateness: float = 0.0) -> list[tuple[float, float]]:
    """Return when each request starts, under a clock that wakes up so much late, and its units."""
    now, started = 1000.0, []
    for pause, units in made:
        now += pause
        while (wait := limit.delay(now, units)) > 0:
            now = max(now + wait + lateness, math.nextafter(now, math.inf))
        limit.count(now, units)
        started.append((now, units))
    return started


@given(st.integers(1, 500), requests, st.floats(0.0, 0.2))
def test_no_minute_has_more_units_than_the_limit(
    per_minute: int, made: list[tuple[float, float]], lateness: float
) -> None:
    started = starts(RateLimit(per_minute), made, lateness)
    for first, _ in started:
        minute = [min(units, per_minute) for start, units in started if first <= start < first + 60]
        assert sum(minute) <= per_minute * (1 + 1e-9)


@given(st.integers(1, 2000), st.floats(0.0, 100.0))
def test_the_first_seconds_have_no_burst(per_minute: int, idle: float) -> None:
    made = [(idle, 1.0), *[(0.0, 1.0)] * 200]
    started = [start for start, _ in starts(RateLimit(per_minute), made)]
    assert sum(start <= started[0] + 3 for start in started) <= per_minute / 20 + 1


@given(st.integers(1, 2000))
def test_requests_that_come_after_a_pause_have_hardly_a_burst(per_minute: int) -> None:
    made = [(0.0, 1.0), (500.0, 1.0), *[(0.0, 1.0)] * 200]
    started = [start for start, _ in starts(RateLimit(per_minute), made)][1:]
    assert sum(start < started[0] + 3 for start in started) <= per_minute * (3 + CATCH_UP_SECONDS) / 60 + 1


@pytest.mark.parametrize("units", [1.0, 7.0, 60.0, 1000.0])
def test_the_whole_limit_can_be_used(units: float) -> None:
    started = starts(RateLimit(60), [(0.0, units)] * 10, lateness=0.01)
    took = started[-1][0] - started[0][0]
    assert took == pytest.approx(9 * min(units, 60), rel=0.2, abs=1)


def test_requests_wait_in_real_time() -> None:
    async def count() -> int:
        limit, counted, end = RateLimit(1200), 0, time.monotonic() + 0.4
        while time.monotonic() < end:
            await limit.acquire()
            counted += 1
        return counted

    # One at once, then one every 50 ms; the last may be waited for beyond the end.
    assert 3 <= asyncio.run(count()) <= 10
