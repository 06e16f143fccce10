"""Usage of one cell, under the limits of the whole campaign."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ictbench.models import UsageMeter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from ictbench.records import Usage


class CellMeter(UsageMeter):
    """Meter of a cell: every request passes the meter of the campaign, and counts in both.

    `spent` is what the cell's own requests and the episodes played for it took. What belongs to no finished episode,
    such as attempts that were cut short, counts in the campaign only.
    """

    def __init__(self, campaign: UsageMeter) -> None:
        super().__init__(campaign.limits)
        self._campaign = campaign

    @property
    def in_flight(self) -> int:
        """Requests in flight of the campaign."""
        return self._campaign.in_flight

    @asynccontextmanager
    async def request(self, tokens: int, unanswered: Callable[[], Usage] | None = None) -> AsyncIterator[None]:
        """Hold a connection of the campaign for one attempt."""
        async with self._campaign.request(tokens, unanswered):
            yield

    def change_retrying(self, change: int, reason: str = "") -> None:
        """Count a wait in both."""
        super().change_retrying(change, reason)
        self._campaign.change_retrying(change)

    def count(self, usage: Usage, unreported_by: str = "") -> None:
        """Count a request of the cell itself in both."""
        super().count(usage, unreported_by)
        self._campaign.count(usage, unreported_by)

    def count_own(self, usage: Usage) -> None:
        """Count an episode whose requests the campaign has counted."""
        super().count(usage)

    def check(self) -> None:
        """Check the limits of the campaign."""
        self._campaign.check()
