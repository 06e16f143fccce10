"""What could be done: memory of the available actions of past episodes, from which `pattern_lessons` infers rules.

A kind is the first word of an action.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, Any

from ictbench.rules_text.patterns import ANY, argument_words, pattern_of
from ictbench.rules_text.rules import action_kind
from ictbench.rules_text.screen import prose_lines, words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from pydantic import JsonValue

    from ictbench.records import Trajectory


COMMON = 0.9
"""Share of steps from which a kind counts as available everywhere."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One step of a past episode: the kinds available before it, its action, and the kinds available after it."""

    episode: int
    action: str
    before: frozenset[str]
    after: frozenset[str]
    changed: bool
    """Whether the available actions differ afterwards."""
    undone: str | None
    """Kind of the previous action, if this action made exactly the actions available that were so before it."""

    @property
    def kind(self) -> str:
        """First word of the action."""
        return action_kind(self.action)


def add_episodes(state: JsonValue, trajectories: Sequence[Trajectory]) -> dict[str, Any]:
    """Return the memory with new trajectories added; plain JSON.

    Of each episode it holds the first lines, the words of the first actions, and the steps with available kinds; of
    each kind of action, one action; and the words that tell actions of one kind apart.
    """
    memory: dict[str, Any] = state if isinstance(state, dict) else {"kinds": [], "episodes": []}
    numbers = {kind: number for number, kind in enumerate(memory["kinds"])}
    episodes = list(memory["episodes"])
    for trajectory in trajectories:
        if not trajectory.steps:
            continue
        available = [
            [
                numbers.setdefault(kind, len(numbers))
                for kind in sorted({action_kind(action) for action in step.actions})
            ]
            for step in trajectory.steps
        ]
        lists = list(dict.fromkeys(step.actions for step in trajectory.steps))
        first = trajectory.steps[0]
        episodes.append(
            {
                "lines": [line for line in prose_lines(first.observation) if not any(c.isdigit() for c in line)],
                "named": sorted({word for action in first.actions for word in words(action)[1:]}),
                "steps": [[step.executed, kinds] for step, kinds in zip(trajectory.steps, available, strict=True)],
                "lists": [lists.index(step.actions) for step in trajectory.steps],
                "solved": trajectory.solved,
            }
        )
    offered = {action for trajectory in trajectories for step in trajectory.steps for action in step.actions}
    return {
        "kinds": list(numbers),
        "episodes": episodes,
        "examples": {action_kind(action): action for action in sorted(offered)} | memory.get("examples", {}),
        "arguments": sorted({*memory.get("arguments", ()), *argument_words(offered)}),
        "turns": memory.get("turns", 0) + 1,
    }


def patterns_of_kinds(memory: dict[str, Any]) -> dict[str, str]:
    """Return for each kind the pattern of its actions, such as `take … from …`; none that a sentence cannot quote."""
    arguments = frozenset(memory.get("arguments", ()))
    patterns = {kind: pattern_of(example, arguments) for kind, example in memory.get("examples", {}).items()}
    return {kind: pattern for kind, pattern in patterns.items() if kind and '"' not in pattern}


def informative_line(episodes: Sequence[dict[str, Any]]) -> str | None:
    """Return the beginning of the shortest first line that all episodes share, that differs in how it goes on, and
    that has words in common with the first actions of most episodes; None if there is none.
    """
    candidates = []
    for line in episodes[0]["lines"]:
        start = " ".join(line.split()[:2])
        first_matches = [
            next((other for other in episode["lines"] if other.startswith(start)), None) for episode in episodes
        ]
        lines = [match for match in first_matches if match is not None]
        if len(lines) < len(episodes) or len(set(lines)) < 2:
            continue
        names = [set(words(text)) & set(episode["named"]) for text, episode in zip(lines, episodes, strict=True)]
        opening = _common_opening(lines)
        if opening and '"' not in opening and 2 * sum(map(bool, names)) > len(episodes):
            candidates.append((sum(map(len, lines)), opening))
    return min(candidates)[1] if candidates else None


def _common_opening(lines: Sequence[str]) -> str:
    """Return the common beginning of lines: up to its last colon, else its last comma, else its last whole word."""
    shared = "".join(signs[0] for signs in takewhile(lambda signs: len(set(signs)) == 1, zip(*lines, strict=False)))
    for sign in ":,":
        if sign in shared:
            return shared[: shared.rindex(sign) + 1]
    return shared.rsplit(" ", 1)[0]


