"""Rules about patterns of actions that the scripted reflector infers from what could be done in past episodes.

All of them rest on an exchange, as of something that is taken and put down: a kind of action that is unavailable from
when it was done until another kind was done. The line of the task tells which things are worth taking and where they
go. Other kinds are sorted by what they change: kinds that are available only in between may be asked for by the line;
kinds that change what can be done are for searching; kinds that change nothing are kept if they ended a won episode.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ictbench.rules_text.patterns import ANY, NAMED, OTHER, matches
from ictbench.rules_text.rules import Act, Before, Hold, Line, Rule, action_kind
from ictbench.rules_text.screen import words
from ictbench.scripted.affordances import (
    Exchange,
    available_kinds,
    common_kinds,
    find_exchange,
    idle_kinds,
    informative_line,
    patterns_of_kinds,
    place_of,
    transitions_of,
    undoing_kinds,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

MANY_KINDS = 4
"""Fewest kinds of actions at which kinds can tell actions apart."""

FEW = 2
"""Fewest episodes from which something is concluded about winning or losing."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A rule with its reason."""

    rule: Rule
    reason: str


def infer_lessons(memory: dict[str, Any]) -> list[Lesson]:
    """Return the rules that the memory supports, in the order in which they are to be followed.

    There are none with few kinds of actions, without a line that says what matters, or where neither an exchange nor
    anything to try for one was found.
    """
    if len(memory["kinds"]) < MANY_KINDS or len(memory["episodes"]) < FEW:
        return []
    line = informative_line(memory["episodes"])
    lessons = list(_Inference(memory, line).lessons()) if line else []
    reason = f'The line "{line}" differs from episode to episode and names what actions name.'
    return [Lesson(Line(line), reason), *lessons] if line and lessons else []


