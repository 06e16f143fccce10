"""Commands on the run folder of a stranger: one line of error, bounded time and memory."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import zlib
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

import ictbench

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (2_000_000_000, 2_000_000_000))
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
from ictbench.cli.app import main
sys.argv[0] = "ictbench"
main()
"""

SIZES: dict[str, Any] = {"turns": 1, "batch_size": 1, "loops": 1, "selection_size": 1, "test_size": 2}
BOMB = 300_000_000
RECURSIVE = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS key, i AS record FROM n"


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("honest") / "run"
    return ictbench.run(suite="minihack-v1", families="eat", reflector="none", actor="rules", out=out, **SIZES).folder


def compressed(size: int, machine: Any) -> bytes:
    """Return this many spaces, compressed."""
    block = b" " * 1_000_000
    return b"".join([*(machine.compress(block) for _ in range(size // len(block))), machine.flush()])


def put_view(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "journal.sqlite")) as database:
        database.executescript(f"DROP TABLE episodes; CREATE VIEW episodes AS {RECURSIVE};")


def put_trigger(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "journal.sqlite")) as database:
        database.executescript("CREATE TRIGGER t BEFORE INSERT ON meta BEGIN DELETE FROM episodes; END;")


def put_generated_column(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "journal.sqlite")) as database:
        database.executescript("ALTER TABLE meta ADD COLUMN huge TEXT AS (hex(zeroblob(100000000)));")


def put_bomb(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "journal.sqlite", isolation_level=None)) as database:
        database.execute("UPDATE episodes SET record = ?", [compressed(BOMB, zlib.compressobj())])


def put_long_line(folder: Path) -> None:
    (folder / "episodes.jsonl.gz").write_bytes(compressed(BOMB, zlib.compressobj(wbits=31)))


def put_deep_json(name: str) -> Callable[[Path], None]:
    def put(folder: Path) -> None:
        (folder / name).write_text("[" * 100_000 + "]" * 100_000, encoding="utf-8")

    return put


def put_long_number(name: str) -> Callable[[Path], None]:
    def put(folder: Path) -> None:
        (folder / name).write_text('{"schema": ' + "9" * 5_000 + "}", encoding="utf-8")

    return put


def put_link(name: str, target: str) -> Callable[[Path], None]:
    def put(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).symlink_to(target)

    return put


def put_pipe(name: str) -> Callable[[Path], None]:
    def put(folder: Path) -> None:
        (folder / name).unlink()
        os.mkfifo(folder / name)

    return put


EPISODES, RESULT = ("export", "{}", "--format", "csv", "--out", "out"), ("compare", "{}", "{}")


@pytest.mark.parametrize(
    ("attack", "command", "message"),
    [
        (put_view, EPISODES, "has other tables than those of ictbench"),
        (put_view, ("show", "{}", "--episodes", ""), "has other tables than those of ictbench"),
        (put_trigger, EPISODES, "has other tables than those of ictbench"),
        (put_generated_column, EPISODES, "has other tables than those of ictbench"),
        (put_bomb, EPISODES, "unpacks to more than 100,000,000 bytes"),
        (put_bomb, ("report", "{}"), "unpacks to more than 100,000,000 bytes"),
        (put_long_line, ("verify", "{}", "--sample", "1"), "is longer than 50,000,000 bytes"),
        (put_deep_json("result.json"), RESULT, "is nested deeper than 24 levels"),
        (put_deep_json("run.json"), ("show", "{}"), "is nested deeper than 24 levels"),
        (put_long_number("result.json"), RESULT, "is too large (beyond 10^15) or too long"),
        (put_long_number("run.json"), ("report", "{}"), "is too large (beyond 10^15) or too long"),
        (put_link("result.json", "/dev/zero"), RESULT, "a symbolic link"),
        (put_link("journal.sqlite", "/etc/passwd"), EPISODES, "is not a plain file"),
        (put_pipe("result.json"), ("show", "{}"), "is a pipe"),
        (put_pipe("episodes.jsonl.gz"), ("verify", "{}", "--sample", "1"), "is a pipe"),
    ],
)
def test_hostile_run_folder_costs_one_line(
    honest: Path, tmp_path: Path, attack: Callable[[Path], None], command: tuple[str, ...], message: str
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(honest, folder)
    attack(folder)
    process = subprocess.run(
        [sys.executable, "-c", LIMITED, *(word.format(folder) for word in command)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert message in process.stdout + process.stderr
    assert "Traceback" not in process.stderr
    assert process.returncode in (1, 2)
