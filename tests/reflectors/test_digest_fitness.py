"""On the tally digest, scripts that ignore outcomes score at most 0.8 on eat, wear and wield."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

pytest.importorskip("minihack")

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SIZES = {"turns": 2, "selection_size": 3, "test_size": 1}


def test_scripts_that_ignore_outcomes_score_low(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    fitness = importlib.import_module("digest_fitness")
    _, scores = fitness.measure(tmp_path / "tally", "eat,wear,wield", 4, fitness.SCRIPTS, ("tally",), **SIZES)
    assert max(scores.values()) <= fitness.LIMIT
    # On the digest in order of time, the last action needs no outcome. The test can therefore fail.
    rows, _ = fitness.measure(tmp_path / "events", "eat", 3, ("copy-last",), ("events",), **SIZES)
    assert float(rows[0][-1]) > fitness.LIMIT
