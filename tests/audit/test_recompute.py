"""A result is believed where everything in it follows from the records of its episodes, and nowhere else."""

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

Plain = dict[str, Any]

NO_MATTER_OF_RECORDS = {"host", "ictbench", "actor", "reflector", "reflector_trained_on", "retried_failures"}
"""What a result says that no episode shows: who played, and where."""


def test_an_honest_run_passes_every_check() -> None:
    checks = list(recompute(evidence_of_run(small_run()), SUITE))
    assert {check.verdict for check in checks} == {"passed"}
    assert [check.name for check in checks] == [
        *("suite", "agreement", "loops", "setup", "prompts", "tasks", "records", "episodes"),
        *("outcomes", "best", "measures", "behaviour", "means", "cost"),
    ]


def test_only_data_is_read() -> None:
    program = (
        "import sys; from pathlib import Path; from ictbench import load_suite\n"
        "from ictbench.audit.recompute import recheck\n"
        "from ictbench.submissions.episode_records import evidence_of_run\n"
        f"checks = list(recheck(evidence_of_run(Path({str(small_run())!r})), load_suite({SUITE.name!r})))\n"
        "assert len(checks) == 14 and all(check.verdict == 'passed' for check in checks)\n"
        "seen = ('nle', 'minihack', 'gymnasium', 'ictbench.envs.minihack.minihack_env', 'ictbench.scripted.policy')\n"
        "print([name for name in sys.modules if name in seen])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_whatever_is_changed_in_a_result_is_found(data: st.DataObject) -> None:
    plain = altered().result.model_dump(mode="json", by_alias=True)
    place = data.draw(st.sampled_from([place for place in places(plain) if not of_no_record(place)]))
    try:
        evidence = altered(result=lambda result: change(result, place))
    except ValidationError:
        return
    assert failed(evidence)


def of_no_record(place: Place) -> bool:
    """Whether nothing but the submitter says so, or the run's file is asked instead of its records."""
    unseen = place[0] in NO_MATTER_OF_RECORDS or place[:2] == ("cost", "reflector")
    return unseen or place[-1] in ("analysis", "episodes_sha256", "checksum")


def swap_outcome(result: Plain) -> None:
    loop = result["families"][0]["loops"][0]
    loop["test"]["0"] = "".join("10"[int(outcome)] for outcome in loop["test"]["0"])


def rewrite_after_the_fact(result: Plain) -> None:
    prompt = result["families"][0]["loops"][0]["prompts"][1]
    prompt["text"] += "\n- Be quick."


def rewrite_with_its_digest(result: Plain) -> None:
    prompt = result["families"][0]["loops"][0]["prompts"][1]
    prompt["text"] += "\n- Be quick."
    prompt["digest"] = prompt_digest(prompt["text"])


def own_first_prompt(result: Plain) -> None:
    for family in result["families"]:
        for loop in family["loops"]:
            loop["prompts"][0]["text"] = "Eat."
            loop["prompts"][0]["digest"] = prompt_digest("Eat.")


def change_though_failed(result: Plain) -> None:
    prompts = [loop["prompts"] for family in result["families"] for loop in family["loops"]]
    next(two[1] for two in prompts if two[0]["text"] != two[1]["text"])["failure"] = "unparseable"


def too_long_a_prompt(result: Plain) -> None:
    prompt = result["families"][0]["loops"][0]["prompts"][2]
    prompt["text"] = "é" * 4001
    prompt["digest"] = prompt_digest(prompt["text"])


def two_texts_of_one_digest(result: Plain) -> None:
    loops = result["families"][0]["loops"]
    loops[1]["prompts"][1]["text"] += "!"
    loops[1]["prompts"][1]["digest"] = loops[0]["prompts"][0]["digest"]


def other_test_tasks(result: Plain) -> None:
    loops = result["families"][0]["loops"]
    loops[0]["test_tasks"] = loops[1]["test_tasks"]


def met_twice(result: Plain) -> None:
    batches = result["families"][0]["loops"][0]["batches"]
    batches[1]["tasks"][0] = batches[0]["tasks"][0]


def lucky_loops(result: Plain) -> None:
    for family in result["families"]:
        family["loops"][2]["index"] = 7


def no_deviation(result: Plain) -> None:
    result["deviations"] = []


def ranked(result: Plain) -> None:
    result["ranked"] = True


def huge_loops(result: Plain) -> None:
    result["sizes"]["loops"] = 10**15


def huge_batches(result: Plain) -> None:
    result["sizes"]["batch_size"] = 10**15


def free_of_charge(result: Plain) -> None:
    result["cost"]["reflector"]["cost"] = -1.0


@pytest.mark.parametrize(
    ("edit", "check", "words"),
    [
        (swap_outcome, "outcomes", r"eat: loops\[0\].test.0 is '\d+', and the records say '\d+'"),
        (rewrite_after_the_fact, "prompts", r"eat, loop 0: the digest of prompt\[1\] is '\w+', that of its text \w+"),
        (rewrite_with_its_digest, "episodes", r"eat-\d+@\w+ is missing \(and"),
        (own_first_prompt, "prompts", r"eat, loop 0: prompt\[0\] is not the suite's own: 'Eat.' \(and 5 more\)"),
        (change_though_failed, "prompts", r"prompt\[1\] is another one, though its reflection is unparseable"),
        (too_long_a_prompt, "prompts", r"prompt\[2\] has 8,002 bytes, of at most 8,000"),
        (two_texts_of_one_digest, "prompts", r"that of its text \w+ \(and 1 more\)"),
        (other_test_tasks, "tasks", r"eat, loop 0: test_tasks\[0\] is 'eat-21000', not 'eat-20000'"),
        (met_twice, "tasks", r"eat, loop 0: 'eat-\d+' is met twice"),
        (lucky_loops, "agreement", r"loop 7 is there, of 3 loops from 0"),
        (no_deviation, "setup", r"it keeps silent about the deviation: "),
        (ranked, "setup", r"ranked is True, not False"),
        (huge_loops, "agreement", r"family eat: complete, but loop 3 is missing"),
        (huge_batches, "loops", r"eat, loop 0: 2 experience tasks under prompt\[0\], not 1000000000000000"),
        (free_of_charge, "cost", r"reflector.cost is -1.0"),
    ],
)
def test_what_a_result_cannot_claim(edit: Callable[[Plain], None], check: str, words: str) -> None:
    assert re.search(words, failed(altered(result=edit))[check])


def drop(records: list[Plain]) -> None:
    records.remove(record_with(records, "read-10"))


def double(records: list[Plain]) -> None:
    records.append(record_with(records, "read-10"))


def add(records: list[Plain]) -> None:
    record = copy.deepcopy(record_with(records, "read-10"))
    record["key"] = record["key"].replace("read-1", "read-9")
    records.append(record)


def win(records: list[Plain]) -> None:
    for record in records:
        if record["trajectory"]["end"] == "step_limit":
            record["trajectory"]["end"] = "solved"


def easier_task(records: list[Plain]) -> None:
    for record in records:
        record["task"]["params"]["env_id"] = "MiniHack-Room-5x5-v0"


def other_seed(records: list[Plain]) -> None:
    record_with(records, "eat")["seed"] += 1


def longer(records: list[Plain]) -> None:
    steps = next(r["trajectory"]["steps"] for r in records if r["trajectory"]["end"] == "step_limit")
    steps.append(steps[-1])


def early_limit(records: list[Plain]) -> None:
    next(r["trajectory"]["steps"] for r in records if r["trajectory"]["end"] == "step_limit").pop()


def swapped_between_prompts(records: list[Plain]) -> None:
    one, other = [record for record in records if record["key"].startswith("eat-20000@")][:2]
    one["trajectory"], other["trajectory"] = other["trajectory"], one["trajectory"]
    one["key"], other["key"] = other["key"], one["key"]


def other_start(records: list[Plain]) -> None:
    record_with(records, "eat")["trajectory"]["steps"][0]["digest"] = "0" * 16


def infinite_reward(records: list[Plain]) -> None:
    record_with(records, "eat")["trajectory"]["steps"][0]["reward"] = float("inf")


def nothing_done(records: list[Plain]) -> None:
    step = next(step for record in records for step in record["trajectory"]["steps"] if step["reward"])
    step["executed"] = None


def another_package(records: list[Plain]) -> None:
    record_with(records, "eat")["versions"]["nle"] = "0.0"


@pytest.mark.parametrize(
    ("edit", "check", "words"),
    [
        (drop, "episodes", r"^read-10\d+@\w+ is missing$"),
        (double, "episodes", r"^read-10\d+@\w+ is there twice$"),
        (add, "episodes", r"^'read-90\d+@\w+' is there, and no loop needs it$"),
        (win, "outcomes", r"the records say"),
        (
            easier_task,
            "records",
            r"task.params.env_id is 'MiniHack-Room-5x5-v0', and the suite's own 'MiniHack-Eat-v0'",
        ),
        (other_seed, "records", r"its sampling seed is \d+, not \d+"),
        (longer, "records", r"26 decisions, of at most 25"),
        (early_limit, "records", r"its end is the limit of 25 decisions, after 24"),
        (swapped_between_prompts, "records", r"its key is of another prompt or replicate"),
        (other_start, "records", r"it starts with \w+, the same task elsewhere with 0000"),
        (infinite_reward, "records", r"decision 1: the reward is inf"),
        (nothing_done, "records", r"nothing was executed, but"),
        (another_package, "records", r"it was played with nle '0.0', and the run with '\d"),
    ],
)
def test_what_records_cannot_say(edit: Callable[[list[Plain]], None], check: str, words: str) -> None:
    assert re.search(words, failed(altered(records=edit))[check])


def test_another_suite_is_told_and_nothing_else_looked_at() -> None:
    other = SUITE.model_copy(update={"prompt": "Play."})
    other.__dict__.pop("digest", None)
    (check,) = recompute(evidence_of_run(small_run()), other)
    assert (check.name, check.verdict) == ("suite", "failed")
    assert "its digest is" in check.detail


def test_an_incomplete_run_is_no_result_to_believe() -> None:
    def edit(result: Plain) -> None:
        result["complete"], result["owed"] = False, 3

    assert failed(altered(result=edit)) == {"loops": "the run is incomplete: 3 owed, or loops missing; continue it"}
