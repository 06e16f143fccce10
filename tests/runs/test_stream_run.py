"""Runs on streams that mix families: plan, outcomes, measures, tables, controls, resume, and checks of a result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import ictbench
from ictbench.audit.recompute import recompute
from ictbench.errors import ConfigError
from ictbench.results import Result
from ictbench.results.build_rows import result_rows
from ictbench.results.forgetting import stream_rates
from ictbench.results.notes import remarks
from ictbench.runs.journal import Journal
from ictbench.runs.options import Options
from ictbench.runs.plan import make_plan
from ictbench.runs.run_folder import RunFolder
from ictbench.submissions.episode_records import RUN_DIGITS, Evidence, evidence_of_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SUITE = ictbench.load_suite("minihack-stream-v1")
OPTIONS: dict[str, Any] = {
    "suite": SUITE.name,
    "families": ["blocked", "interleaved"],
    "turns": 4,
    "batch_size": 2,
    "loops": 3,
    "selection_size": 1,
    "test_size": 2,
    "executor": "inline",
}
NAMES = ("room-dark", "read", "puton", "zap")
Json = dict[str, Any]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ictbench.Run:
    started: list[Any] = []
    folder = tmp_path_factory.mktemp("stream") / "run"
    finished = ictbench.run(**OPTIONS, out=folder, on_start=lambda *what: started.append(what[1]))
    assert started[0].episodes == started[0].episodes_done
    return finished


def test_every_prompt_is_tested_on_every_family_and_compared_online(run: ictbench.Run) -> None:
    assert (run.result.test_every_turn, run.result.online) == (True, True)
    for loop in (loop for family in run.result.families for loop in family.loops):
        assert set(loop.test) == {0, 1, 2, 3, 4}
        assert loop.test_families == tuple(name for name in NAMES for _ in range(2))
        assert loop.online is not None
    blocked, interleaved = run.result.families
    assert [batch.families for batch in blocked.loops[1].batches] == [
        *(("read", "read"), ("puton", "puton"), ("zap", "zap"), ("room-dark", "room-dark"))
    ]
    assert [batch.families for batch in interleaved.loops[0].batches] == [("room-dark", "read"), ("puton", "zap")] * 2


def test_the_plan_states_what_the_tests_cost(run: ictbench.Run) -> None:
    plan = make_plan(Options.parse({name: value for name, value in OPTIONS.items() if name != "executor"}))
    loops = 2 * 3
    assert plan.episode_bounds() == {
        "experience_episodes": loops * 8,
        "selection_episodes": loops * 5 * 4,
        "test_episodes": loops * 5 * 8,
        "online_episodes": loops * 7 * 2,
        "episodes": loops * (8 + 20 + 40 + 14),
        "reflections": loops * 4,
        "actor_calls": 0,
        "reflector_calls": 0,
    }


def test_an_honest_run_passes_every_check_and_its_replay(run: ictbench.Run) -> None:
    assert {check.verdict for check in recompute(evidence_of_run(run.folder), SUITE)} == {"passed"}
    assert ictbench.verify(run.folder, executor="inline").passed


def test_measures_are_in_remarks_tables_and_rows(run: ictbench.Run) -> None:
    tables = run.tables()
    families = tables["families"].set_index("family")
    assert {"forgetting", "forgetting_low", "forward_transfer_high"} <= set(families.columns)
    loops = tables["loops"].query("family == 'blocked'")
    assert families.loc["blocked", "forgetting"] == pytest.approx(loops["forgetting"].mean())
    assert families.loc["blocked", "forward_transfer"] == pytest.approx(loops["forward_transfer"].mean())
    streams = tables["streams"]
    assert list(zip(streams["stream"], streams["family"], strict=True)) == [
        (stream, name) for stream in ("blocked", "interleaved") for name in NAMES
    ]
    assert {"base", "after", "last", "forgetting", "forward_transfer"} <= set(streams.columns)
    row = next(result_rows(run.result))
    assert (row.forgetting, row.forward_transfer) == stream_rates(run.result.families[0].loops[0])
    assert {f"Families of the stream, {name}" for name in ("blocked", "interleaved", "mean held-out")} == {
        line.split(":")[0] for line in remarks(run.result) if line.startswith("Families of the stream")
    }


def test_a_reflector_that_keeps_the_prompt_forgets_and_transfers_nothing(tmp_path: Path) -> None:
    result = ictbench.run(**OPTIONS, reflector="none", actor="rules", out=tmp_path / "run").result
    for family in result.families:
        assert family.measures is not None
        assert family.measures.mixed is not None
        assert family.measures.mixed.forgetting is not None
        assert family.measures.mixed.forward_transfer is not None
        assert family.measures.mixed.forgetting.value == 0
        assert family.measures.mixed.forward_transfer.value == 0


def test_foreign_experience_is_that_of_the_stream_of_the_other_role(tmp_path: Path) -> None:
    result = ictbench.run(**OPTIONS, reflector="shuffled:rules", out=tmp_path / "run").result
    assert (result.test_every_turn, result.online) == (True, False)
    (loop, *_), measures = result.families[0].loops, result.families[0].measures
    assert {name for batch in loop.batches for name in batch.families} == {"room-random", "eat", "wear", "wield"}
    assert loop.test_families == tuple(name for name in NAMES for _ in range(2))
    assert measures is not None
    assert measures.mixed is not None
    assert measures.mixed.forgetting is None
    assert {check.verdict for check in recompute(evidence_of_run(tmp_path / "run"), SUITE)} == {"passed"}


@pytest.mark.parametrize("reflector", ["blind:rules", "unlabelled:rules", "flipped:rules", "losses:rules"])
def test_controls_meet_the_same_stream(run: ictbench.Run, reflector: str, tmp_path: Path) -> None:
    options = {**OPTIONS, "families": ["blocked"], "loops": 1}
    result = ictbench.run(**options, reflector=reflector, out=tmp_path / "run").result
    mine, plain = result.families[0].loops[0], run.result.families[0].loops[0]
    assert [batch.tasks for batch in mine.batches] == [batch.tasks for batch in plain.batches]
    assert mine.test[0] == plain.test[0]


def test_a_reflector_that_repeats_its_first_batch_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="reflexion:rules meets the tasks of the first turn again; it cannot play a"):
        ictbench.run(**OPTIONS, reflector="reflexion:rules", out=tmp_path / "run")


def test_a_continued_run_plays_what_is_missing(run: ictbench.Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    ictbench.run(**OPTIONS, out=folder)
    journal = Journal(RunFolder(folder).journal)
    journal.forget_episodes([key for key in run.episode_keys() if key.startswith("read-2")])
    journal.close()
    (folder / "result.json").unlink()
    assert ictbench.run(**OPTIONS, out=folder).result.checksum == run.result.checksum


def altered(run: ictbench.Run, edit: Callable[[Json], object]) -> dict[str, str]:
    """Return the checks that fail after an edit of the result, whose checksum matches."""
    evidence = evidence_of_run(run.folder)
    content = evidence.result.model_dump(mode="json", by_alias=True)
    edit(content)
    edited = Evidence(Result.model_validate(content), evidence.episodes, RUN_DIGITS)
    return {check.name: check.detail for check in recompute(edited, SUITE) if check.verdict == "failed"}


def lower_forgetting(result: Json) -> None:
    result["families"][0]["measures"]["mixed"]["forgetting"]["value"] -= 0.1


def raise_a_family(result: Json) -> None:
    result["families"][0]["measures"]["mixed"]["families"]["zap"]["last"]["value"] = 1.0


def lower_the_mean(result: Json) -> None:
    result["by_role"]["held-out"]["mixed"]["forgetting"]["value"] -= 0.1


def swap_test_families(result: Json) -> None:
    loop = result["families"][0]["loops"][0]
    loop["test_families"] = loop["test_families"][::-1]


def move_a_batch(result: Json) -> None:
    result["families"][0]["loops"][0]["batches"][0]["families"] = ["zap", "zap"]


def hide_families(result: Json) -> None:
    for family in result["families"]:
        for loop in family["loops"]:
            del loop["test_families"]
            for batch in loop["batches"]:
                del batch["families"]


def hide_tests(result: Json) -> None:
    result["test_every_turn"] = False
    for family in result["families"]:
        for loop in family["loops"]:
            loop["test"] = {index: loop["test"][index] for index in {"0", str(loop["best"]), "4"}}


@pytest.mark.parametrize(
    ("edit", "check"),
    [
        (lower_forgetting, "measures"),
        (raise_a_family, "measures"),
        (lower_the_mean, "means"),
        (swap_test_families, "tasks"),
        (move_a_batch, "tasks"),
        (hide_families, "tasks"),
        (hide_tests, "agreement"),
    ],
)
def test_an_edited_result_fails(run: ictbench.Run, edit: Callable[[Json], object], check: str) -> None:
    assert check in altered(run, edit)
