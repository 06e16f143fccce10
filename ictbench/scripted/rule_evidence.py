"""What the scripted reflector knows of past episodes, and how well a rule is supported by it."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from ictbench.rules_text.rules import Choose, Walk, places, prose, symbol_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic import JsonValue

    from ictbench.records import Trajectory

WON = ""
"""Winning, among the phrases that can be wished for."""

PHRASE_WORDS = (2, 4)
"""Fewest and most words of a phrase."""

RELIABLE = 0.5
"""A finding of at least this score is preferred to any of a lower one."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One step of a past episode, reduced to what rules can speak of."""

    episode: int
    action: str
    entered: str | None
    """The symbol that the player came to stand on, None where it did not move."""
    now: frozenset[str]
    """Phrases in sight when the action was chosen."""
    seen: frozenset[str]
    """Phrases in sight then or earlier in the episode."""
    outcome: frozenset[str]
    """Phrases that came into sight, and `WON`."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule and its evidence: of `tried` times that it was followed, `wish` came true `hits` times."""

    wish: str
    rule: Walk | Choose
    hits: int
    tried: int
    chance: float
    """How often the wish came true after the same action, or after moving, whatever was in sight."""

    @property
    def score(self) -> float:
        """Share of hits, held back while there is little evidence."""
        return self.hits / (self.tried + 1)

    @property
    def weight(self) -> float:
        """Log-likelihood ratio of the rule's rate against chance (Dunning 1993), zero if chance does better."""
        rate = self.hits / self.tried
        if rate <= self.chance:
            return 0.0
        missed = self.tried - self.hits
        against = missed * math.log((1 - rate) / (1 - self.chance)) if missed else 0.0
        return self.hits * math.log(rate / self.chance) + against

    @property
    def reason(self) -> str:
        """The evidence in English."""
        wish = f'"{self.wish}" appeared' if self.wish else "the task was solved"
        return f"{self.rule} Of {self.tried} times that this was done, {wish} after {self.hits}."


def remember(state: JsonValue, trajectories: Sequence[Trajectory], player: str | None) -> dict[str, Any]:
    """The old state with new trajectories added: each distinct line of prose once, episodes by line number."""
    old: dict[str, Any] = state if isinstance(state, dict) else {"lines": [], "episodes": []}
    numbers = {line: number for number, line in enumerate(old["lines"])}
    episodes = list(old["episodes"])
    for trajectory in trajectories:
        texts = [*(step.observation for step in trajectory.steps), trajectory.last_observation]
        sights = [[numbers.setdefault(line, len(numbers)) for line in prose(text)] for text in texts]
        moves = [
            [step.executed, _entered(before, after, player) if player else None]
            for step, before, after in zip(trajectory.steps, texts, texts[1:], strict=False)
        ]
        episodes.append({"sights": sights, "moves": moves, "solved": trajectory.solved})
    return {"lines": list(numbers), "episodes": episodes}


def recall(memory: dict[str, Any]) -> Iterator[Moment]:
    """The moments that a state describes. Invalid actions did nothing and teach nothing."""
    phrases = [frozenset(phrases_of(line)) for line in memory["lines"]]
    for number, episode in enumerate(memory["episodes"]):
        sights = [frozenset().union(*(phrases[line] for line in lines)) for lines in episode["sights"]]
        seen: frozenset[str] = frozenset()
        for index, (action, entered) in enumerate(episode["moves"]):
            seen |= sights[index]
            won = episode["solved"] and index == len(episode["moves"]) - 1
            outcome = sights[index + 1] - sights[index] | ({WON} if won else frozenset())
            if action is not None:
                yield Moment(number, action, entered, sights[index], seen, outcome)


@lru_cache(maxsize=65536)
def phrases_of(line: str) -> tuple[str, ...]:
    """Runs of two to four words. Numbers differ from game to game, so phrases have none."""
    words = line.split()
    fewest, most = PHRASE_WORDS
    runs = (words[start : start + size] for size in range(fewest, most + 1) for start in range(len(words) - size + 1))
    return tuple(" ".join(run) for run in runs if not any(c.isdigit() or c == '"' for word in run for c in word))


