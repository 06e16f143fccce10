"""The scripted reflector's memory of past episodes, and the evidence in it for a rule."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from ictbench.rules_text.rules import Choose, Walk
from ictbench.rules_text.screen import entered_symbol, prose_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic import JsonValue

    from ictbench.records import Trajectory

WIN = ""
"""The goal of solving the task; every other goal is a phrase that is to appear."""

PHRASE_WORDS = (2, 4)
"""Fewest and most words of a phrase."""

RELIABLE = 0.5
"""Score above which a finding is preferred to any finding below it."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One step of a past episode, reduced to what rules can express."""

    episode: int
    action: str
    entered: str | None
    """Symbol that the player moved onto, None if it did not move."""
    now: frozenset[str]
    """Phrases on the screen when the action was chosen."""
    seen: frozenset[str]
    """Phrases on the screen then or earlier in the episode."""
    outcome: frozenset[str]
    """Phrases that appeared after the action, and `WIN` if it solved the task."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule with its evidence: of `tried` times that it was followed, `goal` was reached `hits` times."""

    goal: str
    rule: Walk | Choose
    hits: int
    tried: int
    chance: float
    """Rate of reaching the goal after the same action, or after any move, whatever was on the screen."""

    @property
    def score(self) -> float:
        """Share of hits, shrunk towards zero while there is little evidence."""
        return self.hits / (self.tried + 1)

    @property
    def weight(self) -> float:
        """Log-likelihood ratio of the rule's rate against chance (Dunning 1993); zero if chance does better."""
        rate = self.hits / self.tried
        if rate <= self.chance:
            return 0.0
        missed = self.tried - self.hits
        against = missed * math.log((1 - rate) / (1 - self.chance)) if missed else 0.0
        return self.hits * math.log(rate / self.chance) + against

    @property
    def reason(self) -> str:
        """The evidence as an English sentence."""
        result = f'"{self.goal}" appeared' if self.goal else "the task was solved"
        return f"{self.rule} Of {self.tried} times that this was done, {result} after {self.hits}."


def add_episodes(state: JsonValue, trajectories: Sequence[Trajectory], player: str | None) -> dict[str, Any]:
    """Return the memory with new trajectories added. It is plain JSON; episodes refer to lines of prose by number."""
    memory: dict[str, Any] = state if isinstance(state, dict) else {"lines": [], "episodes": []}
    numbers = {line: number for number, line in enumerate(memory["lines"])}
    episodes = list(memory["episodes"])
    for trajectory in trajectories:
        texts = [*(step.observation for step in trajectory.steps), trajectory.last_observation]
        sights = [[numbers.setdefault(line, len(numbers)) for line in prose_lines(text)] for text in texts]
        moves = [
            [step.executed, entered_symbol(before, after, player) if player else None]
            for step, before, after in zip(trajectory.steps, texts, texts[1:], strict=False)
        ]
        episodes.append({"sights": sights, "moves": moves, "solved": trajectory.solved})
    return {"lines": list(numbers), "episodes": episodes}


def moments_of(memory: dict[str, Any]) -> Iterator[Moment]:
    """Yield the moments that a memory describes. Invalid actions are left out: they did nothing."""
    phrases = [frozenset(phrases_of(line)) for line in memory["lines"]]
    for number, episode in enumerate(memory["episodes"]):
        sights = [frozenset().union(*(phrases[line] for line in lines)) for lines in episode["sights"]]
        seen: frozenset[str] = frozenset()
        for index, (action, entered) in enumerate(episode["moves"]):
            seen |= sights[index]
            won = episode["solved"] and index == len(episode["moves"]) - 1
            outcome = sights[index + 1] - sights[index] | ({WIN} if won else frozenset())
            if action is not None:
                yield Moment(number, action, entered, sights[index], seen, outcome)


@lru_cache(maxsize=65536)
def phrases_of(line: str) -> tuple[str, ...]:
    """Return all runs of two to four words without digits, which differ between games, and without quotes."""
    words = line.split()
    fewest, most = PHRASE_WORDS
    runs = (words[start : start + size] for size in range(fewest, most + 1) for start in range(len(words) - size + 1))
    return tuple(" ".join(run) for run in runs if not any(c.isdigit() or c == '"' for word in run for c in word))


