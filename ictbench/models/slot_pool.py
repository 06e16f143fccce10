"""Connection slots of a whole run, which workers borrow in blocks."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ictbench.semaphore import PrioritySemaphore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class SlotPool(PrioritySemaphore):
    """Semaphore with priorities, part of whose slots are lent in blocks.

    A borrower serves its own requests from its block, without asking for each. It keeps slots that are idle until
    somebody is short of one. Then each borrower is told how many to keep: requests that run or wait get slots by
    priority, and where a priority gets fewer than it wants, borrowers share them equally.
    """

    def __init__(self, slots: int) -> None:
        super().__init__(slots)
        self._slots = slots
        self._blocks: list[SlotBlock] = []
        self._grants = 0
        self._short = False
        """Whether somebody waits for a slot."""

    @property
    def running(self) -> int:
        """Number of requests of all borrowers that hold a slot."""
        return sum(block.running for block in self._blocks)

    def lend(self, offer: Callable[[int, int | None], None]) -> SlotBlock:
        """Return a new, empty block.

        Args:
            offer: Called with slots that the block gains, and with the number of slots to keep: surplus ones are to be
                returned when they are idle; None means all.
        """
        block = SlotBlock(self, offer)
        self._blocks.append(block)
        return block

    def release(self) -> None:
        """Give a slot back, to the first waiter if there is one."""
        if not self._blocks:
            super().release()
            return
        self._free += 1
        if self._short:
            self.settle()

    def take_back(self, block: SlotBlock) -> None:
        """End the loan of a block and all its slots."""
        self._blocks.remove(block)
        self._free += block.held
        self.settle()

    def change(self, block: SlotBlock, returned: int) -> None:
        """Take returned slots of a block, and adapt to its demand."""
        self._free += returned
        block.held -= returned
        if self._short or block.demanded > block.held:
            self.settle()

    def settle(self) -> None:
        """Hand out free slots, and ask for those that others need more."""
        shares = self._share()
        gains: Counter[SlotBlock] = Counter()
        for block in sorted(self._blocks, key=lambda block: (block.most_urgent, block.last_grant)):
            gains[block] = max(0, min(shares[block] - block.held, self._free))
            self._free -= gains[block]
            block.held += gains[block]
        for _ in range(min(shares[None], self._free)):
            self._free -= 1
            super().release()
        self._short = any(block.demanded > block.held for block in self._blocks) or self._is_waiting
        for block in self._blocks:
            keep = shares[block] if self._short else None
            if gains[block]:
                self._grants += 1
                block.last_grant = self._grants
            if gains[block] or keep != block.keep:
                block.keep = keep
                block.offer(gains[block], keep)

    def _share(self) -> Counter[SlotBlock | None]:
        """Return the slots that each block should have, and under None those for requests that wait here."""
        left = self._free + sum(block.held for block in self._blocks)
        waiting = Counter(priority for priority, _, turn in self._waiting if not turn.done())
        shares: Counter[SlotBlock | None] = Counter()
        for priority in sorted({*waiting, *(priority for block in self._blocks for priority in block.demand)}):
            claims: list[tuple[int, int, SlotBlock | None]] = [
                (block.demand[priority], -block.last_grant, block)
                for block in self._blocks
                if block.demand.get(priority)
            ]
            if waiting[priority]:
                claims.append((waiting[priority], 0, None))
            # Where not everybody can have one, those come first, and get none, who were served last.
            claims.sort(key=lambda claim: claim[:2] if left >= len(claims) else (0, claim[1]))
            for number, (wanted, _, who) in enumerate(claims):
                share = min(wanted, left // (len(claims) - number))
                shares[who] += share
                left -= share
        return shares

    @property
    def _is_waiting(self) -> bool:
        return any(not turn.done() for _, _, turn in self._waiting)

    def _queue_changed(self) -> None:
        if self._blocks or self._free:
            self.settle()


class SlotBlock:
    """Slots that one borrower holds."""

    def __init__(self, pool: SlotPool, offer: Callable[[int, int | None], None]) -> None:
        self.offer = offer
        self.held = 0
        self.running = 0
        """Requests that use a slot."""
        self.demand: Mapping[int, int] = {}
        """Requests that use a slot or wait for one, by priority."""
        self.keep: int | None = None
        """What the borrower was told last."""
        self.last_grant = 0
        """Number of the last offer with slots."""
        self._pool = pool

    @property
    def demanded(self) -> int:
        """Number of slots that the borrower can use."""
        return sum(self.demand.values())

    @property
    def most_urgent(self) -> int:
        """The most urgent priority of a request that runs or waits."""
        return min(self.demand, default=0)

    def report(self, running: int, demand: Sequence[tuple[int, int]], returned: int) -> None:
        """Take a report of the borrower: its requests that run, and run or wait by priority; slots that it returns."""
        self.running, self.demand = running, dict(demand)
        self._pool.change(self, returned)

    def close(self) -> None:
        """Return all slots."""
        self._pool.take_back(self)
