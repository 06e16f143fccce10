"""Works a result out anew from the records of its episodes, and says where it claims something else.

Only data is read: no environment and no plug-in is imported, nothing is played, and nothing that the evidence holds is
executed. The suite says which tasks are played, the result which prompts were written, and the records how episodes
ended; the protocol's own state machine then asks for what it needs, and the measures follow. What the records say may
still be invented: `ictbench.audit.replay` plays them again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ictbench.audit import result_checks as claims
from ictbench.audit.episode_summaries import Summaries
from ictbench.audit.findings import Findings, shown
from ictbench.audit.json_diff import differences, in_words
from ictbench.audit.record_checks import faults, first_digest, impossible
from ictbench.audit.verification import Check
from ictbench.errors import UsageError
from ictbench.protocol import Audit, Loop, Play, Reflect, Score
from ictbench.records import Reflection, Trajectory, Usage, episode_key, prompt_digest, task_id_of
from ictbench.results.assemble import costs, family_result, role_measures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ictbench.audit.json_diff import Place
    from ictbench.audit.result_checks import Plans
    from ictbench.protocol import LoopPlan, LoopResult
    from ictbench.records import Record, Task
    from ictbench.results.schema import CostRole, FamilyResult
    from ictbench.submissions.episode_records import Evidence
    from ictbench.suites import Suite

COMPARED = ("outcomes", "best", "measures", "behaviour", "means", "cost")
"""What is worked out anew, each a check of its own."""


def recompute(evidence: Evidence, suite: Suite) -> Iterator[Check]:
    """Check whether a result follows from its records. Where the ground of the rest is gone, the last check failed.

    Of each episode a few words are kept: memory grows by some 0.5 KB an episode.

    Args:
        evidence: the result, of which nothing is believed, and the records of its episodes.
        suite: the verifier's own.
    """
    result = evidence.result
    yield (check := claims.check_suite(result, suite))
    if check.verdict == "failed":
        return
    yield (check := claims.check_agreement(result))
    if check.verdict == "failed":
        return
    yield (check := claims.check_loops(result, suite))
    if check.verdict == "failed":
        return
    yield claims.check_setup(result, suite)
    yield claims.check_prompts(result, suite)
    try:
        plans = claims.make_plans(result, suite)
    except UsageError as error:
        yield Check(name="tasks", verdict="failed", detail=str(error))
        return
    yield claims.check_tasks(result, plans)
    yield from _Recount(evidence, suite, plans).checks()


@dataclass
class _Recount:
    """The records, counted once more."""

    evidence: Evidence
    suite: Suite
    plans: Plans
    kept: Summaries = field(default_factory=Summaries)
    asked: set[str] = field(default_factory=set)
    """Keys of the episodes that loops need."""

    def checks(self) -> Iterator[Check]:
        records, episodes = Findings("records"), Findings("episodes")
        try:
            self._read(records, episodes)
        except UsageError as error:
            yield Check(name="records", verdict="failed", detail=str(error))
            return
        yield records.check(f"{len(self.kept):,} episodes, each as the protocol plays them")
        outcomes = self._outcomes(episodes)
        for key in sorted(self.kept.keys() - self.asked):
            episodes.add(f"{key} is there, and no loop needs it")
        yield episodes.check(f"the {len(self.asked):,} that the loops need, each once")
        if self.asked - self.kept.keys():
            yield from (Findings(name).skipped("episodes are missing") for name in COMPARED)
            return
        yield from self._compare(outcomes)

    def _read(self, records: Findings, episodes: Findings) -> None:
        """Keep a summary of every episode that a loop may need; note what is wrong with it."""
        tasks, prompts = self._allowed()
        starts: dict[str, str] = {}
        for record in self.evidence.episodes():
            task_id = task_id_of(record.key)
            if record.prompt not in prompts.get(task_id, ()):
                episodes.add(f"{shown(record.key)} is there, and no loop needs it")
                continue
            if record.key in self.kept:
                episodes.add(f"{record.key} is there twice")
                continue
            for what in faults(record, tasks[task_id], self.evidence, self.suite):
                records.add(f"{record.key}: {what}")
            if starts.setdefault(task_id, first := first_digest(record)) != first:
                records.add(f"{record.key}: it starts with {first}, the same task elsewhere with {starts[task_id]}")
            self.kept.add(record)

    def _allowed(self) -> tuple[dict[str, Task], dict[str, set[str]]]:
        """By id, the suite's tasks, and digests of the prompts that each may be played under."""
        tasks: dict[str, Task] = {}
        prompts: dict[str, set[str]] = {}
        for family in self.evidence.result.families:
            for loop in family.loops:
                plan = self.plans[family.name, loop.index]
                digests = {prompt.digest for prompt in loop.prompts}
                for task in plan.tasks:
                    tasks[task.id] = task
                    prompts.setdefault(task.id, set()).update(digests)
                for key in (key for keys in loop.replays for key in keys):
                    task_id, _, digest = key.rpartition("@")
                    prompts.setdefault(task_id, set()).add(digest)
        return tasks, prompts

    def _outcomes(self, episodes: Findings) -> dict[str, list[LoopResult]]:
        """What each family's loops found, as the state machine has it from prompts and records."""

        def ask(key: str) -> bool:
            if key not in self.kept and key not in self.asked:
                episodes.add(f"{key:.80} is missing")
            self.asked.add(key)
            return key in self.kept

        def solved(task: Task, prompt: str) -> bool:
            return ask(key := episode_key(task.id, prompt_digest(prompt))) and self.kept.solved(key)

        for family in self.evidence.result.families:
            for key in (key for loop in family.loops for keys in loop.replays for key in keys):
                ask(key)
        return {
            family.name: [_again(self.plans[family.name, loop.index], loop, solved) for loop in family.loops]
            for family in self.evidence.result.families
        }

    def _compare(self, outcomes: Mapping[str, list[LoopResult]]) -> Iterator[Check]:
        result = self.evidence.result
        found = {name: Findings(name) for name in COMPARED}
        cost: dict[CostRole, Usage] = {role: Usage() for role in ("experience", "selection", "test")}
        anew: list[FamilyResult] = []
        for family in result.families:
            loops, own = outcomes[family.name], self.suite.families[family.name]
            anew.append(family_result(family.name, own, loops, self.kept))
            for place, claimed, expected in differences(_json(family), _json(anew[-1])):
                if name := _check_of(place):
                    found[name].add(_said(f"{family.name}: {in_words(place)}", claimed, expected))
            for role, usage in costs(loops, self.kept).items():
                cost[role] = cost.get(role, Usage()) + usage
        for place, claimed, expected in differences(
            {role: _json(measures) for role, measures in result.by_role.items()},
            {role: _json(measures) for role, measures in role_measures(anew).items()},
        ):
            found["means"].add(_said(in_words(place), claimed, expected))
        # What reflections cost is in no record.
        claimed_cost = {role: _json(usage) for role, usage in result.cost.items() if role != "reflector"}
        for place, claimed, expected in differences(claimed_cost, {role: _json(use) for role, use in cost.items()}):
            found["cost"].add(_said(in_words(place), claimed, expected))
        reflector = result.cost.get("reflector", Usage())
        if name := impossible(reflector):
            found["cost"].add(f"reflector.{name} is {getattr(reflector, name)}")
        yield from (one.check("as worked out anew from the records") for one in found.values())


