from __future__ import annotations

import base64
import json
import zlib
from typing import TYPE_CHECKING, Any

from ictbench.web.report.episode_chunks import CHUNK_SIZE, pack

if TYPE_CHECKING:
    from collections.abc import Iterable

    import ictbench
    from ictbench.records import Episode


def packed(episodes: Iterable[Episode]) -> tuple[dict[str, Any], list[str]]:
    chunks: list[str] = []

    def write(number: int, text: str) -> None:
        assert number == len(chunks)
        chunks.append(text)

    return pack(episodes, write), chunks


def unpacked(text: str) -> list[dict[str, Any]]:
    found = json.loads(zlib.decompress(base64.b64decode(text, validate=True)))
    assert isinstance(found, list)
    return found


def test_an_episode_is_where_the_index_says(run: ictbench.Run) -> None:
    keys = run.episode_keys()
    index, chunks = packed(map(run.episode, keys))
    assert index["keys"] == keys
    assert len(keys) > CHUNK_SIZE == index["chunk_size"]
    assert [len(unpacked(text)) for text in chunks][:-1] == [CHUNK_SIZE] * (len(chunks) - 1)
    for place, key in enumerate(keys):
        assert unpacked(chunks[place // CHUNK_SIZE])[place % CHUNK_SIZE]["key"] == key


def test_nothing_that_a_reader_looks_at_is_lost(run: ictbench.Run) -> None:
    keys = run.episode_keys()[:CHUNK_SIZE]
    index, (text,) = packed(map(run.episode, keys))
    for place, shown in enumerate(unpacked(text)):
        episode = run.episode(keys[place])
        trajectory = episode.trajectory
        assert (shown["task"], shown["seed"], shown["end"]) == (episode.task.id, episode.seed, trajectory.end)
        assert shown["last"] == trajectory.last_observation
        assert shown["usage"] == episode.usage.model_dump()
        assert index["ends"][place] == trajectory.end
        assert (index["decisions"][place], index["invalid"][place]) == (len(trajectory.steps), trajectory.invalid)
        actions: list[str] = []
        for step, record in zip(shown["steps"], trajectory.steps, strict=True):
            actions = actions if step["actions"] is None else step["actions"]
            assert tuple(actions) == record.actions
            for name in ("observation", "thought", "proposed", "executed", "reward"):
                assert step[name] == getattr(record, name)
            assert tuple(step["keys"]) == record.keys


def test_a_failed_episode_is_indexed_by_its_kind(run: ictbench.Run) -> None:
    episode = run.episode(run.episode_keys()[0])
    failed = episode.trajectory.model_copy(update={"end": "failed", "failure": "refused", "steps": ()})
    index, (text,) = packed([episode.model_copy(update={"trajectory": failed})])
    assert (index["ends"], index["decisions"]) == (["refused"], [0])
    assert unpacked(text)[0]["steps"] == []


def test_no_episodes_are_no_chunks() -> None:
    index, chunks = packed([])
    assert (index["keys"], chunks) == ([], [])


def test_neighbours_share_their_screens(run: ictbench.Run) -> None:
    episodes = [run.episode(key) for key in run.episode_keys()]
    _, chunks = packed(episodes)
    raw = sum(len(episode.model_dump_json()) for episode in episodes)
    assert sum(map(len, chunks)) < raw / 20
