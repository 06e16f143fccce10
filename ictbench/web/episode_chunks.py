"""Episodes in compressed chunks, and the index by which a page finds an episode.

Consecutive episodes by key play the same task under several prompts and share most of their screens, so they compress
well together.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ictbench.records import Episode
    from ictbench.web.chunks import ChunkAdder

CHUNK_SIZE = 64
"""Episodes per chunk: less than 100 kB of compressed text on average, which a browser decompresses in milliseconds."""


def pack_episodes(episodes: Iterable[Episode], chunks: ChunkAdder, run: int) -> dict[str, Any]:
    """Add episodes to the chunks of a page.

    Args:
        episodes: Episodes of one run, in the order of their keys.
        chunks: The chunks of the page; those added have the ids `chunk-<run>-<number>`.
        run: Position of the run in the page.

    Returns:
        The index: columns with one entry per episode.
    """
    index: dict[str, Any] = {"chunk_size": CHUNK_SIZE, "keys": [], "ends": [], "decisions": [], "invalid": []}
    for number, batch in enumerate(_batches(iter(episodes))):
        for episode in batch:
            trajectory = episode.trajectory
            index["keys"].append(episode.key)
            index["ends"].append(trajectory.failure or trajectory.end)
            index["decisions"].append(len(trajectory.steps))
            index["invalid"].append(trajectory.invalid)
        chunks.add(f"chunk-{run}-{number}", [_episode_json(episode) for episode in batch])
    return index


def _batches(episodes: Iterator[Episode]) -> Iterator[list[Episode]]:
    while batch := list(islice(episodes, CHUNK_SIZE)):
        yield batch


def _episode_json(episode: Episode) -> dict[str, Any]:
    """Return what the page shows of an episode. `actions` is null where it equals that of the step before."""
    trajectory = episode.trajectory
    steps = []
    previous: tuple[str, ...] | None = None
    for step in trajectory.steps:
        actions = None if step.actions == previous else step.actions
        steps.append({**step.model_dump(mode="json", exclude={"digest", "actions"}), "actions": actions})
        previous = step.actions
    return {
        "key": episode.key,
        "task": episode.task.id,
        "seed": episode.seed,
        "end": trajectory.end,
        "failure": trajectory.failure,
        "reward": trajectory.total_reward,
        **({} if episode.progress is None else {"progress": episode.progress}),
        **({"added": episode.added} if episode.added else {}),
        "usage": episode.usage.model_dump(mode="json"),
        "steps": steps,
        "last": trajectory.last_observation,
    }
