"""Export of a run as a data set of three tables."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ictbench.export.dataset_card import facts, make_card
from ictbench.export.table_files import FileFormat, Table, require_datasets, write_tables
from ictbench.results.rows import TABLES
from ictbench.results.table_text import markdown_of
from ictbench.runs import load_run
from ictbench.suites.trained_on import format_trained_on

if TYPE_CHECKING:
    from ictbench.results import Result
    from ictbench.runs import Run


def export_run(run: Run | str | Path, out: str | Path, file_format: FileFormat = "parquet") -> Path:
    """Write episodes, reflections, results and a data set card of a run, or of its folder, into the new folder `out`.

    Raises:
        UsageError: The run has no result, one of its files is damaged, `out` exists, or a package is missing.
    """
    require_datasets()
    run = load_run(run) if isinstance(run, str | Path) else run
    result, out = run.result, Path(out)
    tables = [Table(name, row_type, partial(run.rows, name)) for name, row_type in TABLES.items()]
    card = partial(make_card, _title(result), _about(run), tables, file_format)
    write_tables(tables, card, out, file_format)
    return out


def _title(result: Result) -> str:
    return f"In-context training: {result.reflector.label} on {result.suite.name}"


def _about(run: Run) -> str:
    result = run.result
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
    measured = markdown_of(run.tables()["families"].reindex(columns=columns))
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
