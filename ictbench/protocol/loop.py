"""One loop of the protocol: N turns of play and reflection, selection of the best prompt, test.

The state machine does nothing itself. `start` and each answer return the requests that have become possible;
whoever drives it carries them out in any order and at any time, and tells the answers.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.records import Reflection, ReflectionFailure, Task, Trajectory
    from ictbench.reflectors import Experience

Outcomes = tuple[bool, ...]
"""Solved or not, task by task, in the order of the tasks."""


@dataclass(frozen=True, slots=True)
class LoopPlan:
    """Everything that determines a loop, but for the actor's and the reflector's answers."""

    family: str
    index: int
    prompt: str
    """prompt[0], the suite's own."""
    batches: tuple[tuple[Task, ...], ...]
    """Experience tasks, a batch a turn; no task occurs twice, unless the experience is `retried`."""
    selection: tuple[Task, ...]
    test: tuple[Task, ...]
    prompt_bytes: int
    test_every_turn: bool = False
    audit: bool = False
    """Whether each turn but the last is audited for its overfitting gap."""
    experience: Experience = "fresh"
    """What the batches are; in a loop whose experience is `halved`, the reflector plays as many episodes itself."""

    def __post_init__(self) -> None:
        met = [task.id for batch in self.batches for task in batch]
        if len(set(met)) < len(met) and self.experience != "retried":
            raise ValueError(f"loop {self.index} of {self.family}: an experience task occurs twice")

    @property
    def turns(self) -> int:
        """N."""
        return len(self.batches)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """All of its tasks: experience, selection, test."""
        return (*itertools.chain(*self.batches), *self.selection, *self.test)


@dataclass(frozen=True, slots=True)
class Play:
    """Play these tasks under this prompt, for experience."""

    turn: int
    prompt: str
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Reflect:
    """Reflect on these trajectories."""

    turn: int
    prompt: str
    trajectories: tuple[Trajectory, ...]
    state: JsonValue


@dataclass(frozen=True, slots=True)
class Score:
    """Count how many of these tasks are solved under this prompt."""

    pool: Literal["selection", "test"]
    prompt_index: int
    prompt: str
    tasks: tuple[Task, ...]
    awaited: bool = True
    """Whether the loop cannot go on without it; False for a test that is known early and needed only at the end."""


AuditBatch = Literal["replayed", "fresh"]
"""The batch that a turn reflected on, or the one after it."""


@dataclass(frozen=True, slots=True)
class Audit:
    """Count how many of a batch's tasks are solved under the prompt it was not played under.

    Turn i turned prompt[i-1] into prompt[i]: its own batch is replayed under prompt[i], the next one, which is
    fresh and played under prompt[i], also under prompt[i-1].
    """

    turn: int
    batch: AuditBatch
    prompt: str
    tasks: tuple[Task, ...]


Request = Play | Reflect | Score | Audit


@dataclass(frozen=True, slots=True)
class Audited:
    """What the audit of turn i adds to the experience of turns i and i + 1."""

    replayed: Outcomes
    """Of batch i under prompt[i]."""
    fresh: Outcomes
    """Of batch i + 1 under prompt[i-1]."""


@dataclass(frozen=True, slots=True)
class LoopOutcome:
    """What a finished loop has found; lists over prompts have N + 1 entries, lists over turns have N."""

    plan: LoopPlan
    prompts: tuple[str, ...]
    analyses: tuple[str, ...]
    failures: tuple[ReflectionFailure | None, ...]
    experience: tuple[Outcomes, ...]
    selection: tuple[Outcomes, ...]
    best: int
    test: dict[int, Outcomes]
    """By index of the prompt."""
    audit: tuple[Audited, ...] = ()
    """By turn, the last left out, as no batch follows it; empty without an audit."""
    replays: tuple[tuple[str, ...], ...] = ()
    """By turn, keys of the episodes that the reflector had played itself; empty where it has none."""


