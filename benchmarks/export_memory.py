"""Memory and time to export a large run.

    python benchmarks/export_memory.py [EPISODES]

Plays a small run, copies its episodes under other keys until there are EPISODES (100,000), and exports the run in each
format. Each export is a subprocess; its peak memory is printed. Linux only.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import ictbench
from ictbench.records import Usage
from ictbench.runs.journal import Journal

if TYPE_CHECKING:
    from ictbench.exports import FileFormat

FORMATS = ("parquet", "csv", "jsonl", "datasets")


def main(count: int) -> None:
    """Create the run, export it, print a table."""
    with tempfile.TemporaryDirectory() as folder:
        run = ictbench.run(env="minihack", families="eat,read", loops=3, turns=2, out=Path(folder) / "run")
        total = grow(run, count)
        size = (run.folder / "journal.sqlite").stat().st_size / 1e6
        print(f"{total:,} episodes, journal of {size:.0f} MB\n")
        print("| format | seconds | peak memory, MB | written, MB |\n|---|---|---|---|")
        print(f"| (imports alone) | | {export(run.folder, None, 'parquet')[1]:.0f} | |")
        for file_format in FORMATS:
            out = Path(folder) / file_format
            seconds, memory = export(run.folder, out, file_format)
            written = sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) / 1e6
            print(f"| {file_format} | {seconds:.0f} | {memory:.0f} | {written:.0f} |", flush=True)


def grow(run: ictbench.Run, count: int) -> int:
    """Copy recorded episodes under other keys until there are `count`; return the number of episodes."""
    with closing(Journal(run.folder / "journal.sqlite")) as journal:
        episodes = list(journal.episodes())
        for number, episode in zip(range(len(episodes), count), itertools.cycle(episodes), strict=False):
            journal.add_episode(episode.model_copy(update={"key": f"{episode.key}.{number}"}), 0, 0, Usage())
        return journal.count()


def export(folder: Path, out: Path | None, file_format: str) -> tuple[float, float]:
    """Return seconds and peak memory in MB of an export in a subprocess; without `out`, of its imports alone."""
    command = [sys.executable, __file__, "--export", str(folder), str(out or ""), file_format]
    clock = time.monotonic()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return time.monotonic() - clock, float(done.stdout)


def export_here(folder: str, out: str, file_format: FileFormat) -> None:
    """Export in this process and print its peak memory in MB, without memory-mapped files."""
    import datasets  # noqa: F401 - counted even without an export

    most = 0
    ended = threading.Event()

    def watch() -> None:
        nonlocal most
        while not ended.wait(0.02):
            status = Path("/proc/self/status").read_text(encoding="utf-8")
            most = max(most, int(status.partition("RssAnon:")[2].split()[0]))

    watcher = threading.Thread(target=watch)
    watcher.start()
    run = ictbench.load_run(folder)
    if out:
        ictbench.export(run, out, file_format=file_format)
    time.sleep(0.1)
    ended.set()
    watcher.join()
    print(most * 1.024e-3)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--export"]:
        export_here(*sys.argv[2:])  # type: ignore[arg-type]
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
