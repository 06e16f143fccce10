from __future__ import annotations

import base64
import io
import json
import re
import zlib
from typing import TYPE_CHECKING, Any

from ictbench.web.chunks import Chunks
from ictbench.web.episode_chunks import CHUNK_SIZE, pack_episodes

if TYPE_CHECKING:
    from collections.abc import Iterable

    import ictbench
    from ictbench.records import Episode


def packed(episodes: Iterable[Episode]) -> tuple[dict[str, Any], list[str]]:
    """Return the index of some episodes and their chunks as base64."""
    file = io.StringIO()
    index = pack_episodes(episodes, Chunks(file), 5)
    elements = re.findall(r'<script type="([^"]*)" id="chunk-5-(\d+)">([^<]*)</script>\n', file.getvalue())
    assert [int(number) for _, number, _ in elements] == list(range(len(elements)))
    assert {kind for kind, _, _ in elements} <= {"application/octet-stream;base64"}
    return index, [text for _, _, text in elements]


def unpacked(text: str) -> list[dict[str, Any]]:
    episodes = json.loads(zlib.decompress(base64.b64decode(text, validate=True)))
    assert isinstance(episodes, list)
    return episodes


def test_index_locates_every_episode(run: ictbench.Run) -> None:
    keys = run.episode_keys()
    index, chunks = packed(map(run.episode, keys))
    assert index["keys"] == keys
    assert len(keys) > CHUNK_SIZE == index["chunk_size"]
    assert [len(unpacked(text)) for text in chunks][:-1] == [CHUNK_SIZE] * (len(chunks) - 1)
    for position, key in enumerate(keys):
        assert unpacked(chunks[position // CHUNK_SIZE])[position % CHUNK_SIZE]["key"] == key


def test_chunks_hold_all_that_the_page_shows(run: ictbench.Run) -> None:
    keys = run.episode_keys()[:CHUNK_SIZE]
    index, (text,) = packed(map(run.episode, keys))
    for position, shown in enumerate(unpacked(text)):
        episode = run.episode(keys[position])
        trajectory = episode.trajectory
        assert (shown["task"], shown["seed"], shown["end"]) == (episode.task.id, episode.seed, trajectory.end)
        assert shown["last"] == trajectory.last_observation
        assert shown["usage"] == episode.usage.model_dump()
        assert index["ends"][position] == trajectory.end
        counts = (index["decisions"][position], index["invalid"][position])
        assert counts == (len(trajectory.steps), trajectory.invalid)
        actions: list[str] = []
        for step, record in zip(shown["steps"], trajectory.steps, strict=True):
            actions = actions if step["actions"] is None else step["actions"]
            assert tuple(actions) == record.actions
            for name in ("observation", "thought", "proposed", "executed", "reward"):
                assert step[name] == getattr(record, name)
            assert tuple(step["keys"]) == record.keys


def test_index_names_the_kind_of_a_failure(run: ictbench.Run) -> None:
    episode = run.episode(run.episode_keys()[0])
    failed = episode.trajectory.model_copy(update={"end": "failed", "failure": "refused", "steps": ()})
    index, (text,) = packed([episode.model_copy(update={"trajectory": failed})])
    assert (index["ends"], index["decisions"]) == (["refused"], [0])
    assert unpacked(text)[0]["steps"] == []


def test_no_episodes_make_no_chunks() -> None:
    index, chunks = packed([])
    assert (index["keys"], chunks) == ([], [])


def test_consecutive_episodes_compress_well(run: ictbench.Run) -> None:
    episodes = [run.episode(key) for key in run.episode_keys()]
    _, chunks = packed(episodes)
    raw = sum(len(episode.model_dump_json()) for episode in episodes)
    assert sum(map(len, chunks)) < raw / 20
