"""How much memory and time it takes to export a large run.

    python benchmarks/export_memory.py [EPISODES]

Plays a small real run, repeats its episodes under other keys until there are as many as asked for (100,000), and
exports that run in each format, in a process of its own whose greatest memory is told. Linux only.
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

import ictbench
from ictbench.export import FileFormat, export_run
from ictbench.records import Usage
from ictbench.runs.journal import Journal

FORMATS = ("parquet", "csv", "jsonl", "datasets")


def main(count: int) -> None:
    """Make the run, export it, print a table."""
    with tempfile.TemporaryDirectory() as folder:
        run = ictbench.run(env="minihack", families="eat,read", loops=3, turns=2, out=Path(folder) / "run")
        held = grow(run, count)
        size = (run.folder / "journal.sqlite").stat().st_size / 1e6
        print(f"{held:,} episodes, journal of {size:.0f} MB\n")
        print("| format | seconds | memory at most, MB | written, MB |\n|---|---|---|---|")
        print(f"| (imports alone) | | {export(run.folder, None, 'parquet')[1]:.0f} | |")
        for file_format in FORMATS:
            out = Path(folder) / file_format
            seconds, memory = export(run.folder, out, file_format)
            written = sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) / 1e6
            print(f"| {file_format} | {seconds:.0f} | {memory:.0f} | {written:.0f} |", flush=True)


def grow(run: ictbench.Run, count: int) -> int:
    """Repeat recorded episodes under other keys until there are `count`."""
    with closing(Journal(run.folder / "journal.sqlite")) as journal:
        episodes = list(journal.episodes())
        for number, episode in zip(range(len(episodes), count), itertools.cycle(episodes), strict=False):
            journal.add_episode(episode.model_copy(update={"key": f"{episode.key}.{number}"}), 0, 0, Usage())
        return journal.count()


def export(folder: Path, out: Path | None, file_format: str) -> tuple[float, float]:
    """Seconds and greatest memory in MB of one export in a process of its own, or of what it imports."""
    command = [sys.executable, __file__, "--export", str(folder), str(out or ""), file_format]
    clock = time.monotonic()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return time.monotonic() - clock, float(done.stdout)


def export_here(folder: str, out: str, file_format: FileFormat) -> None:
    """Export in this process, and print its greatest memory in MB; files that are mapped into it are not counted."""
    import datasets  # noqa: F401 - what it takes is counted in any case

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
        export_run(run, out, file_format)
    time.sleep(0.1)
    ended.set()
    watcher.join()
    print(most * 1.024e-3)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--export"]:
        export_here(*sys.argv[2:])  # type: ignore[arg-type]
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
