"""A rerun shows that models do as well again, on loops nobody could prepare for; what is another's result fails."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_run import SUITE, small_run, verdicts

import ictbench
from ictbench.audit.rerun import rerun
from ictbench.audit.rerun_plan import later_loops, plan_again
from ictbench.errors import ConfigError, PoolTooSmallError, UnknownNameError
from ictbench.records import ModelSpec
from ictbench.results import Result

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.results.schema import Player
    from ictbench.runs.option_types import RerunOptions

SIZES: dict[str, Any] = {"turns": 3, "batch_size": 3, "loops": 4, "selection_size": 2, "test_size": 20}
HERE: Any = {"executor": "inline"}


RULES = """
- After you have seen "f -", choose "zap".
- When you see "see here", choose "pickup".
- Walk onto "/".
"""


@pytest.fixture
def hand_written(tmp_path: Path) -> str:
    """A reflector that answers with a prompt which solves nearly all of `zap`."""
    (tmp_path / "prompt.txt").write_text(SUITE.prompt + RULES, encoding="utf-8")
    return f"file:{tmp_path / 'prompt.txt'}"


def played(folder: Path, reflector: str) -> Path:
    ictbench.run(suite="minihack-v1", families=["zap"], reflector=reflector, actor="rules", out=folder, **SIZES, **HERE)
    return folder


def test_an_honest_run_is_run_again_and_is_equivalent(tmp_path: Path, hand_written: str) -> None:
    run = played(tmp_path / "run", hand_written)
    found = rerun(run, folder=tmp_path / "again", margin=0.2, by="a test", **HERE)
    assert found.passed
    assert verdicts(found.checks) == {"models": "passed", "packages": "passed", "equivalence": "passed"}
    assert (found.badge, found.submission, found.result) == ("rerun", None, ictbench.load_result(run).checksum)
    assert found.reran is not None
    assert found.reran.fresh_tasks
    assert -0.2 < found.reran.low <= found.reran.rerun - found.reran.submitted <= found.reran.high < 0.2
    again = ictbench.load_run(tmp_path / "again").result
    assert again.loop_indices == found.reran.loops == tuple(loop.index for loop in again.families[0].loops)
    assert min(found.reran.loops) >= SIZES["loops"]
    assert not again.ranked
    assert f"loops {', '.join(map(str, found.reran.loops))} instead of the first 4" in again.deviations
    assert ictbench.verify(tmp_path / "again", sample=20, workers=1).passed
    # Begun again it is found as it was left.
    assert rerun(run, folder=tmp_path / "again", margin=0.2, **HERE).reran == found.reran


def test_a_result_that_is_another_reflectors_is_not_equivalent(tmp_path: Path, hand_written: str) -> None:
    run = played(tmp_path / "run", hand_written)
    result = ictbench.load_result(run)
    claimed = result.reflector.model_copy(update={"label": "none", "name": "none", "options": {}})
    (run / "result.json").write_text(result.model_copy(update={"reflector": claimed}).to_json(), encoding="utf-8")
    found = rerun(run, folder=tmp_path / "again", margin=0.3, **HERE)
    assert not found.passed
    assert found.reran is not None
    assert found.reran.high < -0.3
    (check,) = [check for check in found.checks if check.verdict == "failed"]
    assert check.name == "equivalence"
    assert check.detail.endswith("does not lie within ±0.3")
    assert ictbench.load_run(tmp_path / "again").result.reflector.name == "none"


def test_what_does_not_hold_is_not_run_again(tmp_path: Path) -> None:
    run = shutil.copytree(small_run(), tmp_path / "run", ignore=shutil.ignore_patterns("journal*"))
    plain = ictbench.load_result(run).model_dump(mode="json", by_alias=True)
    plain["families"][1]["measures"]["best"]["value"] = 1.0
    (run / "result.json").write_text(Result.model_validate(plain).to_json(), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"is not what it claims to be; measures: read: measures\.best\.value"):
        rerun(run, folder=tmp_path / "again", **HERE)
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"margin": 0.0}, "a margin is a share between 0 and 1, e.g. 0.1, not 0"),
        ({"loops": 2}, "2 loops show nothing: ask for 3 or more with --loops"),
        ({"loops": 48}, "suite minihack-v1 has 50 loops, 3 of them ranked: 48 more are wanted; ask for fewer"),
        ({"actor_base_url": "http://here"}, "actor 'rules' has no model, so it has no base URL"),
    ],
)
def test_what_cannot_be_run_is_said(options: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises((ConfigError, PoolTooSmallError), match=words):
        rerun(small_run(), folder=tmp_path / "again", **options, **HERE)
    assert not (tmp_path / "again").exists()


@given(st.text(max_size=5), st.integers(1, 20), st.integers(0, 30))
def test_loops_are_later_ones_that_have_blocks(digest: str, ranked: int, count: int) -> None:
    loops = later_loops(SUITE, digest, ranked, count)
    assert list(loops) == sorted(set(loops))
    assert len(loops) == count
    assert all(ranked <= index < 50 for index in loops)
    for index in loops[-1:]:
        assert SUITE.scoring_tasks("selection", "eat", index, None)
        assert SUITE.scoring_tasks("test", "eat", index, None)


def test_another_digest_draws_others() -> None:
    assert len({later_loops(SUITE, str(number), 10, 5) for number in range(20)}) == 20


def test_finite_games_are_the_same_again() -> None:
    assert later_loops(ictbench.load_suite("alfworld-v1"), "abc", 10, 5) == (0, 1, 2, 3, 4)


MODEL = ModelSpec(provider="openai", model="m:latest", base_url="http://evil", options={})


def plan_with(
    role: str, change: dict[str, Any], access: RerunOptions | None = None, *, trust_code: bool = False
) -> Player:
    """A player of the plan that reruns a result, after a change to that of the result."""
    result = ictbench.load_result(small_run())
    player = getattr(result, role).model_copy(update=change)
    plan = plan_again(
        result.model_copy(update={role: player}), SUITE, SUITE.name, (3, 4, 5), access or {}, trust_code=trust_code
    )
    found: Player = getattr(plan, role)
    return found


def test_a_control_is_run_again_on_its_own_terms() -> None:
    result = ictbench.load_result(small_run())
    inside = {"label": "rules", "name": "rules", "options": {}}
    shuffled = result.reflector.model_copy(update={"name": "shuffled", "options": {"reflector": inside}})
    plan = plan_again(
        result.model_copy(update={"reflector": shuffled}), SUITE, SUITE.name, (3, 4, 5), {}, trust_code=False
    )
    first = next(plan.loops())
    assert (first.family, {task.family for task in first.batches[0]}) == ("read", {"puton"})


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"name": "evil.module:Class"}, "evil.module:Class"),
        ({"name": "blind", "options": {"reflector": {"label": "evil", "name": "evil:Class"}}}, "evil:Class"),
        ({"name": "rewrite", "model": MODEL.model_copy(update={"provider": "evil:Model", "model": ""})}, "evil:Model"),
    ],
)
def test_code_that_a_result_names_is_imported_only_on_trust(change: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=f"reflector 'rules' would import '{named}': look at it, then say"):
        plan_with("reflector", change)
    # Trusted, it is looked for, and there is none of these.
    if "model" not in change:
        with pytest.raises(UnknownNameError, match="evil"):
            plan_with("reflector", change, trust_code=True)


def test_where_a_model_is_reached_is_ours_to_say() -> None:
    player = plan_with("actor", {"name": "react", "model": MODEL})
    assert player.model is not None
    assert (player.model.base_url, player.model.model) == (None, "m:latest")
    ours: RerunOptions = {"actor_base_url": "http://here", "actor_model_options": ["n_ctx=7"], "request_timeout": 3.0}
    player = plan_with("actor", {"name": "react", "model": MODEL}, ours)
    assert player.model is not None
    assert (player.model.base_url, player.model.options, player.model.timeout) == ("http://here", {"n_ctx": 7}, 3.0)


def test_model_options_that_a_result_names_are_used_only_on_trust() -> None:
    change = {"name": "react", "model": MODEL.model_copy(update={"options": {"launch": True}})}
    with pytest.raises(ConfigError, match=r"model options \(launch\), which may run anything: give your own with"):
        plan_with("actor", change)
    trusted = plan_with("actor", change, trust_code=True)
    assert trusted.model is not None
    assert trusted.model.options == {"launch": True}


def test_a_file_prompt_needs_no_file() -> None:
    change = {"label": "file:p.txt", "name": "file", "options": {"text": "Go."}}
    assert plan_with("reflector", change).options == {"text": "Go."}


def test_the_command_writes_its_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from ictbench.cli.app import main

    run = played(tmp_path / "run", "none")
    words = ["ictbench", "rerun", str(run), "--folder", str(tmp_path / "again"), "--loops", "3", "--margin", "0.5"]
    monkeypatch.setattr("sys.argv", [*words, "--executor", "inline", "--by", "me"])
    with pytest.raises(SystemExit) as caught:
        main()
    lines = capsys.readouterr().out.splitlines()
    assert not caught.value.code
    assert lines[0].startswith("passed  models         nothing tells which versions answered")
    assert lines[-3].startswith("Ran loops ")
    assert lines[-2:] == ["Passed.", f"Record: {run / 'rerun.json'}"]
    assert json.loads((run / "rerun.json").read_bytes())["reran"]["margin"] == 0.5
