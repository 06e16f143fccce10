"""Where sampling seeds come from."""

from __future__ import annotations

from ictbench.records import digest_of


def sampling_seed(suite_digest: str, task_id: str, replicate: int = 0) -> int:
    """The 31-bit seed an actor samples with: of these three and of nothing else, so that arms are paired."""
    return _seed([suite_digest, task_id, replicate])


def reflection_seed(suite_digest: str, family: str, loop: int, turn: int) -> int:
    """The 31-bit seed a reflector samples with."""
    return _seed([suite_digest, family, loop, turn])


def _seed(parts: list[str | int]) -> int:
    return int(digest_of(parts, 8), 16) >> 1
