"""Sampling seeds of actors and reflectors."""

from __future__ import annotations

from ictbench.records import digest_of


def sampling_seed(suite_digest: str, task_id: str, replicate: int = 0) -> int:
    """Return the 31-bit sampling seed of an actor.

    It depends on these arguments only, so all arms of a comparison play a task with the same seed.
    """
    return _seed([suite_digest, task_id, replicate])


def reflection_seed(suite_digest: str, family: str, loop: int, turn: int) -> int:
    """Return the 31-bit sampling seed of a reflector."""
    return _seed([suite_digest, family, loop, turn])


def loop_seed(suite_digest: str, family: str, loop: int) -> int:
    """Return the 31-bit seed of everything random that stays the same in all turns of a loop."""
    return reflection_seed(suite_digest, family, loop, 0)


def _seed(parts: list[str | int]) -> int:
    return int(digest_of(parts, 8), 16) >> 1
