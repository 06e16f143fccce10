"""The experiment in tiny: two seeds of two rounds, every arm of the gate, stopped in the middle and continued."""

from __future__ import annotations

import csv
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import ictbench

if TYPE_CHECKING:
    from types import ModuleType

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SIZES = {"loops": 1, "turns": 2, "batch_size": 1, "selection_size": 1, "test_size": 1}
ROUNDS: dict[str, Any] = {
    "rounds": 2,
    "collect": {"families": ["eat"], "loops": 1, "turns": 1, "batch_size": 1, "executor": "inline"},
    "reflector": "one-rule",
    "actor": "rules",
    "executor": "inline",
    "steps": 1,
    "group": 2,
    "micro_batch": 2,
    "max_tokens": 16,
    "lora": {"rank": 2},
    "checkpoint_every": 1,
    "device": "cpu",
}
TRAINED = ("trained", *(f"trained, {name}" for name in ("blind", "shuffled", "unlabelled", "flipped", "losses")))
SHARED = (
    *("untrained", "untrained, blind", "untrained, shuffled", "copy", "copy-last", "copy-commonest"),
    *("random rules", "best constant prompt", "rules", "none"),
)


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    module = importlib.import_module("train_demo")
    monkeypatch.setattr(module, "CONSTANT_TASKS", 1)
    monkeypatch.setattr(module, "CONSTANT_RULES", 1)
    return module


@pytest.fixture
def arguments(speaking: Path, tmp_path: Path) -> list[str]:
    plan = {
        "question": "Does it run?",
        "suite": "minihack-v1",
        "digest": "tally",
        "start_prompt": 'You are the "@".\nWalk onto "?".',
        "sizes": {"profile": "quick", "families": ["read"], **SIZES},
        "training": {"steps": 1, "rounds": 2, "seeds": [0, 1]},
        "arms": [
            "hf/{checkpoint}",
            *(f"{name.partition(', ')[2]}:hf/{{checkpoint}}" for name in TRAINED[1:]),
            *(f"{name}one-rule:hf/{speaking}" for name in ("", "blind:", "shuffled:")),
            *("copy", "copy-last", "copy-commonest", "train_demo:RandomRules", "rules", "none"),
            "file:constant.txt",
        ],
        "measures": ["last"],
        "analysis": "None.",
    }
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(plan), encoding="utf-8")
    rounds = {**ROUNDS, "model": str(speaking), "out": "set by the script"}
    (tmp_path / "rounds.yaml").write_text(yaml.safe_dump(rounds), encoding="utf-8")
    files = {"--config": "rounds.yaml", "--preregistration": "plan.yaml", "--out": "demo"}
    return ["train_demo.py", *(part for name, file in files.items() for part in (name, str(tmp_path / file)))]


def test_every_arm_of_every_seed_is_run_once(
    demo: ModuleType, arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Runs until the first start is stopped, and until the end of the second.
    budget = [5, 1000]
    run = ictbench.run

    def small_run(**options: Any) -> ictbench.Run:
        budget[0] -= 1
        if budget[0] < 0:
            raise KeyboardInterrupt
        return run(**{**options, **SIZES, "executor": "inline"})

    monkeypatch.setattr(ictbench, "run", small_run)
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(KeyboardInterrupt):
        demo.main()
    budget.pop(0)
    demo.main()
    out = tmp_path / "demo"
    with (out / "arms.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {(row["arm"], row["seed"]) for row in rows} == {(arm, seed) for arm in (*TRAINED, *SHARED) for seed in "01"}
    assert len(rows) == 2 * len(TRAINED + SHARED)
    runs = [ictbench.load_result(path) for path in sorted(out.glob("**/runs/*/result.json"))]
    planned = [run for run in runs if run.preregistration]
    assert len(planned) == 2 * len(TRAINED) + len(SHARED)
    assert not {departure for run in planned if run.preregistration for departure in run.preregistration.departures}
    tables = (out / "tables.md").read_text("utf-8")
    assert tables.count("| trained, flipped ") == 4
    assert "- seed 1: hf/" in tables
    assert "missing arms" not in tables
