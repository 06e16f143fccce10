"""What the scripted reflector learns from which actions were offered: actions have kinds, and kinds have manners.

It finds a line that tells episodes apart and names what actions name; kinds of actions that never change what is
offered; kinds that make themselves impossible until another undoes them; kinds that are possible only after another.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, Any

from ictbench.rules_text.rules import Before, Follow, Manner, Rule, kind_of, prose, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic import JsonValue

    from ictbench.records import Trajectory

MANY_KINDS = 4
"""With fewer kinds of actions there is nothing to tell apart by them."""

RELIABLE = 4
"""A kind is said to undo if one of so many times it did."""

COMMON = 0.9
"""A kind that is offered more often than this is no news."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A rule with its reason."""

    rule: Rule
    reason: str


@dataclass(frozen=True, slots=True)
class Offer:
    """One step of a past episode: what was offered, what was done, and what was offered then."""

    episode: int
    action: str
    before: frozenset[str]
    """Kinds."""
    after: frozenset[str]
    changed: bool
    """Whether anything else was offered afterwards."""
    undone: str | None
    """The kind of the action before, if what is offered now is what was offered before that one."""


def remember_offers(state: JsonValue, trajectories: Sequence[Trajectory]) -> dict[str, Any]:
    """The old state with new trajectories added: per episode its first lines, words of first actions, and steps."""
    old: dict[str, Any] = state if isinstance(state, dict) else {"kinds": [], "episodes": []}
    numbers = {kind: number for number, kind in enumerate(old["kinds"])}
    episodes = list(old["episodes"])
    for trajectory in trajectories:
        if not trajectory.steps:
            continue
        offered = [
            [numbers.setdefault(kind, len(numbers)) for kind in sorted({kind_of(action) for action in step.actions})]
            for step in trajectory.steps
        ]
        lists = list(dict.fromkeys(step.actions for step in trajectory.steps))
        first = trajectory.steps[0]
        episodes.append(
            {
                "lines": [line for line in prose(first.observation) if not any(c.isdigit() for c in line)],
                "named": sorted({word for action in first.actions for word in words(action)[1:]}),
                "steps": [[step.executed, kinds] for step, kinds in zip(trajectory.steps, offered, strict=True)],
                "lists": [lists.index(step.actions) for step in trajectory.steps],
            }
        )
    return {"kinds": list(numbers), "episodes": episodes}


def lessons(memory: dict[str, Any]) -> list[Lesson]:
    """The rules that what was offered supports; none where actions are of few kinds or no line names them."""
    if len(memory["kinds"]) < MANY_KINDS or len(memory["episodes"]) < 2:
        return []
    line = _telling_line(memory["episodes"])
    if line is None:
        return []
    offers = list(_offers(memory))
    reason = f'The line "{line}" differs from episode to episode and names what actions name.'
    every = [Lesson(Follow(line), reason), *_idle(offers), *_undoings(offers), *_exchanges(offers)]
    return list({lesson.rule: lesson for lesson in every}.values())


def _telling_line(episodes: Sequence[dict[str, Any]]) -> str | None:
    """How the shortest line begins that every episode starts with, each differently, naming what actions name."""
    found = []
    for line in episodes[0]["lines"]:
        start = " ".join(line.split()[:2])
        alike = [next((one for one in episode["lines"] if one.startswith(start)), None) for episode in episodes]
        lines = [one for one in alike if one is not None]
        if len(lines) < len(episodes) or len(set(lines)) < 2:
            continue
        names = [set(words(one)) & set(episode["named"]) for one, episode in zip(lines, episodes, strict=True)]
        opening = _opening(lines)
        if opening and 2 * sum(map(bool, names)) > len(episodes):
            found.append((sum(map(len, lines)), opening))
    return min(found)[1] if found else None


def _opening(lines: Sequence[str]) -> str:
    """What all lines begin with: up to the last colon or comma if there is one, else in whole words."""
    shared = "".join(signs[0] for signs in takewhile(lambda signs: len(set(signs)) == 1, zip(*lines, strict=False)))
    for sign in ":,":
        if sign in shared:
            return shared[: shared.rindex(sign) + 1]
    return shared.rsplit(" ", 1)[0]


