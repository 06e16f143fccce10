"""A run of 100,000 episodes: memory of the coordinator, size on disk, how soon it goes on after a stop.

    python benchmarks/long_run.py                     # about 10 minutes
    python benchmarks/long_run.py --episodes 10000

Real MiniHack, two decisions an episode, a reflector that writes another prompt each turn, so that nothing is shared.
The run is stopped halfway (kill -9), and continued.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import ictbench
from ictbench import Context, Reflection, Reflector
from ictbench.errors import RunFolderError
from ictbench.runs.journal import Journal

SELECTION, TEST, TURNS, BATCH, FAMILIES = 20, 50, 10, 3, 8
A_LOOP = TURNS * BATCH + (TURNS + 1) * SELECTION + 3 * TEST
"""Episodes of a loop of the standard profile, at most."""


class Restless(Reflector):
    """Never content."""

    async def reflect(self, prompt: str, trajectories: object, state: object, context: Context) -> Reflection:
        """Add nothing but a change."""
        return Reflection(prompt=f"{prompt.partition(' #')[0]} #{context.seed}")


def run(folder: Path, episodes: int) -> None:
    """The run itself."""
    ictbench.run(
        out=folder,
        profile="standard",
        reflector="long_run:Restless",
        actor="rules",
        loops=max(1, round(episodes / A_LOOP / FAMILIES)),
        max_steps=2,
    )


def watched(folder: Path, episodes: int, stop_at: int | None) -> None:
    """Start the run in a process of its own, and print a row now and then; kill it at some episode if asked to."""
    clock = time.monotonic()
    process = subprocess.Popen([sys.executable, __file__, "--episodes", str(episodes), "--run", str(folder)])
    every = max(1, episodes // 10)
    found = recorded(folder)
    following = found + 1
    while process.poll() is None:
        if (now := recorded(folder)) >= following:
            print(f"{now:>9} {time.monotonic() - clock:>8.1f} {resident(process.pid):>8.0f}", flush=True)
            following = (now // every + 1) * every
        if stop_at is not None and now >= stop_at:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return
        time.sleep(0.05)
    print(f"{recorded(folder):>9} {time.monotonic() - clock:>8.1f}      end")


def recorded(folder: Path) -> int:
    """Episodes in the journal."""
    try:
        with closing(Journal(folder / "journal.sqlite", read_only=True)) as journal:
            return journal.count()
    except RunFolderError:  # not made yet
        return 0


def resident(pid: int) -> float:
    """Memory of a process in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def main() -> None:
    """Run, stop, go on, and say what is on the disk."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=100_000)
    parser.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        run(options.run, options.episodes)
        return
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        print(" episodes  seconds  coordinator MB", flush=True)
        watched(out, options.episodes, options.episodes // 2)
        print("killed, and started again", flush=True)
        watched(out, options.episodes, None)
        total = recorded(out)
        for path in sorted(out.iterdir()):
            if path.is_file():
                print(f"{path.name}: {path.stat().st_size / total:.0f} bytes an episode")


if __name__ == "__main__":
    main()
