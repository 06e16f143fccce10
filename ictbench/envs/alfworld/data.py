"""Check and download of the official games, which the alfworld package does not ship."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ictbench.envs.alfworld.alfworld_package import data_folder, require_packages
from ictbench.envs.alfworld.official_games import game_file, read_game
from ictbench.errors import EnvError, RunError, UnknownNameError
from ictbench.plugins import suggest
from ictbench.suites import load_suite
from ictbench.suites.pools import GamePools

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.suites.pools import GameEntry

SUITES = {"alfworld": "alfworld-v1"}
"""Name of a data set → the suite whose games it holds."""


@dataclass(frozen=True, slots=True)
class DataStatus:
    """Completeness of a data set."""

    expected: dict[str, int]
    """Number of games by split."""
    usable: dict[str, int]
    """Number of usable games by split."""
    problem: str | None
    """Problem of the first game that is not usable."""

    @property
    def complete(self) -> bool:
        """Whether every game is usable."""
        return self.usable == self.expected

    def __str__(self) -> str:
        return ", ".join(f"{split} {self.usable[split]:,} of {count:,}" for split, count in self.expected.items())


def check_data(name: str, *, read_files: bool = True) -> DataStatus:
    """Check every game of a data set. Results are not cached.

    Args:
        name: Name of the data set.
        read_files: Whether to read and verify each file, instead of only testing that it exists.

    Raises:
        UnknownNameError: The data set is unknown.
        ConfigError: `ALFWORLD_DATA` is not a folder.
    """
    if name not in SUITES:
        raise UnknownNameError(f"{name!r} is not a data set; {suggest(name, SUITES)}")
    pools = load_suite(SUITES[name]).pools
    assert isinstance(pools, GamePools)
    expected = Counter(entry.split for entry in pools.games)
    problems = [(entry.split, problem) for entry in pools.games if (problem := _find_problem(entry, read_files))]
    unusable = Counter(split for split, _ in problems)
    usable = {split: count - unusable[split] for split, count in expected.items()}
    return DataStatus(dict(expected), usable, problems[0][1] if problems else None)


def fetch_data(name: str, *, force: bool = False) -> DataStatus:
    """Download what is missing with the alfworld package's own program, then check every game.

    Args:
        name: Name of the data set.
        force: Whether to download and overwrite everything. By default, usable games stay as they are.

    Raises:
        UnknownNameError: The data set is unknown.
        MissingExtraError: The package is not installed.
        ConfigError: `ALFWORLD_DATA` is not a folder.
        RunError: The download failed, or games are missing or damaged after it.
    """
    require_packages()
    status = check_data(name)
    if status.complete and not force:
        return status
    # Without --force the downloader keeps existing files, damaged ones too.
    overwrite = force or status.usable != check_data(name, read_files=False).usable
    flags = [*(["--force"] if overwrite else []), *(["--force-download"] if force else [])]
    failure = _download(flags)
    status = check_data(name)
    if failure:
        raise RunError(
            f"the download of {name} failed ({failure}); usable now: {status}; run the command again when the cause is "
            "gone, with --force if an archive is broken"
        )
    if not status.complete:
        raise RunError(
            f"the download of {name} ended, but only these games are usable: {status}; the first problem: "
            f"{status.problem}; try --force, which downloads everything again"
        )
    return status


def _download(flags: Sequence[str]) -> str | None:
    """Run the package's downloader. Return the last line of its error output if it failed, else None."""
    script = Path(sys.executable).parent / "alfworld-download"
    command = [sys.executable, str(script), "--data-dir", str(data_folder()), *flags]
    last_line, in_progress = "it printed nothing", False
    # Its standard output recommends options that this command does not have.
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace"
    ) as process:
        assert process.stderr
        for line in process.stderr:
            if "%|" in line:
                # A progress bar: its final carriage return was read as the end of a line.
                print(f"\r{line.rstrip()}", end="", file=sys.stderr, flush=True)
                in_progress = True
            elif line.strip():
                last_line = line.strip()
    if in_progress:
        print(file=sys.stderr)
    return last_line[:300] if process.returncode else None


def _find_problem(entry: GameEntry, read_file: bool) -> str | None:
    """Return why a game is not usable, None if it is."""
    if not read_file:
        return None if game_file(entry.game).is_file() else f"the official game {entry.game} is missing"
    try:
        read_game(entry.game, entry.problem_sha256)
    except EnvError as error:
        return str(error)
    return None
