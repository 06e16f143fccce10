"""A small real run, and altered copies of its evidence."""

from __future__ import annotations

import atexit
import copy
import functools
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ictbench
from ictbench.audit.recompute import recompute
from ictbench.results import Result
from ictbench.submissions.episode_records import RUN_DIGITS, EpisodeRecord, Evidence, evidence_of_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ictbench.audit.verification import Check

Place = tuple[str | int, ...]

SUITE = ictbench.load_suite("minihack-v1")
SIZES: dict[str, Any] = {"turns": 2, "batch_size": 2, "loops": 3, "selection_size": 4, "test_size": 6}


@functools.cache
def small_run() -> Path:
    """Return the folder of a run of the scripted pair on two families, with audit."""
    folder = Path(tempfile.mkdtemp(prefix="ictbench-small-run-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    ictbench.run(suite=SUITE.name, families=["eat", "read"], **SIZES, audit=True, executor="inline", out=folder / "run")
    return folder / "run"


@functools.cache
def _content() -> tuple[dict[str, Any], tuple[dict[str, Any], ...]]:
    evidence = evidence_of_run(small_run())
    result = evidence.result.model_dump(mode="json", by_alias=True)
    return result, tuple(record.model_dump(mode="json") for record in evidence.episodes())


def altered(
    result: Callable[[dict[str, Any]], object] = lambda result: None,
    records: Callable[[list[dict[str, Any]]], object] = lambda records: None,
) -> Evidence:
    """Return the evidence of the run after edits of its JSON, with a matching checksum."""
    result_json, records_json = copy.deepcopy(_content()[0]), copy.deepcopy(list(_content()[1]))
    result(result_json)
    records(records_json)
    return evidence_of(
        Result.model_validate(result_json), [EpisodeRecord.model_validate(record) for record in records_json]
    )


def evidence_of(result: Result, records: Sequence[EpisodeRecord]) -> Evidence:
    return Evidence(result, lambda: iter(records), RUN_DIGITS)


def failed(evidence: Evidence) -> dict[str, str]:
    """Return the details of the checks of the data that failed, by name."""
    return {check.name: check.detail for check in recompute(evidence, SUITE) if check.verdict == "failed"}


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """Yield the places of all numbers, texts, booleans and nulls."""
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*place, name))
    else:
        yield place


def change(content: Any, place: Place) -> None:
    """Replace a value by a similar one."""
    *outer, last = place
    for part in outer:
        content = content[part]
    value = content[last]
    match value:
        case bool():
            value = not value
        case int():
            value += 1
        case float():
            value += 1e-6
        case str():
            value = {"0": "1", "1": "0"}.get(value[:1], "x") + value[1:]
        case _:
            value = 0.5
    content[last] = value


def record_with(records: list[dict[str, Any]], key: str) -> dict[str, Any]:
    """Return the first record whose key starts with `key`."""
    return next(record for record in records if record["key"].startswith(key))


def verdicts(checks: Sequence[Check]) -> dict[str, str]:
    return {check.name: check.verdict for check in checks}
