from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ictbench.errors import RunFolderError
from ictbench.records import (
    Episode,
    EpisodeSummary,
    Reflection,
    Step,
    Task,
    Trajectory,
    Usage,
    episode_key,
    prompt_digest,
)
from ictbench.runs.journal import KEYS_PER_QUERY, LAYOUT, Journal

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
COUNTS = st.integers(0, 10**6)
USAGES = st.builds(Usage, calls=COUNTS, input_tokens=COUNTS, output_tokens=COUNTS, cost=st.none() | st.just(0.25))
STEPS = st.builds(
    Step,
    observation=TEXT,
    actions=st.lists(TEXT, max_size=3).map(tuple),
    digest=TEXT,
    thought=TEXT,
    proposed=st.none() | TEXT,
    executed=st.none() | TEXT,
    keys=st.lists(TEXT, max_size=2).map(tuple),
    reward=st.floats(allow_nan=False, allow_infinity=False),
)
TRAJECTORIES = st.builds(
    Trajectory,
    steps=st.lists(STEPS, max_size=3).map(tuple),
    last_observation=TEXT,
    last_digest=TEXT,
    end=st.sampled_from(["solved", "died", "env_ended", "step_limit"]),
) | st.just(Trajectory(steps=(), last_observation="", last_digest="d", end="failed", failure="context_overflow"))


def episode(name: str = "read-1", prompt: str = "p", trajectory: Trajectory | None = None, **fields: Usage) -> Episode:
    return Episode(
        key=episode_key(name, prompt_digest(prompt)),
        task=Task(id=name, family=name.rpartition("-")[0], env="e", params={"seed": 1}),
        prompt=prompt_digest(prompt),
        seed=7,
        replicate=0,
        trajectory=trajectory or Trajectory(steps=(), last_observation="", last_digest="d", end="step_limit"),
        usage=fields.get("usage", Usage()),
        versions={"nle": "1.3.0"},
    )


@settings(max_examples=30)
@given(trajectory=TRAJECTORIES, usage=USAGES, state=JSON, text=TEXT)
def test_records_survive_reopening(trajectory: Trajectory, usage: Usage, state: object, text: str) -> None:
    played = episode(trajectory=trajectory, usage=usage)
    reflection = Reflection.model_validate({"prompt": text, "analysis": text, "state": state, "usage": usage})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite"
        with closing(Journal(path)) as journal:
            journal.add_episode(played, 1.5, 0.25, Usage())
            journal.add_reflection("read", 2, 1, reflection, 0.5, usage)
            journal.note(text, state)
        with closing(Journal(path)) as journal:
            assert journal.episode(played.key) == played
            assert list(journal.episodes()) == [played]
            assert journal.summaries([played.key]) == {played.key: played.summary()}
            assert journal.solved([played.key]) == {played.key: trajectory.solved}
            assert list(journal.times()) == [(played.key, 1.5, 0.25)]
            assert journal.reflection("read", 2, 1) == reflection
            assert list(journal.reflections()) == [reflection]
            assert journal.get(text) == state
            assert Usage.model_validate(journal.get("spent")) == usage


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal(tmp_path / "journal.sqlite")) as journal:
        yield journal


def summary_of(journal: Journal, played: Episode) -> EpisodeSummary:
    journal.add_episode(played, 0, 0, Usage())
    return journal.summaries([played.key])[played.key]


def test_a_summary_holds_what_measures_need(journal: Journal) -> None:
    def step(digest: str, executed: str | None) -> Step:
        return Step(observation="", actions=("a",), digest=digest, thought="", proposed="x", executed=executed)

    trajectory = Trajectory(
        steps=(step("first", "a"), step("second", None), step("third", None)),
        last_observation="",
        last_digest="last",
        end="failed",
        failure="empty",
    )
    summary = summary_of(journal, episode(trajectory=trajectory, usage=Usage(calls=3)))
    assert (summary.decisions, summary.invalid, summary.first_digest) == (3, 2, "first")
    assert (summary.end, summary.failure, summary.solved, summary.usage.calls) == ("failed", "empty", False, 3)


def test_the_first_digest_of_an_episode_without_steps_is_its_last(journal: Journal) -> None:
    assert summary_of(journal, episode()).first_digest == "d"


def test_the_first_record_of_an_episode_is_kept(journal: Journal) -> None:
    first = episode()
    later = episode(trajectory=Trajectory(steps=(), last_observation="", last_digest="e", end="solved"))
    journal.add_episode(first, 1, 1, Usage())
    journal.add_episode(later, 2, 2, Usage())
    assert journal.episode(first.key) == first
    assert list(journal.times()) == [(first.key, 1, 1)]


