"""Writers of tables that keep at most a few hundred rows in memory."""

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
from ictbench.exports.features import features_of, flatten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from datasets import Dataset
    from datasets.arrow_writer import ArrowWriter

    from ictbench.records import Record

FileFormat = Literal["parquet", "csv", "jsonl", "datasets"]

BATCH = 200
"""Rows in memory at a time. An episode with its screens takes up to 0.1 MB."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table to write."""

    name: str
    row_type: type[Record]
    rows: Callable[[], Iterable[Record]]
    """Returns the rows, one at a time."""


def write_tables(
    tables: Iterable[Table], card: Callable[[dict[str, int]], str], out: Path, file_format: FileFormat
) -> None:
    """Write tables and card into a new folder; if anything fails, the folder does not appear.

    Args:
        tables: The tables.
        card: Returns the text of the card, given the number of rows by name of the table.
        out: The folder.
        file_format: File format.

    Raises:
        ConfigError: The folder exists and is not empty, or cannot be written.
        MissingExtraError: The file format needs the package `datasets`, and it is not installed.
    """
    check_package(file_format)
    with new_folder(out) as folder, quiet():
        rows = {
            table.name: WRITERS[file_format](table, folder / file_name(table.name, file_format)) for table in tables
        }
        (folder / "README.md").write_text(card(rows), encoding="utf-8")


def in_memory(row_type: type[Record], rows: Iterable[Record]) -> Dataset:
    """Return a small data set in memory."""
    from datasets import Dataset

    columns: dict[str, list[Any]] = {name: [] for name in row_type.model_fields}
    for row in rows:
        for name, value in row.model_dump(mode="json").items():
            columns[name].append(value)
    return Dataset.from_dict(columns, features=features_of(row_type))


def file_name(table: str, file_format: FileFormat) -> str:
    """Return the name of a table's file or folder."""
    return table if file_format == "datasets" else f"{table}.{file_format}"


def check_package(file_format: FileFormat) -> None:
    """Check that the package that a file format needs is installed.

    Raises:
        MissingExtraError: It is not.
    """
    if file_format not in ("csv", "jsonl"):
        require_datasets()


def has_datasets() -> bool:
    """Return whether the package `datasets` can be imported."""
    try:
        require_datasets()
    except MissingExtraError:
        return False
    return True


def require_datasets() -> None:
    """Check that the package `datasets` is installed.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        import datasets  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("export", "datasets", str(error)) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Hide the progress bars of the package `datasets`, if it is installed."""
    if not has_datasets():
        yield
        return
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
        # All texts are quoted; otherwise a lone carriage return would end a row.
        columns = list(table.row_type.model_fields)
        writer = csv.DictWriter(file, columns, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        writer.writeheader()
        count = 0
        for count, row in enumerate(_json_rows(table), 1):  # noqa: B007 - returned
            writer.writerow(flatten(row))
    return count


def _write_jsonl(table: Table, path: Path) -> int:
    with path.open("w", encoding="utf-8", newline="") as file:
        count = 0
        for count, row in enumerate(_json_rows(table), 1):  # noqa: B007 - returned
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


WRITERS: dict[FileFormat, Callable[[Table, Path], int]] = {
    "parquet": _write_parquet,
    "csv": _write_csv,
    "jsonl": _write_jsonl,
    "datasets": _write_datasets,
}
"""Each writes a table and returns the number of rows."""


def _json_rows(table: Table) -> Iterator[dict[str, Any]]:
    return (row.model_dump(mode="json") for row in table.rows())


def _write_all(table: Table, writer: ArrowWriter) -> int:
    for row in _json_rows(table):
        writer.write(row)
    count: int = writer.finalize()[0]
    return count


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Yield a temporary folder next to `out` that is renamed to `out` at the end."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"{out} already exists; choose another --out, or remove it")
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