class RuleEvidence:
    """All moments of past episodes, and the counts by which rules are judged."""

    def __init__(self, moments: Iterator[Moment]) -> None:
        self._moments = tuple(moments)
        self._by_outcome: defaultdict[str, list[Moment]] = defaultdict(list)
        for moment in self._moments:
            for phrase in moment.outcome:
                self._by_outcome[phrase].append(moment)

    @property
    def outcomes(self) -> dict[str, int]:
        """Count of each phrase."""
        return {phrase: len(moments) for phrase, moments in self._by_outcome.items()}

    def best_rule(self, goal: str, without: frozenset[str] = frozenset()) -> Finding | None:
        """Return the best supported rule for reaching a goal, None if nothing ever reached it.

        Actions in `without` are left out: an action that waits for the goal cannot be what brings it about.
        """
        findings = [*self._walks(goal), *self._choices(goal, without)]
        return max(findings, key=self._preference, default=None)

    def is_initial(self, phrase: str) -> bool:
        """Check whether most episodes show the phrase from their start."""
        return 2 * self._start_counts[phrase] > self._episodes

    def _walks(self, goal: str) -> Iterator[Finding]:
        hits = Counter(m.entered for m in self._by_outcome.get(goal, ()) if m.entered)
        moved = self._entered_counts.total()
        for symbol, count in hits.items():
            yield Finding(goal, Walk(symbol), count, self._entered_counts[symbol], hits.total() / moved)

    def _choices(self, goal: str, without: frozenset[str]) -> Iterator[Finding]:
        hits = [m for m in self._by_outcome.get(goal, ()) if m.action not in without]
        by_action = Counter(moment.action for moment in hits)
        now = Counter((phrase, m.action) for m in hits for phrase in m.now & self._informative)
        seen = Counter((phrase, m.action) for m in hits for phrase in m.seen & self._informative)
        for later, counts, tried in ((False, now, self._tried_now), (True, seen, self._tried_seen)):
            for (phrase, action), count in counts.items():
                if phrase not in goal and (not goal or goal not in phrase):
                    chance = by_action[action] / self._tried[action]
                    yield Finding(goal, Choose(phrase, action, later), count, tried[phrase, action], chance)

    def _preference(self, finding: Finding) -> tuple[bool, float, int, int, str]:
        """Sort key: reliable first, then well supported; on equal evidence a rarer, then a shorter phrase."""
        rule = finding.rule
        reliable = finding.score >= RELIABLE
        if isinstance(rule, Walk):
            return reliable, finding.weight, 0, 0, rule.symbol
        # Powers of two, so that a phrase is not preferred to its own beginning for being slightly rarer.
        commonness = (self._seen_counts if rule.later else self._now_counts)[rule.phrase].bit_length()
        return reliable, finding.weight, -commonness, -len(rule.phrase.split()), str(rule)

    @cached_property
    def _informative(self) -> frozenset[str]:
        """Phrases that are on the screen at most half of the time."""
        return frozenset(phrase for phrase, count in self._now_counts.items() if 2 * count <= len(self._moments))

    @cached_property
    def _now_counts(self) -> Counter[str]:
        return Counter(phrase for moment in self._moments for phrase in moment.now)

    @cached_property
    def _seen_counts(self) -> Counter[str]:
        return Counter(phrase for moment in self._moments for phrase in moment.seen)

    @cached_property
    def _start_counts(self) -> Counter[str]:
        firsts = {moment.episode: moment for moment in reversed(self._moments)}
        return Counter(phrase for moment in firsts.values() for phrase in moment.now)

    @cached_property
    def _episodes(self) -> int:
        return len({moment.episode for moment in self._moments})

    @cached_property
    def _entered_counts(self) -> Counter[str]:
        return Counter(moment.entered for moment in self._moments if moment.entered)

    @cached_property
    def _tried(self) -> Counter[str]:
        return Counter(moment.action for moment in self._moments)

    @cached_property
    def _tried_now(self) -> Counter[tuple[str, str]]:
        return Counter((phrase, m.action) for m in self._moments for phrase in m.now & self._informative)

    @cached_property
    def _tried_seen(self) -> Counter[tuple[str, str]]:
        return Counter((phrase, m.action) for m in self._moments for phrase in m.seen & self._informative)
