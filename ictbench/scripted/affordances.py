"""Affordance learning: rules that the scripted reflector infers from which actions were available at each step.

It looks for a line of text that differs between episodes and shares words with actions; for kinds of actions that
never change what is available; for kinds that undo what another kind did; for kinds that become unavailable until
another kind is done; and for kinds that are available only in between. A kind is the first word of an action.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, Any

from ictbench.rules_text.rules import Before, Follow, Manner, Rule, action_kind
from ictbench.rules_text.screen import prose_lines, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic import JsonValue

    from ictbench.records import Trajectory

MANY_KINDS = 4
"""Fewest kinds of actions at which kinds can tell actions apart."""

RELIABLE = 4
"""A kind undoes another if it did so in more than one of this many cases."""

COMMON = 0.9
"""Share of steps above which the availability of a kind carries no information."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A rule with its reason."""

    rule: Rule
    reason: str


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


def add_episodes(state: JsonValue, trajectories: Sequence[Trajectory]) -> dict[str, Any]:
    """Return the memory with new trajectories added; plain JSON.

    Of each episode it holds the first lines, the words of the first actions, and the steps with available kinds.
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
            }
        )
    return {"kinds": list(numbers), "episodes": episodes}


def infer_lessons(memory: dict[str, Any]) -> list[Lesson]:
    """Return the rules that the memory supports; none with few kinds of actions or without a line to follow."""
    if len(memory["kinds"]) < MANY_KINDS or len(memory["episodes"]) < 2:
        return []
    line = _informative_line(memory["episodes"])
    if line is None:
        return []
    transitions = list(_transitions(memory))
    reason = f'The line "{line}" differs from episode to episode and names what actions name.'
    lessons = [Lesson(Follow(line), reason), *_idle(transitions), *_undoing(transitions), *_exchanges(transitions)]
    return list({lesson.rule: lesson for lesson in lessons}.values())


def _informative_line(episodes: Sequence[dict[str, Any]]) -> str | None:
    """Return the beginning of the shortest first line that all episodes share, that differs in how it goes on, and
    that has words in common with the first actions of most episodes.
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
        if opening and 2 * sum(map(bool, names)) > len(episodes):
            candidates.append((sum(map(len, lines)), opening))
    return min(candidates)[1] if candidates else None


def _common_opening(lines: Sequence[str]) -> str:
    """Return the common beginning of lines: up to its last colon, else its last comma, else its last whole word."""
    shared = "".join(signs[0] for signs in takewhile(lambda signs: len(set(signs)) == 1, zip(*lines, strict=False)))
    for sign in ":,":
        if sign in shared:
            return shared[: shared.rindex(sign) + 1]
    return shared.rsplit(" ", 1)[0]


def _transitions(memory: dict[str, Any]) -> Iterator[Transition]:
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


def _idle(transitions: Sequence[Transition]) -> list[Lesson]:
    """Return lessons on kinds that never changed the available actions."""
    done = Counter(action_kind(transition.action) for transition in transitions)
    useful = {action_kind(transition.action) for transition in transitions if transition.changed}
    return [
        Lesson(
            Manner(kind, "only what the line names, and once"),
            f'"{kind}" was done {count} times and changed nothing that can be done.',
        )
        for kind, count in sorted(done.items())
        if kind not in useful and count > 1
    ]


def _undoing(transitions: Sequence[Transition]) -> list[Lesson]:
    """Return lessons on kinds that undo what another kind did."""
    pairs = Counter(
        (action_kind(transition.action), transition.undone)
        for transition in transitions
        if transition.undone not in (None, action_kind(transition.action))
    )
    done = Counter(action_kind(transition.action) for transition in transitions)
    return [
        Lesson(
            Manner(kind, "only for more of what the line names"),
            f'{count} of {done[kind]} times, "{kind}" took back what "{undone}" had done just before.',
        )
        for (kind, undone), count in sorted(pairs.items())
        if count > 1 and RELIABLE * count > done[kind]
    ]


def _exchanges(transitions: Sequence[Transition]) -> Iterator[Lesson]:
    """Yield lessons on kinds that are unavailable from when they are done until another kind is done (a span), and
    on kinds that are available only during such spans.
    """
    available = Counter(kind for transition in transitions for kind in transition.before)
    by_episode: defaultdict[int, list[Transition]] = defaultdict(list)
    for transition in transitions:
        by_episode[transition.episode].append(transition)
    rare = sorted(kind for kind, count in available.items() if count < COMMON * len(transitions))
    for kind in rare:
        spans = [span for episode in by_episode.values() for span in _spans(episode, kind)]
        if not spans or sum(len(span) for span in spans) <= len(spans):
            continue
        inside = {name for span in spans for transition in span for name in transition.before}
        outside = {
            name
            for transition in transitions
            for name in transition.before
            if not any(transition in span for span in spans)
        }
        enabled = sorted(inside - outside)
        ending = sorted({action_kind(span[-1].action) for span in spans if kind in span[-1].after} & set(enabled))
        if not ending:
            continue
        reason = f'"{kind}" was done {len(spans)} times; each time it was not offered again before "{ending[0]}".'
        yield Lesson(Manner(kind, "only what the line names"), reason)
        for name in (kind, *ending):
            yield Lesson(Manner(name, "and what was done may be done again"), reason)
        for name in enabled:
            if name not in ending:
                place = _enabling_action(name, spans)
                between = f'"{name}" was offered only between "{kind}" and "{ending[0]}".'
                yield Lesson(Before(name, ending[0], place), between)


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
        if span is None and action_kind(transition.action) == kind and kind not in transition.after:
            span = []
    if span:
        yield span


def _enabling_action(kind: str, spans: Sequence[Sequence[Transition]]) -> str:
    """Return the action, without numbers, that most often made `kind` available; empty if none did."""
    counts = Counter(
        " ".join(words(transition.action))
        for span in spans
        for transition in span
        if kind in transition.after and kind not in transition.before
    )
    return max(sorted(counts), key=lambda action: counts[action], default="")
