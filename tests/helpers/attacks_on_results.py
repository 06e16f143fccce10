"""Attacks on what a result claims: its numbers, prompts, tasks and frame."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from attacks import ATTACKS, Attack, attack
from forgery import retitle

from ictbench import load_suite
from ictbench.records import ModelSpec, Usage

if TYPE_CHECKING:
    from collections.abc import Callable

    from attacks import Stage
    from forgery import Forgery, Json


def flip(outcomes: str, before: str, after: str) -> str:
    """One outcome turned around."""
    return outcomes.replace(before, after, 1)


@attack("a test success flipped in the result", "validate", "outcomes: room-dark: loops[0].test.0 is ")
def flip_success(f: Forgery) -> None:
    test = next(loop["test"] for loop in f.loops() if "0" in loop["test"]["0"])
    test["0"] = flip(test["0"], "0", "1")


@attack("the same, measures recomputed", "validate", "outcomes: ")
def flip_success_and_measures(f: Forgery) -> None:
    honest = deepcopy(f.episodes)
    f.unsolved()["trajectory"]["end"] = "solved"
    f.recount()
    f.episodes = honest


@attack("a selection score raised", "validate", "outcomes: ")
def raise_selection(f: Forgery) -> None:
    """Every prompt but the last gets a wrong score, so that the best stays the best."""
    loop = next(loop for loop in f.loops() if "0" in loop["selection"][loop["best"]])
    loop["selection"][loop["best"]] = flip(loop["selection"][loop["best"]], "0", "1")


@attack("best chosen on test", "reading", "best is prompt[")
def choose_on_test(f: Forgery) -> None:
    loop = next(loop for loop in f.loops() if loop["best"] not in (0, f.result["sizes"]["turns"]))
    loop["best"] = f.result["sizes"]["turns"]


@attack("the same, selection outcomes made to agree", "validate", "outcomes: ")
def choose_on_test_and_lift(f: Forgery) -> None:
    """Selection outcomes are made to agree."""
    loop = next(loop for loop in f.loops() if loop["best"] not in (0, f.result["sizes"]["turns"]))
    loop["best"] = f.result["sizes"]["turns"]
    loop["selection"][-1] = "1" * len(loop["selection"][-1])
    loop["selection"] = [flip(one, "1", "0") if set(one) == {"1"} else one for one in loop["selection"][:-1]] + [
        loop["selection"][-1]
    ]


@attack("lost test tasks left out: a wrong denominator", "validate", "test tasks under prompt[0], not 20")
def drop_lost_tasks(f: Forgery) -> None:
    """A smaller denominator: test tasks that were lost are left out."""
    loop = f.loop()
    kept = [at for at, outcome in enumerate(loop["test"][str(loop["best"])]) if outcome == "1"]
    loop["test_tasks"] = [loop["test_tasks"][at] for at in kept]
    loop["test"] = {index: "".join(one[at] for at in kept) for index, one in loop["test"].items()}


@attack("a failed episode left out with its task", "validate", "19 test tasks under prompt[0], not 20")
def drop_failures(f: Forgery) -> None:
    """Episodes that failed count for nothing: the task is taken out of the loop with its records."""
    loop = f.loop()
    task = loop["test_tasks"].pop()
    loop["test"] = {index: outcomes[:-1] for index, outcomes in loop["test"].items()}
    f.episodes = [episode for episode in f.episodes if episode["task"]["id"] != task]


@attack("another `prompt[0]`", "validate", "prompt[0] is not the suite's own")
def other_first_prompt(f: Forgery) -> None:
    for loop in f.loops():
        retitle(f, loop, 0, "Win. Walk to the thing and use it.")
    f.recount()


@attack("a prompt edited after the fact", "validate", "prompts: room-dark, loop 0: the digest of prompt[2]")
def edit_prompt(f: Forgery) -> None:
    f.loop()["prompts"][2]["text"] += "\nAnd good luck."


@attack("the same, digests, keys and measures remade", "nothing", "who wrote a prompt, and when, no replay tells")
def edit_prompt_everywhere(f: Forgery) -> None:
    retitle(f, loop := f.loop(), loop["best"], f"{loop['prompts'][loop['best']]['text']}\nAnd good luck.")
    f.recount()


@attack("a prompt over the cap", "validate", "prompt[5] has 8,001 bytes, of at most 8,000")
def long_prompt(f: Forgery) -> None:
    retitle(f, f.loop(3, 1), 5, "x" * 8001)
    f.recount()


@attack(
    "a prompt that its own reflection did not give",
    "validate",
    "prompt[1] is another one, though",
)
def unused_prompt(f: Forgery) -> None:
    prompts = next(one["prompts"] for one in f.loops() if one["prompts"][1]["digest"] != one["prompts"][0]["digest"])
    prompts[1]["failure"] = "unparseable"


@attack("a test task's id in a prompt", "validate", "leaked names: zap, loop 1, prompt[5] names 'zap-")
def leak_task(f: Forgery) -> None:
    retitle(f, loop := f.loop(3, 1), 5, f"In {loop['test_tasks'][0]} the thing lies in the east.")
    f.recount()


@attack("a test task's seed in a prompt", "validate", "leaked seeds: zap, loop 1, prompt[5] holds")
def leak_seed(f: Forgery) -> None:
    seed = int(f.loop(3, 1)["test_tasks"][0].rpartition("-")[2])
    retitle(f, f.loop(3, 1), 5, f"If the level has number {seed}, go east.")
    f.recount()


@attack("a test task's solution in a prompt", "validate", "leaked actions: ")
def leak_actions(f: Forgery) -> None:
    """The prompt spells out what wins a test task of its loop."""
    for loop in f.loops():
        for record in f.records(loop["test_tasks"], loop["prompts"][loop["best"]]):
            actions = [step["executed"] for step in record["trajectory"]["steps"]]
            if record["trajectory"]["end"] == "solved" and len(actions) >= 6 and len(set(actions)) >= 3:
                retitle(f, loop, 5, f"Do this: {', '.join(actions)}.")
                f.recount()
                return
    raise AssertionError("no test task takes six actions")


@attack("lucky loop indices under the numbers 0, 1, …", "validate", "tasks: room-dark, loop 0")
def shift_loops(f: Forgery) -> None:
    """Loops of luckier indices under the numbers 0, 1, …"""
    loops = f.family()["loops"]
    loops.append(loops.pop(0))
    for index, loop in enumerate(loops):
        loop["index"] = index


@attack("one easy test task twenty times", "validate", "tasks: room-dark, loop 0: test_tasks")
def easy_tests(f: Forgery) -> None:
    """Every test task is the first that was won."""
    loop = f.loop()
    won = loop["test_tasks"][loop["test"][str(loop["best"])].index("1")]
    loop["test_tasks"] = [won] * len(loop["test_tasks"])
    loop["test"] = {index: "1" * len(outcomes) for index, outcomes in loop["test"].items()}


@attack("another loop's test tasks", "validate", "tasks: room-dark, loop 0: test_tasks")
def swap_tests(f: Forgery) -> None:
    """Another loop's test tasks, which went better, with its records and outcomes."""
    loop, other = f.loop(0, 0), f.loop(0, 1)
    loop["test_tasks"] = other["test_tasks"]
    loop["test"] = dict(zip(loop["test"], [*other["test"].values()] * 2, strict=False))


