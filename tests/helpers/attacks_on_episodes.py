"""Attacks on the records of episodes, and on the episodes that are shown in full."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from attacks import attack

from ictbench.records import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forgery import Forgery, Json


def every_third(f: Forgery, decisions: int = 1) -> Iterator[Json]:
    """Every third record of so many decisions, but none that is shown in full."""
    shown = {record["key"] for record in f.trajectories}
    long = [record for record in f.episodes if len(record["trajectory"]["steps"]) >= decisions]
    yield from [record for record in long if record["key"] not in shown][::3]


def tests(f: Forgery) -> Iterator[Json]:
    """Records of test tasks of later loops: neither the best prompts nor the episodes that are shown hang on them."""
    tasks = {task for loop in f.loops() if loop["index"] for task in loop["test_tasks"]}
    yield from [record for record in f.episodes if record["task"]["id"] in tasks]


def one(f: Forgery) -> Json:
    """A record that is not shown in full, with some decisions."""
    return next(every_third(f, 3))


@attack("lost episodes called solved, measures recomputed", "verify", "ends: ")
def flip_ends(f: Forgery) -> None:
    for record in tests(f):
        if record["trajectory"]["end"] == "step_limit":
            record["trajectory"]["end"] = "solved"
    f.recount()


@attack("lost episodes ended early as solved, measures recomputed", "verify", "ends: ")
def cut_short(f: Forgery) -> None:
    for record in tests(f):
        trajectory = record["trajectory"]
        if trajectory["end"] == "step_limit" and trajectory["steps"][-1]["executed"]:
            trajectory["last_digest"] = trajectory["steps"].pop()["digest"]
            trajectory["end"] = "solved"
    f.recount()


@attack("a reward edited", "verify", "rewards: ")
def edit_reward(f: Forgery) -> None:
    for record in every_third(f):
        record["trajectory"]["steps"][0]["reward"] = 0.5


@attack("an action altered", "verify", "observations: ")
def alter_action(f: Forgery) -> None:
    for record in every_third(f):
        for step in record["trajectory"]["steps"]:
            step["executed"] = {"step n": "step s", "step s": "step n"}.get(step["executed"], "step n")
            step.pop("proposed", None)
    f.recount()


@attack("an action that the game does not offer", "verify", "'teleport' is not available")
def invent_action(f: Forgery) -> None:
    for record in every_third(f):
        record["trajectory"]["steps"][0]["executed"] = "teleport"
        record["trajectory"]["steps"][0].pop("proposed", None)


@attack("an observation's hash altered", "verify", "observations: ")
def alter_hash(f: Forgery) -> None:
    for record in every_third(f, 3):
        record["trajectory"]["steps"][2]["digest"] = "0badc0de"


@attack("further key presses altered", "verify", "rewards: ")
def alter_keys(f: Forgery) -> None:
    for record in every_third(f):
        record["trajectory"]["steps"][0]["keys"] = ["y", "y"]


@attack("an easy task's trajectory under a hard task's name", "validate", "records: ")
def swap_tasks(f: Forgery) -> None:
    won, lost = f.solved(), f.unsolved()
    lost["trajectory"] = deepcopy(won["trajectory"])
    f.recount()


@attack("the same in all records of the task", "verify", "observations: ")
def swap_tasks_everywhere(f: Forgery) -> None:
    """So that the task starts alike in all of them."""
    won = f.solved()["trajectory"]
    for record in tests(f):
        record["trajectory"] = deepcopy(won)
    f.recount()


@attack("package versions that were not used", "verify", "packages: played with nle '9.9.9', and here is ")
def other_versions(f: Forgery) -> None:
    f.result["versions"] = {**f.result["versions"], "nle": "9.9.9"}
    for record in (*f.episodes, *f.trajectories):
        record["versions"]["nle"] = "9.9.9"


@attack("an episode dropped", "validate", "is missing")
def drop(f: Forgery) -> None:
    f.episodes.remove(one(f))


@attack("an episode duplicated", "reading", "keys are sorted")
def duplicate(f: Forgery) -> None:
    f.episodes.insert(5, f.episodes[5])


@attack("an episode more than the loops need", "validate", "is there, and no loop needs it")
def add(f: Forgery) -> None:
    extra = deepcopy(f.episodes[-1])
    extra.update(prompt="f" * 12, key=f"{extra['task']['id']}@{'f' * 12}")
    f.episodes.append(extra)


@attack("a second try at an episode", "validate", "no loop needs it")
def replicate(f: Forgery) -> None:
    extra = deepcopy(f.episodes[-1])
    extra.update(replicate=1, key=f"{extra['key']}.1")
    f.episodes.append(extra)


@attack("another sampling seed", "validate", "its sampling seed is 7, not ")
def other_seed(f: Forgery) -> None:
    one(f)["seed"] = 7


@attack("another level's seed under a task's name", "validate", "task.params.seed is 7, and the suite's own ")
def other_level(f: Forgery) -> None:
    one(f)["task"]["params"]["seed"] = 7


@attack("an easier environment under a task's name", "validate", "task.params.env_id is 'MiniHack-Room-5x5-v0'")
def other_environment(f: Forgery) -> None:
    one(f)["task"]["params"]["env_id"] = "MiniHack-Room-5x5-v0"


@attack("a module of the attacker's as environment", "validate", "task.env is 'trap:Env', and the suite's own")
def own_environment(f: Forgery) -> None:
    one(f)["task"]["env"] = "trap:Env"


@attack("a failure turned into a lost game", "validate", "its end is the limit of 25 decisions, after ")
def hide_failure(f: Forgery) -> None:
    record = one(f)
    record["trajectory"]["steps"] = record["trajectory"]["steps"][:2]
    record["trajectory"]["end"] = "step_limit"
    f.recount()


@attack("more decisions than the limit", "validate", "26 decisions, of at most 25")
def too_many_decisions(f: Forgery) -> None:
    trajectory = f.unsolved()["trajectory"]
    trajectory["steps"].append(deepcopy(trajectory["steps"][-1]))


@attack("a proposal that is not what was executed", "validate", "was executed, and 'eat' proposed")
def other_proposal(f: Forgery) -> None:
    step = one(f)["trajectory"]["steps"][0]
    step.update(executed="step n", proposed="eat")


@attack("a reward for an invalid action", "validate", "nothing was executed, but there are keys")
def reward_nothing(f: Forgery) -> None:
    one(f)["trajectory"]["steps"][0].update(executed=None, proposed="win", reward=1.0)


@attack("tokens below zero", "validate", "its usage has calls -5")
def negative_usage(f: Forgery) -> None:
    one(f)["usage"] = {"calls": -5}


@attack("an empty hash, which would fit anything", "reading", "trajectory.steps.0.digest: String should match")
def empty_hash(f: Forgery) -> None:
    one(f)["trajectory"]["steps"][0]["digest"] = ""


@attack("a hash of one digit", "reading", "trajectory.last_digest: String should match")
def short_hash(f: Forgery) -> None:
    one(f)["trajectory"]["last_digest"] = "0"


@attack("a verdict in a record", "reading", "verified: Extra inputs are not permitted")
def verdict(f: Forgery) -> None:
    one(f)["verified"] = True


@attack("a number as text in a record", "reading", "seed: Input should be a valid integer")
def text_for_number(f: Forgery) -> None:
    one(f)["seed"] = "7"


@attack("what was seen, rewritten in an episode that is shown", "validate", "does not have the recorded hash")
def rewrite_text(f: Forgery) -> None:
    f.trajectories[0]["trajectory"]["steps"][0]["observation"] = "You have won."


@attack("the same, its hash remade", "validate", "its decisions differ from its record")
def rewrite_text_and_hash(f: Forgery) -> None:
    step = f.trajectories[0]["trajectory"]["steps"][0]
    step["observation"] = "You have won."
    step["digest"] = digest_of([step["observation"], step["actions"]], 16)


@attack("a last screen that nobody saw", "validate", "the last observation does not have the recorded hash")
def rewrite_last(f: Forgery) -> None:
    f.trajectories[0]["trajectory"]["last_observation"] = "<script>alert(1)</script>"


@attack("other decisions in an episode that is shown", "validate", "its decisions differ from its record")
def rewrite_decision(f: Forgery) -> None:
    f.trajectories[0]["trajectory"]["steps"][0]["executed"] = "step n"
    f.trajectories[0]["trajectory"]["steps"][0]["proposed"] = "step n"
    f.trajectories[0]["trajectory"]["steps"][0]["reward"] = 1.0


@attack("only won episodes shown", "validate", "does not hold the episodes that the result names")
def show_the_best(f: Forgery) -> None:
    f.trajectories = [record for record in f.trajectories if record["trajectory"]["end"] == "solved"]


@attack("thoughts made up in an episode that is shown", "nothing", "thoughts are the submitter's word, shown as text")
def invent_thoughts(f: Forgery) -> None:
    for record in f.trajectories:
        for step in record["trajectory"]["steps"]:
            step["thought"] = "I see. <script>alert(1)</script>"
