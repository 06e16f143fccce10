"""Export of a result as entries of `.eval_results/`, which the Hugging Face Hub shows on the page of a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from ictbench.errors import ConfigError, MissingExtraError
from ictbench.submissions.known_players import control_of, division_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huggingface_hub import EvalResultEntry

    from ictbench.results import Result
    from ictbench.results.schema import Interval, Measures
    from ictbench.runs import Run

FOLDER = ".eval_results"
"""Folder in the repository of a model."""

MEAN = "held-out"
"""Task of the headline number, the mean over held-out families."""


def export_hf_eval(run: Run, out: str | Path, *, dataset: str, source_url: str | None = None) -> Path:
    """Write the entries of a run into the new folder `out`, and return their file.

    Args:
        run: A complete run.
        out: New folder, to be uploaded to the repository of a model.
        dataset: OWNER/NAME of the benchmark's data set on the Hub.
        source_url: Address of what readers should see of the evaluation.

    Raises:
        UsageError: The run is incomplete or has no result, `out` exists, a value is not valid, or a package is missing.
    """
    entries = eval_entries(run.result, dataset=dataset, source_url=source_url)
    from huggingface_hub import eval_result_entries_to_yaml

    result = run.result
    file = Path(out) / FOLDER / f"{result.suite.name}-{result.profile}.yaml"
    text = yaml.safe_dump(eval_result_entries_to_yaml(entries), sort_keys=False, allow_unicode=True)
    try:
        Path(out).mkdir(parents=True)
        file.parent.mkdir()
        file.write_text(text, encoding="utf-8")
    except FileExistsError as error:
        raise ConfigError(f"{out} exists; name another folder with --out") from error
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from error
    return file


def eval_entries(result: Result, *, dataset: str, source_url: str | None = None) -> list[EvalResultEntry]:
    """Return an entry for the mean over held-out families, and one for each family.

    Raises:
        ConfigError: The result is incomplete, or a value is not valid.
        MissingExtraError: The package `huggingface_hub` is not installed, or too old.
    """
    try:
        from huggingface_hub import EvalResultEntry
        from huggingface_hub.errors import HFValidationError
        from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]
    except ImportError as error:
        raise MissingExtraError("--format hf-eval", "hub", str(error)) from error
    try:
        if dataset.count("/") != 1:
            raise HFValidationError("the owner is missing")
        validate_repo_id(dataset)
    except HFValidationError as error:
        raise ConfigError(f"--dataset {dataset!r} is not a valid OWNER/NAME: {error}") from error
    if source_url is not None and not source_url.startswith("https://"):
        raise ConfigError(f"--source-url {source_url!r} is not an https:// address")
    if not result.complete:
        raise ConfigError(f"the run is incomplete: {result.owed} owed; continue it before you publish its numbers")
    return [
        EvalResultEntry(
            dataset_id=dataset,
            task_id=task,
            value=measures.best.value,
            date=result.host.started,
            source_url=source_url,
            source_name=None if source_url is None else f"ictbench {result.ictbench}",
            notes=_notes(result, measures),
        )
        for task, measures in _measured(result)
    ]


def _measured(result: Result) -> Iterator[tuple[str, Measures]]:
    """Yield the measures of the held-out families together, and of each family."""
    if mean := result.by_role.get("held-out"):
        yield MEAN, mean
    for family in result.families:
        if family.measures is not None:
            yield family.name, family.measures


def _notes(result: Result, measures: Measures) -> str:
    """Return what a reader must know to read the number."""
    parts = [
        f"in-context training on {result.suite.name} ({result.suite.digest[:12]}), profile {result.profile}",
        "test success rate (0 to 1) of the best prompt"
        + (f", 95 % interval {interval}" if (interval := _interval(measures.best)) else ""),
        f"first prompt {measures.base.value:.3f}",
        f"gain {measures.gain.value:+.3f} {_interval(measures.gain)}".rstrip(),
        f"actor {result.actor.label}",
        f"reflector {result.reflector.label}",
    ]
    if (division := division_of(result)) != "reflector":
        parts.append(f"division {division}")
    if control := control_of(result):
        parts.append(f"a control: {control}")
    if result.deviations:
        parts.append(f"deviates from its profile: {', '.join(result.deviations)}")
    elif not result.ranked:
        parts.append("not for ranking")
    return "; ".join(parts)


def _interval(interval: Interval) -> str:
    return "" if interval.low is None or interval.high is None else f"[{interval.low:.3f}, {interval.high:.3f}]"
