"""The experiment in tiny: two seeds of two rounds, every arm of the gate, stopped in the middle and continued; then the
checkpoints in another world."""

from __future__ import annotations

import csv
import importlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import ictbench
from ictbench.models.checkpoint_card import CARD_FILE

if TYPE_CHECKING:
    from types import ModuleType

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SIZES = {"loops": 1, "turns": 2, "batch_size": 1, "selection_size": 1, "test_size": 1}
ROUNDS: dict[str, Any] = {
    "rounds": 2,
    "collect": {"families": ["eat"], "loops": 1, "turns": 1, "batch_size": 1, "executor": "inline"},
    "reflector": "one-action",
    "rename_actions": True,
    "actor": "rules",
    "executor": "inline",
    "steps": 1,
    "group": 2,
    "micro_batch": 2,
    "max_tokens": 4,
    "lora": {"rank": 2},
    "checkpoint_every": 1,
    "device": "cpu",
}
TRAINED = ("trained", *(f"trained, {name}" for name in ("blind", "shuffled", "unlabelled", "flipped", "losses")))
SHARED = (
    *("untrained", "untrained, blind", "untrained, shuffled", "copy", "copy-last", "copy-commonest"),
    *("random action", "tried action", "best constant prompt", "rules", "none"),
)


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    module = importlib.import_module("train_demo")
    monkeypatch.setattr(module, "CONSTANT_TASKS", 1)
    monkeypatch.setattr(module, "CONSTANT_RULES", 1)
    return module


def arguments(speaking: Path, folder: Path, suite: str, start_prompt: str, *families: str) -> list[str]:
    """Write the files of an experiment; return the command line."""
    folder.mkdir()
    plan = {
        "question": "Does it run?",
        "suite": suite,
        "digest": "tally",
        "start_prompt": start_prompt,
        "sizes": {"profile": "quick", "families": families[1:], **SIZES},
        "training": {"steps": 1, "rounds": 2, "seeds": [0, 1]},
        "arms": [
            "hf/{checkpoint}",
            *(f"{name.partition(', ')[2]}:hf/{{checkpoint}}" for name in TRAINED[1:]),
            *(f"{name}one-action:hf/{speaking}" for name in ("", "blind:", "shuffled:")),
            *(
                "copy",
                "copy-last",
                "copy-commonest",
                "train_demo:RandomAction",
                "train_demo:TriedAction",
                "rules",
                "none",
            ),
            "file:constant.txt",
        ],
        "measures": ["last"],
        "analysis": "None.",
    }
    (folder / "plan.yaml").write_text(json.dumps(plan), encoding="utf-8")
    rounds = {**ROUNDS, "model": str(speaking), "out": "set by the script"}
    rounds["collect"] = {**rounds["collect"], "families": [families[0]]}
    (folder / "rounds.yaml").write_text(json.dumps(rounds), encoding="utf-8")
    files = {"--config": "rounds.yaml", "--preregistration": "plan.yaml", "--out": "demo"}
    return ["train_demo.py", *(part for name, file in files.items() for part in (name, str(folder / file)))]


def test_every_arm_of_every_seed_is_run_once(
    demo: ModuleType, speaking: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
    start = 'You are the "@".\nWalk onto "?".'
    monkeypatch.setattr("sys.argv", arguments(speaking, tmp_path / "cave", "minihack-v1", start, "eat", "read"))
    with pytest.raises(KeyboardInterrupt):
        demo.main()
    budget.pop(0)
    demo.main()
    out = tmp_path / "cave" / "demo"
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
    assert "| read " in (out / "families.md").read_text("utf-8")

    start = 'Do "heat or use" before "move".\nThe line "Your task is to:" says what matters.\nChoose "go".'
    house = arguments(speaking, tmp_path / "house", "alfworld-procgen-v1", start, "heat", "cool")
    monkeypatch.setattr("sys.argv", [*house, "--checkpoints", str(tmp_path / "cave" / "demo")])
    with pytest.raises(SystemExit, match=r"constant\.txt is missing: run the experiment without --checkpoints first"):
        demo.main()
    for more in ([], ["--checkpoints", str(tmp_path / "cave" / "demo")]):
        monkeypatch.setattr("sys.argv", [*house, *more])
        demo.main()
    own, other = (
        ictbench.load_result(tmp_path / "house" / "demo" / folder / "seed-0" / "runs" / "trained")
        for folder in ("", "from-demo")
    )
    assert own.reflector.label.startswith(f"hf/{tmp_path / 'house'}")
    assert other.reflector.label.startswith(f"hf/{tmp_path / 'cave'}")
    assert own.preregistration
    assert own.preregistration.departures == ()
    assert other.preregistration
    (departure,) = other.preregistration.departures
    assert departure.startswith("the checkpoint was trained under another pre-registration")


def test_checkpoints_of_an_unfinished_training_are_refused(
    demo: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "rounds.yaml"
    config.write_text(json.dumps({**ROUNDS, "model": "smollm2", "steps": 2}), encoding="utf-8")
    rounds = tmp_path / "theirs" / "seed-0" / "rounds"
    rounds.mkdir(parents=True)
    command = ["train_demo.py", "--config", str(config), "--checkpoints", str(tmp_path / "theirs")]
    monkeypatch.setattr("sys.argv", [*command, "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit, match=r"rounds\.json"):
        demo.main()
    (rounds / "rounds.json").write_text(json.dumps({"steps": 2}), encoding="utf-8")
    for round_, step, problem in ((1, 1, "round 1 of 2 has step 1 of 2"), (1, 2, "round 2 of 2 has step 0 of 2")):
        checkpoint = rounds / f"round-{round_}" / "training" / f"checkpoint-{step}"
        checkpoint.mkdir(parents=True)
        (checkpoint / CARD_FILE).write_text("{}", encoding="utf-8")
        with pytest.raises(SystemExit, match=problem):
            demo.main()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seeds", "0,x"], "expected numbers separated by commas"),
        (["--config", "none.yaml"], "none.yaml is not a file"),
        (["--preregistration", "none.yaml"], "none.yaml is not a file"),
        (["--checkpoints", "theirs", "--leave-out", "wear"], "without --leave-out and --train-only"),
        (["--checkpoints", "theirs", "--train-only"], "without --leave-out and --train-only"),
    ],
)
def test_unusable_options_are_named(
    demo: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    monkeypatch.setattr("sys.argv", ["train_demo.py", *options])
    with pytest.raises(SystemExit):
        demo.main()
    assert message in capsys.readouterr().err
