"""File of the results of a campaign: those of all complete cells, by name. A baseline to commit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ictbench.errors import ResultError
from ictbench.results.result_file import MAX_BYTES, MAX_VALUES, check_result
from ictbench.runs.run_folder import write_atomically
from ictbench.safe_read import parse_json, read_bytes, reading

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ictbench.results import Result

RESULTS_SCHEMA = "ictbench.campaign-results/1"


def write_results(path: Path, name: str, results: Mapping[str, Result]) -> None:
    """Write the results of a campaign."""
    cells = {cell: json.loads(result.to_json()) for cell, result in results.items()}
    content = {"schema": RESULTS_SCHEMA, "name": name, "cells": cells}
    write_atomically(path, json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n")


def read_results(path: Path) -> dict[str, Result]:
    """Read the results of a campaign, by cell.

    Raises:
        ResultError: The file cannot be read, has another schema, or a result in it is damaged or was edited.
    """
    content = _parse(path)
    if not _has_schema(content) or not isinstance(content.get("cells"), dict):
        raise ResultError(f"{path} is not of schema {RESULTS_SCHEMA}; name a campaign, or its results.json")
    return {name: check_result(cell, path) for name, cell in content["cells"].items()}


def holds_results(path: Path) -> bool:
    """Return whether a file says that it holds the results of a campaign; False for one that cannot be read."""
    if not path.is_file():
        return False
    try:
        return _has_schema(_parse(path))
    except ResultError:
        return False


def _parse(path: Path) -> Any:
    with reading(ResultError):
        return parse_json(read_bytes(path, MAX_BYTES), str(path), MAX_VALUES)


def _has_schema(content: Any) -> bool:
    return isinstance(content, dict) and content.get("schema") == RESULTS_SCHEMA
