"""A rerun accepts the result of the same players on unforeseeable loops, and refuses the result of others."""

from __future__ import annotations

import importlib
import json
import re
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_run import SUITE, small_run, verdicts

import ictbench
from ictbench.audit.rerun import _check_equivalence, _check_models, rerun
from ictbench.audit.rerun_plan import NO_OWN_MODELS, OwnModels, draw_loops, plan_rerun
from ictbench.audit.verification import Reran, Verification
from ictbench.choices import ACTION_FORMAT
from ictbench.cli.render_checks import print_verdict
from ictbench.errors import ConfigError, PoolTooSmallError, RunFolderError, UnknownNameError
from ictbench.protocol.experience import batches_of
from ictbench.records import Adaptation, ModelSpec
from ictbench.results import Result

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.results.schema import Player
    from ictbench.runs.option_types import RerunOptions

SIZES: dict[str, Any] = {"turns": 3, "batch_size": 3, "loops": 4, "selection_size": 2, "test_size": 20}
INLINE: Any = {"executor": "inline"}


RULES = """
- After you have seen "f -", choose "zap".
- When you see "see here", choose "pickup".
- Walk onto "/".
"""


@pytest.fixture
def hand_written(tmp_path: Path) -> str:
    """Return the name of a reflector whose prompt solves nearly all of `zap`."""
    (tmp_path / "prompt.txt").write_text(SUITE.prompt + RULES, encoding="utf-8")
    return f"file:{tmp_path / 'prompt.txt'}"


def run_zap(folder: Path, reflector: str, **options: Any) -> Path:
    chosen = {"families": ["zap"], "reflector": reflector, "actor": "rules", **SIZES, **INLINE, **options}
    ictbench.run(suite="minihack-v1", **chosen, out=folder)
    return folder


def test_a_rerun_repeats_tasks_as_the_run_did(tmp_path: Path, hand_written: str) -> None:
    run = run_zap(tmp_path / "run", hand_written, repeats=2, loops=3, test_size=10)
    reran = rerun(run, folder=tmp_path / "again", margin=0.3, **INLINE).reran
    again = ictbench.load_result(tmp_path / "again")
    assert again.sizes.repeats == 2
    assert {len(loop.test[loop.best]) for loop in again.families[0].loops} == {20}
    assert reran is not None
    assert again.families[0].measures is not None
    assert reran.rerun == pytest.approx(again.families[0].measures.best.value)


def test_rerun_of_an_honest_run_is_equivalent(tmp_path: Path, hand_written: str) -> None:
    run = run_zap(tmp_path / "run", hand_written)
    verification = rerun(run, folder=tmp_path / "again", margin=0.2, by="a test", **INLINE)
    assert verification.passed
    assert verdicts(verification.checks) == {"models": "passed", "packages": "passed", "equivalence": "passed"}
    assert (verification.badge, verification.submission, verification.result) == (
        "rerun",
        None,
        ictbench.load_result(run).checksum,
    )
    assert verification.reran is not None
    assert verification.reran.fresh_tasks
    assert re.fullmatch("[0-9a-f]{16}", verification.reran.salt)
    assert (
        -0.2
        < verification.reran.low
        <= verification.reran.rerun - verification.reran.submitted
        <= verification.reran.high
        < 0.2
    )
    rerun_result = ictbench.load_run(tmp_path / "again").result
    assert (
        rerun_result.loop_indices
        == verification.reran.loops
        == tuple(loop.index for loop in rerun_result.families[0].loops)
    )
    assert min(verification.reran.loops) >= SIZES["loops"]
    assert not rerun_result.ranked
    assert f"loops {', '.join(map(str, verification.reran.loops))} instead of the first 4" in rerun_result.deviations
    assert ictbench.verify(tmp_path / "again", sample=20, workers=1).passed
    # A second call finds the finished run and its salt; another salt would be another run.
    assert rerun(run, folder=tmp_path / "again", margin=0.2, **INLINE).reran == verification.reran
    with pytest.raises(RunFolderError, match="holds a run with another configuration: loop_indices"):
        rerun(run, folder=tmp_path / "again", salt="other", margin=0.2, **INLINE)


def test_result_of_another_reflector_is_not_equivalent(tmp_path: Path, hand_written: str) -> None:
    run = run_zap(tmp_path / "run", hand_written)
    result = ictbench.load_result(run)
    inner = {"label": "rules", "name": "rules", "options": {}}
    claimed = result.reflector.model_copy(
        update={"label": "blind:rules", "name": "blind", "options": {"reflector": inner}}
    )
    forged = result.model_copy(update={"reflector": claimed, "control": "it is shown no trajectory"})
    (run / "result.json").write_text(forged.to_json(), encoding="utf-8")
    verification = rerun(run, folder=tmp_path / "again", margin=0.3, **INLINE)
    assert not verification.passed
    assert verification.reran is not None
    assert verification.reran.high < -0.3
    (check,) = [check for check in verification.checks if check.verdict == "failed"]
    assert check.name == "equivalence"
    assert check.detail.endswith("does not lie within ±0.3")
    assert ictbench.load_run(tmp_path / "again").result.reflector.name == "blind"


