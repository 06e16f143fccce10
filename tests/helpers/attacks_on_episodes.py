"""Attacks on the records of episodes, and on the episodes published in full."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from attacks import attack
from forgery import claim_model

from ictbench.records import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forgery import Forgery, Json


def every_third(f: Forgery, decisions: int = 1) -> Iterator[Json]:
    """Yield every third record with at least `decisions` decisions, except those published in full."""
    published = {record["key"] for record in f.trajectories}
    long = [record for record in f.episodes if len(record["trajectory"]["steps"]) >= decisions]
    yield from [record for record in long if record["key"] not in published][::3]


def test_records(f: Forgery) -> Iterator[Json]:
    """Yield records of test tasks of later loops; best prompts and published episodes do not depend on these."""
    tasks = {task for loop in f.loops() if loop["index"] for task in loop["test_tasks"]}
    yield from [record for record in f.episodes if record["task"]["id"] in tasks]


def some_record(f: Forgery) -> Json:
    """Return a record with at least three decisions that is not published in full."""
    return next(every_third(f, 3))


@attack("lost episodes recorded as solved, measures recomputed", "verify", "ends: ")
def flip_ends(f: Forgery) -> None:
    for record in test_records(f):
        if record["trajectory"]["end"] == "step_limit":
            record["trajectory"]["end"] = "solved"
    f.recompute()


@attack("lost episodes truncated and recorded as solved, measures recomputed", "verify", "ends: ")
def cut_short(f: Forgery) -> None:
    for record in test_records(f):
        trajectory = record["trajectory"]
        if trajectory["end"] == "step_limit" and trajectory["steps"][-1]["executed"]:
            trajectory["last_digest"] = trajectory["steps"].pop()["digest"]
            trajectory["end"] = "solved"
    f.recompute()


@attack("an edited reward", "verify", "rewards: ")
def edit_reward(f: Forgery) -> None:
    for record in every_third(f):
        record["trajectory"]["steps"][0]["reward"] = 0.5


@attack(
    "progress invented for a world that measures none, measures recomputed", "verify", "its progress is None, not 1.0"
)
def invent_progress(f: Forgery) -> None:
    for record in (*f.episodes, *f.trajectories):
        record["progress"] = 1.0
    f.recompute()


@attack("progress above 1", "reading", "progress")
def progress_above_1(f: Forgery) -> None:
    some_record(f)["progress"] = 1.5


@attack("a solved episode with progress below 1", "validate", "it is solved, but its progress is 0.5")
def solved_below_1(f: Forgery) -> None:
    f.solved()["progress"] = 0.5


@attack("rewards whose sum is infinite, also in a published episode", "reading", "is too large (beyond 10^15)")
def infinite_rewards(f: Forgery) -> None:
    shown = next(episode for episode in f.trajectories if len(episode["trajectory"]["steps"]) > 1)
    for record in (shown, *(record for record in f.episodes if record["key"] == shown["key"])):
        for step in record["trajectory"]["steps"][:2]:
            step["reward"] = 1.5e308


@attack("a reward of a billion", "validate", "the reward is 1e+09, and the largest possible one 1e+06")
def huge_reward(f: Forgery) -> None:
    some_record(f)["trajectory"]["steps"][0]["reward"] = 1e9


@attack("an edited action", "verify", "observations: ")
def alter_action(f: Forgery) -> None:
    for record in every_third(f):
        for step in record["trajectory"]["steps"]:
            step["executed"] = {"step n": "step s", "step s": "step n"}.get(step["executed"], "step n")
            step.pop("proposed", None)
    f.recompute()


@attack("an action that the game does not offer", "verify", "'teleport' is not available")
def invent_action(f: Forgery) -> None:
    for record in every_third(f):
        record["trajectory"]["steps"][0]["executed"] = "teleport"
        record["trajectory"]["steps"][0].pop("proposed", None)


@attack("an edited observation hash", "verify", "observations: ")
def alter_hash(f: Forgery) -> None:
    for record in every_third(f, 3):
        record["trajectory"]["steps"][2]["digest"] = "0badc0de"


@attack("edited key presses", "verify", "rewards: ")
def alter_keys(f: Forgery) -> None:
    for record in every_third(f):
        record["trajectory"]["steps"][0]["keys"] = ["y", "y"]


@attack("the trajectory of an easy task in the record of a hard task", "validate", "records: ")
def swap_tasks(f: Forgery) -> None:
    won, lost = f.solved(), f.unsolved()
    lost["trajectory"] = deepcopy(won["trajectory"])
    f.recompute()


@attack("the same in all records of the hard task", "verify", "observations: ")
def swap_tasks_everywhere(f: Forgery) -> None:
    # Otherwise the task would start differently in different records.
    won = f.solved()["trajectory"]
    for record in test_records(f):
        record["trajectory"] = deepcopy(won)
    f.recompute()


@attack("package versions that were not used", "verify", "packages: played with nle '9.9.9', and here is ")
def other_versions(f: Forgery) -> None:
    f.result["versions"] = {**f.result["versions"], "nle": "9.9.9"}
    for record in (*f.episodes, *f.trajectories):
        record["versions"]["nle"] = "9.9.9"


@attack("a package that says something", "verify", "packages: played with verified-by-the-board 'yes'")
def speaking_package(f: Forgery) -> None:
    f.result["versions"] = {**f.result["versions"], "verified-by-the-board": "yes"}
    for record in (*f.episodes, *f.trajectories):
        record["versions"]["verified-by-the-board"] = "yes"


@attack("a missing episode", "validate", "is missing")
def drop(f: Forgery) -> None:
    f.episodes.remove(some_record(f))


@attack("a duplicated episode", "reading", "keys must be sorted")
def duplicate(f: Forgery) -> None:
    f.episodes.insert(5, f.episodes[5])


@attack("an episode that no loop needs", "validate", "is not needed by any loop")
def add(f: Forgery) -> None:
    extra = deepcopy(f.episodes[-1])
    extra.update(prompt="f" * 12, key=f"{extra['task']['id']}@{'f' * 12}")
    f.episodes.append(extra)


@attack("a second replicate of an episode", "validate", "is not needed by any loop")
def replicate(f: Forgery) -> None:
    extra = deepcopy(f.episodes[-1])
    extra.update(replicate=1, key=f"{extra['key']}.1")
    f.episodes.append(extra)


@attack("a changed sampling seed", "validate", "its sampling seed is 7, not ")
def other_seed(f: Forgery) -> None:
    some_record(f)["seed"] = 7


@attack("a changed level seed in a task", "validate", "task.params.seed is 7, and the suite's own is ")
def other_level(f: Forgery) -> None:
    some_record(f)["task"]["params"]["seed"] = 7


@attack("an easier environment in a task", "validate", "task.params.env_id is 'MiniHack-Room-5x5-v0'")
def other_environment(f: Forgery) -> None:
    some_record(f)["task"]["params"]["env_id"] = "MiniHack-Room-5x5-v0"


@attack("the attacker's own module as environment", "validate", "task.env is 'trap:Env', and the suite's own is")
def own_environment(f: Forgery) -> None:
    some_record(f)["task"]["env"] = "trap:Env"


@attack("a failed episode recorded as a lost one", "validate", "its end is the limit of 25 decisions, after ")
def hide_failure(f: Forgery) -> None:
    record = some_record(f)
    record["trajectory"]["steps"] = record["trajectory"]["steps"][:2]
    record["trajectory"]["end"] = "step_limit"
    f.recompute()


def reject(f: Forgery, kind: str = "bad_request") -> None:
    """Record every fourth lost episode as failed at its first decision."""
    shown = {episode["key"] for episode in f.trajectories}
    lost = [record for record in f.episodes if record["trajectory"]["end"] == "step_limit"]
    for record in [record for record in lost if record["key"] not in shown][::4]:
        digest = record["trajectory"]["steps"][0]["digest"]
        record["trajectory"] |= {"steps": [], "last_digest": digest, "end": "failed", "failure": kind}
    f.recompute()


@attack("many rejected requests, without the deviation that follows", "validate", "episodes, more than 2%")
def hide_rejected_requests(f: Forgery) -> None:
    reject(f)


@attack("the same, counted as another kind of failure in the result", "validate", "behaviour: ")
def rename_rejected_requests(f: Forgery) -> None:
    reject(f)
    for family in f.result["families"]:
        failed = family["behaviour"]["failed"]
        failed["truncated"] = failed.pop("bad_request")


@attack("the same, also in the records", "nothing", "a replay cannot tell why a model gave no reply")
def rename_rejected_requests_everywhere(f: Forgery) -> None:
    reject(f, "truncated")
    claim_model(f)


@attack("more decisions than the limit", "validate", "26 decisions, of at most 25")
def too_many_decisions(f: Forgery) -> None:
    trajectory = f.unsolved()["trajectory"]
    trajectory["steps"].append(deepcopy(trajectory["steps"][-1]))


@attack("a proposal that differs from the executed action", "validate", "was executed, and 'eat' proposed")
def other_proposal(f: Forgery) -> None:
    step = some_record(f)["trajectory"]["steps"][0]
    step.update(executed="step n", proposed="eat")


@attack("a reward for an invalid action", "validate", "nothing was executed, but there are keys")
def reward_nothing(f: Forgery) -> None:
    some_record(f)["trajectory"]["steps"][0].update(executed=None, proposed="win", reward=1.0)


@attack("negative usage", "validate", "its usage has calls -5")
def negative_usage(f: Forgery) -> None:
    some_record(f)["usage"] = {"calls": -5}


@attack("a quadrillion calls", "validate", "its usage has calls 1000000000000000")
def huge_usage(f: Forgery) -> None:
    some_record(f)["usage"] = {"calls": 10**15}


@attack("a word instead of a hash in a published episode", "validate", "last_digest: 'nothing' does not match")
def word_for_hash(f: Forgery) -> None:
    f.trajectories[0]["trajectory"]["last_digest"] = "nothing"


@attack("an empty hash, which would match any observation", "reading", "does not match ^(?:[0-9a-f]{8}")
def empty_hash(f: Forgery) -> None:
    some_record(f)["trajectory"]["steps"][0]["digest"] = ""


@attack("a hash of one digit", "reading", "trajectory.last_digest: '0' does not match")
def short_hash(f: Forgery) -> None:
    some_record(f)["trajectory"]["last_digest"] = "0"


@attack("a verdict as an additional field of a record", "reading", "verified is not a known field")
def verdict(f: Forgery) -> None:
    some_record(f)["verified"] = True


@attack("a text instead of a number in a record", "reading", "is not a whole number")
def text_for_number(f: Forgery) -> None:
    some_record(f)["seed"] = "7"


@attack("an edited observation in a published episode", "validate", "does not have the recorded hash")
def rewrite_text(f: Forgery) -> None:
    f.trajectories[0]["trajectory"]["steps"][0]["observation"] = "You have won."


@attack("the same with a matching hash", "validate", "its decisions differ from its record")
def rewrite_text_and_hash(f: Forgery) -> None:
    step = f.trajectories[0]["trajectory"]["steps"][0]
    step["observation"] = "You have won."
    step["digest"] = digest_of([step["observation"], step["actions"]], 16)


@attack(
    "an edited last observation in a published episode",
    "validate",
    "the last observation does not have the recorded hash",
)
def rewrite_last(f: Forgery) -> None:
    f.trajectories[0]["trajectory"]["last_observation"] = "<script>alert(1)</script>"


@attack("an edited decision in a published episode", "validate", "its decisions differ from its record")
def rewrite_decision(f: Forgery) -> None:
    f.trajectories[0]["trajectory"]["steps"][0]["executed"] = "step n"
    f.trajectories[0]["trajectory"]["steps"][0]["proposed"] = "step n"
    f.trajectories[0]["trajectory"]["steps"][0]["reward"] = 1.0


@attack("only solved episodes published", "validate", "does not hold the episodes that the result determines")
def show_the_best(f: Forgery) -> None:
    f.trajectories = [record for record in f.trajectories if record["trajectory"]["end"] == "solved"]


@attack("invented thoughts in a published episode", "nothing", "thoughts cannot be verified; they are shown as text")
def invent_thoughts(f: Forgery) -> None:
    for record in f.trajectories:
        for step in record["trajectory"]["steps"]:
            step["thought"] = "I see. <script>alert(1)</script>"
