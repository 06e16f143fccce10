"""Runs with `--repeats`: selection and test episodes are played several times, each with its own sampling seed."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import defaultdict
from statistics import fmean
from typing import TYPE_CHECKING, Any

import pytest
from honest import STATEMENT
from repeated_run import OPTIONS, repeated_run
from small_run import SUITE

import ictbench
from ictbench.board.examine import check_submission
from ictbench.errors import ConfigError, ResultError, RunFolderError
from ictbench.protocol import sampling_seed
from ictbench.results.notes import remarks
from ictbench.results.pairing import incomparable
from ictbench.results.transfer_matrix import transfer
from ictbench.submissions.build_submission import draft, submit
from ictbench.submissions.episode_records import evidence_of_run
from ictbench.submissions.pack import pack_lines, pack_record
from ictbench.submissions.read_submission import read_content

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ictbench.results import Result
    from ictbench.results.schema import Interval
    from ictbench.submissions.episode_records import EpisodeRecord
    from ictbench.submissions.layout import SubmissionFolder


@pytest.fixture(scope="module")
def run() -> ictbench.Run:
    return repeated_run()


def test_scoring_episodes_are_played_three_times_and_experience_once(run: ictbench.Run) -> None:
    seeds: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for record in evidence_of_run(run.folder).episodes():
        seeds[f"{record.task.id}@{record.prompt}"][record.replicate] = record.seed
    loops = [loop for family in run.result.families for loop in family.loops]
    scored = {task for loop in loops for task in loop.selection_tasks + loop.test_tasks}
    for played, by_replicate in seeds.items():
        task = played.split("@")[0]
        expected = range(3) if task in scored else range(1)
        assert by_replicate == {replicate: sampling_seed(SUITE.digest, task, replicate) for replicate in expected}
    assert len({seed for by_replicate in seeds.values() for seed in by_replicate.values()}) > len(seeds)


def test_outcomes_of_a_task_stand_together_in_the_order_of_its_replicates(run: ictbench.Run) -> None:
    solved = {record.key: record.trajectory.end == "solved" for record in evidence_of_run(run.folder).episodes()}
    outcomes: set[str] = set()
    for family in run.result.families:
        for loop in family.loops:
            scores = [(loop.selection_tasks, *score) for score in enumerate(loop.selection)]
            scores += [(loop.test_tasks, *score) for score in loop.test.items()]
            for tasks, prompt, claimed in scores:
                digest = loop.prompts[prompt].digest
                keys = [f"{task}@{digest}{suffix}" for task in tasks for suffix in ("", ".1", ".2")]
                assert claimed == "".join(str(int(solved[key])) for key in keys)
                outcomes.update(claimed[start : start + 3] for start in range(0, len(claimed), 3))
            assert [len(batch.outcomes) for batch in loop.batches] == [2, 2]
    assert len(outcomes) > 2, "repeats differ"


def test_pass_k_is_that_of_the_records(run: ictbench.Run) -> None:
    solved: defaultdict[str, list[bool]] = defaultdict(list)
    for record in evidence_of_run(run.folder).episodes():
        solved[f"{record.task.id}@{record.prompt}"].append(record.trajectory.end == "solved")
    for family in run.result.families:
        assert family.measures is not None
        assert family.measures.reliability is not None
        reliability = family.measures.reliability
        for name, index in (("base", lambda loop: 0), ("best", lambda loop: loop.best), ("last", lambda loop: 2)):
            digests = {loop.index: loop.prompts[index(loop)].digest for loop in family.loops}
            tasks = [solved[f"{task}@{digests[loop.index]}"] for loop in family.loops for task in loop.test_tasks]
            found = getattr(reliability, name).pass_k
            for k, interval in enumerate(found, 1):
                subsets = [fmean(all(subset) for subset in itertools.combinations(task, k)) for task in tasks]
                assert interval.value == pytest.approx(fmean(subsets))
            first: Interval = getattr(family.measures, name)
            assert found[0].value == pytest.approx(first.value)
            assert found[2].value <= found[1].value <= found[0].value
            noise = getattr(reliability, name).noise
            assert 0 <= noise <= 1 if {solved for task in tasks for solved in task} == {True, False} else noise is None
    means = [measures.reliability.base.pass_k for measures in run.result.by_role.values() if measures.reliability]
    assert len(means) == 2
    assert any(once.value > thrice.value for once, _, thrice in means)


def test_levels_are_the_shares_of_solved_episodes(run: ictbench.Run) -> None:
    for family in run.result.families:
        assert family.measures is not None
        base = [loop.test[0].count("1") / 15 for loop in family.loops]
        assert family.measures.base.value == pytest.approx(fmean(base))
        curve = [loop.selection[1].count("1") / 9 for loop in family.loops]
        assert family.measures.curve[1].value == pytest.approx(fmean(curve))
        gains = [(loop.test[loop.best].count("1") - loop.test[0].count("1")) / 15 for loop in family.loops]
        assert family.measures.gain.value == pytest.approx(fmean(gains))
        assert family.measures.negative_transfer.value == pytest.approx(fmean(gain < 0 for gain in gains))
        for loop in family.loops:
            scores = [outcomes.count("1") for outcomes in loop.selection]
            assert loop.best == scores.index(max(scores))


def test_the_result_states_its_repeats_as_a_deviation(run: ictbench.Run) -> None:
    result = run.result
    assert result.sizes.repeats == 3
    assert "repeats 3 instead of 1" in result.deviations
    assert not result.ranked


def test_a_run_without_repeats_does_not_mention_them(run: ictbench.Run, tmp_path: Path) -> None:
    once = ictbench.run(**{**OPTIONS, "repeats": 1, "loops": 1}, out=tmp_path / "run")
    plain = json.loads(once.result.to_json())
    assert "repeats" not in plain["sizes"]
    assert "reliability" not in plain["by_role"]["held-out"]
    assert "repeats" not in (tmp_path / "run/run.json").read_text()


def test_planned_episodes_include_repeats() -> None:
    once, thrice = (ictbench.dry_run(**{**OPTIONS, "repeats": repeats}).counts for repeats in (1, 3))
    for pool in ("selection", "test"):
        assert thrice[f"{pool}_episodes"] == 3 * once[f"{pool}_episodes"]
    assert thrice["experience_episodes"] == once["experience_episodes"]


def test_progress_ends_at_the_planned_episodes(tmp_path: Path) -> None:
    seen: list[Any] = []
    ictbench.run(
        **{**OPTIONS, "loops": 2}, out=tmp_path / "run", on_start=lambda folder, progress: seen.append(progress)
    )
    (progress,) = seen
    assert progress.episodes_done == progress.episodes


def test_a_run_stopped_between_repeats_is_continued(run: ictbench.Run, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="stopped here"):
        ictbench.run(**OPTIONS, out=tmp_path / "run", on_start=lambda folder, progress: stop_after(progress, 100))
    recorded = len(ictbench.load_run(tmp_path / "run").episode_keys())
    assert 100 <= recorded < len(run.episode_keys())
    continued = ictbench.run(**OPTIONS, out=tmp_path / "run")
    assert continued.result.checksum == run.result.checksum


def stop_after(progress: Any, episodes: int) -> None:
    """Let the run fail once so many episodes are played."""
    add = progress.costs.add_episode

    def add_or_stop(family: str, usage: Any) -> None:
        add(family, usage)
        if progress.played >= episodes:
            raise RuntimeError("stopped here")

    progress.costs.add_episode = add_or_stop


def test_a_folder_is_not_continued_with_other_repeats(run: ictbench.Run) -> None:
    with pytest.raises(RunFolderError, match="repeats"):
        ictbench.run(**{**OPTIONS, "repeats": 2}, out=run.folder)


def test_repeats_have_bounds() -> None:
    for repeats in (0, 101):
        with pytest.raises(ConfigError, match="repeats"):
            ictbench.dry_run(**{**OPTIONS, "repeats": repeats})


def test_a_deterministic_actor_is_not_repeated(tmp_path: Path) -> None:
    options: dict[str, Any] = {"suite": "alfworld-procgen-v1", "actor": "solver", "executor": "inline"}
    with pytest.raises(ConfigError, match=r"'solver' is deterministic.*leave out --repeats"):
        ictbench.run(**options, repeats=2, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_results_with_other_repeats_are_not_comparable(run: ictbench.Run, tmp_path: Path) -> None:
    twice = ictbench.run(**{**OPTIONS, "repeats": 2, "reflector": "none"}, out=tmp_path / "run").result
    assert incomparable(run.result, twice)[0] == "repeats 3 against 2"
    once = without_repeats(twice)
    assert incomparable(once, twice)[0] == "repeats 1 against 2"
    with pytest.raises(ResultError, match="not comparable: repeats 3 against 2"):
        ictbench.compare(run.result, twice)
    with pytest.raises(ConfigError, match="not comparable: repeats is 3 in the first and 2 in the second"):
        transfer({"three": run.result, "two": twice})
    (arm,) = ictbench.compare(run.result, twice, force=True).arms
    assert "repeats 3 against 2" in arm.not_comparable
    for row in arm.families:
        assert row.wins + row.ties + row.losses == 15


def without_repeats(result: Result) -> Result:
    return result.model_copy(update={"sizes": result.sizes.model_copy(update={"repeats": 1}), "deviations": ()})


def test_a_result_with_repeats_does_not_differ_from_itself(run: ictbench.Run) -> None:
    for measure in ("best", "gain"):
        (arm,) = ictbench.compare(run.result, run.result, measure=measure).arms
        for row in arm.rows:
            assert (row.difference.value, row.p, row.wins, row.losses) == (0, 1, 0, 0)


def test_wins_and_losses_compare_all_repeats_of_a_task(run: ictbench.Run, tmp_path: Path) -> None:
    other = ictbench.run(**{**OPTIONS, "reflector": "none"}, out=tmp_path / "run").result
    (arm,) = ictbench.compare(run.result, other).arms
    for row, one, two in zip(arm.families, run.result.families, other.families, strict=True):
        differences = [
            two_loop.test[two_loop.best][3 * task : 3 * task + 3].count("1")
            - one_loop.test[one_loop.best][3 * task : 3 * task + 3].count("1")
            for one_loop, two_loop in zip(one.loops, two.loops, strict=True)
            for task in range(5)
        ]
        assert row.wins == sum(difference > 0 for difference in differences)
        assert row.losses == sum(difference < 0 for difference in differences)
        assert row.difference.value == pytest.approx(fmean(differences) / 3)


def test_tables_and_remarks_state_pass_k_and_noise(run: ictbench.Run) -> None:
    table = run.tables()["reliability"]
    rows = {(row["family"], row["role"], row["prompt"]): row for row in table.to_dict("records")}
    for family in run.result.families:
        assert family.measures is not None
        assert family.measures.reliability is not None
        for prompt, repeated in family.measures.reliability:
            row = rows[family.name, family.role, prompt]
            assert [row[f"pass_{k}"] for k in (1, 2, 3)] == [interval.value for interval in repeated.pass_k]
            assert row["pass_3_high"] == repeated.pass_k[2].high
            assert row["noise"] == repeated.noise or (repeated.noise is None and row["noise"] != row["noise"])
    assert ("mean", "held-out", "best") in rows
    assert (run.folder / "tables/reliability.csv").exists()
    (said,) = (line for line in remarks(run.result) if line.startswith("pass^1 … pass^3") and "meta-train" in line)
    reliability = run.result.by_role["meta-train"].reliability
    assert reliability is not None
    values = ", ".join(f"{interval.value:.2f}" for interval in reliability.base.pass_k)
    assert f"base {values};" in said


def test_rows_name_the_repeats_and_every_replicate(run: ictbench.Run) -> None:
    assert set(run.results()["repeats"]) == {3}
    episodes = run.episodes()
    scored = episodes[[("test" in pools or "selection" in pools) for pools in episodes["pools"]]]
    assert dict(scored["replicate"].value_counts()) == dict.fromkeys(range(3), len(scored) // 3)
    assert set(episodes["replicate"][["experience" in pools for pools in episodes["pools"]]]) == {0}
    assert all(episodes["uses"].map(len) > 0)


@pytest.fixture
def shown(run: ictbench.Run, tmp_path: Path) -> SubmissionFolder:
    """Return a submission of the run, which is shown without a rank."""
    return submit(draft(run, tmp_path, STATEMENT, unranked=True), check_submission, git=False).folder


def test_a_submission_with_repeats_is_accepted_unranked_only(
    run: ictbench.Run, shown: SubmissionFolder, tmp_path: Path
) -> None:
    refused = draft(run, tmp_path / "ranked", STATEMENT)
    (line,) = (line for line in refused.missing if "is not ranked" in line)
    assert "--repeats" in line.partition(", without ")[2].split(", ")
    content = read_content(shown)
    assert {record.replicate for record in content.evidence.episodes()} == {0, 1, 2}
    assert {episode.trajectory.solved for episode in content.shown_episodes()} == {True, False}
    assert list(check_submission(shown, SUITE.name, submitted=True))
    assert not list(check_submission(shown, SUITE.name, submitted=False))


def drop_replicate(records: list[EpisodeRecord]) -> list[EpisodeRecord]:
    dropped = next(record for record in records if record.replicate == 2)
    return [record for record in records if record is not dropped]


def add_replicate(records: list[EpisodeRecord]) -> list[EpisodeRecord]:
    last = next(record for record in records if record.replicate == 2)
    seed = sampling_seed(SUITE.digest, last.task.id, 3)
    extra = last.model_copy(update={"key": last.key.replace(".2", ".3"), "replicate": 3, "seed": seed})
    return sorted([*records, extra], key=lambda record: record.key)


@pytest.mark.parametrize(
    ("forge", "reason"), [(drop_replicate, ".2 is missing"), (add_replicate, ".3 is not needed by any loop")]
)
def test_a_submission_with_a_forged_number_of_replicates_is_refused(
    shown: SubmissionFolder, forge: Callable[[list[EpisodeRecord]], list[EpisodeRecord]], reason: str
) -> None:
    records = list(read_content(shown).evidence.episodes())
    shown.episodes.write_bytes(packed := pack_lines(map(pack_record, forge(records))))
    metadata = json.loads(shown.metadata.read_text())
    metadata["files"][shown.episodes.name] = hashlib.sha256(packed).hexdigest()
    shown.metadata.write_text(json.dumps(metadata))
    assert any(reason in problem for problem in check_submission(shown, SUITE.name, submitted=False))