@dataclass
class Loop:
    """The state machine of one loop."""

    plan: LoopPlan
    _prompts: list[str] = field(default_factory=list)
    _analyses: list[str] = field(default_factory=list)
    _failures: list[ReflectionFailure | None] = field(default_factory=list)
    _replays: list[tuple[str, ...]] = field(default_factory=list)
    _experience: list[Outcomes] = field(default_factory=list)
    _selection: dict[int, Outcomes] = field(default_factory=dict)
    _test: dict[int, Outcomes] = field(default_factory=dict)
    _tested: set[int] = field(default_factory=set)
    _audit: dict[tuple[int, AuditBatch], Outcomes] = field(default_factory=dict)
    _state: JsonValue = None

    def start(self) -> tuple[Request, ...]:
        """The first requests."""
        self._prompts.append(self.plan.prompt)
        return (self._play(), self._score("selection", 0), *self._due_tests())

    def played(self, request: Play, trajectories: Sequence[Trajectory]) -> tuple[Request, ...]:
        """Tell the trajectories of a batch, in the order of its tasks."""
        self._experience.append(tuple(trajectory.solved for trajectory in trajectories))
        return (Reflect(request.turn, request.prompt, tuple(trajectories), self._state),)

    def reflected(self, request: Reflect, reflection: Reflection) -> tuple[Request, ...]:
        """Tell what the reflector answered; an unusable answer leaves the prompt as it is, and is counted."""
        prompt, failure = reflection.prompt, reflection.failure
        if prompt is not None and len(prompt.encode(errors="replace")) > self.plan.prompt_bytes:
            prompt, failure = None, "too_long"
        elif prompt is not None and not _is_text(prompt):
            prompt, failure = None, "unparseable"
        elif prompt is None and failure is None:
            failure = "unparseable"
        self._prompts.append(request.prompt if prompt is None else prompt)
        self._failures.append(failure)
        self._analyses.append(reflection.analysis)
        self._replays.append(reflection.replays)
        self._state = reflection.state
        turn = len(self._prompts) - 1
        following = () if turn == self.plan.turns else (self._play(),)
        return (*following, self._score("selection", turn), *self._due_tests(), *self._audits(turn))

    def scored(self, request: Score, outcomes: Sequence[bool]) -> tuple[Request, ...]:
        """Tell which tasks were solved, in the order of the tasks."""
        scores = self._selection if request.pool == "selection" else self._test
        scores[request.prompt_index] = tuple(outcomes)
        return self._due_tests()

    def audited(self, request: Audit, outcomes: Sequence[bool]) -> tuple[Request, ...]:
        """Tell which tasks were solved, in the order of the tasks. Nothing follows from it."""
        self._audit[request.turn, request.batch] = tuple(outcomes)
        return ()

    @property
    def turn(self) -> int:
        """Turns completed."""
        return len(self._failures)

    @property
    def finished(self) -> bool:
        """Whether the outcome is known."""
        tested = self._selected and len(self._test) == len(self._tested)
        return tested and len(self._audit) == 2 * len(self._audited_turns)

    def outcome(self) -> LoopOutcome:
        """The outcome of a finished loop."""
        if not self.finished:
            raise RuntimeError(f"loop {self.plan.index} of {self.plan.family} is not finished")
        return LoopOutcome(
            plan=self.plan,
            prompts=tuple(self._prompts),
            analyses=tuple(self._analyses),
            failures=tuple(self._failures),
            experience=tuple(self._experience),
            selection=tuple(self._selection[index] for index in range(self.plan.turns + 1)),
            best=self._best(),
            test=dict(sorted(self._test.items())),
            replays=tuple(self._replays) if self.plan.experience == "halved" else (),
            audit=tuple(
                Audited(self._audit[turn, "replayed"], self._audit[turn, "fresh"]) for turn in self._audited_turns
            ),
        )

    @property
    def _selected(self) -> bool:
        return len(self._selection) == self.plan.turns + 1

    def _best(self) -> int:
        """Highest selection score, earliest on ties."""
        return max(sorted(self._selection), key=lambda index: sum(self._selection[index]))

    def _play(self) -> Play:
        turn = len(self._prompts)
        return Play(turn, self._prompts[-1], self.plan.batches[turn - 1])

    def _score(self, pool: Literal["selection", "test"], index: int) -> Score:
        tasks = self.plan.selection if pool == "selection" else self.plan.test
        return Score(pool, index, self._prompts[index], tasks)

    def _due_tests(self) -> tuple[Score, ...]:
        """Tests that have become possible: prompt[0] at once, prompt[N] once written, the best once selected."""
        known = range(len(self._prompts))
        due = set(known) if self.plan.test_every_turn else {0, self.plan.turns} & set(known)
        if self._selected:
            due.add(self._best())
        new = sorted(due - self._tested)
        self._tested |= due
        return tuple(replace(self._score("test", index), awaited=self._selected) for index in new)

    @property
    def _audited_turns(self) -> range:
        return range(1, self.plan.turns if self.plan.audit else 1)

    def _audits(self, turn: int) -> tuple[Audit, ...]:
        if turn not in self._audited_turns:
            return ()
        batches = self.plan.batches
        return (
            Audit(turn, "replayed", self._prompts[turn], batches[turn - 1]),
            Audit(turn, "fresh", self._prompts[turn - 1], batches[turn]),
        )


def _is_text(prompt: str) -> bool:
    """Half a surrogate pair is no text: no file and no digest could hold it."""
    try:
        prompt.encode()
    except UnicodeEncodeError:
        return False
    return True
