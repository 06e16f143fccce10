"""Playbook of `ace`: bullets with counters, changed by the lines of a model's replies."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, get_args

from ictbench.records import Record
from ictbench.reflectors.memory.added_text import fitting

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind = Literal["strategy", "environment", "mistake"]
KINDS: dict[str, Kind] = {kind[0]: kind for kind in get_args(Kind)}
"""By first letter."""

MAX_ADDED = 4
"""New bullets per turn."""

MAX_BULLETS, BULLET_BYTES = 150, 600
"""Bullets of a playbook, and their maximum size. A bullet that is too long is not added."""

SIMILAR = 0.8
"""Share of their words that duplicates have in common, at least."""

TITLE = "Playbook from earlier episodes:"
MARKUP = r"[*_`]*"
ADD = re.compile(
    rf"{MARKUP}add{MARKUP}[ :]+(?P<kind>strateg(?:y|ies)|environment|mistakes?){MARKUP} ?:{MARKUP} ?(?P<text>.+)",
    re.IGNORECASE,
)
TAG = re.compile(
    rf"{MARKUP}(?P<tag>helpful|harmful){MARKUP} ?:?{MARKUP} ?(?P<ids>[\d\[#](?:and|[\d\[\],# ])*)\.?", re.IGNORECASE
)
WORD = re.compile(r"[\w']+")
EXACT = re.compile(r"\"[^\"]*\"|\d+|\b(?:not|no|never|nothing|without|before|after|[a-z]+n't)\b", re.IGNORECASE)
"""What may turn the meaning of a sentence: quoted texts, numbers, negations and order."""


class Bullet(Record):
    """One piece of advice or knowledge."""

    id: int
    """Number by which the model names it; never given to another one."""
    kind: Kind
    text: str
    helpful: int = 0
    """Number of turns in whose episodes it helped."""
    harmful: int = 0

    @property
    def line(self) -> str:
        """The bullet as an episode shows it."""
        return f"- {self.kind}: {self.text}"


class Playbook(Record):
    """The memory of `ace`."""

    bullets: tuple[Bullet, ...] = ()
    """The oldest first."""
    last_id: int = 0

    def added_text(self) -> str:
        """Return the text that is added to a prompt: the best bullets that fit."""
        return fitting(TITLE, (bullet.line for bullet in self._best_first() if bullet.helpful >= bullet.harmful))

    def shown(self) -> frozenset[int]:
        """Return the numbers of the bullets in the added text."""
        lines = self.added_text().splitlines()
        return frozenset(bullet.id for bullet in self.bullets if bullet.line in lines)

    def in_words(self) -> str:
        """Return the bullets with their numbers and counters, for the model that keeps the playbook."""
        shown = self.shown()
        lines = (
            f"[{bullet.id}] {bullet.kind}: {bullet.text} "
            f"(helpful {bullet.helpful}, harmful {bullet.harmful}{'' if bullet.id in shown else ', not shown'})"
            for bullet in self.bullets
        )
        return "\n".join(lines) or "(empty)"

    def tagged(self, lines: Sequence[str]) -> Playbook:
        """Return the playbook after one vote for each bullet and tag that the lines name.

        Only bullets that episodes showed have a vote: others cannot have helped or harmed.
        """
        shown = self.shown()
        tags = {
            (parsed["tag"].lower(), int(number))
            for parsed in map(TAG.fullmatch, lines)
            if parsed
            for number in re.findall(r"\d+", parsed["ids"])
        }
        bullets = [
            bullet.model_copy(
                update={
                    "helpful": bullet.helpful + (("helpful", bullet.id) in tags),
                    "harmful": bullet.harmful + (("harmful", bullet.id) in tags),
                }
            )
            if bullet.id in shown
            else bullet
            for bullet in self.bullets
        ]
        return self.model_copy(update={"bullets": tuple(bullets)})

    def extended(self, lines: Sequence[str]) -> Playbook:
        """Return the playbook with the bullets that the lines add, without duplicates."""
        bullets, last_id = list(self.bullets), self.last_id
        for parsed in map(ADD.fullmatch, lines):
            if not parsed or last_id == self.last_id + MAX_ADDED:
                continue
            text = parsed["text"].strip()
            if len(text.encode()) <= BULLET_BYTES and not any(are_duplicates(text, old.text) for old in bullets):
                last_id += 1
                bullets.append(Bullet(id=last_id, kind=KINDS[parsed["kind"][0].lower()], text=text))
        grown = Playbook(bullets=tuple(bullets), last_id=last_id)
        kept = {bullet.id for bullet in grown._best_first()[:MAX_BULLETS]}
        return grown.model_copy(update={"bullets": tuple(bullet for bullet in bullets if bullet.id in kept)})

    def _best_first(self) -> list[Bullet]:
        """Return the bullets by the balance of their counters, of equals the newest first."""
        return sorted(self.bullets, key=lambda bullet: (bullet.harmful - bullet.helpful, -bullet.id))


def are_duplicates(one: str, other: str) -> bool:
    """Return whether two texts say the same in nearly the same words."""
    if sorted(EXACT.findall(one.casefold())) != sorted(EXACT.findall(other.casefold())):
        return False
    first, second = ({*WORD.findall(text.casefold())} for text in (one, other))
    return len(first & second) >= SIMILAR * len(first | second)
