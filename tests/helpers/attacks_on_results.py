"""Attacks on the claims of a result: numbers, prompts, tasks, suite and profile."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from attacks import ATTACKS, Attack, attack
from forgery import claim_model, replace_prompt

if TYPE_CHECKING:
    from collections.abc import Callable

    from attacks import Stage
    from forgery import Forgery, Json


def flip(outcomes: str, before: str, after: str) -> str:
    """Return outcomes with the first `before` replaced by `after`."""
    return outcomes.replace(before, after, 1)


@attack("a flipped test outcome in the result", "validate", "outcomes: room-dark: loops[0].test.0 is ")
def flip_success(f: Forgery) -> None:
    test = next(loop["test"] for loop in f.loops() if "0" in loop["test"]["0"])
    test["0"] = flip(test["0"], "0", "1")


@attack("the same, measures recomputed from the flipped outcome", "validate", "outcomes: ")
def flip_success_and_measures(f: Forgery) -> None:
    honest = deepcopy(f.episodes)
    f.unsolved()["trajectory"]["end"] = "solved"
    f.recompute()
    f.episodes = honest


@attack("progress in the result that no record holds", "validate", "loops[0].progress is ")
def claim_progress(f: Forgery) -> None:
    for loop in f.loops():
        loop["progress"] = {index: [1.0] * len(outcomes) for index, outcomes in loop["test"].items()}


@attack("a raised selection score", "validate", "outcomes: ")
def raise_selection(f: Forgery) -> None:
    loop = next(loop for loop in f.loops() if "0" in loop["selection"][loop["best"]])
    loop["selection"][loop["best"]] = flip(loop["selection"][loop["best"]], "0", "1")


@attack("the best prompt chosen on test tasks", "reading", "best is prompt[")
def choose_on_test(f: Forgery) -> None:
    loop = next(loop for loop in f.loops() if loop["best"] not in (0, f.result["sizes"]["turns"]))
    loop["best"] = f.result["sizes"]["turns"]


@attack("the same with matching selection outcomes", "validate", "outcomes: ")
def choose_on_test_and_lift(f: Forgery) -> None:
    loop = next(loop for loop in f.loops() if loop["best"] not in (0, f.result["sizes"]["turns"]))
    loop["best"] = f.result["sizes"]["turns"]
    loop["selection"][-1] = "1" * len(loop["selection"][-1])
    loop["selection"] = [flip(one, "1", "0") if set(one) == {"1"} else one for one in loop["selection"][:-1]] + [
        loop["selection"][-1]
    ]


@attack("lost test tasks left out", "validate", "test tasks under prompt[0], not 6")
def drop_lost_tasks(f: Forgery) -> None:
    loop = f.loop()
    kept = [index for index, outcome in enumerate(loop["test"][str(loop["best"])]) if outcome == "1"]
    loop["test_tasks"] = [loop["test_tasks"][index] for index in kept]
    loop["test"] = {prompt: "".join(outcomes[i] for i in kept) for prompt, outcomes in loop["test"].items()}


@attack("a failed episode left out, with its task", "validate", "5 test tasks under prompt[0], not 6")
def drop_failures(f: Forgery) -> None:
    loop = f.loop()
    task = loop["test_tasks"].pop()
    loop["test"] = {index: outcomes[:-1] for index, outcomes in loop["test"].items()}
    f.episodes = [episode for episode in f.episodes if episode["task"]["id"] != task]


@attack("a replaced `prompt[0]`", "validate", "prompt[0] is not the suite's own")
def other_first_prompt(f: Forgery) -> None:
    for loop in f.loops():
        replace_prompt(f, loop, 0, "Win. Walk to the thing and use it.")
    f.recompute()


@attack("an edited prompt", "validate", "prompts: room-dark, loop 0: the digest of prompt[2]")
def edit_prompt(f: Forgery) -> None:
    f.loop()["prompts"][2]["text"] += "\nAnd good luck."


@attack(
    "the same with matching digests, keys and measures", "nothing", "a replay cannot tell who wrote a prompt, and when"
)
def edit_prompt_everywhere(f: Forgery) -> None:
    replace_prompt(f, loop := f.loop(), loop["best"], f"{loop['prompts'][loop['best']]['text']}\nAnd good luck.")
    f.recompute()


@attack(
    "an analysis of five megabytes", "validate", "prompt[2] has an analysis of 5,000,000 bytes, of at most 1,000,000"
)
def long_analysis(f: Forgery) -> None:
    f.loop()["prompts"][2]["analysis"] = "because " * 625_000


@attack("a prompt beyond the size limit", "validate", "prompt[5] has 8,001 bytes, of at most 8,000")
def long_prompt(f: Forgery) -> None:
    replace_prompt(f, f.loop(3, 1), 5, "x" * 8001)
    f.recompute()


@attack(
    "a prompt changed by a failed reflection",
    "validate",
    "prompt[1] differs from the one before, though",
)
def unused_prompt(f: Forgery) -> None:
    prompts = next(
        loop["prompts"] for loop in f.loops() if loop["prompts"][1]["digest"] != loop["prompts"][0]["digest"]
    )
    prompts[1]["failure"] = "unparseable"


@attack("the id of a test task in a prompt", "validate", "leaked names: zap, loop 1, prompt[5] names 'zap-")
def leak_task(f: Forgery) -> None:
    replace_prompt(f, loop := f.loop(3, 1), 5, f"In {loop['test_tasks'][0]} the thing lies in the east.")
    f.recompute()


@attack("the seed of a test task in a prompt", "validate", "leaked seeds: zap, loop 1, prompt[5] holds")
def leak_seed(f: Forgery) -> None:
    seed = int(f.loop(3, 1)["test_tasks"][0].rpartition("-")[2])
    replace_prompt(f, f.loop(3, 1), 5, f"If the level has number {seed}, go east.")
    f.recompute()


def spelled(text: str, spelling: dict[str, str]) -> str:
    """Return a text with other characters."""
    return "".join(spelling.get(character, character) for character in text)


FULL_WIDTH = {chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)}
CYRILLIC = dict(zip("aepocx", "\u0430\u0435\u0440\u043e\u0441\u0445", strict=True))
ARABIC_DIGITS = {str(digit): chr(0x660 + digit) for digit in range(10)}
SPELLINGS: dict[str, Callable[[str], str]] = {
    "in full-width letters": lambda text: spelled(text, FULL_WIDTH),
    "with Cyrillic letters": lambda text: spelled(text, CYRILLIC),
    "with zero-width spaces": "\u200b".join,
}


def leak_name(spell: Callable[[str], str]) -> Callable[[Forgery], None]:
    """Return an edit that puts the id of a test task into a prompt, in another spelling."""

    def forge(f: Forgery) -> None:
        replace_prompt(f, loop := f.loop(3, 1), 5, f"In {spell(loop['test_tasks'][0])} the thing lies in the east.")
        f.recompute()

    return forge


for spelling, spell in SPELLINGS.items():
    ATTACKS.append(Attack(f"the same {spelling}", "validate", "leaked names: zap, loop 1", forge=leak_name(spell)))


@attack("the seed of a test task in a prompt, in Arabic digits", "validate", "leaked seeds: zap, loop 1")
def leak_arabic_seed(f: Forgery) -> None:
    seed = f.loop(3, 1)["test_tasks"][0].rpartition("-")[2]
    replace_prompt(f, f.loop(3, 1), 5, f"If the level has number {spelled(seed, ARABIC_DIGITS)}, go east.")
    f.recompute()


@attack("the solution of a test task in a prompt", "validate", "leaked actions: ")
def leak_actions(f: Forgery) -> None:
    for loop in f.loops():
        for record in f.records(loop["test_tasks"], loop["prompts"][loop["best"]]):
            actions = [step["executed"] for step in record["trajectory"]["steps"]]
            if record["trajectory"]["end"] == "solved" and len(actions) >= 6 and len(set(actions)) >= 3:
                replace_prompt(f, loop, 5, f"Do this: {', '.join(actions)}.")
                f.recompute()
                return
    raise AssertionError("no test task takes six actions")


@attack("loops with better results renumbered as 0, 1, …", "validate", "tasks: room-dark, loop 0")
def shift_loops(f: Forgery) -> None:
    loops = f.family()["loops"]
    loops.append(loops.pop(0))
    for index, loop in enumerate(loops):
        loop["index"] = index


@attack("one easy test task repeated twenty times", "validate", "tasks: room-dark, loop 0: test_tasks")
def easy_tests(f: Forgery) -> None:
    loop = f.loop()
    won = loop["test_tasks"][loop["test"][str(loop["best"])].index("1")]
    loop["test_tasks"] = [won] * len(loop["test_tasks"])
    loop["test"] = {index: "1" * len(outcomes) for index, outcomes in loop["test"].items()}


@attack("the test tasks of another loop", "validate", "tasks: room-dark, loop 0: test_tasks")
def swap_tests(f: Forgery) -> None:
    loop, other = f.loop(0, 0), f.loop(0, 1)
    loop["test_tasks"] = other["test_tasks"]
    loop["test"] = dict(zip(loop["test"], [*other["test"].values()] * 2, strict=False))


@attack(
    "a test task with a seed outside the pool",
    "validate",
    "tasks: room-dark, loop 0: test_tasks[0] is 'room-dark-999999'",
)
def swap_seed(f: Forgery) -> None:
    loop = f.loop()
    old, new = loop["test_tasks"][0], "room-dark-999999"
    loop["test_tasks"][0] = new
    for record in f.episodes:
        if record["task"]["id"] == old:
            record["task"].update(id=new, params={**record["task"]["params"], "seed": 999999})
            record["key"] = record["key"].replace(old, new)
    f.episodes.sort(key=lambda record: record["key"])


@attack("batches in another order", "validate", "tasks: room-dark, loop 0: batches")
def swap_batches(f: Forgery) -> None:
    batches = f.loop()["batches"]
    batches[0], batches[1] = batches[1], batches[0]


@attack("a repeated batch", "validate", "occurs twice in the experience")
def repeat_experience(f: Forgery) -> None:
    batches = f.loop()["batches"]
    batches[1] = deepcopy(batches[0])


@attack(
    "episodes that a reflector played itself, not stated as other experience",
    "validate",
    "its reflector played episodes of its own, but its experience is fresh",
)
def play_more(f: Forgery) -> None:
    loop = f.loop()
    loop["replays"] = [[] for _ in loop["batches"]]
    loop["replays"][0] = [f"{loop['batches'][0]['tasks'][0]}@{loop['prompts'][0]['digest']}"]


@attack("fewer loops, not stated as a deviation", "validate", "it does not state the deviation: loops 4 instead of 5")
def drop_loop(f: Forgery) -> None:
    for family in f.result["families"]:
        family["loops"].pop()
    f.result["sizes"]["loops"] -= 1
    f.recompute()
    f.drop_unneeded()


@attack("a held-out family left out", "validate", "held-out families left out: room-dark")
def drop_family(f: Forgery) -> None:
    del f.result["families"][0]
    f.recompute()
    f.drop_unneeded()


@attack("episodes swapped between prompts", "validate", "outcomes: ")
def swap_prompts_of_episodes(f: Forgery) -> None:
    first, best = records_with_different_ends(f)
    first["trajectory"], best["trajectory"] = best["trajectory"], first["trajectory"]


@attack(
    "the same, measures recomputed from the swapped episodes",
    "nothing",
    "both episodes were played; a replay cannot tell under which prompt",
)
def swap_and_recompute(f: Forgery) -> None:
    swap_prompts_of_episodes(f)
    f.recompute()


def records_with_different_ends(f: Forgery) -> tuple[Json, Json]:
    """Return two unpublished records of one test task: solved under either prompt[0] or the best prompt only."""
    published = {record["key"] for record in f.trajectories}
    for loop in f.loops():
        records = [f.records([t], loop["prompts"][index]) for t in loop["test_tasks"] for index in (0, loop["best"])]
        for (first,), (best,) in zip(records[::2], records[1::2], strict=True):
            ends = first["trajectory"]["end"], best["trajectory"]["end"]
            if (ends[0] == "solved") != (ends[1] == "solved") and not {first["key"], best["key"]} & published:
                return first, best
    raise AssertionError("every task ends equally under both prompts")


@attack("a repeated family", "reading", "families: 'room-dark' occurs twice")
def family_twice(f: Forgery) -> None:
    f.result["families"].append(deepcopy(f.family()))


@attack("fewer turns than the loops have", "reading", "prompts has 6 entries, not 4")
def fewer_turns(f: Forgery) -> None:
    f.result["sizes"]["turns"] = 3


@attack(
    "training on a held-out family, not stated",
    "validate",
    "deviation: reflector trained on held-out zap",
)
def hide_training(f: Forgery) -> None:
    f.result.update(reflector_trained_on=["minihack-v1/zap"], deviations=[], ranked=True)


@attack(
    "training of the actor on a held-out family, not stated",
    "validate",
    "deviation: actor trained on held-out zap",
)
def hide_training_of_the_actor(f: Forgery) -> None:
    f.result.update(actor_trained_on=["minihack-v1/zap"], deviations=[], ranked=True)


@attack(
    "the trajectories of a program under the name of a model", "nothing", "a replay cannot tell who chose the actions"
)
def name_a_model(f: Forgery) -> None:
    claim_model(f)


@attack("the best of many runs", "nothing", "each of them is a real run")
def submit_best_run(f: Forgery) -> None:
    """Forge nothing: the other runs are not submitted."""


MEANS, GAIN = "means: held-out.best.value is 0.99", "measures: read: measures.gain.value is 0.9"
NOT_STATED = "setup: it does not state the deviation"
STATED = {"max_steps": 50, "deviations": ["max_steps 50 instead of 25"], "ranked": False}

CLAIMS: list[tuple[str, Stage, str, Callable[[Forgery], object]]] = [
    (
        "a raised mean over held-out families",
        "validate",
        MEANS,
        lambda f: f.result["by_role"]["held-out"]["best"].update(value=0.99),
    ),
    ("a raised gain of a family", "validate", GAIN, lambda f: f.family(1)["measures"]["gain"].update(value=0.9)),
    (
        "a narrowed interval",
        "validate",
        "measures: room-dark: measures.gain.",
        lambda f: f.family()["measures"]["gain"].update(low=0.29, high=0.31),
    ),
    (
        "losses removed from the behaviour",
        "validate",
        "behaviour: room-dark: behaviour.ends.",
        lambda f: f.family()["behaviour"].update(ends={"solved": 100}),
    ),
    (
        "a cost that differs from the records",
        "validate",
        "cost: test.calls is 7",
        lambda f: f.result["cost"]["test"].update(calls=7),
    ),
    (
        "a negative cost",
        "validate",
        "cost: reflector.input_tokens is -5",
        lambda f: f.result["cost"]["reflector"].update(input_tokens=-5),
    ),
    (
        "a trillion dollars for reflections",
        "validate",
        "cost: reflector.cost is 1000000000000",
        lambda f: f.result["cost"]["reflector"].update(cost=10.0**12),
    ),
    (
        "a word instead of a prompt's digest",
        "reading",
        "not 12 hexadecimal digits",
        lambda f: f.loop()["prompts"][2].update(digest="nothing@all"),
    ),
    (
        "a word instead of the digest of the records",
        "reading",
        "episodes_sha256 is 'nothing', which is not a SHA-256 digest",
        lambda f: f.result.update(episodes_sha256="nothing"),
    ),
    (
        "an address in the result's account of its machine",
        "validate",
        "host of the result holds details of a machine",
        lambda f: f.result["host"].update(addresses={"actor": "http://spy.example"}),
    ),
    (
        "the digest of another suite",
        "validate",
        "has changed since this run",
        lambda f: f.result["suite"].update(digest="0" * 64),
    ),
    (
        "the name of another suite",
        "validate",
        "its suite is 'alfworld-v1', but it is on the board of minihack-v1",
        lambda f: f.result["suite"].update(name="alfworld-v1"),
    ),
    (
        "a path instead of the name of a suite",
        "validate",
        "its suite is '../../../etc/suite.yaml'",
        lambda f: f.result["suite"].update(name="../../../etc/suite.yaml"),
    ),
    ("a lite run claimed as standard", "validate", f"{NOT_STATED}: ", lambda f: f.result.update(profile="standard")),
    (
        "a quick run",
        "validate",
        "profile 'quick' is not ranked; run with --profile lite or standard",
        lambda f: f.result.update(profile="quick"),
    ),
    (
        "a higher limit of decisions, not stated",
        "validate",
        f"{NOT_STATED}: max_steps 50",
        lambda f: f.result.update(max_steps=50),
    ),
    (
        "a stated deviation",
        "validate",
        "the run deviates from its profile: 'max_steps 50 instead of 25'",
        lambda f: f.result.update(STATED),
    ),
    (
        "a higher prompt size limit, not stated",
        "validate",
        f"{NOT_STATED}: prompt_bytes",
        lambda f: f.result.update(prompt_bytes=9000),
    ),
    (
        "an incomplete run",
        "validate",
        "the run is incomplete: 4 episodes or reflections are owed",
        lambda f: f.result.update(complete=False, owed=4, ranked=False),
    ),
    (
        "a held-out family claimed as meta-train",
        "reading",
        "by_role: means of held-out",
        lambda f: f.family().update(role="meta-train"),
    ),
    ("an unknown family", "validate", "'easy' is not a family of the suite", lambda f: f.family().update(name="easy")),
    (
        "a loop index beyond those of the profile",
        "reading",
        "loop 7 exists, but the run has 5 loops from 0",
        lambda f: f.loop(0, 4).update(index=7),
    ),
]
ATTACKS += [Attack(name, stage, reason, forge=forge) for name, stage, reason, forge in CLAIMS]
