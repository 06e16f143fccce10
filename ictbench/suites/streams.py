"""Streams: sequences of experience that mix tasks of several families."""

from __future__ import annotations

from collections import Counter
from typing import Literal, Self

from pydantic import Field, model_validator

from ictbench.errors import PoolTooSmallError
from ictbench.records import Record

Mixture = Literal["blocked", "interleaved", "drifting"]


class Stream(Record):
    """Families whose tasks a loop meets in one sequence, and the order in which it meets them.

    Every family has the same number of tasks, up to one. Loop s starts with the family at position s, modulo their
    number, so that over as many loops as families each of them is met first, second, … equally often.
    """

    order: Mixture
    """blocked: one family after the other; interleaved: in turn; drifting: each family fades in while the one before
    fades out."""
    families: tuple[str, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _check_distinct(self) -> Self:
        if repeated := [name for name, count in Counter(self.families).items() if count > 1]:
            raise ValueError(f"the stream has the family {repeated[0]!r} twice")
        return self

    def families_of(self, loop: int) -> tuple[str, ...]:
        """Return the families in the order in which a loop meets them."""
        first = loop % len(self.families)
        return (*self.families[first:], *self.families[:first])

    def schedule(self, loop: int, count: int) -> tuple[str, ...]:
        """Return the family of each of the `count` tasks of a loop.

        The tasks of a family are evenly spaced in a window of time. In a blocked stream, windows follow one another;
        in a drifting one, each is twice as long, around the same middle; in an interleaved one, each is the whole time.

        Raises:
            PoolTooSmallError: There are fewer tasks than families.
        """
        families = self.families_of(loop)
        number = len(families)
        if count < number:
            raise PoolTooSmallError(
                f"a stream of {number} families needs at least {number} experience tasks, not {count}; ask for more "
                "turns or a larger batch"
            )
        places = []
        for position, family in enumerate(families):
            tasks = count // number + (position < count % number)
            middle = number / 2 if self.order == "interleaved" else position + 0.5
            length = {"blocked": 1, "drifting": 2, "interleaved": number}[self.order]
            places += [(middle + length * ((task + 0.5) / tasks - 0.5), position, family) for task in range(tasks)]
        return tuple(family for _, _, family in sorted(places))