def test_result_that_fails_a_check_is_not_run_again(tmp_path: Path) -> None:
    run = shutil.copytree(small_run(), tmp_path / "run", ignore=shutil.ignore_patterns("journal*"))
    content = ictbench.load_result(run).model_dump(mode="json", by_alias=True)
    content["families"][1]["measures"]["best"]["value"] = 1.0
    (run / "result.json").write_text(Result.model_validate(content).to_json(), encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"fails the check measures of `ictbench verify`: read: measures\.best\.value"
    ):
        rerun(run, folder=tmp_path / "again", **INLINE)
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"margin": 0.0}, "--margin is a share between 0 and 1, e.g. 0.1, not 0"),
        ({"loops": 2}, "2 loops cannot show equivalence; request 3 or more with --loops"),
        ({"loops": 48}, "suite minihack-v1 has 50 loops, 3 of them ranked, .* request at most 47 with --loops"),
        ({"actor_base_url": "http://here"}, "actor 'rules' has no model; remove --actor-model, --actor-base-url"),
    ],
)
def test_impossible_rerun_is_an_error(options: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises((ConfigError, PoolTooSmallError), match=message):
        rerun(small_run(), folder=tmp_path / "again", **options, **INLINE)
    assert not (tmp_path / "again").exists()


@given(st.text(max_size=5), st.text(max_size=5), st.integers(1, 20), st.integers(0, 30))
def test_drawn_loops_are_unranked_and_have_tasks(digest: str, salt: str, ranked: int, count: int) -> None:
    loops = draw_loops(SUITE, digest, salt, ranked, count)
    assert list(loops) == sorted(set(loops))
    assert len(loops) == count
    assert all(ranked <= index < 50 for index in loops)
    for index in loops[-1:]:
        assert SUITE.scoring_tasks("selection", "eat", index, None)
        assert SUITE.scoring_tasks("test", "eat", index, None)


def test_another_salt_or_digest_draws_other_loops() -> None:
    assert len({draw_loops(SUITE, "digest", str(salt), 10, 5) for salt in range(20)}) == 20
    assert len({draw_loops(SUITE, str(digest), "salt", 10, 5) for digest in range(20)}) == 20


def test_loops_of_finite_games_have_their_experience_in_an_order_of_their_own() -> None:
    suite = ictbench.load_suite("alfworld-v1")
    loops = {draw_loops(suite, "digest", str(salt), 10, 5) for salt in range(5)}
    assert len(loops) == 5
    assert min(min(indices) for indices in loops) >= 10
    sizes = suite.profiles["lite"]
    first, second = (batches_of(suite, "pick", index, sizes, "fresh") for index in next(iter(loops))[:2])
    assert first != second
    assert suite.scoring_tasks("test", "pick", min(next(iter(loops))), 5) == suite.scoring_tasks("test", "pick", 0, 5)


MODEL = ModelSpec(provider="openai", model="m:latest", base_url="http://evil", options={})


def plan_with(
    role: str,
    change: dict[str, Any],
    access: RerunOptions | None = None,
    *,
    own_models: OwnModels = NO_OWN_MODELS,
    trust_code: bool = False,
) -> Player:
    """Return a player in the plan of a rerun, after this change of the player in the result."""
    result = ictbench.load_result(small_run())
    player = getattr(result, role).model_copy(update=change)
    plan = plan_rerun(
        result.model_copy(update={role: player}),
        SUITE,
        SUITE.name,
        (3, 4, 5),
        access or {},
        own_models=own_models,
        trust_code=trust_code,
    )
    planned: Player = getattr(plan, role)
    return planned


def test_control_is_planned_with_its_own_experience() -> None:
    result = ictbench.load_result(small_run())
    inner = {"label": "rules", "name": "rules", "options": {}}
    shuffled = result.reflector.model_copy(update={"name": "shuffled", "options": {"reflector": inner}})
    plan = plan_rerun(
        result.model_copy(update={"reflector": shuffled}), SUITE, SUITE.name, (3, 4, 5), {}, trust_code=False
    )
    first = next(plan.loops())
    assert (first.family, {task.family for task in first.batches[0]}) == ("read", {"puton"})


EVIL = ("evil.module:Class", "antigravity:a.b", "ünïcode:Class", "evil:Class:x", "ictbench.reflectors.controls.blind:X")


@pytest.mark.parametrize("name", EVIL)
@pytest.mark.parametrize("place", ["reflector", "inner reflector", "actor", "provider"])
def test_class_named_by_a_result_is_imported_only_with_trust_code(
    name: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported: list[str] = []
    import_module = importlib.import_module

    def record(module: str) -> object:
        imported.append(module)
        return import_module(module)

    monkeypatch.setattr("ictbench.plugins.importlib.import_module", record)
    changes: dict[str, dict[str, Any]] = {
        "reflector": {"name": name},
        "inner reflector": {"name": "blind", "options": {"reflector": {"label": "evil", "name": name}}},
        "actor": {"name": name},
        "provider": {"name": "rewrite", "model": MODEL.model_copy(update={"provider": name, "model": ""})},
    }
    with pytest.raises(ConfigError) as caught:
        plan_with("actor" if place == "actor" else "reflector", changes[place])
    assert f"would import {name!r}" in str(caught.value)
    assert "add --trust-code" in str(caught.value)
    assert name.partition(":")[0] not in imported


def test_a_class_is_imported_with_trust_code() -> None:
    with pytest.raises(UnknownNameError, match="evil"):
        plan_with("reflector", {"name": "evil.module:Class"}, trust_code=True)


def test_a_name_that_is_not_installed_and_an_option_that_ictbench_does_not_give_are_refused() -> None:
    with pytest.raises(ConfigError, match="would import 'unheard-of'"):
        plan_with("reflector", {"name": "unheard-of"})
    with pytest.raises(ConfigError, match="has the option 'plugin', which ictbench does not give it"):
        plan_with("reflector", {"name": "rules", "options": {"plugin": "evil"}})


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("litellm", "oobabooga/http://127.0.0.1:9/v1"),
        ("litellm", "oobabooga/x"),
        ("litellm", "bedrock/arn:aws:bedrock:evil.example/x:1:y"),
        ("litellm", "huggingface/https://evil.example"),
        ("openai", "http://evil.example"),
        ("vllm", "--tool-parser-plugin=evil.py"),
        ("vllm", "/tmp/evil"),
        ("vllm", "../evil/model"),
        ("hf", "checkpoints/of/somebody"),
        ("hf", "-x/y"),
        ("llama-cpp", "~/evil.gguf"),
        ("anthropic", "claude x"),
    ],
)
def test_a_model_name_that_may_be_an_address_a_folder_or_an_option_is_refused(provider: str, model: str) -> None:
    spec = MODEL.model_copy(update={"provider": provider, "model": model})
    with pytest.raises(ConfigError, match=f"for {provider} a rerun uses only .*; name the model with --actor-model"):
        plan_with("actor", {"name": "react", "model": spec})


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("litellm", "openrouter/meta-llama/llama-3:free"),
        ("openai", "ft:gpt-4o-mini:org::id"),
        ("vllm", "Qwen/Qwen2.5-7B-Instruct"),
        ("hf", "smollm2"),
        ("anthropic", "claude-sonnet-4-5@20250929"),
    ],
)
def test_a_model_name_of_the_known_shape_is_used(provider: str, model: str) -> None:
    spec = MODEL.model_copy(update={"provider": provider, "model": model})
    planned = plan_with("actor", {"name": "react", "model": spec})
    assert planned.model is not None
    assert planned.model.name == f"{provider}/{model}"


