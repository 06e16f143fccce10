"""Tables on disk, written row by row: no more than a few hundred rows are in memory at a time."""

from __future__ import annotations

import csv
import json
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ictbench.errors import ConfigError, MissingExtraError
from ictbench.export.features import features_of, flattened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from datasets import Dataset
    from datasets.arrow_writer import ArrowWriter

    from ictbench.records import Record

Format = Literal["parquet", "csv", "jsonl", "datasets"]

BATCH = 200
"""Rows in memory at a time: an episode with its screens takes up to 0.1 MB."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table: what its rows are, and where they come from."""

    name: str
    row_type: type[Record]
    rows: Callable[[], Iterable[Record]]


def write_tables(tables: Iterable[Table], card: Callable[[dict[str, int]], str], out: Path, form: Format) -> None:
    """Write tables and card into a new folder, which is there as a whole or not at all.

    `card` is told how many rows each table has.

    Raises:
        ConfigError: the folder exists already, or cannot be made.
        MissingExtraError: the package `datasets` is not installed.
    """
    require_datasets()
    with _new_folder(out) as folder, quiet():
        rows = {table.name: WRITERS[form](table, folder / file_name(table.name, form)) for table in tables}
        (folder / "README.md").write_text(card(rows), encoding="utf-8")


def in_memory(row_type: type[Record], rows: Iterable[Record]) -> Dataset:
    """A data set of few rows."""
    from datasets import Dataset

    columns: dict[str, list[Any]] = {name: [] for name in row_type.model_fields}
    for row in rows:
        for name, value in row.model_dump(mode="json").items():
            columns[name].append(value)
    return Dataset.from_dict(columns, features=features_of(row_type))


def file_name(table: str, form: Format) -> str:
    """Where a table lies in the folder."""
    return table if form == "datasets" else f"{table}.{form}"


def require_datasets() -> None:
    """Fail where the package is missing.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import datasets  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("export", "datasets", str(error)) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Without progress bars."""
    from datasets.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    shown = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            enable_progress_bars()


def _write_csv(table: Table, path: Path) -> int:
    with path.open("w", encoding="utf-8", newline="") as file:
        # Every text in quotes: else a lone carriage return would end a line.
        columns = list(table.row_type.model_fields)
        writer = csv.DictWriter(file, columns, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        writer.writeheader()
        count = 0
        for count, row in enumerate(_plain(table), 1):  # noqa: B007 - it is the answer
            writer.writerow(flattened(row))
    return count


def _write_jsonl(table: Table, path: Path) -> int:
    with path.open("w", encoding="utf-8", newline="") as file:
        count = 0
        for count, row in enumerate(_plain(table), 1):  # noqa: B007 - it is the answer
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return count


def _write_parquet(table: Table, path: Path) -> int:
    from datasets.arrow_writer import ParquetWriter

    with ParquetWriter(features=features_of(table.row_type), path=str(path), writer_batch_size=BATCH) as writer:
        return _write_all(table, writer)


def _write_datasets(table: Table, path: Path) -> int:
    from datasets import Dataset
    from datasets.arrow_writer import ArrowWriter

    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        file = f"{scratch}/rows.arrow"
        with ArrowWriter(features=features_of(table.row_type), path=file, writer_batch_size=BATCH) as writer:
            count = _write_all(table, writer)
        Dataset.from_file(file).save_to_disk(path)
    return count


WRITERS: dict[Format, Callable[[Table, Path], int]] = {
    "parquet": _write_parquet,
    "csv": _write_csv,
    "jsonl": _write_jsonl,
    "datasets": _write_datasets,
}
"""Each gives back how many rows it wrote."""


def _plain(table: Table) -> Iterator[dict[str, Any]]:
    return (row.model_dump(mode="json") for row in table.rows())


def _write_all(table: Table, writer: ArrowWriter) -> int:
    for row in _plain(table):
        writer.write(row)
    count: int = writer.finalize()[0]
    return count


@contextmanager
def _new_folder(out: Path) -> Iterator[Path]:
    """A folder beside `out` that becomes it."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"{out} exists already; choose another --out, or remove it")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}-"))
    except OSError as error:
        raise ConfigError(f"{out} cannot be written ({error.strerror}); choose another --out") from error
    try:
        yield folder
        folder.chmod(0o755)
        folder.replace(out)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
