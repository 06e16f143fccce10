"""What an optimiser cannot have played or chosen fails the checks, whatever its result says."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from optimised import optimised_run
from small_run import SUITE, failed

from ictbench.audit.prompt_leaks import check_leaks
from ictbench.audit.recompute import recompute
from ictbench.audit.result_checks import make_plans
from ictbench.records import prompt_digest
from ictbench.results import Result
from ictbench.submissions.episode_records import RUN_DIGITS, Evidence, evidence_of_run

if TYPE_CHECKING:
    from collections.abc import Callable

    Loop = dict[str, Any]


@pytest.fixture(scope="module")
def honest() -> Evidence:
    return evidence_of_run(optimised_run().folder)


def test_an_honest_optimiser_passes_every_check(honest: Evidence) -> None:
    assert {check.verdict for check in recompute(honest, SUITE)} == {"passed"}


def play_a_test_task(loop: Loop) -> None:
    loop["batches"][0]["tasks"][0] = loop["test_tasks"][0]


def play_a_selection_task(loop: Loop) -> None:
    loop["batches"][-1]["tasks"][0] = loop["selection_tasks"][0]


def play_twice(loop: Loop) -> None:
    loop["batches"][1] = copy.deepcopy(loop["batches"][0])


def play_early(loop: Loop) -> None:
    first, second = loop["batches"][1:3]
    for name in ("tasks", "prompts"):
        first[name] = [*first[name], *second[name]]
        second[name] = []
    first["outcomes"], second["outcomes"] = first["outcomes"] + second["outcomes"], ""


def play_under_an_unknown_prompt(loop: Loop) -> None:
    loop["batches"][1]["prompts"] = ["0" * 12] * 2


def play_before_the_proposal(loop: Loop) -> None:
    loop["candidates"][1] |= {"turn": 3, "kept": 3}


def hide_a_candidate(loop: Loop) -> None:
    del loop["candidates"][1]


def change_a_candidate(loop: Loop) -> None:
    loop["candidates"][1]["text"] += "!"


def name_an_unknown_parent(loop: Loop) -> None:
    loop["candidates"][1]["parents"] = ["0" * 12]


def claim_the_front(loop: Loop) -> None:
    loop["candidates"][0]["front"] = [0, 1]


def claim_a_front_without_episodes(loop: Loop) -> None:
    loop["candidates"][2]["front"] = [11]


def claim_an_impossible_front(loop: Loop) -> None:
    loop["candidates"][2]["front"] = [12]


def hide_the_front(loop: Loop) -> None:
    for candidate in loop["candidates"]:
        candidate["front"] = []


def hide_the_parents(loop: Loop) -> None:
    for candidate in loop["candidates"]:
        candidate["parents"] = []


def close_a_cycle(loop: Loop) -> None:
    loop["candidates"][0]["parents"] = [loop["candidates"][1]["digest"]]


def name_a_later_parent(loop: Loop) -> None:
    loop["candidates"][1]["parents"] = [loop["candidates"][2]["digest"]]


def invent(loop: Loop, text: str = "Never played.") -> None:
    kept = {"turn": 6, "parents": [loop["candidates"][0]["digest"]], "kept": None, "front": []}
    loop["candidates"].append({"text": text, "digest": prompt_digest(text), **kept})


def date_back(loop: Loop) -> None:
    loop["candidates"][1]["turn"] = 1


def leave_the_first_batch(loop: Loop) -> None:
    played = {task for batch in loop["batches"] for task in batch["tasks"] if task not in loop["batches"][0]["tasks"]}
    digest = loop["candidates"][2]["digest"]
    other = next(
        task
        for batch in loop["batches"]
        for task, prompt, outcome in zip(batch["tasks"], batch["prompts"], batch["outcomes"], strict=True)
        if prompt == digest and outcome == "1" and task in played
    )
    (plan,) = (plan for plan in make_plans(optimised_run().result, SUITE).values() if plan.index == loop["index"])
    position = [task.id for task in plan.experience_tasks].index(other)
    loop["candidates"][2]["front"].append(position)


def keep_later(loop: Loop) -> None:
    loop["candidates"][2]["kept"] = 6


def win(loop: Loop) -> None:
    loop["batches"][0]["outcomes"] = "11"


@pytest.mark.parametrize(
    ("edit", "check", "message"),
    [
        (play_a_test_task, "tasks", "which is not among the loop's experience tasks"),
        (play_a_selection_task, "tasks", "which is not among the loop's experience tasks"),
        (play_twice, "tasks", "turn 2 plays"),
        (play_early, "tasks", "6 episodes are played until turn 2, of at most 4"),
        (play_under_an_unknown_prompt, "tasks", "which was not a candidate yet"),
        (play_before_the_proposal, "tasks", "which was not a candidate yet"),
        (hide_a_candidate, "tasks", "which is no candidate"),
        (change_a_candidate, "tasks", "that of its text"),
        (name_an_unknown_parent, "tasks", "which is no candidate"),
        (claim_the_front, "tasks", "which another one solves and it does not"),
        (claim_a_front_without_episodes, "tasks", "but did not play it"),
        (claim_an_impossible_front, "tasks", "is on the front of task 12, of 12 from 0"),
        (hide_the_front, "tasks", "is not on the front of task 0, which it solves"),
        (leave_the_first_batch, "tasks", "which is not of the first batch"),
        (hide_the_parents, "tasks", "candidates[1] has 0 parents, not 1"),
        (close_a_cycle, "tasks", "candidates[0] has 1 parents, not 0"),
        (name_a_later_parent, "tasks", "which was not kept before"),
        (invent, "tasks", "was never played"),
        (date_back, "tasks", "candidates[1] is of turn 1, in which it was not played"),
        (keep_later, "tasks", "and the best candidate then"),
        (win, "outcomes", "and the records say"),
    ],
)
def test_what_cannot_be_true_of_an_optimiser_fails(
    edit: Callable[[Loop], None], check: str, message: str, honest: Evidence
) -> None:
    content = copy.deepcopy(honest.result.model_dump(mode="json", by_alias=True))
    edit(content["families"][0]["loops"][0])
    altered = Evidence(Result.model_validate(content), honest.episodes, RUN_DIGITS)
    assert message in failed(altered)[check]


def test_leaks_in_a_candidate_are_found(honest: Evidence) -> None:
    content = copy.deepcopy(honest.result.model_dump(mode="json", by_alias=True))
    loop = content["families"][0]["loops"][0]
    task = loop["test_tasks"][0]
    invent(loop, f"In {task}, go north: its seed is {task.rpartition('-')[2]}.")
    altered = Evidence(Result.model_validate(content), honest.episodes, RUN_DIGITS)
    names, seeds, _ = check_leaks(altered, SUITE, make_plans(altered.result, SUITE))
    place = f"eat, loop 0, candidates[{len(loop['candidates']) - 1}]"
    assert f"{place} names '{task}'" in names.detail
    assert f"{place} holds" in seeds.detail
    assert (names.verdict, seeds.verdict) == ("failed", "failed")


@pytest.mark.parametrize("change", [{"division": "reflector"}, {"experience": "fresh"}, {"ranked": True}])
def test_a_result_cannot_claim_another_division(change: dict[str, Any], honest: Evidence) -> None:
    altered = Evidence(honest.result.model_copy(update=change), honest.episodes, RUN_DIGITS)
    assert failed(altered)
