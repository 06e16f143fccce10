"""Learners that violate the contract of memories: a run says so on one line, and keeps what it has recorded."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from buggy_plugins import suite
from flawed_learners import Endless, Fails, Remembers

import ictbench
from ictbench.errors import ConfigError, PluginError, RunFolderError
from ictbench.records import Memory
from ictbench.runs.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZES: dict[str, Any] = {"turns": 3, "batch_size": 2, "loops": 1, "selection_size": 2, "test_size": 3}


def run(tmp_path: Path, learner: str, **options: Any) -> ictbench.Run:
    return ictbench.run(
        suite=suite(tmp_path, "flawed_envs:Cellar"),
        out=tmp_path / "run",
        actor="random",
        reflector=f"{options.pop('wrapper', '')}flawed_learners:{learner}",
        **{"executor": "inline", **SIZES, **options},
    )


def recorded(tmp_path: Path) -> tuple[list[str], list[Memory]]:
    """Return the keys of the recorded episodes and the memories of the recorded reflections."""
    with closing(Journal(tmp_path / "run" / "journal.sqlite", read_only=True)) as journal:
        return journal.keys(), [Memory.of(reflection.memory) for reflection in journal.reflections()]


@pytest.fixture
def no_thread_stays() -> Iterator[None]:
    Endless.released.clear()
    yield
    Endless.released.set()


@pytest.mark.parametrize(
    ("learner", "message"),
    [
        ("TooMuch", "its memory has 256,002 bytes, of at most 256,000; keep less of the episodes"),
        ("NotANumber", "its memory is not plain JSON: Out of range float values are not JSON compliant"),
        ("Deep", "its memory is not plain JSON: recursion limit exceeded"),
        ("Nested", "its memory is nested deeper than 24 levels"),
        ("ManyValues", "its memory holds more than 40,000 values"),
        ("LargeNumber", "its memory: the number 10000000000000000 is too large (beyond 10^15)"),
        ("Tuple", "ValidationError: memory.dict.turns: input was not a valid JSON value"),
        ("NumberAsKey", "ValidationError: memory.dict.1: 1 is not a text"),
        ("NoDivision", 'it returned a memory; set `division = "memory"` in its class'),
        ("OddState", "its state is not plain JSON: {1: 'turn'} changes when it is written"),
    ],
)
def test_a_memory_that_cannot_be_kept_stops_the_run(tmp_path: Path, learner: str, message: str) -> None:
    with pytest.raises(PluginError) as caught:
        run(tmp_path, learner)
    assert str(caught.value).startswith(f"reflector flawed_learners:{learner}, turn 1 of doors, loop 0: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    keys, memories = recorded(tmp_path)
    assert len(keys) >= SIZES["batch_size"], "the batch"
    assert memories == []


@pytest.mark.parametrize(
    ("learner", "message"),
    [
        ("CountsRecalls", "recall gives different texts for the same memory and the same first observation"),
        ("ChangesMemory", "recall changes the memory; only `reflect` may return another one"),
        ("Long", "recall returned 2,001 bytes, of at most 2,000; return less"),
        ("NoText", "recall returned None; return a text"),
        ("Surrogate", r"recall returned text that UTF-8 cannot encode: '\ud800'"),
        ("Fails", "recall: KeyError: 'insights' ("),
        (
            "Slow",
            "recall takes longer than 0.1 s with a memory of 13 bytes; make it faster, or keep less in the memory",
        ),
        ("Endless", "recall takes longer than 0.1 s with a memory of 13 bytes"),
    ],
)
@pytest.mark.usefixtures("no_thread_stays")
def test_a_recall_that_breaks_the_contract_stops_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, learner: str, message: str
) -> None:
    if learner in ("Slow", "Endless"):
        monkeypatch.setattr("ictbench.runs.recall.RECALL_SECONDS", 0.1)
    clock = time.monotonic()
    with pytest.raises(PluginError) as caught:
        run(tmp_path, learner)
    assert time.monotonic() - clock < 20, "it waited for the call"
    assert str(caught.value).startswith(f"reflector flawed_learners:{learner}")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    keys, memories = recorded(tmp_path)
    assert len(keys) >= SIZES["batch_size"], "the batch"
    assert len(memories) == 1


def test_a_run_goes_on_once_recall_is_fixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PluginError):
        run(tmp_path, "Fails")
    before, memories = recorded(tmp_path)
    monkeypatch.setattr(Fails, "recall", Remembers.recall)
    assert run(tmp_path, "Fails").result.complete
    after, all_memories = recorded(tmp_path)
    assert set(before) < set(after)
    assert all_memories[0] == memories[0]


@pytest.mark.parametrize(
    ("learner", "options", "message"),
    [
        ("NoRecall", {}, "NoRecall is of the division `memory` and has no recall(); add it"),
        ("ForgotDivision", {}, 'ForgotDivision has recall(); set `division = "memory"` in the class'),
        ("UnknownDivision", {}, "`division` is 'memories'; set it to one of reflector, memory, optimiser"),
        ("Halved", {}, "Halved plays episodes of its own, which a learner with a memory cannot"),
    ],
)
def test_a_class_that_cannot_work_is_refused_before_anything_is_written(
    tmp_path: Path, learner: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        run(tmp_path, learner, **options)
    assert str(caught.value).startswith(f"reflector flawed_learners:{learner}: {message}")
    assert not (tmp_path / "run").exists()


def test_a_first_prompt_that_leaves_no_room_for_the_memory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("x" * 5_999, encoding="utf-8")
    with pytest.raises(ConfigError, match="5,999 bytes, of at most 5,998"):
        run(tmp_path, "Remembers", start_prompt=str(tmp_path / "long.txt"))
    assert not (tmp_path / "run").exists()


def test_a_run_is_not_continued_with_a_memory_of_another_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path, "Remembers")
    before = recorded(tmp_path)
    monkeypatch.setattr(Remembers, "memory_version", 2)
    with pytest.raises(RunFolderError) as caught:
        run(tmp_path, "Remembers")
    name = "flawed_learners:Remembers"
    assert f'memory is "{name}, version 1" there and "{name}, version 2" here; choose another --out' in str(
        caught.value
    )
    assert recorded(tmp_path) == before


def test_an_unusable_reflection_and_one_without_a_memory_keep_the_memory(tmp_path: Path) -> None:
    (loop,) = run(tmp_path, "Unsettled").result.families[0].loops
    first = Memory.of({"turns": [1]}).digest
    assert [prompt.memory for prompt in loop.prompts] == ["", first, first, first]
    assert [prompt.failure for prompt in loop.prompts] == [None, None, "unparseable", None]


def test_a_memory_does_not_change_between_turns(tmp_path: Path) -> None:
    (loop,) = run(tmp_path, "LaterChanges").result.families[0].loops
    expected = [Memory.of({"turns": list(range(1, turn + 1))}).digest for turn in (1, 2, 3)]
    assert [prompt.memory for prompt in loop.prompts[1:]] == expected
