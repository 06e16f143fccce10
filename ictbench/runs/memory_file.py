"""Memories of a run: one line of `memories.jsonl.gz` for each different one that belongs to a prompt."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

from ictbench.records import Memory
from ictbench.runs.run_folder import atomic_writer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ictbench.protocol import LoopResult
    from ictbench.runs.journal import Journal
    from ictbench.runs.run_folder import RunFolder


def write_memories(folder: RunFolder, journal: Journal, loops: Iterable[LoopResult]) -> None:
    """Write the memories that the prompts of finished loops name, in the order of family, loop and turn."""
    with (
        atomic_writer(folder.memories) as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as compressed,
    ):
        for memory in named_memories(journal, loops):
            compressed.write(f"{memory.model_dump_json()}\n".encode())


def named_memories(journal: Journal, loops: Iterable[LoopResult]) -> Iterator[Memory]:
    """Yield the memories that the prompts of loops name, each once, in the order of family, loop and turn."""
    missing = {prompt.memory for loop in loops for prompt in loop.prompts if prompt.memory}
    for reflection in journal.reflections() if missing else ():
        memory = Memory.of(reflection.memory)
        if memory.digest in missing:
            missing.remove(memory.digest)
            yield memory
