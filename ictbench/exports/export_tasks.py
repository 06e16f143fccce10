"""Export of the tasks of a suite as a data set."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ictbench.exports.dataset_card import facts, make_card
from ictbench.exports.table_files import FileFormat, Table, check_package, in_memory, require_datasets, write_tables
from ictbench.suites import load_suite
from ictbench.suites.task_list import TaskRow, list_tasks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datasets import Dataset

    from ictbench.choices import ProfileName
    from ictbench.suites.suite import Suite


def task_dataset(
    suite: str | Path,
    *,
    families: Sequence[str] = ("all",),
    profile: ProfileName = "standard",
    loops: int | None = None,
    whole_blocks: bool = False,
) -> Dataset:
    """Return the tasks of a suite as a data set in memory; the arguments are those of `list_tasks`.

    Raises:
        UsageError: The suite, family or profile does not exist, there are fewer loops, or a package is missing.
    """
    require_datasets()
    rows = list_tasks(load_suite(suite), families=families, profile=profile, loops=loops, whole_blocks=whole_blocks)
    return in_memory(TaskRow, rows)


def export_tasks(
    suite: str | Path,
    out: str | Path,
    file_format: FileFormat = "parquet",
    *,
    families: Sequence[str] = ("all",),
    profile: ProfileName = "standard",
    loops: int | None = None,
    whole_blocks: bool = False,
) -> Path:
    """Write the tasks of a suite and a data set card into the new folder `out`.

    Raises:
        UsageError: As for `task_dataset`, or `out` exists.
    """
    check_package(file_format)
    loaded, out = load_suite(suite), Path(out)
    rows = partial(list_tasks, loaded, families=families, profile=profile, loops=loops, whole_blocks=whole_blocks)
    tables = [Table("tasks", TaskRow, rows)]
    card = partial(make_card, f"Tasks of {loaded.name}", _about(loaded, profile), tables, file_format)
    write_tables(tables, card, out, file_format)
    return out


def _about(suite: Suite, profile: str) -> str:
    pools = {f"{name} pool": f"{tasks}; of a loop: {share}" for name, tasks, share in suite.pools.rows()}
    rows = {"suite": f"{suite.name}, digest {suite.digest}", "environment": suite.env, "profile": profile, **pools}
    note = "The tasks name games; the games themselves are in their own package." if suite.pools.shared else ""
    return "\n\n".join(part for part in (suite.title + ".", note, facts(rows)) if part)
