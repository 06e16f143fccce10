from __future__ import annotations

from typing import TYPE_CHECKING, Any

from altered_memories import altered, built_in, prompts_of
from memory_run import memory_run
from small_run import SUITE, failed, verdicts
from small_run import altered as altered_without

from ictbench.audit.memory_checks import AddedTexts, prompts_by_digest
from ictbench.audit.recompute import recompute
from ictbench.records import ADDED_BYTES, MEMORY_BYTES, MEMORY_ROOM, Memory, prompt_digest
from ictbench.submissions.episode_records import evidence_of_run

if TYPE_CHECKING:
    import pytest

    from ictbench.submissions.episode_records import Evidence

Json = dict[str, Any]


def with_added(records: list[Json]) -> Json:
    return next(record for record in records if record.get("added"))


def test_honest_run_with_a_memory_passes_every_check() -> None:
    checks = list(recompute(evidence_of_run(memory_run().folder), SUITE))
    assert verdicts(checks).pop("memories") == "passed"
    assert {check.verdict for check in checks} == {"passed"}


def test_run_without_memories_has_no_check_of_them() -> None:
    assert "memories" not in verdicts(list(recompute(altered_without(), SUITE)))


def test_division_of_a_built_in_reflector_is_not_what_the_result_says(monkeypatch: pytest.MonkeyPatch) -> None:
    claimed = altered_without(lambda result: result.update(division="memory"))
    assert "its division is memory, that of 'rules' reflector" in failed(claimed)["setup"]
    built_in(monkeypatch)
    assert failed(altered()) == {}
    claimed = altered(lambda result: result.update(division="optimiser"))
    assert "its division is optimiser, that of 'recalled_rules:RecalledRules' memory" in failed(claimed)["setup"]


def test_strangers_class_with_a_memory_is_in_no_other_division() -> None:
    claimed = altered(lambda result: result.update(division="reflector"))
    assert "has a memory, but the division is reflector" in failed(claimed)["prompts"]


def test_memories_are_those_that_prompts_name() -> None:
    unneeded = altered(memories=lambda memories: memories.append(Memory.of({"rules": ["smuggled"]})))
    assert "belongs to no prompt" in failed(unneeded)["memories"]
    assert "occurs twice" in failed(altered(memories=lambda memories: memories.append(memories[0])))["memories"]
    assert "is missing" in failed(altered(memories=lambda memories: memories.pop()))["memories"]


def test_memory_beyond_its_limit_fails() -> None:
    large = Memory.of("x" * (MEMORY_BYTES - 1))

    def replace(result: Json) -> None:
        first = next(prompt for prompt in prompts_of(result) if prompt.get("memory"))
        first.update(memory=large.digest, digest=prompt_digest(first["text"], large.digest))

    evidence = altered(replace, memories=lambda memories: memories.append(large))
    assert f"has {MEMORY_BYTES + 1:,} bytes, of at most {MEMORY_BYTES:,}" in failed(evidence)["memories"]


def test_first_prompt_has_no_memory() -> None:
    def give(result: Json) -> None:
        prompts = list(prompts_of(result))
        memory = next(prompt["memory"] for prompt in prompts if prompt.get("memory"))
        prompts[0].update(memory=memory, digest=prompt_digest(prompts[0]["text"], memory))

    assert "prompt[0] has the memory" in failed(altered(give))["prompts"]


def test_memory_changes_only_with_a_successful_reflection() -> None:
    def fail(result: Json) -> None:
        first = next(prompt for prompt in prompts_of(result) if prompt.get("memory"))
        first.update(failure="unparseable")

    assert "memory of prompt[1] differs from the one before" in failed(altered(fail))["prompts"]


def test_prompt_leaves_room_for_what_a_memory_adds() -> None:
    def lengthen(result: Json) -> None:
        first = next(prompt for prompt in prompts_of(result) if prompt.get("memory"))
        text = "x" * (result["prompt_bytes"] - MEMORY_ROOM + 1)
        first.update(text=text, digest=prompt_digest(text, first["memory"]))

    assert "has 5,999 bytes, of at most 5,998 beside a memory" in failed(altered(lengthen))["prompts"]


def records_problem(evidence: Evidence) -> str:
    return failed(evidence)["records"]


def test_text_is_added_only_by_a_memory() -> None:
    base = prompt_digest(SUITE.prompt)

    def give(records: list[Json]) -> None:
        next(record for record in records if record["prompt"] == base).update(added="Go east.")

    assert "'Go east.' was added to its prompt, which has no memory" in records_problem(altered(records=give))


def test_equal_tasks_and_memories_add_equal_texts() -> None:
    evidence = evidence_of_run(memory_run().folder)
    record = next(record for record in evidence.episodes() if record.added)
    prompt = prompts_by_digest(evidence.result)[record.prompt]
    # Recall does not see the prompt.
    rewritten = prompt.model_copy(update={"text": "Another prompt.", "digest": "another"})
    check = AddedTexts({prompt.digest: prompt, "another": rewritten}, evidence.result.prompt_bytes)
    same = record.model_copy(update={"prompt": "another"})
    assert [*check.problems(record, "task"), *check.problems(same, "task")] == []
    other = same.model_copy(update={"added": "Another text."})
    (problem,) = check.problems(other, "task")
    assert "another text elsewhere by the same memory" in problem
    assert list(check.problems(other, "another task")) == []


def test_added_text_beyond_its_limit_fails() -> None:
    size = ADDED_BYTES + 1
    evidence = altered(records=lambda records: with_added(records).update(added="x" * size))
    assert f"{size:,} bytes were added to its prompt, of at most {ADDED_BYTES:,}" in records_problem(evidence)