def test_the_verifier_names_the_model_here() -> None:
    spec = MODEL.model_copy(update={"provider": "hf", "model": "/home/somebody/checkpoint"})
    own = OwnModels(actor="hf/weights/of/mine")
    planned = plan_with("actor", {"name": "react", "model": spec}, own_models=own)
    assert planned.model is not None
    assert (planned.model.provider, planned.model.model) == ("hf", "weights/of/mine")
    with pytest.raises(ConfigError, match="--actor-model is provider/model, not 'weights'"):
        plan_with("actor", {"name": "react", "model": spec}, own_models=OwnModels(actor="weights"))
    with pytest.raises(ConfigError, match="has no model; remove --actor-model"):
        plan_with("actor", {}, own_models=own)


def test_actor_that_read_replies_in_another_format_is_refused() -> None:
    change: dict[str, Any] = {"name": "react", "model": MODEL, "options": {"decoding": "free", "history": None}}
    with pytest.raises(ConfigError, match="read replies in action format 1; this version of ictbench reads them in"):
        plan_with("actor", change)
    change["options"]["action_format"] = ACTION_FORMAT
    assert plan_with("actor", change).options == change["options"]


def test_address_of_a_model_comes_from_the_verifier() -> None:
    player = plan_with("actor", {"name": "react", "model": MODEL})
    assert player.model is not None
    assert (player.model.base_url, player.model.model) == (None, "m:latest")
    access: RerunOptions = {"actor_base_url": "http://here", "actor_model_options": ["n_ctx=7"], "request_timeout": 3.0}
    player = plan_with("actor", {"name": "react", "model": MODEL}, access)
    assert player.model is not None
    assert (player.model.base_url, player.model.options, player.model.timeout) == ("http://here", {"n_ctx": 7}, 3.0)