class _Inference:
    """What the memory says, and the rules that follow from it."""

    def __init__(self, memory: dict[str, Any], line: str) -> None:
        self.patterns = patterns_of_kinds(memory)
        self.transitions = list(transitions_of(memory))
        self.available = available_kinds(self.transitions)
        self.idle = idle_kinds(self.transitions)
        self.undoing = undoing_kinds(self.transitions)
        self.attempts = list(_attempts(memory, line))
        self.even_turn = memory["turns"] % 2 == 0

    def lessons(self) -> Iterator[Lesson]:
        """Yield the rules, in the order in which they are to be followed."""
        exchange = find_exchange(self.transitions, self.patterns)
        return self._trials() if exchange is None else self._with_exchange(exchange)

    def _trials(self) -> Iterator[Lesson]:
        """Yield rules to try each kind of action that changes something, the rarest first, if some are rare."""
        kinds = self._rarest(self.patterns.keys() - self.idle - self.undoing)
        if set(kinds) <= common_kinds(self.transitions):
            return
        for kind in kinds:
            reason = f'"{kind}" was offered {self.available[kind]} times and may change what can be done.'
            yield Lesson(Act(self.patterns[kind]), reason)

    def _rarest(self, kinds: set[str]) -> list[str]:
        """Return the kinds whose patterns have a placeholder, the most rarely available first."""
        return sorted(
            (kind for kind in kinds if ANY in self.patterns[kind]), key=lambda kind: (self.available[kind], kind)
        )

    def _with_exchange(self, exchange: Exchange) -> Iterator[Lesson]:
        taking, giving = self.patterns[exchange.taking], self.patterns[exchange.giving]
        wanted = _first_named(taking).replace(ANY, OTHER)
        others = self.patterns.keys() - {exchange.taking, exchange.giving}
        enabled = others & exchange.enabled
        searching = self._rarest(others - enabled - self.idle - self.undoing)
        going = searching[-1] if searching else ""
        ending = [kind for kind in self._rarest(others & self.idle - enabled) if self._may_end(kind)]
        orders = list(self._orders(enabled, giving, going))
        wander = self.even_turn and self._is_stuck(giving)

        held = f'"{exchange.taking}" was done {exchange.spans} times, and offered again only after "{exchange.giving}".'
        yield Lesson(Hold(taking, giving), held)
        yield from orders
        for kind in self._rarest(enabled) if wander else ():
            reason = f'No episode was won yet; "{kind}" may be what is asked for.'
            yield Lesson(Act(_first_named(self.patterns[kind]), held="something"), reason)
        for kind in ending:
            reason = f'"{kind}" changed nothing that can be done, but may be what is asked for.'
            yield Lesson(Act(self._named(kind), held="something"), reason)
        yield Lesson(Act(giving.replace(ANY, NAMED)), "The line names what is taken and where it goes.")
        yield Lesson(Act(wanted), "The line names what is taken, and not where it is.")
        for word in sorted({lesson.rule.word for lesson in orders if isinstance(lesson.rule, Before)}):
            reason = "What is to be done before may be asked for where a thing is already."
            yield Lesson(Act(_first_named(taking), word, "nothing"), reason)
        for kind in () if wander else searching:
            yield Lesson(
                Act(self._named(kind), held="something"), f'The line names where things go; "{kind}" leads there.'
            )
        if going:
            reason = f'"{going}" leads back to what was seen and left.'
            for kind in ending:
                yield Lesson(Act(self.patterns[going], held="something", offered=self._named(kind)), reason)
            yield Lesson(Act(self.patterns[going], held="nothing", offered=wanted), reason)
        for kind in searching:
            yield Lesson(Act(self.patterns[kind]), f'"{kind}" changes what can be done.')

    def _named(self, kind: str) -> str:
        """Return the pattern of a kind for what the line names."""
        return self.patterns[kind].replace(ANY, NAMED)

    def _orders(self, enabled: set[str], giving: str, going: str) -> Iterator[Lesson]:
        """Yield what is to be done before giving: what the line names, or what all won episodes had in common."""
        for kind in self._rarest(enabled):
            first = _first_named(self.patterns[kind])
            place = place_of(kind, self.transitions, going)
            reason = f'"{kind}" was offered only while something was held.'
            yield Lesson(Before(kind, first, giving, place), reason)
            yield from self._other_words(kind, Before("", first, giving, place))

    def _other_words(self, kind: str, order: Before) -> Iterator[Lesson]:
        """Yield the order for words that ask for it as the name of its kind does.

        Where all won episodes followed the order, it is a word that all episodes have that gave what the line names
        and were lost without, and that no line has which names the kind.
        """
        won = [one for one in self.attempts if one.solved]
        unnamed = [one for one in self.attempts if kind not in one.named]
        given = order.later.replace(ANY, NAMED)
        lost = [one for one in unnamed if not one.solved and one.did(given) and not one.did(order.first)]
        if len(won) < FEW or len(lost) < FEW or not all(one.did(order.first) for one in won):
            return
        explained = {word for one in self.attempts if kind in one.named for word in one.named}
        for word in sorted(frozenset.intersection(*(one.unacted for one in lost)) - explained):
            reason = (
                f'All {len(won)} won episodes had "{kind}"; {len(lost)} whose line names "{word}" were lost without.'
            )
            yield Lesson(replace(order, word=word), reason)

    def _is_stuck(self, giving: str) -> bool:
        """Check whether no episode was won although what the line names was given where the line says."""
        given = [one for one in self.attempts if one.did(giving.replace(ANY, NAMED))]
        return len(given) >= FEW and not any(one.solved for one in self.attempts)

    def _may_end(self, kind: str) -> bool:
        """Check whether an action of the kind ended a won episode, or none was won yet."""
        won = [one for one in self.attempts if one.solved]
        return not won or any(action_kind(one.actions[-1]) == kind for one in won if one.actions)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """An episode: the words of its line, its actions, and whether it was won."""

    named: frozenset[str]
    unacted: frozenset[str]
    """Words of the line that no action has."""
    actions: tuple[str, ...]
    solved: bool

    def did(self, pattern: str) -> bool:
        return any(matches(pattern, action, self.named) for action in self.actions)


def _attempts(memory: dict[str, Any], line: str) -> Iterator[_Attempt]:
    arguments = {word for argument in memory["arguments"] for word in words(argument)}
    for episode in memory["episodes"]:
        text = next((text for text in episode["lines"] if text.startswith(line)), "")
        named = frozenset(words(text.removeprefix(line)))
        actions = tuple(action for action, _ in episode["steps"] if action is not None)
        yield _Attempt(named, named - arguments, actions, episode.get("solved", False))


def _first_named(pattern: str) -> str:
    """Return a pattern with its first placeholder being what the line names."""
    return pattern.replace(ANY, NAMED, 1)
