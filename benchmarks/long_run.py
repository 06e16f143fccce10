"""A run of 100,000 episodes: memory of the coordinator, size on disk, time to resume after a kill.

    python benchmarks/long_run.py                     # about 10 minutes
    python benchmarks/long_run.py --episodes 10000

Real MiniHack with two decisions per episode. The reflector writes a new prompt each turn, so that no episode is shared.
The run is killed halfway (kill -9) and resumed.
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
MAX_PER_LOOP = TURNS * BATCH + (TURNS + 1) * SELECTION + 3 * TEST
"""Most episodes of a loop of the standard profile."""


class ChangingReflector(Reflector):
    """Writes a different prompt every turn."""

    async def reflect(self, prompt: str, trajectories: object, state: object, context: Context) -> Reflection:
        """Replace the number at the end of the prompt."""
        return Reflection(prompt=f"{prompt.partition(' #')[0]} #{context.seed}")


def run(folder: Path, episodes: int) -> None:
    """Run the benchmark's run in this process."""
    ictbench.run(
        out=folder,
        profile="standard",
        reflector="long_run:ChangingReflector",
        actor="rules",
        loops=max(1, round(episodes / MAX_PER_LOOP / FAMILIES)),
        max_steps=2,
    )


def watch(folder: Path, episodes: int, kill_at: int | None) -> None:
    """Run in a subprocess and print its progress; kill it after `kill_at` episodes, if not None."""
    clock = time.monotonic()
    process = subprocess.Popen([sys.executable, __file__, "--episodes", str(episodes), "--run", str(folder)])
    every = max(1, episodes // 10)
    following = recorded(folder) + 1
    while process.poll() is None:
        if (now := recorded(folder)) >= following:
            print(f"{now:>9} {time.monotonic() - clock:>8.1f} {resident(process.pid):>8.0f}", flush=True)
            following = (now // every + 1) * every
        if kill_at is not None and now >= kill_at:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return
        time.sleep(0.05)
    print(f"{recorded(folder):>9} {time.monotonic() - clock:>8.1f}      end")


def recorded(folder: Path) -> int:
    """Return the number of episodes in the journal."""
    try:
        with closing(Journal(folder / "journal.sqlite", read_only=True)) as journal:
            return journal.count()
    except RunFolderError:  # the journal does not exist yet
        return 0


def resident(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def main() -> None:
    """Run, kill, resume, and print the sizes on disk."""
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
        watch(out, options.episodes, options.episodes // 2)
        print("killed and resumed", flush=True)
        watch(out, options.episodes, None)
        total = recorded(out)
        for path in sorted(out.iterdir()):
            if path.is_file():
                print(f"{path.name}: {path.stat().st_size / total:.0f} bytes per episode")


if __name__ == "__main__":
    main()
