"""Episodes packed for a page: an index that is read at once, and chunks that are unpacked when one is looked at.

A chunk is the JSON list of a few dozen episodes, deflated (RFC 1950) and in base64. Neighbours by key play the same
task under several prompts and share most of their screens, so they pack well.
"""

from __future__ import annotations

import base64
import json
import zlib
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ictbench.records import Episode

CHUNK_SIZE = 64
"""Episodes a chunk: under 100 kB of text on average, so that looking at one takes no time to speak of."""


def pack(episodes: Iterable[Episode], write: Callable[[int, str], None]) -> dict[str, Any]:
    """Write chunk by chunk, by number, and answer the index: columns with an entry an episode, in the same order."""
    index: dict[str, Any] = {"chunk_size": CHUNK_SIZE, "keys": [], "ends": [], "decisions": [], "invalid": []}
    for number, chunk in enumerate(_chunks(iter(episodes))):
        for episode in chunk:
            trajectory = episode.trajectory
            index["keys"].append(episode.key)
            index["ends"].append(trajectory.failure or trajectory.end)
            index["decisions"].append(len(trajectory.steps))
            index["invalid"].append(trajectory.invalid)
        write(number, deflated([_episode(episode) for episode in chunk]))
    return index


def deflated(content: Any) -> str:
    """JSON, deflated and in base64."""
    plain = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(plain.encode(), 9)).decode()


def _chunks(episodes: Iterator[Episode]) -> Iterator[list[Episode]]:
    while chunk := list(islice(episodes, CHUNK_SIZE)):
        yield chunk


def _episode(episode: Episode) -> dict[str, Any]:
    """What the page shows of it. `actions` is null where it is as a step earlier."""
    trajectory = episode.trajectory
    steps = []
    before: tuple[str, ...] | None = None
    for step in trajectory.steps:
        steps.append(
            {
                **step.model_dump(mode="json", exclude={"digest", "actions"}),
                "actions": None if step.actions == before else step.actions,
            }
        )
        before = step.actions
    return {
        "key": episode.key,
        "task": episode.task.id,
        "seed": episode.seed,
        "end": trajectory.end,
        "failure": trajectory.failure,
        "reward": trajectory.total_reward,
        "usage": episode.usage.model_dump(mode="json"),
        "steps": steps,
        "last": trajectory.last_observation,
    }
