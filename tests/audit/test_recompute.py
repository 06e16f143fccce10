"""A result passes only if everything in it follows from the records of its episodes."""

from __future__ import annotations

import copy
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from small_run import SUITE, Place, altered, change, failed, places, record_with, small_run

from ictbench.audit.recompute import recompute
from ictbench.records import prompt_digest
from ictbench.submissions.episode_records import evidence_of_run

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]

NOT_IN_RECORDS = {"host", "ictbench", "actor", "reflector", "reflector_trained_on", "retried_failures"}
"""Fields of a result that no episode can confirm: who played, and where."""


def test_honest_run_passes_every_check() -> None:
    checks = list(recompute(evidence_of_run(small_run()), SUITE))
    assert {check.verdict for check in checks} == {"passed"}
    assert [check.name for check in checks] == [
        *("suite", "agreement", "loops", "setup", "prompts", "tasks", "records", "episodes"),
        *("outcomes", "best", "measures", "behaviour", "means", "cost"),
    ]


def test_recomputation_imports_no_environment_and_no_plug_in() -> None:
    program = (
        "import sys; from pathlib import Path; from ictbench import load_suite\n"
        "from ictbench.audit.recompute import recompute\n"
        "from ictbench.submissions.episode_records import evidence_of_run\n"
        f"checks = list(recompute(evidence_of_run(Path({str(small_run())!r})), load_suite({SUITE.name!r})))\n"
        "assert len(checks) == 14 and all(check.verdict == 'passed' for check in checks)\n"
        "seen = ('nle', 'minihack', 'gymnasium', 'ictbench.envs.minihack.minihack_env', 'ictbench.scripted.policy')\n"
        "print([name for name in sys.modules if name in seen])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_every_change_of_a_result_is_found(data: st.DataObject) -> None:
    content = altered().result.model_dump(mode="json", by_alias=True)
    place = data.draw(st.sampled_from([place for place in places(content) if not is_unverifiable(place)]))
    try:
        evidence = altered(result=lambda result: change(result, place))
    except ValidationError:
        return
    assert failed(evidence)


def is_unverifiable(place: Place) -> bool:
    """Whether no record confirms a value, or another check compares it with a file."""
    unconfirmed = place[0] in NOT_IN_RECORDS or place[:2] == ("cost", "reflector")
    return unconfirmed or place[-1] in ("analysis", "episodes_sha256", "checksum")


def flip_test_outcomes(result: Json) -> None:
    loop = result["families"][0]["loops"][0]
    loop["test"]["0"] = "".join("10"[int(outcome)] for outcome in loop["test"]["0"])


def edit_prompt(result: Json) -> None:
    prompt = result["families"][0]["loops"][0]["prompts"][1]
    prompt["text"] += "\n- Be quick."


def edit_prompt_and_digest(result: Json) -> None:
    prompt = result["families"][0]["loops"][0]["prompts"][1]
    prompt["text"] += "\n- Be quick."
    prompt["digest"] = prompt_digest(prompt["text"])


def replace_first_prompt(result: Json) -> None:
    for family in result["families"]:
        for loop in family["loops"]:
            loop["prompts"][0]["text"] = "Eat."
            loop["prompts"][0]["digest"] = prompt_digest("Eat.")


def change_prompt_of_failed_reflection(result: Json) -> None:
    prompts = [loop["prompts"] for family in result["families"] for loop in family["loops"]]
    next(pair[1] for pair in prompts if pair[0]["text"] != pair[1]["text"])["failure"] = "unparseable"


def exceed_prompt_limit(result: Json) -> None:
    prompt = result["families"][0]["loops"][0]["prompts"][2]
    prompt["text"] = "é" * 4001
    prompt["digest"] = prompt_digest(prompt["text"])


def give_two_texts_one_digest(result: Json) -> None:
    loops = result["families"][0]["loops"]
    loops[1]["prompts"][1]["text"] += "!"
    loops[1]["prompts"][1]["digest"] = loops[0]["prompts"][0]["digest"]


def use_test_tasks_of_other_loop(result: Json) -> None:
    loops = result["families"][0]["loops"]
    loops[0]["test_tasks"] = loops[1]["test_tasks"]


def repeat_experience_task(result: Json) -> None:
    batches = result["families"][0]["loops"][0]["batches"]
    batches[1]["tasks"][0] = batches[0]["tasks"][0]


def change_loop_index(result: Json) -> None:
    for family in result["families"]:
        family["loops"][2]["index"] = 7


def hide_deviations(result: Json) -> None:
    result["deviations"] = []


def claim_rejected_requests(result: Json) -> None:
    result["families"][0]["behaviour"]["failed"] = {"bad_request": 90}


def claim_ranked(result: Json) -> None:
    result["ranked"] = True


def claim_huge_loops(result: Json) -> None:
    result["sizes"]["loops"] = 10**15


def claim_huge_batches(result: Json) -> None:
    result["sizes"]["batch_size"] = 10**15


def claim_negative_cost(result: Json) -> None:
    result["cost"]["reflector"]["cost"] = -1.0


@pytest.mark.parametrize(
    ("edit", "check", "detail"),
    [
        (flip_test_outcomes, "outcomes", r"eat: loops\[0\].test.0 is '\d+', and the records say '\d+'"),
        (edit_prompt, "prompts", r"eat, loop 0: the digest of prompt\[1\] is '\w+', that of its text \w+"),
        (edit_prompt_and_digest, "episodes", r"eat-\d+@\w+ is missing \(and"),
        (replace_first_prompt, "prompts", r"eat, loop 0: prompt\[0\] is not the suite's own: 'Eat.' \(and 5 more\)"),
        (
            change_prompt_of_failed_reflection,
            "prompts",
            r"prompt\[1\] differs from the one before, though its reflection is unparseable",
        ),
        (exceed_prompt_limit, "prompts", r"prompt\[2\] has 8,002 bytes, of at most 8,000"),
        (give_two_texts_one_digest, "prompts", r"that of its text \w+ \(and 1 more\)"),
        (use_test_tasks_of_other_loop, "tasks", r"eat, loop 0: test_tasks\[0\] is 'eat-21000', not 'eat-20000'"),
        (repeat_experience_task, "tasks", r"eat, loop 0: 'eat-\d+' occurs twice in the experience"),
        (change_loop_index, "agreement", r"loop 7 exists, but the run has 3 loops from 0"),
        (hide_deviations, "setup", r"it does not state the deviation: "),
        (
            claim_rejected_requests,
            "setup",
            r"it does not state the deviation: bad_request 90 of \d+ episodes, more than",
        ),
        (claim_rejected_requests, "behaviour", r"behaviour.failed.bad_request is 90"),
        (claim_ranked, "setup", r"ranked is True, not False"),
        (claim_huge_loops, "agreement", r"family eat: complete, but loop 3 is missing"),
        (claim_huge_batches, "loops", r"eat, loop 0: 2 experience tasks under prompt\[0\], not 1000000000000000"),
        (claim_negative_cost, "cost", r"reflector.cost is -1.0"),
    ],
)
def test_forged_result_fails_a_check(edit: Callable[[Json], None], check: str, detail: str) -> None:
    assert re.search(detail, failed(altered(result=edit))[check])


def drop_record(records: list[Json]) -> None:
    records.remove(record_with(records, "read-10"))


def duplicate_record(records: list[Json]) -> None:
    records.append(record_with(records, "read-10"))


def add_record(records: list[Json]) -> None:
    record = copy.deepcopy(record_with(records, "read-10"))
    record["key"] = record["key"].replace("read-1", "read-9")
    records.append(record)


def turn_losses_into_wins(records: list[Json]) -> None:
    for record in records:
        if record["trajectory"]["end"] == "step_limit":
            record["trajectory"]["end"] = "solved"


def use_easier_environment(records: list[Json]) -> None:
    for record in records:
        record["task"]["params"]["env_id"] = "MiniHack-Room-5x5-v0"


def change_sampling_seed(records: list[Json]) -> None:
    record_with(records, "eat")["seed"] += 1


def exceed_step_limit(records: list[Json]) -> None:
    steps = next(r["trajectory"]["steps"] for r in records if r["trajectory"]["end"] == "step_limit")
    steps.append(steps[-1])


def shorten_lost_episode(records: list[Json]) -> None:
    next(r["trajectory"]["steps"] for r in records if r["trajectory"]["end"] == "step_limit").pop()


def swap_records_of_two_prompts(records: list[Json]) -> None:
    first, second = [record for record in records if record["key"].startswith("eat-20000@")][:2]
    first["trajectory"], second["trajectory"] = second["trajectory"], first["trajectory"]
    first["key"], second["key"] = second["key"], first["key"]


def change_first_digest(records: list[Json]) -> None:
    record_with(records, "eat")["trajectory"]["steps"][0]["digest"] = "0" * 16


def change_start(records: list[Json]) -> None:
    record_with(records, "eat")["start"] = "0" * 16


def claim_no_start(records: list[Json]) -> None:
    record_with(records, "eat").pop("start")


def claim_infinite_reward(records: list[Json]) -> None:
    record_with(records, "eat")["trajectory"]["steps"][0]["reward"] = float("inf")


def remove_executed_action(records: list[Json]) -> None:
    step = next(step for record in records for step in record["trajectory"]["steps"] if step["reward"])
    step["executed"] = None


def change_package_version(records: list[Json]) -> None:
    record_with(records, "eat")["versions"]["nle"] = "0.0"


@pytest.mark.parametrize(
    ("edit", "check", "detail"),
    [
        (drop_record, "episodes", r"^read-10\d+@\w+ is missing$"),
        (duplicate_record, "episodes", r"^read-10\d+@\w+ occurs twice$"),
        (add_record, "episodes", r"^'read-90\d+@\w+' is not needed by any loop$"),
        (turn_losses_into_wins, "outcomes", r"the records say"),
        (
            use_easier_environment,
            "records",
            r"task.params.env_id is 'MiniHack-Room-5x5-v0', and the suite's own is 'MiniHack-Eat-v0'",
        ),
        (change_sampling_seed, "records", r"its sampling seed is \d+, not \d+"),
        (exceed_step_limit, "records", r"26 decisions, of at most 25"),
        (shorten_lost_episode, "records", r"its end is the limit of 25 decisions, after 24"),
        (swap_records_of_two_prompts, "records", r"its key does not belong to prompt"),
        (change_first_digest, "records", r"it starts with \w+ \w+, the same task elsewhere with 0000"),
        (change_start, "records", r"the same task elsewhere with \w+ 0000"),
        (claim_no_start, "records", r"it starts with \w+ \w+, the same task elsewhere with \w+$"),
        (claim_infinite_reward, "records", r"decision 1: the reward is inf"),
        (remove_executed_action, "records", r"nothing was executed, but"),
        (change_package_version, "records", r"it was played with nle '0.0', and the run with '\d"),
    ],
)
def test_forged_records_fail_a_check(edit: Callable[[list[Json]], None], check: str, detail: str) -> None:
    assert re.search(detail, failed(altered(records=edit))[check])


def test_other_suite_fails_the_first_check_and_ends_the_recomputation() -> None:
    other = SUITE.model_copy(update={"prompt": "Play."})
    other.__dict__.pop("digest", None)
    (check,) = recompute(evidence_of_run(small_run()), other)
    assert (check.name, check.verdict) == ("suite", "failed")
    assert "its digest is" in check.detail


def test_incomplete_run_fails_the_check_of_loops() -> None:
    def edit(result: Json) -> None:
        result["complete"], result["owed"] = False, 3

    assert failed(altered(result=edit)) == {"loops": "the run is incomplete: 3 owed, or loops missing; continue it"}
