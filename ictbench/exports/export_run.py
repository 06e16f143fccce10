"""Export of a run as a data set of three tables."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ictbench.exports.dataset_card import facts, make_card
from ictbench.exports.table_files import FileFormat, Table, check_package, write_tables
from ictbench.results.build_rows import result_rows
from ictbench.results.rows import TABLES
from ictbench.results.table_text import markdown_of
from ictbench.results.tables import tables as tables_of
from ictbench.runs.api import Run, load_source, result_of
from ictbench.suites.trained_on import format_trained_on
from ictbench.user_folders import expand_home

if TYPE_CHECKING:
    from ictbench.results import Result
    from ictbench.runs.api import Source


def export(run: Source, out: str | Path | None = None, *, file_format: FileFormat = "parquet") -> Path:
    """Write the tables of a run and a data set card into a new folder.

    Args:
        run: A run, a result, or the path of either. A run has the tables `episodes`, `reflections` and `results`; a
            result without its run has `results` only.
        out: The folder. Default: `export-FORMAT` in the folder of the run, or in the current folder for a result.
        file_format: Format of the tables. `csv` and `jsonl` need no further package.

    Returns:
        The folder.

    Raises:
        UsageError: The run has no result, one of its files is damaged, `out` exists, or a package is missing.
    """
    check_package(file_format)
    loaded = load_source(run)
    folder = loaded.folder if isinstance(loaded, Run) else Path()
    result = result_of(loaded)
    path = expand_home(out) if out is not None else folder / f"export-{file_format}"
    tables = [
        Table(name, row_type, partial(loaded.rows, name) if isinstance(loaded, Run) else partial(result_rows, result))
        for name, row_type in TABLES.items()
        if isinstance(loaded, Run) or name == "results"
    ]
    write_tables(tables, partial(make_card, _title(result), _about(result), tables, file_format), path, file_format)
    return path


def _title(result: Result) -> str:
    return f"In-context training: {result.reflector.label} on {result.suite.name}"


def _about(result: Result) -> str:
    sizes = ", ".join(f"{name} {size}" for name, size in result.sizes.model_dump().items())
    rows = {
        "suite": f"{result.suite.name}, digest {result.suite.digest}",
        "profile": f"{result.profile}: {sizes}",
        "actor": result.actor.label,
        "reflector": result.reflector.label,
        "reflector trained on": format_trained_on(result.reflector_trained_on),
        "actor trained on": format_trained_on(result.actor_trained_on),
        "complete": "yes" if result.complete else f"no, {result.owed} owed",
        "for ranking": "yes" if result.ranked else "no",
        "deviations from suite and profile": "; ".join(result.deviations) or "none",
        "versions": ", ".join(f"{name} {version}" for name, version in result.versions.items()),
        "checksum of the result": result.checksum,
    }
    if models := _models(result):
        rows["models"] = models
    columns = ["family", "role", "base", "best", "last", "gain", "gain_low", "gain_high"]
    columns += ["overfitting_gap"] if result.audit else []
    measured = markdown_of(tables_of(result)["families"].reindex(columns=columns))
    return "\n\n".join(
        [
            "A run of [in-context training](https://arxiv.org/abs/2605.20477) by ictbench "
            f"{result.ictbench}: an actor plays under a prompt, and a reflector rewrites the prompt.",
            facts(rows),
            "Success rate of the first, best and last prompt on test tasks, and gain of the best prompt with its "
            "95 % interval" + (", and overfitting gap:" if result.audit else ":"),
            measured,
        ]
    )


def _models(result: Result) -> str:
    players = {"actor": result.actor, "reflector": result.reflector}
    return "; ".join(
        f"{role} {player.model.name}, temperature {player.model.temperature}, {player.fingerprint or 'no fingerprint'}"
        for role, player in players.items()
        if player.model
    )