class Evidence:
    """All moments, and the counts that rules are judged by."""

    def __init__(self, moments: Iterator[Moment]) -> None:
        self._moments = tuple(moments)
        self._outcomes: defaultdict[str, list[Moment]] = defaultdict(list)
        for moment in self._moments:
            for phrase in moment.outcome:
                self._outcomes[phrase].append(moment)

    @property
    def outcomes(self) -> dict[str, int]:
        """How often each phrase came into sight."""
        return {phrase: len(moments) for phrase, moments in self._outcomes.items()}

    def best_rule(self, wish: str, without: frozenset[str] = frozenset()) -> Finding | None:
        """The rule that is best supported to bring `wish` about, None if nothing did.

        Actions in `without` are left out: what they need cannot be what they bring about.
        """
        findings = [*self._walks(wish), *self._choices(wish, without)]
        return max(findings, key=self._preference, default=None)

    def is_given(self, phrase: str) -> bool:
        """Whether most episodes show the phrase from their start."""
        return 2 * self._starts[phrase] > self._episodes

    def _walks(self, wish: str) -> Iterator[Finding]:
        hits = Counter(m.entered for m in self._outcomes.get(wish, ()) if m.entered)
        moved = self._entered.total()
        for symbol, count in hits.items():
            yield Finding(wish, Walk(symbol), count, self._entered[symbol], hits.total() / moved)

    def _choices(self, wish: str, without: frozenset[str]) -> Iterator[Finding]:
        hits = [m for m in self._outcomes.get(wish, ()) if m.action not in without]
        by_action = Counter(moment.action for moment in hits)
        now = Counter((phrase, m.action) for m in hits for phrase in m.now & self._telling)
        seen = Counter((phrase, m.action) for m in hits for phrase in m.seen & self._telling)
        for later, counts, tried in ((False, now, self._tried_now), (True, seen, self._tried_seen)):
            for (phrase, action), count in counts.items():
                if phrase not in wish and (not wish or wish not in phrase):
                    chance = by_action[action] / self._tried[action]
                    yield Finding(wish, Choose(phrase, action, later), count, tried[phrase, action], chance)

    def _preference(self, finding: Finding) -> tuple[bool, float, int, int, str]:
        """Reliable first, then well supported; where evidence is equal, a rarer sight, then a shorter phrase."""
        rule = finding.rule
        reliable = finding.score >= RELIABLE
        if isinstance(rule, Walk):
            return reliable, finding.weight, 0, 0, rule.symbol
        # Doublings, so that a phrase is not preferred to its own beginning for being a little rarer.
        commonness = (self._ever if rule.later else self._sights)[rule.phrase].bit_length()
        return reliable, finding.weight, -commonness, -len(rule.phrase.split()), str(rule)

    @cached_property
    def _telling(self) -> frozenset[str]:
        """Phrases that are not in sight most of the time."""
        return frozenset(phrase for phrase, count in self._sights.items() if 2 * count <= len(self._moments))

    @cached_property
    def _sights(self) -> Counter[str]:
        return Counter(phrase for moment in self._moments for phrase in moment.now)

    @cached_property
    def _ever(self) -> Counter[str]:
        return Counter(phrase for moment in self._moments for phrase in moment.seen)

    @cached_property
    def _starts(self) -> Counter[str]:
        firsts = {moment.episode: moment for moment in reversed(self._moments)}
        return Counter(phrase for moment in firsts.values() for phrase in moment.now)

    @cached_property
    def _episodes(self) -> int:
        return len({moment.episode for moment in self._moments})

    @cached_property
    def _entered(self) -> Counter[str]:
        return Counter(moment.entered for moment in self._moments if moment.entered)

    @cached_property
    def _tried(self) -> Counter[str]:
        return Counter(moment.action for moment in self._moments)

    @cached_property
    def _tried_now(self) -> Counter[tuple[str, str]]:
        return Counter((phrase, m.action) for m in self._moments for phrase in m.now & self._telling)

    @cached_property
    def _tried_seen(self) -> Counter[tuple[str, str]]:
        return Counter((phrase, m.action) for m in self._moments for phrase in m.seen & self._telling)


def _entered(before: str, after: str, player: str) -> str | None:
    """The symbol that stood where the player stands now, if it stood elsewhere before."""
    was, now = places(before, player), places(after, player)
    return symbol_at(before, now[0]) if was and now and was[0] != now[0] else None
