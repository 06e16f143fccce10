"""Data that suites need and packages do not ship: what is there, and how to get it."""

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
"""By name of a data set, the suite whose games it holds."""


@dataclass(frozen=True, slots=True)
class Holding:
    """How much of a data set is there and whole."""

    wanted: dict[str, int]
    """Games by split."""
    good: dict[str, int]
    trouble: str | None
    """Of the first game that cannot be used."""

    @property
    def complete(self) -> bool:
        """Whether every game can be used."""
        return self.good == self.wanted

    def __str__(self) -> str:
        return ", ".join(f"{split} {self.good[split]:,} of {wanted:,}" for split, wanted in self.wanted.items())


def check_data(name: str) -> Holding:
    """Read every game of a data set. Nothing of what is found is kept: the next check looks anew.

    Raises:
        UnknownNameError: no such data set.
        ConfigError: `ALFWORLD_DATA` names no folder.
    """
    return _look(name, whole=True)


def glance_at_data(name: str) -> Holding:
    """As `check_data`, but only whether files are there."""
    return _look(name, whole=False)


def fetch_data(name: str, *, force: bool = False) -> Holding:
    """Have the package's own downloader fetch what is missing, and check what arrived.

    What is whole stays as it is; `force` downloads and overwrites all of it.

    Raises:
        UnknownNameError: no such data set.
        MissingExtraError: the package is not installed.
        ConfigError: `ALFWORLD_DATA` names no folder.
        RunError: the downloader failed, or what arrived is not complete.
    """
    require_packages()
    held = check_data(name)
    if held.complete and not force:
        return held
    # Without --force the downloader leaves what is there alone, damaged files too.
    damaged = held.good != glance_at_data(name).good
    flags = [*(["--force"] if force or damaged else []), *(["--force-download"] if force else [])]
    failure = _download(flags)
    held = check_data(name)
    if failure:
        raise RunError(
            f"the downloader of {name} failed ({failure}); there is now: {held}; start it again when what it complains "
            f"of is gone, with --force if an archive is broken"
        )
    if not held.complete:
        raise RunError(
            f"the downloader of {name} came to its end, but there is only: {held}; the first trouble: {held.trouble}; "
            f"try --force, which downloads all of it anew"
        )
    return held


def _download(flags: Sequence[str]) -> str | None:
    """Run the package's downloader; what it said last if it failed."""
    script = Path(sys.executable).parent / "alfworld-download"
    command = [sys.executable, str(script), "--data-dir", str(data_folder()), *flags]
    last, in_progress = "it said nothing", False
    # Its standard output advises options of its own, which are not ours.
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace"
    ) as process:
        assert process.stderr
        for line in process.stderr:
            if "%|" in line:
                # A progress bar. It ends in a carriage return, which reading as text has made a new line.
                print(f"\r{line.rstrip()}", end="", file=sys.stderr, flush=True)
                in_progress = True
            elif line.strip():
                last = line.strip()
    if in_progress:
        print(file=sys.stderr)
    return last[:300] if process.returncode else None


def _look(name: str, *, whole: bool) -> Holding:
    if name not in SUITES:
        raise UnknownNameError(f"there is no data set {name!r}; {suggest(name, SUITES)}")
    pools = load_suite(SUITES[name]).pools
    assert isinstance(pools, GamePools)
    entries = pools.games
    troubles = _troubles(entries) if whole else _absent(entries)
    wanted = Counter(entry.split for entry in entries)
    good = {split: count - troubles[split][0] for split, count in wanted.items()}
    first = next((said for count, said in troubles.values() if count), None)
    return Holding(dict(wanted), good, first)


def _troubles(entries: Sequence[GameEntry]) -> dict[str, tuple[int, str]]:
    """By split, how many games cannot be used, and why the first of them."""
    found = {entry.split: (0, "") for entry in entries}
    for entry in entries:
        try:
            read_game(entry.game, entry.problem_sha256)
        except EnvError as error:
            count, first = found[entry.split]
            found[entry.split] = (count + 1, first or str(error))
    return found


def _absent(entries: Sequence[GameEntry]) -> dict[str, tuple[int, str]]:
    found = {entry.split: (0, "") for entry in entries}
    for entry in entries:
        if not game_file(entry.game).is_file():
            count, first = found[entry.split]
            found[entry.split] = (count + 1, first or f"the official game {entry.game} is not there")
    return found
