from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from altered_memories import altered, built_in
from memory_run import memory_run
from recalled_rules import RecalledRules
from small_run import verdicts

import ictbench
from ictbench.audit.recalled_texts import unknown_recall
from ictbench.audit.replay import replay
from ictbench.audit.result_checks import make_plans
from ictbench.plugins import resolve
from ictbench.records import ADDED_BYTES, PluginSpec, prompt_digest
from ictbench.runs.options import Options
from ictbench.submissions.episode_records import evidence_of_run
from ictbench.submissions.known_players import REFLECTORS, KnownPlayer

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import JsonValue

    from ictbench.reflectors import Reflector
    from ictbench.submissions.episode_records import Evidence

Json = dict[str, Any]


def played_again(evidence: Evidence) -> str:
    """Return the check of the added texts after a replay, as `verdict: detail`."""
    suite = ictbench.load_suite("minihack-v1")
    tasks = {task.id: task for plan in make_plans(evidence.result, suite).values() for task in plan.tasks}
    outcome = replay(evidence, tasks, Options.parse({"executor": "inline"}))
    (check,) = (check for check in outcome.checks if check.name == "added")
    return f"{check.verdict}: {check.detail}"


def test_texts_of_a_built_in_learner_are_recalled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    built_in(monkeypatch)
    verification = ictbench.verify(memory_run(), executor="inline")
    assert verification.passed
    (check,) = (check for check in verification.checks if check.name == "added")
    base = prompt_digest(ictbench.load_suite("minihack-v1").prompt)
    count = sum(record.prompt != base for record in evidence_of_run(memory_run().folder).episodes())
    assert count > 10
    assert (check.verdict, check.detail) == ("passed", f"as the memories add them, in {count} episodes")


def test_texts_of_a_strangers_class_are_not_recomputed() -> None:
    verification = ictbench.verify(memory_run(), executor="inline")
    assert verification.passed
    (check,) = (check for check in verification.checks if check.name == "added")
    assert check.verdict == "skipped"
    assert check.detail == "not recomputed: 'recalled_rules:RecalledRules' is not part of ictbench"


def test_run_without_a_memory_has_no_check_of_added_texts(tmp_path: Path) -> None:
    run = ictbench.run(
        families="eat", turns=1, loops=1, batch_size=1, selection_size=1, test_size=1, executor="inline", out=tmp_path
    )
    assert "added" not in verdicts(list(ictbench.verify(run, executor="inline").checks))


def test_a_text_that_the_memory_does_not_add_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    built_in(monkeypatch)

    def edit(records: list[Json]) -> None:
        next(record for record in records if record.get("added")).update(added="Go far east.")

    assert "'Go far east.' was added, and the memory" in played_again(altered(records=edit))


def test_a_text_that_is_left_out_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    built_in(monkeypatch)

    def drop(records: list[Json]) -> None:
        next(record for record in records if record.get("added")).update(added="")

    assert "failed: " in played_again(altered(records=drop))


def test_episodes_that_failed_before_the_first_decision_are_recalled_too(monkeypatch: pytest.MonkeyPatch) -> None:
    built_in(monkeypatch)

    def fail(records: list[Json]) -> None:
        for record in [record for record in records if record.get("added")]:
            first = record["trajectory"]["steps"][0]["digest"]
            record["trajectory"] = {"steps": [], "last_digest": first, "end": "failed", "failure": "refused"}

    assert played_again(altered(records=fail)).startswith("passed: ")


class HostileRecall(RecalledRules):
    """Fails or takes too long, as a built-in learner might with a memory that nobody wrote by it."""

    way: ClassVar = "raises"

    def recall(self, memory: JsonValue, observation: str, actions: tuple[str, ...]) -> str:
        if self.way == "raises":
            raise KeyError("rules")
        time.sleep(1)
        return ""


@pytest.mark.parametrize(
    ("way", "message"), [("raises", "cannot be recalled: reflector"), ("waits", "it takes longer than 0.2 s")]
)
def test_a_memory_that_cannot_be_recalled_is_a_failed_check(
    way: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    built_in(monkeypatch)
    monkeypatch.setattr("ictbench.audit.recalled_texts.RECALL_SECONDS", 0.2)
    monkeypatch.setattr(HostileRecall, "way", way)
    monkeypatch.setattr("ictbench.audit.recalled_texts.resolve", lambda role, name: HostileRecall)
    detail = played_again(altered())
    assert detail.startswith("failed: ")
    assert message in detail


def test_a_learner_with_a_part_of_its_own_is_not_recomputed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REFLECTORS, "kept", KnownPlayer(division="memory"))
    kept = PluginSpec(label="kept", name="kept")
    inside = {"reflector": kept.model_dump(mode="json")}
    assert unknown_recall(kept) is None
    assert unknown_recall(PluginSpec(label="blind:kept", name="blind", options=inside)) is None
    assert "'mine:Mine' is not part" in str(unknown_recall(PluginSpec(label="m", name="mine:Mine", options=inside)))


MEMORIES: tuple[JsonValue, ...] = (
    0,
    "text",
    [],
    {},
    {"rules": None},
    {"entries": ["x" * 1_000] * 250},
    {"entries": [["x"]]},
    {"bullets": [{"id": 1, "kind": "strategy", "text": "x", "helpful": 10**15, "harmful": -1}]},
    {"successes": [{"start": "(" * 100_000, "events": "a" * 100_000}]},
    {"successes": [{"start": "a", "events": "b"}] * 6_000},
    {"workflows": [{"name": "a", "text": "#" * 200_000, "starts": []}]},
    {"items": [{"title": "a", "description": "b", "content": "c"}] * 4_000},
)


@pytest.mark.parametrize("name", sorted(name for name, player in REFLECTORS.items() if player.division == "memory"))
@pytest.mark.parametrize("memory", MEMORIES, ids=lambda memory: str(memory)[:20])
def test_a_built_in_learner_recalls_from_any_memory_or_refuses_it(name: str, memory: JsonValue) -> None:
    learner = resolve("reflector", name)
    instance: Reflector = learner.__new__(learner)  # type: ignore[call-overload]
    text = ""
    with suppress(ValueError, KeyError, AssertionError, TypeError):  # also of pydantic
        text = instance.recall(memory, "A map ( with @ and >.", ("north", "south"))
    assert len(text.encode()) <= ADDED_BYTES
