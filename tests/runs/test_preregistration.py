from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from training_cards import write_card

import ictbench
from ictbench.errors import ConfigError, RunFolderError
from ictbench.records import Registered
from ictbench.runs.options import Options
from ictbench.runs.plan import make_plan
from ictbench.runs.preregistration import read_preregistration
from ictbench.runs.registered_run import run_departures

EXAMPLE = Path(__file__).parents[2] / "examples" / "train" / "preregistration.yaml"
PLAN: dict[str, Any] = {
    "question": "Does it learn?",
    "suite": "minihack-v1",
    "digest": "tally",
    "sizes": {"profile": "quick", "families": ["eat"], "loops": 1, "turns": 1, "selection_size": 1, "test_size": 1},
    "training": {"steps": 20, "seeds": [0]},
    "arms": ["hf/{checkpoint}", "rules", "none"],
    "measures": ["best", "gain"],
    "analysis": "Paired comparison of best.",
}
SIZES = {
    "families": "eat",
    "loops": 1,
    "turns": 1,
    "selection_size": 1,
    "test_size": 1,
    "actor": "rules",
    "executor": "inline",
}


def written(tmp_path: Path, **changes: Any) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump({**PLAN, **changes}), encoding="utf-8")
    return path


def departures(tmp_path: Path, plan: dict[str, Any] | None = None, **options: Any) -> list[str]:
    path = written(tmp_path, **(plan or {}))
    run = make_plan(Options.parse({"profile": "quick", "reflector": "rules", **SIZES, **options}))
    return list(run_departures(read_preregistration(path), run))


def test_the_digest_depends_on_the_content_and_not_on_the_layout(tmp_path: Path) -> None:
    path = written(tmp_path)
    digest = read_preregistration(path).file_digest
    path.write_text("# a comment\n" + yaml.safe_dump(dict(reversed(PLAN.items())), indent=8), encoding="utf-8")
    assert read_preregistration(path).file_digest == digest
    assert digest.startswith("sha256:")
    assert read_preregistration(written(tmp_path, analysis="Another.")).file_digest != digest


def test_the_example_is_valid() -> None:
    example = read_preregistration(EXAMPLE)
    assert example.training is not None
    assert example.training.seeds == (0, 1, 2, 3, 4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"measures": ["luck"]}, "'luck' is not a measure of a result"),
        ({"digest": "film"}, "digest: 'film' is not one of full, events, tally"),
        ({"arms": []}, "arms: .* fewer than 1"),
        ({"hope": 1}, "hope is not a known field"),
        ({"suite": "minihack-v9"}, "minihack-v9"),
        ({"sizes": {"families": ["swim"]}}, "swim"),
        ({"training": {"steps": 1, "seeds": []}}, "training.seeds"),
    ],
)
def test_an_invalid_file_is_refused_in_one_line(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ictbench.errors.UsageError, match=message) as caught:
        read_preregistration(written(tmp_path, **changes))
    assert "\n" not in str(caught.value)


def test_what_is_run_as_planned_has_no_departure(tmp_path: Path) -> None:
    assert departures(tmp_path) == []


@pytest.mark.parametrize(
    ("plan", "options", "expected"),
    [
        ({}, {"turns": 2}, "turns is 2 instead of 1"),
        ({}, {"families": "wear"}, "families is wear instead of eat"),
        ({}, {"batch_size": 7}, "batch_size is 7 instead of 3"),
        ({"sizes": {**PLAN["sizes"], "profile": "lite"}}, {"batch_size": 3}, "profile is quick instead of lite"),
        ({"suite_digest": "0"}, {}, "suite_digest is .* instead of 0"),
        ({"arms": ["none"]}, {}, r"the reflector rules is not one of the arms \(none\)"),
    ],
)
def test_each_departure_is_named(plan: dict[str, Any], options: dict[str, Any], expected: str, tmp_path: Path) -> None:
    import re

    assert any(re.fullmatch(expected, line) for line in departures(tmp_path, plan, **options))