def test_the_record_says_which_model_stood_in_for_the_named_one() -> None:
    result = ictbench.load_result(small_run())
    here, there = (
        result.model_copy(update={"actor": result.actor.model_copy(update={"model": model, "fingerprint": version})})
        for model, version in (
            (ModelSpec(provider="hf", model="mine"), "sha256:1"),
            (ModelSpec(provider="hf", model="theirs"), "sha256:1"),
        )
    )
    assert _check_models(there, here).detail == "the same; the actor's 'hf/theirs' is 'hf/mine' here"
    other = here.model_copy(update={"actor": here.actor.model_copy(update={"fingerprint": "sha256:2"})})
    assert _check_models(there, other).verdict == "failed"


def test_model_options_of_a_result_are_used_only_with_trust_code() -> None:
    change = {"name": "react", "model": MODEL.model_copy(update={"options": {"launch": True}})}
    with pytest.raises(ConfigError, match=r"model options \(launch\), which may run anything; give your own with"):
        plan_with("actor", change)
    listed = {"n_ctx": 4096, "n_ubatch": 1}
    spec = MODEL.model_copy(update={"provider": "llama-cpp", "model": "smollm2", "options": listed})
    planned = plan_with("actor", {"name": "react", "model": spec})
    assert planned.model is not None
    assert planned.model.options == listed
    trusted = plan_with("actor", change, trust_code=True)
    assert trusted.model is not None
    assert trusted.model.options == {"launch": True}


def test_a_rerun_keeps_the_adaptation_of_a_player_and_allows_no_other() -> None:
    adapted = MODEL.model_copy(update={"adaptation": Adaptation(fold_system=True)})
    spec = plan_with("actor", {"name": "react", "model": adapted})
    assert spec.model is not None
    assert spec.model.adaptation.fold_system


def test_replies_of_an_earlier_run_are_no_evidence_if_the_model_does_not_repeat_its_replies(tmp_path: Path) -> None:
    change = {"name": "react", "model": MODEL, "reproducible": False}
    with pytest.raises(ConfigError, match="leave out --cache"):
        plan_with("actor", change, {"cache": tmp_path / "replies.sqlite"})
    assert (
        plan_with("actor", {**change, "reproducible": True}, {"cache": tmp_path / "replies.sqlite"}).model is not None
    )


def test_reflector_with_a_prompt_from_a_file_does_not_need_the_file() -> None:
    change = {"label": "file:p.txt", "name": "file", "options": {"text": "Go."}}
    assert plan_with("reflector", change).options == {"text": "Go."}


def test_command_writes_its_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from ictbench.cli.app import main

    run = run_zap(tmp_path / "run", "none")
    arguments = ["ictbench", "rerun", str(run), "--out", str(tmp_path / "again"), "--loops", "3", "--margin", "0.5"]
    monkeypatch.setattr("sys.argv", [*arguments, "--executor", "inline", "--by", "me"])
    with pytest.raises(SystemExit) as caught:
        main()
    lines = capsys.readouterr().out.splitlines()
    assert not caught.value.code
    assert lines[0].startswith("passed  models         the providers report no versions")
    assert lines[-3].startswith("Ran loops ")
    assert lines[-2:] == ["Passed.", f"Record: {run / 'rerun.json'}"]
    assert json.loads((run / "rerun.json").read_bytes())["reran"]["margin"] == 0.5


@pytest.mark.parametrize(
    ("low", "high", "equivalent", "inconclusive"),
    [(-0.05, 0.05, True, False), (-0.3, 0.2, False, True), (0.02, 0.3, False, False), (0.02, 0.08, True, False)],
)
def test_a_rerun_with_too_few_loops_is_not_taken_for_a_difference(
    low: float, high: float, equivalent: bool, inconclusive: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    reran = Reran(
        loops=(3, 4, 5), fresh_tasks=True, measure="best", submitted=0.5, rerun=0.5, low=low, high=high, margin=0.1
    )
    assert (reran.equivalent, reran.inconclusive) == (equivalent, inconclusive)
    check = _check_equivalence(reran)
    assert (check.verdict == "passed") == equivalent
    assert ("more loops decide, e.g. --loops 6" in check.detail) == inconclusive
    verification = Verification(
        schema="ictbench.verification/1",
        badge="rerun",
        submission=None,
        result="0" * 64,
        passed=equivalent,
        checks=(check,),
        reran=reran,
        ictbench="0",
        versions={},
        date=datetime.now(UTC),
    )
    print_verdict(verification)
    shown = capsys.readouterr().out.splitlines()[-1]
    assert shown.startswith("Passed." if equivalent else "Not shown: " if inconclusive else "Failed.")