def _offers(memory: dict[str, Any]) -> Iterator[Offer]:
    kinds = memory["kinds"]
    for number, episode in enumerate(memory["episodes"]):
        steps, lists = episode["steps"], episode["lists"]
        for at, ((action, before), (_, after)) in enumerate(pairwise(steps)):
            if action is not None:
                back = at > 0 and lists[at + 1] == lists[at - 1] != lists[at]
                yield Offer(
                    episode=number,
                    action=action,
                    before=frozenset(kinds[kind] for kind in before),
                    after=frozenset(kinds[kind] for kind in after),
                    changed=lists[at + 1] != lists[at],
                    undone=kind_of(steps[at - 1][0] or "") if back else None,
                )


def _idle(offers: Sequence[Offer]) -> list[Lesson]:
    """Kinds that were done and never changed what is offered."""
    done = Counter(kind_of(offer.action) for offer in offers)
    useful = {kind_of(offer.action) for offer in offers if offer.changed}
    return [
        Lesson(
            Manner(kind, "only what the line names, and once"),
            f'"{kind}" was done {count} times and changed nothing that can be done.',
        )
        for kind, count in sorted(done.items())
        if kind not in useful and count > 1
    ]


def _undoings(offers: Sequence[Offer]) -> list[Lesson]:
    """Kinds that took back what another kind had done."""
    found = Counter(
        (kind_of(offer.action), offer.undone) for offer in offers if offer.undone not in (None, kind_of(offer.action))
    )
    done = Counter(kind_of(offer.action) for offer in offers)
    return [
        Lesson(
            Manner(kind, "only for more of what the line names"),
            f'{count} of {done[kind]} times, "{kind}" took back what "{undone}" had done just before.',
        )
        for (kind, undone), count in sorted(found.items())
        if count > 1 and RELIABLE * count > done[kind]
    ]


def _exchanges(offers: Sequence[Offer]) -> Iterator[Lesson]:
    """Kinds that end themselves until another kind undoes them, and what is possible only in between."""
    offered = Counter(kind for offer in offers for kind in offer.before)
    by_episode: defaultdict[int, list[Offer]] = defaultdict(list)
    for offer in offers:
        by_episode[offer.episode].append(offer)
    rare = sorted(kind for kind, count in offered.items() if count < COMMON * len(offers))
    for kind in rare:
        spans = [span for episode in by_episode.values() for span in _spans(episode, kind)]
        if not spans or sum(len(span) for span in spans) <= len(spans):
            continue
        inside = {name for span in spans for offer in span for name in offer.before}
        outside = {name for offer in offers for name in offer.before if not any(offer in span for span in spans)}
        enabled = sorted(inside - outside)
        undoing = sorted({kind_of(span[-1].action) for span in spans if kind in span[-1].after} & set(enabled))
        if not undoing:
            continue
        once = f'"{kind}" was done {len(spans)} times; each time it was not offered again before "{undoing[0]}".'
        yield Lesson(Manner(kind, "only what the line names"), once)
        for name in (kind, *undoing):
            yield Lesson(Manner(name, "and what was done may be done again"), once)
        for name in enabled:
            if name not in undoing:
                place = _place(name, spans)
                reason = f'"{name}" was offered only between "{kind}" and "{undoing[0]}".'
                yield Lesson(Before(name, undoing[0], place), reason)


def _spans(episode: Sequence[Offer], kind: str) -> Iterator[list[Offer]]:
    """Stretches from doing a kind, up to where it is offered again; none if it is offered at once."""
    span: list[Offer] | None = None
    for offer in episode:
        if span is not None:
            span.append(offer)
            if kind in offer.after:
                yield span
                span = None
        if span is None and kind_of(offer.action) == kind and kind not in offer.after:
            span = []
    if span:
        yield span


def _place(kind: str, spans: Sequence[Sequence[Offer]]) -> str:
    """The action, without numbers, after which a kind was newly offered most often."""
    found = Counter(
        " ".join(words(offer.action))
        for span in spans
        for offer in span
        if kind in offer.after and kind not in offer.before
    )
    return max(sorted(found), key=lambda action: found[action], default="")