@attack("a test task of another seed", "validate", "tasks: room-dark, loop 0: test_tasks[0] is 'room-dark-999999'")
def swap_seed(f: Forgery) -> None:
    """Test tasks of seeds that no pool of the loop holds."""
    loop = f.loop()
    old, new = loop["test_tasks"][0], "room-dark-999999"
    loop["test_tasks"][0] = new
    for record in f.episodes:
        if record["task"]["id"] == old:
            record["task"].update(id=new, params={**record["task"]["params"], "seed": 999999})
            record["key"] = record["key"].replace(old, new)
    f.episodes.sort(key=lambda record: record["key"])


@attack("experience in another order", "validate", "tasks: room-dark, loop 0: batches")
def swap_batches(f: Forgery) -> None:
    batches = f.loop()["batches"]
    batches[0], batches[1] = batches[1], batches[0]


@attack("experience met twice", "validate", "is met twice")
def repeat_experience(f: Forgery) -> None:
    batches = f.loop()["batches"]
    batches[1] = deepcopy(batches[0])


@attack("fewer loops, not told", "validate", "it keeps silent about the deviation: loops 4 instead of 5")
def drop_loop(f: Forgery) -> None:
    for family in f.result["families"]:
        family["loops"].pop()
    f.result["sizes"]["loops"] -= 1
    f.recount()
    f.drop_unneeded()


@attack("a held-out family left out", "validate", "held-out families left out: room-dark")
def drop_family(f: Forgery) -> None:
    del f.result["families"][0]
    f.recount()
    f.drop_unneeded()


@attack("episodes swapped between prompts", "validate", "outcomes: ")
def swap_prompts_of_episodes(f: Forgery) -> None:
    """Of one test task, the record under the best prompt and that under the first change places."""
    first, best = two_ends(f)
    first["trajectory"], best["trajectory"] = best["trajectory"], first["trajectory"]


@attack("the same, measures recomputed", "nothing", "both were played; which prompt the actor had, no replay tells")
def swap_and_recount(f: Forgery) -> None:
    swap_prompts_of_episodes(f)
    f.recount()


def two_ends(f: Forgery) -> tuple[Json, Json]:
    """Records of one test task, won under prompt[0] and lost under the best, and of no trajectory that is shown."""
    shown = {record["key"] for record in f.trajectories}
    for loop in f.loops():
        records = [f.records([t], loop["prompts"][index]) for t in loop["test_tasks"] for index in (0, loop["best"])]
        for (first,), (best,) in zip(records[::2], records[1::2], strict=True):
            ends = first["trajectory"]["end"], best["trajectory"]["end"]
            if (ends[0] == "solved") != (ends[1] == "solved") and not {first["key"], best["key"]} & shown:
                return first, best
    raise AssertionError("no task ended otherwise under another prompt")


