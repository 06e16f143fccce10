"""Attacks on the episodes and candidates of an optimiser."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from attacks import attack

from ictbench.records import prompt_digest

if TYPE_CHECKING:
    from forgery import Forgery, Json

attack_on_optimiser = partial(attack, division="optimiser")


def searching(f: Forgery) -> Json:
    """Return a loop with a candidate besides prompt[0]."""
    return next(loop for loop in f.loops() if loop["candidates"][1:])


def invent(loop: Json, text: str) -> None:
    """Add a candidate that was never played."""
    parent = loop["candidates"][0]["digest"]
    invented = {"turn": len(loop["batches"]), "parents": [parent], "kept": None, "front": []}
    loop["candidates"].append({"digest": prompt_digest(text), "text": text, **invented})


def rewrite(f: Forgery, digest: str, text: str) -> None:
    """Give a candidate another text wherever it occurs, with matching digests and keys."""
    for loop in f.loops():
        for prompt in (*loop["prompts"], *loop["candidates"]):
            if prompt["digest"] == digest:
                prompt["text"] = text
    f.result, f.episodes, f.trajectories = (
        json.loads(json.dumps(part).replace(digest, prompt_digest(text)))
        for part in (f.result, f.episodes, f.trajectories)
    )
    for records in (f.episodes, f.trajectories):
        records.sort(key=lambda record: str(record["key"]))


def drop(f: Forgery, loop: Json, turn: int, position: int) -> None:
    """Drop an episode of a turn and its record."""
    batch = loop["batches"][turn - 1]
    key = f"{batch['tasks'].pop(position)}@{batch['prompts'].pop(position)}"
    batch["outcomes"] = batch["outcomes"][:position] + batch["outcomes"][position + 1 :]
    f.episodes = [record for record in f.episodes if record["key"] != key]
    f.trajectories = [record for record in f.trajectories if record["key"] != key]


@attack_on_optimiser(
    "a test task among the episodes of an optimiser", "validate", "not among the loop's experience tasks"
)
def play_a_test_task(f: Forgery) -> None:
    loop = searching(f)
    loop["batches"][1]["tasks"][0] = loop["test_tasks"][0]


@attack_on_optimiser(
    "more episodes of an optimiser than its budget until a turn", "validate", "episodes are played until"
)
def play_early(f: Forgery) -> None:
    loops = (loop["batches"] for loop in f.loops())
    first, batch = next(
        (one[0], later) for one in loops for later in one[1:] if {*later["prompts"]} == {*one[0]["prompts"]}
    )
    for name in ("tasks", "prompts", "outcomes"):
        first[name] += batch[name]
        batch[name] = type(batch[name])()


@attack_on_optimiser("an optimiser in the division of reflectors", "validate", "its division is reflector, that of")
def hidden_division(f: Forgery) -> None:
    f.result["division"] = "reflector"


@attack_on_optimiser("an optimiser that claims fresh experience", "reading", "prompts of its episodes, not 0")
def claimed_experience(f: Forgery) -> None:
    f.result["experience"] = "fresh"


@attack_on_optimiser("an episode of the Pareto set dropped with its record", "validate", "but did not play it")
def dropped_episode(f: Forgery) -> None:
    drop(f, searching(f), 1, 0)


@attack_on_optimiser("the front of an optimiser's candidates left out", "validate", "is not on the front of task")
def missing_front(f: Forgery) -> None:
    for loop in f.loops():
        for candidate in loop["candidates"]:
            candidate["front"] = []


@attack_on_optimiser("the parents of an optimiser's candidates left out", "validate", "has 0 parents, not 1")
def missing_parents(f: Forgery) -> None:
    for candidate in searching(f)["candidates"]:
        candidate["parents"] = []


@attack_on_optimiser("a candidate that an optimiser never played", "validate", "was never played")
def invented_candidate(f: Forgery) -> None:
    invent(searching(f), "Written by hand.")


@attack_on_optimiser("the id of a test task in a candidate", "validate", "leaked names:")
def name_in_candidate(f: Forgery) -> None:
    loop = searching(f)
    rewrite(f, loop["candidates"][1]["digest"], f"Go north in {loop['test_tasks'][0]}.")
