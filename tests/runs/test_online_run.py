"""Runs with online measures: the experience is played under prompt[0] and the best prompt, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from small_run import SIZES, SUITE, failed

import ictbench
from ictbench.audit.recompute import recompute
from ictbench.protocol import episode_uses
from ictbench.records import episode_key
from ictbench.results import Result
from ictbench.results.build_rows import result_rows
from ictbench.results.notes import remarks
from ictbench.runs.journal import Journal
from ictbench.runs.run_folder import RunFolder
from ictbench.submissions.episode_records import RUN_DIGITS, EpisodeRecord, Evidence, evidence_of_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OPTIONS: dict[str, Any] = {"suite": SUITE.name, "families": "eat,read", "executor": "inline", **SIZES}
Json = dict[str, Any]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ictbench.Run:
    started: list[Any] = []
    folder = tmp_path_factory.mktemp("online") / "run"
    finished = ictbench.run(**OPTIONS, online=True, out=folder, on_start=lambda *what: started.append(what[1]))
    assert started[0].episodes == started[0].episodes_done
    return finished


def test_online_measures_change_nothing_else(run: ictbench.Run, tmp_path: Path) -> None:
    plain = ictbench.run(**OPTIONS, out=tmp_path / "run")
    assert (run.result.online, plain.result.online) == (True, False)
    assert "online" not in plain.result.model_dump()
    for family, other in zip(run.result.families, plain.result.families, strict=True):
        assert family.measures is not None
        assert other.measures is not None
        assert other.measures.online is None
        assert family.measures.model_copy(update={"online": None}) == other.measures
        assert [loop.model_copy(update={"online": None}) for loop in family.loops] == list(other.loops)
    assert run.result.deviations == plain.result.deviations


def test_outcomes_are_those_of_recorded_episodes(run: ictbench.Run) -> None:
    for loop in (loop for family in run.result.families for loop in family.loops):
        assert loop.online is not None
        for index, rows in ((0, loop.online.base), (loop.best, loop.online.best)):
            for batch, outcomes in zip(loop.batches, rows, strict=True):
                keys = [episode_key(task, loop.prompts[index].digest) for task in batch.tasks]
                assert outcomes == "".join(str(int(run.episode(key).trajectory.solved)) for key in keys)
        assert loop.online.base[0] == loop.batches[0].outcomes


def test_the_measures_and_the_cost_follow_from_the_outcomes(run: ictbench.Run) -> None:
    (eat, _) = run.result.families
    assert eat.measures is not None
    assert eat.measures.online is not None
    loops = eat.loops
    solved = sum(batch.outcomes.count("1") for loop in loops for batch in loop.batches)
    base = sum("".join(loop.online.base).count("1") for loop in loops if loop.online)
    best = sum("".join(loop.online.best).count("1") for loop in loops if loop.online)
    assert eat.measures.stream_success is not None
    assert eat.measures.stream_success.value == pytest.approx(solved / 12)
    assert eat.measures.online.gain.value == pytest.approx((solved - base) / 12)
    assert eat.measures.online.regret.value == pytest.approx((best - solved) / 12)
    assert best > base
    uses = [use for family in run.result.families for loop in family.loops for use in episode_uses(loop)]
    assert len([use for use in uses if use.purpose == "online"]) <= 2 * 6 * (2 * 2 * 2)
    assert {use.key for use in uses} == set(run.episode_keys())
    assert "online" in run.result.cost
    assert any("gain over prompt[0] +" in line and "regret to the best" in line for line in remarks(run.result))


def test_tables_and_export_hold_the_online_measures(run: ictbench.Run, tmp_path: Path) -> None:
    tables = run.tables()
    assert {"online_gain", "online_gain_low", "online_regret_high"} <= set(tables["families"].columns)
    assert {"online_gain", "online_regret"} <= set(tables["roles"].columns) & set(tables["loops"].columns)
    assert list(tables["turns"].columns)[-3:] == ["experience", "online_base", "online_best"]
    mean = tables["turns"].query("family == 'eat'")["experience"].mean()
    assert mean == pytest.approx(tables["families"].set_index("family").loc["eat", "stream_success"])
    row = next(result_rows(run.result))
    loop = tables["loops"].iloc[0]
    assert (row.stream_success, row.online_gain, row.online_regret) == (
        *(loop["stream_success"], loop["online_gain"], loop["online_regret"]),
    )


def test_a_continued_run_plays_what_is_missing(run: ictbench.Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    ictbench.run(**OPTIONS, online=True, out=folder)
    only_online = [key for key, purposes in _purposes(run.result).items() if purposes == {"online"}]
    assert only_online
    journal = Journal(RunFolder(folder).journal)
    journal.forget_episodes(only_online)
    journal.close()
    (folder / "result.json").unlink()
    again = ictbench.run(**OPTIONS, online=True, out=folder)
    assert again.result.checksum == run.result.checksum


def _purposes(result: Result) -> dict[str, set[str]]:
    purposes: dict[str, set[str]] = {}
    for loop in (loop for family in result.families for loop in family.loops):
        for use in episode_uses(loop):
            purposes.setdefault(use.key, set()).add(use.purpose)
    return purposes


def altered(
    run: ictbench.Run,
    result: Callable[[Json], object] = lambda result: None,
    records: Callable[[list[Json]], object] = lambda records: None,
) -> Evidence:
    """Return the evidence of the run after edits of its JSON, with a matching checksum."""
    evidence = evidence_of_run(run.folder)
    result_json = evidence.result.model_dump(mode="json", by_alias=True)
    records_json = [record.model_dump(mode="json") for record in evidence.episodes()]
    result(result_json)
    records(records_json)
    edited = [EpisodeRecord.model_validate(record) for record in records_json]
    return Evidence(Result.model_validate(result_json), lambda: iter(edited), RUN_DIGITS)


def test_an_honest_run_passes_every_check_and_its_replay(run: ictbench.Run) -> None:
    assert {check.verdict for check in recompute(evidence_of_run(run.folder), SUITE)} == {"passed"}
    verification = ictbench.verify(run.folder, executor="inline")
    assert verification.passed
    assert verification.replayed is not None
    assert verification.replayed.episodes == len(run.episode_keys())


def flip_last(result: Json) -> None:
    online = result["families"][0]["loops"][0]["online"]
    online["base"][1] = "".join("10"[int(outcome)] for outcome in online["base"][1])


def raise_gain(result: Json) -> None:
    result["families"][0]["measures"]["online"]["gain"]["value"] = 0.99


def raise_stream(result: Json) -> None:
    result["families"][0]["measures"]["stream"][1]["value"] = 0.99


def hide_cost(result: Json) -> None:
    del result["cost"]["online"]


def contradict_turn_1(result: Json) -> None:
    online = result["families"][0]["loops"][0]["online"]
    online["base"][0] = "".join("10"[int(outcome)] for outcome in online["base"][0])


def drop_online(result: Json) -> None:
    del result["families"][0]["loops"][0]["online"]


def drop_turn(result: Json) -> None:
    result["families"][0]["loops"][0]["online"]["best"].pop()


def claim_none(result: Json) -> None:
    del result["online"]


@pytest.mark.parametrize(
    ("forge", "check", "reason"),
    [
        (flip_last, "outcomes", "loops.0..online.base"),
        (raise_gain, "measures", "online.gain.value is 0.99, and the records say"),
        (raise_stream, "measures", "is 0.99, and the records say"),
        (hide_cost, "cost", "online"),
        (contradict_turn_1, "agreement", "online.base differs from the experience of turn 1"),
        (drop_online, "agreement", "online outcomes are missing, but the run says otherwise"),
        (drop_turn, "agreement", "online.best has 1 entries, not 2"),
        (claim_none, "agreement", "online outcomes exist, but the run says otherwise"),
    ],
)
def test_a_forged_result_is_found(run: ictbench.Run, forge: Callable[[Json], None], check: str, reason: str) -> None:
    assert reason in failed(altered(run, result=forge))[check].replace("[0]", ".0.").replace("loops.0...", "loops.0..")


def test_missing_online_episodes_are_found(run: ictbench.Run) -> None:
    missing = next(key for key, purposes in sorted(_purposes(run.result).items()) if purposes == {"online"})

    def drop(records: list[Json]) -> None:
        records[:] = [record for record in records if record["key"] != missing]

    assert f"{missing} is missing" in failed(altered(run, records=drop))["episodes"]
