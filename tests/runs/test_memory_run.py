"""Runs of a learner with a memory, on MiniHack."""

from __future__ import annotations

import gzip
import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from memory_run import OPTIONS, memory_run
from recalled_rules import RECALLED_RULES, RecalledRules
from small_run import SUITE

import ictbench
from ictbench.audit.recompute import recompute
from ictbench.errors import ConfigError
from ictbench.records import ADDED_BYTES, Memory, episode_key, extended_prompt, prompt_digest
from ictbench.rules_text.rules import HEADING
from ictbench.runs.journal import Journal
from ictbench.runs.run_prompts import run_prompts
from ictbench.submissions.episode_records import evidence_of_run
from ictbench.train.collect import plan_collection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ictbench.records import Episode


def memories(folder: Path) -> dict[str, Any]:
    """Return the memories in a run folder by digest."""
    lines = gzip.decompress((folder / "memories.jsonl.gz").read_bytes()).splitlines()
    return {line["digest"]: line["value"] for line in map(json.loads, lines)}


def prompts(run: ictbench.Run) -> Iterator[tuple[str, str, str]]:
    """Yield text, digest of the memory, and digest of every prompt."""
    for family in run.result.families:
        for loop in family.loops:
            yield from ((prompt.text, prompt.memory, prompt.digest) for prompt in loop.prompts)


def episodes(run: ictbench.Run) -> list[Episode]:
    journal = Journal(run.folder / "journal.sqlite", read_only=True)
    try:
        return list(journal.episodes())
    finally:
        journal.close()


def test_the_folder_holds_each_memory_that_a_prompt_names() -> None:
    run = memory_run()
    kept = memories(run.folder)
    assert run.result.division == "memory"
    assert {memory for _, memory, _ in prompts(run)} - {""} == kept.keys()
    for digest, value in kept.items():
        assert Memory.of(value).digest == digest
    for text, memory, digest in prompts(run):
        assert text == SUITE.prompt
        assert digest == prompt_digest(text, memory)
    assert all(loop.prompts[0].memory == "" for family in run.result.families for loop in family.loops)


def test_every_episode_holds_the_text_that_the_memory_adds_to_its_prompt() -> None:
    run = memory_run()
    kept = {digest: memory for _, memory, digest in prompts(run)}
    values, learner = memories(run.folder), RecalledRules()
    added = 0
    for episode in episodes(run):
        first = episode.trajectory.steps[0]
        memory = kept[episode.prompt]
        expected = learner.recall(values[memory], first.observation, first.actions) if memory else ""
        assert episode.added == expected
        assert episode.key == episode_key(episode.task.id, episode.prompt)
        assert len(episode.added.encode()) <= ADDED_BYTES
        added += bool(episode.added)
    assert added


def test_the_actor_obeys_what_the_memory_adds() -> None:
    obeyed = [
        step
        for episode in episodes(memory_run())
        if episode.added
        for step in episode.trajectory.steps
        if step.thought.startswith("A rule says: ")
    ]
    assert obeyed
    eat = memory_run().result.families[0]
    assert eat.name == "eat"
    solved = {
        index: sum(loop.test[loop.best if index is None else index].count("1") for loop in eat.loops)
        for index in (0, None)
    }
    assert solved[None] > solved[0]


def test_the_result_follows_from_the_records() -> None:
    checks = list(recompute(evidence_of_run(memory_run().folder), SUITE))
    assert {check.name: check.detail for check in checks if check.verdict == "failed"} == {}
    assert "memories" in {check.name for check in checks}


def test_a_finished_memory_run_is_continued_without_playing(tmp_path: Path) -> None:
    run = ictbench.run(**OPTIONS, out=tmp_path / "run")
    before = (run.folder / "memories.jsonl.gz").read_bytes()
    again = ictbench.run(**OPTIONS, out=tmp_path / "run")
    assert again.result.checksum == run.result.checksum == memory_run().result.checksum
    assert (again.folder / "memories.jsonl.gz").read_bytes() == before


def test_what_is_added_counts_against_the_cap_of_the_prompt() -> None:
    for episode in episodes(memory_run()):
        shown = extended_prompt(SUITE.prompt, episode.added)
        assert len(shown.encode()) <= SUITE.limits.prompt_bytes
        assert (HEADING in shown) == bool(episode.added)
    assert memory_run().result.reflector.name == RECALLED_RULES


def test_a_prompt_is_shown_with_its_memory_and_starts_no_other_run(tmp_path: Path) -> None:
    run = memory_run()
    kept = memories(run.folder)
    for written in run_prompts(run, "all"):
        assert (written.memory in kept) == (written.index > 0)
        assert (f"with memory {written.memory} of memories.jsonl.gz" in written.title) == (written.index > 0)
    with pytest.raises(ConfigError, match=r"--start-prompt: the best prompt of eat .* goes with a memory"):
        ictbench.run(**OPTIONS | {"start_prompt": str(run.folder), "reflector": "rules"}, out=tmp_path / "run")
    with pytest.raises(ConfigError, match="keeps a memory, and a state holds a prompt only"):
        plan_collection(suite=SUITE.name, families=("eat",), reflector=RECALLED_RULES, actor="rules")


def test_a_memory_run_in_progress_can_be_read(tmp_path: Path) -> None:
    whole = memory_run()
    options = OPTIONS | {"families": ["eat"]}
    run = ictbench.run(**options, out=tmp_path / "run")
    with closing(Journal(run.folder / "journal.sqlite")) as journal:
        tested = run.result.families[0].loops[1].test_tasks
        journal.forget_episodes(key for task in tested for key in journal.keys(f"{task}@"))
        journal.note("complete", False)
    (run.folder / "result.json").unlink()
    interrupted = ictbench.load_run(run.folder)
    result = interrupted.current_result()
    assert (result.division, result.complete) == ("memory", False)
    (loop,) = result.families[0].loops
    assert loop == whole.result.families[0].loops[0]
    assert interrupted.missing_episodes().keys() == {"test"}
    again = ictbench.run(**options, out=run.folder)
    assert again.result.families[0].loops == whole.result.families[0].loops
