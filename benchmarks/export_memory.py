"""How much memory and time it takes to export a large run.

    python benchmarks/export_memory.py [EPISODES]

Plays a small real run, repeats its episodes under other keys until there are as many as asked for (100,000), and
exports that run in each format, in a process of its own whose greatest memory is told.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import ictbench
from ictbench.runner.journal import Journal

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
        for form in FORMATS:
            out = Path(folder) / form
            seconds, memory = export(run.folder, out, form)
            written = sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) / 1e6
            print(f"| {form} | {seconds:.0f} | {memory:.0f} | {written:.0f} |", flush=True)


def grow(run: ictbench.Run, count: int) -> int:
    """Repeat recorded episodes under other keys until there are `count`."""
    with closing(Journal(run.folder / "journal.sqlite")) as journal:
        episodes = list(journal.episodes())
        for number, episode in zip(range(len(episodes), count), itertools.cycle(episodes), strict=False):
            journal.add_episode(episode.model_copy(update={"key": f"{episode.key}.{number}"}), 0, 0)
        return len(journal.keys())


def export(folder: Path, out: Path | None, form: str) -> tuple[float, float]:
    """Seconds and greatest memory in MB of one export, or of what it imports."""
    call = f"export_run(run, {str(out)!r}, {form!r})" if out else "run.result, __import__('datasets')"
    program = f"import ictbench; from ictbench.export import export_run; run = ictbench.load_run({str(folder)!r})"
    report = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    clock = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", f"{program}; {call}; {report}"], check=True, capture_output=True, text=True
    )
    return time.monotonic() - clock, int(done.stdout.split()[-1]) * resource_unit()


def resource_unit() -> float:
    """What one unit of `ru_maxrss` is in MB: kilobytes on Linux, bytes on macOS."""
    return 1e-6 if sys.platform == "darwin" else 1.024e-3


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