def test_a_checkpoint_must_be_trained_under_the_same_plan(tmp_path: Path) -> None:
    digest = read_preregistration(written(tmp_path)).file_digest
    arm: dict[str, Any] = {"reflector": f"hf/{tmp_path / 'c'}"}
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "config.json").write_text("{}", encoding="utf-8")
    write_card(tmp_path / "c", experience="tally", preregistration=Registered(digest=digest))
    assert departures(tmp_path, **arm) == []
    write_card(tmp_path / "c", experience="events", step=40)
    assert departures(tmp_path, **arm) == [
        "digest is events instead of tally",
        "the checkpoint was not trained under a pre-registration",
        "step is 40 instead of 20",
    ]
    reference = Registered(digest=digest, departures=("seed 9 is not one of 0",))
    write_card(tmp_path / "c", experience="tally", preregistration=reference)
    assert departures(tmp_path, **arm) == ["training: seed 9 is not one of 0"]


def test_a_result_refers_to_the_plan_and_a_run_cannot_change_it(tmp_path: Path) -> None:
    options: dict[str, Any] = {"out": tmp_path / "run", "profile": "quick", "reflector": "none", **SIZES}
    plan = written(tmp_path)
    run = ictbench.run(**options, preregistration=plan)
    assert run.result.preregistration == Registered(digest=read_preregistration(plan).file_digest)
    with pytest.raises(RunFolderError, match="preregistration is"):
        ictbench.run(**options, preregistration=written(tmp_path, question="Something else?"))
    other = ictbench.run(**{**options, "out": tmp_path / "other", "turns": 2}, preregistration=plan)
    registered = other.result.preregistration
    assert registered is not None
    assert registered.departures == ("turns is 2 instead of 1",)
    assert "exploratory (turns is 2 instead of 1)" in registered.in_words


def test_the_first_prompt_is_part_of_the_plan(tmp_path: Path) -> None:
    planned, other = tmp_path / "start.txt", tmp_path / "other.txt"
    planned.write_text('Walk onto "%".\n', encoding="utf-8")
    other.write_text('Walk onto "[".\n', encoding="utf-8")
    with_start = {"start_prompt": 'Walk onto "%".\n'}
    assert departures(tmp_path, with_start, start_prompt=str(planned)) == []
    for plan, start in ((with_start, str(other)), (with_start, None), ({}, str(planned))):
        assert departures(tmp_path, plan, start_prompt=start) == ["prompt[0] is another one in eat"]


def test_the_digest_covers_the_first_prompt(tmp_path: Path) -> None:
    digests = {
        read_preregistration(written(tmp_path, **{} if text is None else {"start_prompt": text})).file_digest
        for text in (None, "A", "B")
    }
    assert len(digests) == 3


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.yaml cannot be read"):
        read_preregistration(tmp_path / "gone.yaml")


@pytest.mark.parametrize("world", ["", "-alfworld"])
def test_the_examples_settings_and_first_prompts_are_the_registered_ones(world: str) -> None:
    plan = read_preregistration(EXAMPLE.with_name(f"preregistration{world}.yaml"))
    settings = yaml.safe_load(EXAMPLE.with_name(f"rounds{world}-cpu.yaml").read_text("utf-8"))
    collection = settings["collect"]
    prompt = Path(EXAMPLE.parents[2] / collection["start_prompt"]).read_text("utf-8")
    assert prompt.strip() == (plan.start_prompt or "").strip()
    assert collection.get("suite", "minihack-v1") == plan.suite
    training = plan.training
    assert training is not None
    assert (settings["rounds"], settings["steps"]) == (training.rounds, training.steps)
    assert {name: collection[name] for name in ("loops", "turns")}.items() <= dict(training.states).items()
    registered: dict[str, Any] = dict(training.settings)
    assert settings["lora"].items() <= registered.pop("lora").items()
    assert {name: settings[name] for name in registered} == registered
