"""A result with repeats follows from its records, one of each replicate; neither more nor fewer are accepted."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from repeated_run import repeated_run
from small_run import SUITE, failed

import ictbench
from ictbench.audit.recompute import recompute
from ictbench.protocol import sampling_seed
from ictbench.results import Result
from ictbench.submissions.episode_records import RUN_DIGITS, EpisodeRecord, Evidence, evidence_of_run

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]


def altered(
    result: Callable[[Json], object] = lambda result: None,
    records: Callable[[list[Json]], object] = lambda records: None,
) -> Evidence:
    """Return the evidence of the run after edits of its JSON, with a matching checksum."""
    evidence = evidence_of_run(repeated_run().folder)
    result_json = evidence.result.model_dump(mode="json", by_alias=True)
    records_json = [record.model_dump(mode="json") for record in evidence.episodes()]
    result(result_json)
    records(records_json)
    edited = [EpisodeRecord.model_validate(record) for record in records_json]
    return Evidence(Result.model_validate(result_json), lambda: iter(edited), RUN_DIGITS)


def replicates(records: list[Json], number: int) -> list[Json]:
    return [record for record in records if record["replicate"] == number]


def test_an_honest_run_with_repeats_passes_every_check() -> None:
    checks = list(recompute(evidence_of_run(repeated_run().folder), SUITE))
    assert {check.verdict for check in checks} == {"passed"}


def test_every_replicate_is_replayed() -> None:
    verification = ictbench.verify(repeated_run().folder, executor="inline")
    assert verification.passed
    assert verification.replayed is not None
    assert verification.replayed.episodes == len(repeated_run().episode_keys())


def drop(records: list[Json]) -> None:
    records.remove(replicates(records, 2)[0])


def add(records: list[Json]) -> None:
    extra = copy.deepcopy(replicates(records, 2)[0])
    seed = sampling_seed(SUITE.digest, extra["task"]["id"], 3)
    records.append({**extra, "key": extra["key"].replace(".2", ".3"), "replicate": 3, "seed": seed})


def repeat_experience(records: list[Json]) -> None:
    scored = {record["task"]["id"] for record in replicates(records, 1)}
    extra = copy.deepcopy(next(record for record in records if record["task"]["id"] not in scored))
    seed = sampling_seed(SUITE.digest, extra["task"]["id"], 1)
    records.append({**extra, "key": f"{extra['key']}.1", "replicate": 1, "seed": seed})


def swap(records: list[Json]) -> None:
    """Give replicate 1 the seed of replicate 0, as if the better of both could be chosen."""
    record = replicates(records, 1)[0]
    record["seed"] = sampling_seed(SUITE.digest, record["task"]["id"], 0)


def renumber(records: list[Json]) -> None:
    replicates(records, 1)[0]["replicate"] = 2


def twice(records: list[Json]) -> None:
    records.append(copy.deepcopy(replicates(records, 1)[0]))


@pytest.mark.parametrize(
    ("forge", "check", "reason"),
    [
        (drop, "episodes", ".2 is missing"),
        (add, "episodes", ".3 is not needed by any loop"),
        (repeat_experience, "episodes", ".1 is not needed by any loop"),
        (swap, "records", "its sampling seed is"),
        (renumber, "records", "its key does not belong to prompt"),
        (twice, "episodes", ".1 occurs twice"),
    ],
)
def test_a_forged_number_of_replicates_is_found(forge: Callable[[list[Json]], None], check: str, reason: str) -> None:
    assert reason in failed(altered(records=forge))[check]


def claim_fewer(result: Json) -> None:
    result["sizes"]["repeats"] = 2


def claim_none(result: Json) -> None:
    """Claim that each task was played once, and solved if any of its repeats was."""
    del result["sizes"]["repeats"]
    for family in result["families"]:
        for loop in family["loops"]:
            loop["selection"] = [best_of_three(outcomes) for outcomes in loop["selection"]]
            loop["test"] = {index: best_of_three(outcomes) for index, outcomes in loop["test"].items()}
            scores = [outcomes.count("1") for outcomes in loop["selection"]]
            loop["best"] = scores.index(max(scores))


def best_of_three(outcomes: str) -> str:
    return "".join(max(outcomes[start : start + 3]) for start in range(0, len(outcomes), 3))


def hide_deviation(result: Json) -> None:
    result["deviations"] = [text for text in result["deviations"] if not text.startswith("repeats")]


def raise_pass_k(result: Json) -> None:
    result["families"][0]["measures"]["reliability"]["best"]["pass_k"][2]["value"] = 1.0


def drop_reliability(result: Json) -> None:
    del result["by_role"]["held-out"]["reliability"]


@pytest.mark.parametrize(
    ("forge", "check", "reason"),
    [
        (claim_fewer, "agreement", "3 tasks of 2 episodes each and the outcomes"),
        (claim_none, "episodes", "is not needed by any loop"),
        (hide_deviation, "setup", "it does not state the deviation: repeats 3 instead of 1"),
        (raise_pass_k, "measures", "eat: measures.reliability.best.pass_k[2].value is 1.0"),
        (drop_reliability, "means", "held-out.reliability"),
    ],
)
def test_a_forged_result_with_repeats_is_found(forge: Callable[[Json], None], check: str, reason: str) -> None:
    assert reason in failed(altered(result=forge))[check]