@attack("a family twice", "reading", "families: 'room-dark' occurs twice")
def family_twice(f: Forgery) -> None:
    f.result["families"].append(deepcopy(f.family()))


@attack("fewer turns than the loops have", "reading", "prompts has 6 entries, not 4")
def fewer_turns(f: Forgery) -> None:
    f.result["sizes"]["turns"] = 3


@attack(
    "trained on a held-out family, not marked",
    "validate",
    "deviation: reflector trained on held-out zap",
)
def hide_training(f: Forgery) -> None:
    f.result.update(reflector_trained_on=["minihack-v1/zap"], deviations=[], ranked=True)


@attack("a program's trajectories under a model", "nothing", "who chose the actions, no replay tells")
def claim_model(f: Forgery) -> None:
    """With a fingerprint, and tokens to match."""
    cap = load_suite("minihack-v1").actor.max_tokens
    f.result["actor"] = {
        "label": "openai/gpt-9",
        "name": "react",
        "options": {"decoding": "free", "history": None},
        "model": ModelSpec(provider="openai", model="gpt-9", max_tokens=cap).model_dump(),
        "fingerprint": "gpt-9-2027",
    }
    f.metadata["actor"] = {"label": "openai/gpt-9", "revision": "gpt-9-2027", "open_weights": False}
    for record in (*f.episodes, *f.trajectories):
        record["usage"] = Usage(
            calls=len(record["trajectory"]["steps"]), input_tokens=900, output_tokens=90
        ).model_dump()
    f.recount()


@attack("the luckiest of many runs", "nothing", "each is a real run, and others may not be sent in")
def try_often(f: Forgery) -> None:
    """Nothing is forged: the others are not handed in."""


MEANS, GAIN = "means: held-out.best.value is 0.99", "measures: read: measures.gain.value is 0.9"
SILENT = "setup: it keeps silent about the deviation"
TOLD = {"max_steps": 50, "deviations": ["max_steps 50 instead of 25"], "ranked": False}

CLAIMS: list[tuple[str, Stage, str, Callable[[Forgery], object]]] = [
    ("the headline raised", "validate", MEANS, lambda f: f.result["by_role"]["held-out"]["best"].update(value=0.99)),
    ("a family's gain raised", "validate", GAIN, lambda f: f.family(1)["measures"]["gain"].update(value=0.9)),
    (
        "an interval narrowed",
        "validate",
        "measures: room-dark: measures.gain.",
        lambda f: f.family()["measures"]["gain"].update(low=0.29, high=0.31),
    ),
    (
        "losses hidden in the behaviour",
        "validate",
        "behaviour: room-dark: behaviour.ends.",
        lambda f: f.family()["behaviour"].update(ends={"solved": 100}),
    ),
    (
        "another cost than the records have",
        "validate",
        "cost: test.calls is 7",
        lambda f: f.result["cost"]["test"].update(calls=7),
    ),
    (
        "a cost below zero",
        "validate",
        "cost: reflector.input_tokens is -5",
        lambda f: f.result["cost"]["reflector"].update(input_tokens=-5),
    ),
    (
        "another suite's digest",
        "validate",
        "has changed since this run",
        lambda f: f.result["suite"].update(digest="0" * 64),
    ),
    (
        "another suite's name",
        "validate",
        "it is of suite 'alfworld-v1' and lies on the board of minihack-v1",
        lambda f: f.result["suite"].update(name="alfworld-v1"),
    ),
    (
        "a path for the suite's name",
        "validate",
        "it is of suite '../../../etc/suite.yaml'",
        lambda f: f.result["suite"].update(name="../../../etc/suite.yaml"),
    ),
    ("a lite run called standard", "validate", f"{SILENT}: ", lambda f: f.result.update(profile="standard")),
    (
        "a quick run",
        "validate",
        "profile 'quick' is not ranked; run with --profile lite or standard",
        lambda f: f.result.update(profile="quick"),
    ),
    ("more decisions, not told", "validate", f"{SILENT}: max_steps 50", lambda f: f.result.update(max_steps=50)),
    (
        "a deviation that is told",
        "validate",
        "the run deviates from its profile: 'max_steps 50 instead of 25'",
        lambda f: f.result.update(TOLD),
    ),
    (
        "a higher prompt cap, not told",
        "validate",
        f"{SILENT}: prompt_bytes",
        lambda f: f.result.update(prompt_bytes=9000),
    ),
    (
        "an incomplete run",
        "validate",
        "the run is incomplete, 4 episodes or reflections are owed",
        lambda f: f.result.update(complete=False, owed=4, ranked=False),
    ),
    (
        "a held-out family called meta-train",
        "reading",
        "by_role: means of held-out",
        lambda f: f.family().update(role="meta-train"),
    ),
    ("a family of no suite", "validate", "the suite has no family 'easy'", lambda f: f.family().update(name="easy")),
    (
        "a loop index beyond the profile's",
        "reading",
        "loop 7 is there, of 5 loops from 0",
        lambda f: f.loop(0, 4).update(index=7),
    ),
]
ATTACKS += [Attack(name, stage, reason, forge=forge) for name, stage, reason, forge in CLAIMS]