def transitions_of(memory: dict[str, Any]) -> Iterator[Transition]:
    """Yield the steps of the episodes in memory. Invalid actions are left out: they did nothing."""
    kinds = memory["kinds"]
    for number, episode in enumerate(memory["episodes"]):
        steps, lists = episode["steps"], episode["lists"]
        for index, ((action, before), (_, after)) in enumerate(pairwise(steps)):
            if action is not None:
                back = index > 0 and lists[index + 1] == lists[index - 1] != lists[index]
                yield Transition(
                    episode=number,
                    action=action,
                    before=frozenset(kinds[kind] for kind in before),
                    after=frozenset(kinds[kind] for kind in after),
                    changed=lists[index + 1] != lists[index],
                    undone=action_kind(steps[index - 1][0] or "") if back else None,
                )


def available_kinds(transitions: Sequence[Transition]) -> Counter[str]:
    """Return at how many steps each kind was available."""
    return Counter(kind for transition in transitions for kind in transition.before)


def common_kinds(transitions: Sequence[Transition]) -> set[str]:
    """Return the kinds that were available at nearly all steps."""
    return {kind for kind, count in available_kinds(transitions).items() if count >= COMMON * len(transitions)}


def idle_kinds(transitions: Sequence[Transition]) -> set[str]:
    """Return the kinds that were done more than once and never changed the available actions."""
    done = Counter(transition.kind for transition in transitions)
    useful = {transition.kind for transition in transitions if transition.changed}
    return {kind for kind, count in done.items() if kind not in useful and count > 1}


def undoing_kinds(transitions: Sequence[Transition]) -> set[str]:
    """Return the kinds that took back what another kind had just done, more often than that kind took back theirs."""
    pairs = Counter((one.kind, one.undone) for one in transitions if one.undone not in (None, one.kind))
    return {kind for (kind, undone), count in pairs.items() if count > pairs[undone, kind]}


@dataclass(frozen=True, slots=True)
class Exchange:
    """A kind that is unavailable from when it was done until another kind was done, as for something that is held."""

    taking: str
    giving: str
    spans: int
    """Times that `taking` was done, after which it was unavailable."""
    enabled: frozenset[str]
    """Kinds that were available in between only, without `giving`."""


def find_exchange(transitions: Sequence[Transition], kinds: Collection[str]) -> Exchange | None:
    """Return the exchange of two of the kinds with most evidence; None if there is none.

    Something is held only if it stays so while the player does what can be done everywhere, such as going elsewhere.
    """
    by_episode: defaultdict[int, list[Transition]] = defaultdict(list)
    for transition in transitions:
        by_episode[transition.episode].append(transition)
    everywhere = common_kinds(transitions)
    found: list[tuple[int, Exchange]] = []
    for kind in sorted(kinds):
        spans = [span for episode in by_episode.values() for span in _spans(episode, kind)]
        within = {id(transition) for span in spans for transition in span}
        inside = {name for span in spans for transition in span for name in transition.before}
        outside = {name for transition in transitions if id(transition) not in within for name in transition.before}
        enabled = inside - outside
        endings = Counter(span[-1].kind for span in spans if span and kind in span[-1].after)
        giving, count = max(sorted(endings.items()), key=lambda pair: pair[1], default=("", 0))
        carried = sum(len(span) > 1 and any(one.kind in everywhere for one in span[:-1]) for span in spans)
        if carried and giving in enabled & set(kinds) and 2 * count > endings.total():
            found.append((carried, Exchange(kind, giving, len(spans), frozenset(enabled - {giving}))))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _spans(episode: Sequence[Transition], kind: str) -> Iterator[list[Transition]]:
    """Yield the steps from after an action of `kind` up to the one that makes the kind available again.

    An action that leaves its kind available starts no span.
    """
    span: list[Transition] | None = None
    for transition in episode:
        if span is not None:
            span.append(transition)
            if kind in transition.after:
                yield span
                span = None
        if span is None and transition.kind == kind and kind not in transition.after:
            span = []
    if span:
        yield span


def place_of(kind: str, transitions: Sequence[Transition], going: str) -> str:
    """Return the action of the kind `going`, numbers as `…`, after which `kind` was available most often."""
    counts: Counter[str] = Counter()
    at, episode = "", -1
    for transition in transitions:
        if transition.episode != episode:
            at, episode = "", transition.episode
        if transition.kind == going:
            at = _without_numbers(transition.action)
        if at and kind in transition.after:
            counts[at] += 1
    return max(sorted(counts), key=lambda action: counts[action], default="")


def _without_numbers(action: str) -> str:
    return " ".join(ANY if word.isdigit() else word for word in action.split())
