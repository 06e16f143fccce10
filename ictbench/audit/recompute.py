"""Recomputation of a result from the records of its episodes.

Only data is read: no environment and no plug-in is imported, nothing is played, and nothing in the evidence is
executed. The suite says which tasks are played, the result which prompts were written, and the records how episodes
ended. The protocol's state machine then requests what it needs, and the measures follow. The records themselves may
still be invented: `ictbench.audit.replay` replays them.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ictbench.audit import result_checks
from ictbench.audit.episode_summaries import EpisodeSummaries
from ictbench.audit.findings import Findings, quote
from ictbench.audit.json_diff import differences, format_place
from ictbench.audit.memory_checks import AddedTexts, check_memories
from ictbench.audit.recompute_loop import recompute_loop
from ictbench.audit.record_checks import MAX_SECONDS, record_problems, start_of
from ictbench.audit.usage_checks import impossible_usage, reflector_usage_problems
from ictbench.audit.verification import Check
from ictbench.errors import UsageError
from ictbench.protocol import keys_for
from ictbench.records import Usage, prompt_of, task_id_of
from ictbench.results.assemble import added_bytes, costs, family_result, role_measures
from ictbench.results.outcomes import is_constant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ictbench.audit.json_diff import Place
    from ictbench.audit.result_checks import Plans
    from ictbench.protocol import LoopResult
    from ictbench.records import Record, Task
    from ictbench.results.schema import CostRole, FamilyResult
    from ictbench.submissions.episode_records import Evidence
    from ictbench.suites import Suite

COMPARED = ("outcomes", "best", "measures", "behaviour", "means", "cost")
"""Parts of a result that are recomputed, one check each."""


def recompute(evidence: Evidence, suite: Suite) -> Iterator[Check]:
    """Check that a result follows from its records. If a check fails on which all others depend, it is the last one.

    Memory grows by about 0.5 KB per episode.

    Args:
        evidence: The result, which may claim anything, and the records of its episodes.
        suite: The verifier's own suite.
    """
    result = evidence.result
    yield (check := result_checks.check_suite(result, suite))
    if check.verdict == "failed":
        return
    yield (check := result_checks.check_agreement(result))
    if check.verdict == "failed":
        return
    yield (check := result_checks.check_loops(result, suite))
    if check.verdict == "failed":
        return
    yield result_checks.check_setup(result, suite)
    yield result_checks.check_prompts(result, suite)
    try:
        plans = result_checks.make_plans(result, suite)
    except UsageError as error:
        yield Check(name="tasks", verdict="failed", detail=str(error))
        return
    yield result_checks.check_tasks(result, plans)
    yield from _Recomputation(evidence, suite, plans).checks()


@dataclass
class _Recomputation:
    """State of the checks that read the records."""

    evidence: Evidence
    suite: Suite
    plans: Plans
    summaries: EpisodeSummaries = field(default_factory=EpisodeSummaries)
    needed: set[str] = field(default_factory=set)
    """Keys of the episodes that loops need."""

    def checks(self) -> Iterator[Check]:
        """Yield a check of the records, one of their completeness, and one of each recomputed part."""
        records, episodes = Findings("records"), Findings("episodes")
        try:
            self._read(records, episodes)
        except UsageError as error:
            yield Check(name="records", verdict="failed", detail=str(error))
            return
        yield records.check(f"{len(self.summaries):,} episodes, each as the protocol plays them")
        if memories := check_memories(self.evidence):
            yield memories
        loops = self._loops(episodes)
        for key in sorted(self.summaries.keys() - self.needed):
            episodes.add(f"{key} is not needed by any loop")
        yield episodes.check(f"the {len(self.needed):,} that the loops need, each once")
        if self.needed - self.summaries.keys():
            yield from (Findings(name).skipped("episodes are missing") for name in COMPARED)
            return
        yield from self._compare(loops)

    def _read(self, records: Findings, episodes: Findings) -> None:
        """Check every record, and keep the summaries of those that a loop may need."""
        tasks, prompts = self._possible_episodes()
        starts: dict[str, tuple[str, str]] = {}
        added = AddedTexts.of(self.evidence.result)
        for record in self.evidence.episodes():
            task_id = task_id_of(record.key)
            if record.prompt not in prompts.get(task_id, ()):
                episodes.add(f"{quote(record.key)} is not needed by any loop")
                continue
            if record.key in self.summaries:
                episodes.add(f"{record.key} occurs twice")
                continue
            for problem in record_problems(record, tasks[task_id], self.evidence, self.suite):
                records.add(f"{record.key}: {problem}")
            for problem in added.problems(record, task_id):
                records.add(f"{record.key}: {problem}")
            if starts.setdefault(task_id, start := start_of(record)) != start:
                this, other = (" ".join(filter(None, hashes)) for hashes in (start, starts[task_id]))
                records.add(f"{record.key}: it starts with {this}, the same task elsewhere with {other}")
            self.summaries.add(record)

    def _possible_episodes(self) -> tuple[dict[str, Task], dict[str, set[str]]]:
        """Return the suite's tasks by id, and by task id the digests of the prompts it may be played under."""
        tasks: dict[str, Task] = {}
        prompts: dict[str, set[str]] = {}
        for family in self.evidence.result.families:
            for loop in family.loops:
                plan = self.plans[family.name, loop.index]
                digests = {prompt.digest for prompt in loop.prompts}
                for task in plan.tasks:
                    tasks[task.id] = task
                    prompts.setdefault(task.id, set()).update(digests)
                for key in (*itertools.chain(*loop.replays), *keys_for(loop, "experience")):
                    # Whether it is the suite's is checked elsewhere.
                    if (task_id := task_id_of(key)) in tasks:
                        prompts[task_id].add(prompt_of(key))
        return tasks, prompts

    def _loops(self, episodes: Findings) -> dict[str, list[LoopResult]]:
        """Return the loops of each family, recomputed from prompts and records; note missing episodes."""

        def need(key: str) -> bool:
            if key not in self.summaries and key not in self.needed:
                episodes.add(f"{key:.80} is missing")
            self.needed.add(key)
            return key in self.summaries

        def solved(key: str) -> bool:
            return need(key) and self.summaries.solved(key)

        for family in self.evidence.result.families:
            for key in (key for loop in family.loops for keys in loop.replays for key in keys):
                need(key)
        return {
            family.name: [recompute_loop(self.plans[family.name, loop.index], loop, solved) for loop in family.loops]
            for family in self.evidence.result.families
        }

    def _compare(self, loops: Mapping[str, list[LoopResult]]) -> Iterator[Check]:
        """Compare the claimed result with the one that follows from the recomputed loops."""
        result = self.evidence.result
        findings = {name: Findings(name) for name in COMPARED}
        constant = is_constant(result.reflector)
        recomputed: list[FamilyResult] = []
        for family in result.families:
            suite_family = self.suite.families[family.name]
            recomputed.append(
                family_result(family.name, suite_family, loops[family.name], self.summaries, constant=constant)
            )
            for place, claimed, expected in differences(_json(family), _json(recomputed[-1])):
                if name := _check_of(place):
                    findings[name].add(_differs(f"{family.name}: {format_place(place)}", claimed, expected))
        for place, claimed, expected in differences(
            {role: _json(measures) for role, measures in result.by_role.items()},
            {role: _json(measures) for role, measures in role_measures(recomputed, constant=constant).items()},
        ):
            findings["means"].add(_differs(format_place(place), claimed, expected))
        self._compare_cost(loops, findings["cost"])
        yield from (finding.check("as recomputed from the records") for finding in findings.values())

    def _compare_cost(self, loops: Mapping[str, list[LoopResult]], findings: Findings) -> None:
        expected_cost: dict[CostRole, Usage] = {role: Usage() for role in ("experience", "selection", "test")}
        added: Counter[CostRole] = Counter()
        for family_loops in loops.values():
            added.update(added_bytes(family_loops, self.summaries))
            for role, usage in costs(family_loops, self.summaries).items():
                expected_cost[role] = expected_cost.get(role, Usage()) + usage
        # No record holds the cost of reflections.
        claimed_cost = {role: _json(usage) for role, usage in self.evidence.result.cost.items() if role != "reflector"}
        for place, claimed, expected in differences(
            claimed_cost, {role: _json(usage) for role, usage in expected_cost.items()}
        ):
            findings.add(_differs(format_place(place), claimed, expected))
        for role in sorted({*added, *(claimed_bytes := self.evidence.result.added_bytes)}):
            if (size := claimed_bytes.get(role, 0)) != added[role]:
                findings.add(_differs(f"added_bytes.{role}", size, added[role]))
        reflector = self.evidence.result.cost.get("reflector", Usage())
        total = Usage.total([reflector, *expected_cost.values()])
        host = self.evidence.result.host
        for where, usage in (("reflector", reflector), ("total", total), ("host.spent", host.spent)):
            if name := impossible_usage(usage):
                findings.add(f"{where}.{name} is {getattr(usage, name)}")
        findings.extend(reflector_usage_problems(self.evidence.result))
        if not 0 <= host.seconds <= MAX_SECONDS:
            findings.add(f"host.seconds is {host.seconds:g}")


def _check_of(place: Place) -> str | None:
    """Return the check to which a place in the result of a family belongs; None if it needs no records."""
    match place:
        case ("loops", _, "best"):
            return "best"
        case ("loops", _, "selection" | "test" | "progress" | "audit" | "online", *_) | (
            "loops",
            _,
            "batches",
            _,
            "outcomes",
        ):
            return "outcomes"
        case ("measures" | "behaviour" as name, *_):
            return name
    return None


def _differs(place: str, claimed: object, expected: object) -> str:
    return f"{place} is {quote(claimed)}, and the records say {quote(expected)}"


def _json(record: Record) -> Any:
    return record.model_dump(mode="json")
