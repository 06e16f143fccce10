"""State machine of one loop: N turns of play and reflection, selection of the best prompt, test.

The state machine performs no I/O. `Loop.start` and every answer return the requests that have become possible. The
caller carries them out in any order, and passes the answers to `played`, `reflected`, `scored`, `audited` and
`compared`.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from ictbench.protocol.candidates import updated
from ictbench.protocol.loop_result import AuditResult, BatchResult, LoopResult, OnlineResult, PromptResult
from ictbench.protocol.requests import Audit, Online, Play, Reflect, Score
from ictbench.records import MEMORY_ROOM, NO_MEMORY, Memory, prompt_digest, prompt_of, task_id_of
from ictbench.visible_text import is_encodable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pydantic import JsonValue

    from ictbench.protocol.loop_plan import LoopPlan
    from ictbench.protocol.loop_result import CandidateResult, OutcomeString
    from ictbench.protocol.requests import AuditBatch, OnlinePrompt, Request
    from ictbench.records import Reflection, Task, Trajectory


@dataclass
class Loop:
    """State machine of one loop."""

    plan: LoopPlan
    make_memory: Callable[[JsonValue], Memory] = Memory.of
    """Returns the memory in a reflection. A recomputation gives digests in place of memories."""
    _prompts: list[PromptResult] = field(default_factory=list)
    _experience: list[OutcomeString] = field(default_factory=list)
    _candidates: dict[str, CandidateResult] = field(default_factory=dict)
    """By digest of the prompt."""
    _selection: dict[int, OutcomeString] = field(default_factory=dict)
    _test: dict[int, OutcomeString] = field(default_factory=dict)
    _requested_tests: set[int] = field(default_factory=set)
    _audit: dict[tuple[int, AuditBatch], OutcomeString] = field(default_factory=dict)
    _online: dict[tuple[OnlinePrompt, int], OutcomeString] = field(default_factory=dict)
    _requested_best: bool = False
    _replays: list[tuple[str, ...]] = field(default_factory=list)
    _state: JsonValue = None
    _memories: list[Memory] = field(default_factory=lambda: [NO_MEMORY])
    """By prompt; prompt[0] has none."""

    def start(self) -> tuple[Request, ...]:
        """Return the first requests."""
        self._prompts.append(PromptResult(digest=prompt_digest(self.plan.prompt), text=self.plan.prompt))
        return (self._next_turn(), self._score("selection", 0), *self._due_tests())

    def played(self, request: Play, trajectories: Sequence[Trajectory]) -> tuple[Request, ...]:
        """Accept the trajectories of a batch, in the order of its tasks."""
        self._experience.append(outcome_string(trajectory.solved for trajectory in trajectories))
        return (
            Reflect(request.turn, request.prompt, tuple(trajectories), self._state, request.memory),
            *self._online_base(request.turn),
        )

    def reflected(self, request: Reflect, reflection: Reflection) -> tuple[Request, ...]:
        """Accept the reflector's answer; an unusable answer keeps prompt and memory, and is counted."""
        prompt, failure = reflection.prompt, reflection.failure
        memory = request.memory if reflection.memory is None else self.make_memory(reflection.memory)
        # What a memory adds to the prompt counts against the same cap.
        cap = self.plan.prompt_bytes - (MEMORY_ROOM if memory.digest else 0)
        if prompt is not None and len(prompt.encode(errors="replace")) > cap:
            prompt, failure = None, "too_long"
        elif prompt is not None and not is_encodable(prompt):
            prompt, failure = None, "unparseable"
        elif prompt is None and failure is None:
            failure = "unparseable"
        text = request.prompt if prompt is None else prompt
        memory = request.memory if prompt is None else memory
        self._memories.append(memory)
        self._prompts.append(
            PromptResult(
                digest=prompt_digest(text, memory.digest),
                text=text,
                memory=memory.digest,
                analysis=reflection.analysis,
                failure=failure,
            )
        )
        self._replays.append(reflection.replays)
        self._state = reflection.state
        if self.plan.experience == "pooled":
            self._experience.append(reflection.outcomes)
            played = {prompt_of(key) for key in itertools.chain(*self._replays)}
            self._candidates = updated(self._candidates, self.plan.prompt, reflection.candidates, self.turn, played)
        play = () if self.turn == self.plan.turns else (self._next_turn(),)
        return (*play, self._score("selection", self.turn), *self._due_tests(), *self._audits(self.turn))

    def scored(self, request: Score, outcomes: Sequence[bool]) -> tuple[Request, ...]:
        """Accept the outcomes of a score, in the order of its episodes.

        Raises:
            ValueError: There are more or fewer outcomes than episodes.
        """
        if len(outcomes) != len(request.episodes):
            raise ValueError(f"{len(outcomes)} outcomes of {len(request.episodes)} episodes")
        scores = self._selection if request.pool == "selection" else self._test
        scores[request.prompt_index] = outcome_string(outcomes)
        return (*self._due_tests(), *self._online_best())

    def audited(self, request: Audit, outcomes: Sequence[bool]) -> tuple[Request, ...]:
        """Accept the outcomes of an audit, in the order of its tasks; no request follows."""
        self._audit[request.turn, request.batch] = outcome_string(outcomes)
        return ()

    def compared(self, request: Online, outcomes: Sequence[bool]) -> tuple[Request, ...]:
        """Accept the outcomes of a batch under prompt[0] or the best prompt; no request follows."""
        self._online[request.under, request.turn] = outcome_string(outcomes)
        return ()

    @property
    def turn(self) -> int:
        """Number of completed turns."""
        return len(self._replays)

    @property
    def written_prompts(self) -> tuple[str, ...]:
        """prompt[0] and the prompts written so far."""
        return tuple(prompt.text for prompt in self._prompts)

    @property
    def memories(self) -> tuple[Memory, ...]:
        """Memories that go with the prompts written so far."""
        return tuple(self._memories)

    @property
    def finished(self) -> bool:
        """Whether the result is complete."""
        tested = self._selected and len(self._test) == len(self._requested_tests)
        compared = not self.plan.online or len(self._online) == self.plan.turns * (2 if self._requested_best else 1)
        return tested and compared and len(self._audit) == 2 * len(self._audited_turns)

    def result(self) -> LoopResult:
        """Return the record of the finished loop.

        Raises:
            RuntimeError: The loop is not finished.
        """
        if not self.finished:
            raise RuntimeError(f"loop {self.plan.index} of {self.plan.family} is not finished")
        plan = self.plan
        return LoopResult(
            index=plan.index,
            prompts=tuple(self._prompts),
            batches=tuple(self._batches()),
            selection_tasks=_ids(plan.selection),
            selection=tuple(self._selection[index] for index in range(plan.turns + 1)),
            best=self._best(),
            test_tasks=_ids(plan.test),
            test_families=self._families(plan.test),
            test=dict(sorted(self._test.items())),
            audit=tuple(
                AuditResult(replayed=self._audit[turn, "replayed"], fresh=self._audit[turn, "fresh"])
                for turn in self._audited_turns
            ),
            online=self._online_result() if plan.online else None,
            replays=tuple(self._replays) if plan.experience == "halved" else (),
            candidates=tuple(self._candidates.values()),
        )

    def _families(self, tasks: Iterable[Task]) -> tuple[str, ...]:
        return tuple(task.family for task in tasks) if self.plan.mixed else ()

    @property
    def _selected(self) -> bool:
        return len(self._selection) == self.plan.turns + 1

    def _best(self) -> int:
        """Return the index of the prompt with the highest selection score, the earliest on ties."""
        return max(sorted(self._selection), key=lambda index: self._selection[index].count("1"))

    def _next_turn(self) -> Play | Reflect:
        """Return the request that starts the next turn: its batch, or the reflector that plays its episodes itself."""
        turn, prompt, memory = len(self._prompts), self._prompts[-1].text, self._memories[-1]
        if self.plan.experience == "pooled":
            return Reflect(turn, prompt, (), self._state, memory, tuple(itertools.chain(*self._replays)))
        return Play(turn, prompt, self.plan.batches[turn - 1], memory)

    def _batches(self) -> Iterator[BatchResult]:
        """Yield the experience by turn."""
        if self.plan.experience != "pooled":
            for batch, outcomes in zip(self.plan.batches, self._experience, strict=True):
                yield BatchResult(tasks=_ids(batch), outcomes=outcomes, families=self._families(batch))
            return
        for keys, outcomes in zip(self._replays, self._experience, strict=True):
            tasks, digests = tuple(map(task_id_of, keys)), tuple(map(prompt_of, keys))
            yield BatchResult(tasks=tasks, outcomes=outcomes, prompts=digests)

    def _score(self, pool: Literal["selection", "test"], index: int) -> Score:
        tasks = self.plan.selection if pool == "selection" else self.plan.test
        return Score(pool, index, self._prompts[index].text, tasks, self.plan.repeats, self._memories[index])

    def _due_tests(self) -> tuple[Score, ...]:
        """Return the tests that have become possible: prompt[0] at once, prompt[N] when written, then the best."""
        written = range(len(self._prompts))
        due = set(written) if self.plan.test_every_turn else {0, self.plan.turns} & set(written)
        if self._selected:
            due.add(self._best())
        new = sorted(due - self._requested_tests)
        self._requested_tests |= due
        return tuple(replace(self._score("test", index), awaited=self._selected) for index in new)

    @property
    def _audited_turns(self) -> range:
        """All turns except the last, which no batch follows."""
        return range(1, self.plan.turns if self.plan.audit else 1)

    def _audits(self, turn: int) -> tuple[Audit, ...]:
        if turn not in self._audited_turns:
            return ()
        batches = self.plan.batches
        return (
            Audit(turn, "replayed", self._prompts[turn].text, batches[turn - 1], self._memories[turn]),
            Audit(turn, "fresh", self._prompts[turn - 1].text, batches[turn], self._memories[turn - 1]),
        )

    def _online_base(self, turn: int) -> tuple[Online, ...]:
        """Return the request for a batch under prompt[0]; the outcomes of the first batch are known."""
        if not self.plan.online:
            return ()
        if turn == 1:
            self._online["base", 1] = self._experience[0]
            return ()
        return (Online(turn, "base", self.plan.prompt, self.plan.batches[turn - 1]),)

    def _online_best(self) -> tuple[Online, ...]:
        """Return the requests for all batches under the best prompt, once it is known; none if it is prompt[0]."""
        if not (self.plan.online and self._selected and self._best()) or self._requested_best:
            return ()
        self._requested_best = True
        text, memory = self._prompts[self._best()].text, self._memories[self._best()]
        return tuple(Online(turn, "best", text, batch, memory) for turn, batch in enumerate(self.plan.batches, 1))

    def _online_result(self) -> OnlineResult:
        turns = range(1, self.plan.turns + 1)
        best: OnlinePrompt = "best" if self._best() else "base"
        return OnlineResult(
            base=tuple(self._online["base", turn] for turn in turns),
            best=tuple(self._online[best, turn] for turn in turns),
        )


def outcome_string(outcomes: Iterable[bool]) -> OutcomeString:
    """Return outcomes as a string of one character per episode."""
    return "".join("1" if solved else "0" for solved in outcomes)


def _ids(tasks: Iterable[Task]) -> tuple[str, ...]:
    return tuple(task.id for task in tasks)