def _again(plan: LoopPlan, claimed: LoopResult, solved: Callable[[Task, str], bool]) -> LoopResult:
    """One loop, its prompts as the result has them and its outcomes as the records have them."""
    loop = Loop(plan)
    requests = deque(loop.start())
    while requests:
        match request := requests.popleft():
            case Play():
                ends = [solved(task, request.prompt) for task in request.tasks]
                requests.extend(loop.played(request, [_ended(end) for end in ends]))
            case Reflect():
                requests.extend(loop.reflected(request, _reflection(claimed, request.turn)))
            case Score():
                requests.extend(loop.scored(request, [solved(task, request.prompt) for task in request.tasks]))
            case Audit():
                requests.extend(loop.audited(request, [solved(task, request.prompt) for task in request.tasks]))
    return loop.result()


def _ended(solved: bool) -> Trajectory:
    """All that the state machine asks of a trajectory."""
    return Trajectory(steps=(), last_observation="", last_digest="", end="solved" if solved else "step_limit")


def _reflection(claimed: LoopResult, turn: int) -> Reflection:
    """What the reflector must have answered for the result to be as it is."""
    prompt = claimed.prompts[turn]
    return Reflection(
        prompt=None if prompt.failure else prompt.text,
        analysis=prompt.analysis,
        failure=prompt.failure,
        replays=claimed.replays[turn - 1] if claimed.replays else (),
    )


def _check_of(place: Place) -> str | None:
    """The check that a place in a family's result belongs to; None for what is checked without records."""
    match place:
        case ("loops", _, "best"):
            return "best"
        case ("loops", _, "selection" | "test" | "audit", *_) | ("loops", _, "batches", _, "outcomes"):
            return "outcomes"
        case ("measures" | "behaviour" as name, *_):
            return name
    return None


def _said(place: str, claimed: object, expected: object) -> str:
    return f"{place} is {shown(claimed)}, and the records say {shown(expected)}"


def _json(record: Record) -> Any:
    return record.model_dump(mode="json")
