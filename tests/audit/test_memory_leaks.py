"""Leaks are found in memories and in what they add to prompts; honest ones that hold their experience pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from altered_memories import altered
from memory_run import memory_run
from small_run import SUITE

from ictbench.audit.prompt_leaks import MIN_ACTIONS, MIN_DISTINCT, check_leaks
from ictbench.audit.result_checks import make_plans
from ictbench.audit.written_texts import texts_in
from ictbench.records import Memory, task_id_of
from ictbench.submissions.episode_records import evidence_of_run

if TYPE_CHECKING:
    from pydantic import JsonValue

    from ictbench.submissions.episode_records import Evidence

Json = dict[str, Any]


def leaks(evidence: Evidence) -> dict[str, str]:
    checks = check_leaks(evidence, SUITE, make_plans(evidence.result, SUITE))
    return {check.name: check.detail for check in checks if check.verdict == "failed"}


def with_memory(value: JsonValue) -> Evidence:
    """Return the run with this memory beside the last prompt of the first loop of `eat`."""
    memory = Memory.of(value)

    def name(result: Json) -> None:
        result["families"][0]["loops"][0]["prompts"][-1]["memory"] = memory.digest

    return altered(name, memories=lambda memories: memories.append(memory))


@pytest.mark.parametrize(
    ("memory", "check", "detail"),
    [
        ({"notes": ["In eat-20003, go north."]}, "leaked names", "eat, loop 0, the memory of prompt[3] names"),
        ({"eat-20003": "go north"}, "leaked names", "names 'eat-20003'"),
        ({"seed": 20003}, "leaked seeds", "holds 20003, the seed of eat-20003"),
        ({"deep": [[{"seeds": [1, 20003.0]}]]}, "leaked seeds", "holds 20003"),
        ("seed 20003", "leaked seeds", "holds 20003"),
    ],
)
def test_names_and_seeds_in_a_memory_are_found(memory: JsonValue, check: str, detail: str) -> None:
    assert detail in leaks(with_memory(memory))[check]


@pytest.mark.parametrize("memory", [{"vector": [0.20003, 1.5]}, {"a": [20, 3], "b": [True, None]}, [[20], [3]]])
def test_other_numbers_in_a_memory_are_no_leaks(memory: JsonValue) -> None:
    assert leaks(with_memory(memory)) == {}


def solution() -> list[str]:
    """Return the actions of a solved test episode of the first loop of `eat` that could be a leak."""
    evidence = evidence_of_run(memory_run().folder)
    loop = evidence.result.families[0].loops[0]
    for record in evidence.episodes():
        executed = [step.executed for step in record.trajectory.steps if step.executed]
        specific = len(executed) >= MIN_ACTIONS and len(set(executed)) >= MIN_DISTINCT
        if specific and task_id_of(record.key) in loop.test_tasks and record.trajectory.end == "solved":
            return executed
    raise AssertionError("no test task of the run takes so many different actions")


@pytest.mark.parametrize("form", ["list", "objects", "text", "fields"])
def test_a_solution_in_a_memory_is_found_in_every_form(form: str) -> None:
    actions = solution()
    memory: Any = {
        "list": {"when": ["the map is so", actions]},
        "objects": [{"step": number, "do": action} for number, action in enumerate(actions)],
        "text": "\n".join(f"{number}. {action}" for number, action in enumerate(actions, 1)),
        "fields": {"plan": {"steps": list(actions)}},
    }[form]
    assert "the memory of prompt[3] holds a solution of eat-" in leaks(with_memory(memory))["leaked actions"]


def test_a_solution_that_spans_two_lists_is_none() -> None:
    actions = solution()
    memory: Any = {"episodes": [{"actions": actions[:3]}, {"actions": actions[3:]}]}
    assert leaks(with_memory(memory)) == {}


def test_a_leak_in_an_added_text_is_found() -> None:
    def add(records: list[Json]) -> None:
        keys = {key for loop in [result.families[0].loops[0]] for key in loop.test_tasks}
        record = next(r for r in records if r.get("added") and r["task"]["id"] in keys)
        record["added"] += f"\n{', '.join(solution())}\nThe seed is {record['task']['params']['seed']}."

    result = evidence_of_run(memory_run().folder).result
    found = leaks(altered(records=add))
    assert "what was added to prompt[" in found["leaked seeds"]
    assert "holds a solution of eat-" in found["leaked actions"]


def test_honest_memories_have_no_leaks() -> None:
    evidence = evidence_of_run(memory_run().folder)
    assert leaks(evidence) == {}
    names, *_ = check_leaks(evidence, SUITE, make_plans(evidence.result, SUITE))
    assert "memories" in names.detail
    assert "added texts" in names.detail


def test_texts_of_a_memory_are_its_names_texts_numbers_and_sequences() -> None:
    value: JsonValue = {"a": [1, "b", [2.0, 2.5]], "c": [{"d": "x"}, {"d": "y", "e": None}], "f": True}
    assert sorted(set(texts_in(value))) == ["1\nb", "2", "a", "c", "d", "e", "f", "x", "x\ny", "y"]
