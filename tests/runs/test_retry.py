from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from ictbench.protocol import LoopPlan
from ictbench.records import Episode, Reflection, Task, Trajectory, Usage
from ictbench.runs.journal import Journal
from ictbench.runs.retry import failures_to_repeat

if TYPE_CHECKING:
    from pathlib import Path

KEYS = ["read-1@p", "read-2@p"]


def failed(key: str) -> Episode:
    return Episode(
        key=key,
        task=Task(id=key.partition("@")[0], family="read", env="minihack", params={}),
        prompt="p",
        seed=0,
        replicate=0,
        trajectory=Trajectory(steps=(), last_observation="", last_digest="d", end="failed", failure="truncated"),
        usage=Usage(),
        versions={},
    )


@pytest.mark.parametrize("killed_at", ["retried_failures", "complete", "resampled", "stopped_for"])
def test_kill_in_the_middle_leaves_no_repetition_unnoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    path = tmp_path / "journal.sqlite"
    note = Journal.note

    def killed(journal: Journal, name: str, value: object) -> None:
        if name == killed_at:
            raise KeyboardInterrupt
        note(journal, name, value)

    with closing(Journal(path)) as journal:
        for key in KEYS:
            journal.add_episode(failed(key), 0.0, 1.0, Usage())
        monkeypatch.setattr(Journal, "note", killed)
        with pytest.raises(KeyboardInterrupt):
            failures_to_repeat(journal, [], ["truncated"], []).forget(journal)
        monkeypatch.undo()
    with closing(Journal(path)) as journal:
        assert journal.keys() == KEYS
        assert journal.get("retried_failures", {}) == {}
        failures_to_repeat(journal, [], ["truncated"], []).forget(journal)
        assert journal.keys() == []
        assert journal.get("retried_failures") == {"truncated": 2}


def test_an_optimiser_repeats_the_turns_from_the_first_that_read_a_failed_episode(tmp_path: Path) -> None:
    tasks = tuple(Task(id=f"read-{number}", family="read", env="minihack", params={}) for number in range(1, 7))
    loop = LoopPlan("read", 0, "p", (tasks[:2], tasks[2:4], tasks[4:]), (), (), 100, experience="pooled")
    with closing(Journal(tmp_path / "journal.sqlite")) as journal:
        # The second turn plays a task of the first batch of other arms.
        journal.add_episode(failed("read-1@q"), 0.0, 1.0, Usage())
        for turn, keys in enumerate([("read-5@p",), ("read-1@q",), ("read-1@p",)], 1):
            journal.add_reflection("read", 0, turn, Reflection(prompt="p", replays=keys), 0.0, Usage())
        failures = failures_to_repeat(journal, [loop], ["truncated"], [])
        assert failures.stale == {("read", 0): 2}