def test_keys_are_filtered_by_prefix_and_sorted(journal: Journal) -> None:
    for name in ("read-2", "read-10", "eat-1", "re_d-1"):
        journal.add_episode(episode(name), 0, 0, Usage())
    assert [key.split("@")[0] for key in journal.keys("")] == ["eat-1", "re_d-1", "read-10", "read-2"]
    assert [key.split("@")[0] for key in journal.keys("re")] == ["re_d-1", "read-10", "read-2"]
    # Wildcards have no effect.
    assert [key.split("@")[0] for key in journal.keys("re_")] == ["re_d-1"]
    assert journal.keys("%") == []
    assert [e.task.id for e in journal.episodes()] == ["eat-1", "re_d-1", "read-10", "read-2"]


def test_times_are_sorted_by_start(journal: Journal) -> None:
    for name, started in [("read-1", 3.0), ("read-2", 1.0), ("read-3", 2.0)]:
        journal.add_episode(episode(name), started, 0.5, Usage())
    assert [(key.split("@")[0], start) for key, start, _ in journal.times()] == [
        ("read-2", 1.0),
        ("read-3", 2.0),
        ("read-1", 3.0),
    ]


def test_missing_records_are_none(journal: Journal) -> None:
    assert journal.episode("read-1@0") is None
    assert journal.reflection("read", 0, 1) is None
    assert journal.get("nothing") is None
    assert journal.get("nothing", 3) == 3


def test_reflections_are_stored_by_family_loop_and_turn(journal: Journal) -> None:
    places = [("eat", 0, 1), ("eat", 0, 2), ("eat", 1, 1), ("read", 0, 1)]
    for place in reversed(places):
        journal.add_reflection(*place, Reflection(prompt=str(place)), 0.1, Usage())
    assert [journal.reflection(*place) for place in places] == [Reflection(prompt=str(place)) for place in places]
    assert [reflection.prompt for reflection in journal.reflections()] == [str(place) for place in places]


def test_every_record_is_committed_at_once(journal: Journal, tmp_path: Path) -> None:
    journal.add_episode(episode(), 0, 0, Usage())
    with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as reader:
        assert reader.execute("SELECT count(*) FROM episodes").fetchone() == (1,)


def test_usage_is_committed_with_each_record(journal: Journal) -> None:
    for calls in (3, 8):
        journal.add_episode(episode(f"read-{calls}"), 0, 0, Usage(calls=calls))
        assert journal.get("spent")["calls"] == calls
    journal.add_reflection("read", 0, 1, Reflection(prompt="p"), 0.1, Usage(calls=9))
    assert journal.get("spent")["calls"] == 9


def test_any_number_of_episodes_is_looked_up_in_one_call(journal: Journal) -> None:
    names = [f"read-{number}" for number in range(3 * KEYS_PER_QUERY + 1)]
    solved = Trajectory(steps=(), last_observation="", last_digest="e", end="solved")
    for number in (0, KEYS_PER_QUERY, 3 * KEYS_PER_QUERY):
        journal.add_episode(episode(names[number], trajectory=solved), 0, 0, Usage())
    journal.add_episode(episode(names[1]), 0, 0, Usage())
    outcomes = journal.solved(episode(name).key for name in names)
    assert {key.split("@")[0]: won for key, won in outcomes.items()} == {
        "read-0": True,
        "read-1": False,
        f"read-{KEYS_PER_QUERY}": True,
        f"read-{3 * KEYS_PER_QUERY}": True,
    }
    assert journal.summaries(map(str, outcomes)).keys() == outcomes.keys()
    assert journal.count() == 4


def test_episodes_that_failed_are_found_by_kind(journal: Journal) -> None:
    for name, kind in [("read-1", "refused"), ("read-2", "empty"), ("read-3", "refused")]:
        lost = Trajectory.model_validate(
            {"steps": (), "last_observation": "", "last_digest": "d", "end": "failed", "failure": kind}
        )
        journal.add_episode(episode(name, trajectory=lost), 0, 0, Usage())
    journal.add_episode(episode("read-4"), 0, 0, Usage())
    assert {key.split("@")[0]: kind for key, kind in journal.failed(["refused", "timeout"]).items()} == {
        "read-1": "refused",
        "read-3": "refused",
    }
    assert journal.failed([]) == {}


def test_a_journal_of_another_layout_is_refused_and_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with closing(sqlite3.connect(path)) as other:
        other.executescript(f"CREATE TABLE episodes (key TEXT); PRAGMA user_version = {LAYOUT - 1}")
    before = path.read_bytes()
    with pytest.raises(RunFolderError, match="another version of ictbench; choose another --out"):
        Journal(path)
    assert path.read_bytes() == before


def test_a_file_that_is_not_a_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_text("Dear diary, " * 100, encoding="utf-8")
    with pytest.raises(RunFolderError, match="cannot be used"):
        Journal(path)
