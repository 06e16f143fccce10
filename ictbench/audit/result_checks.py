"""What a result says of itself, held against its suite: no episode is needed to see that it cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.audit.findings import Findings, shown
from ictbench.audit.json_diff import differences, in_words
from ictbench.protocol import loop_plan, played_tasks
from ictbench.records import prompt_digest, task_id_of
from ictbench.results.schema_checks import contradictions
from ictbench.runs.deviations import deviations
from ictbench.suites.suite import RANKED_PROFILES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.audit.verification import Check
    from ictbench.protocol import LoopPlan, LoopResult
    from ictbench.results import Result
    from ictbench.suites import Suite

Plans = dict[tuple[str, int], "LoopPlan"]
"""By family and loop index."""


def check_suite(result: Result, suite: Suite) -> Check:
    """Whether the result is of this suite, as it is here."""
    found = Findings("suite")
    for name in ("name", "digest"):
        claimed, known = getattr(result.suite, name), getattr(suite, name)
        if claimed != known:
            found.add(f"its {name} is {shown(claimed)}, and {shown(known)} here")
    return found.check(f"{suite.name}, digest {suite.digest[:12]}")


def check_agreement(result: Result) -> Check:
    """Whether the result agrees with itself: counts, outcomes, best prompts."""
    found = Findings("agreement")
    found.extend(contradictions(result))
    return found.check("the result agrees with itself")


def check_loops(result: Result, suite: Suite) -> Check:
    """Whether every loop of every family is there once, and as large as the sizes say.

    A plan is made only for what is there: sizes that somebody made up would fill the memory.
    """
    found = Findings("loops")
    if not result.complete or result.owed or not result.families:
        found.add(f"the run is incomplete: {result.owed} owed, or loops missing; continue it")
    for family in result.families:
        if family.name not in suite.families:
            found.add(f"the suite has no family {shown(family.name)}")
            continue
        indices = [loop.index for loop in family.loops]
        if indices != [*(result.loop_indices or range(len(indices)))] or len(indices) != result.sizes.loops:
            found.add(f"{family.name} has the loops {shown(indices)}, not 0 … {result.sizes.loops - 1}")
        for loop in family.loops:
            found.extend(
                f"{_place(family.name, loop)}: {what}" for what in _size_faults(result, suite, family.name, loop)
            )
    return found.check(f"{result.sizes.loops} of each of {len(result.families)} families, all finished")


def check_setup(result: Result, suite: Suite) -> Check:
    """Whether limits, roles and deviations are those of suite and profile."""
    found = Findings("setup")
    if result.profile not in suite.profiles:
        found.add(f"the suite has no profile {shown(result.profile)}")
        return found.check("")
    told = set(
        deviations(
            suite,
            result.profile,
            sizes=result.sizes,
            families=[family.name for family in result.families],
            max_steps=result.max_steps,
            prompt_bytes=result.prompt_bytes,
            actor=result.actor,
            trained_on=result.reflector_trained_on,
            loop_indices=result.loop_indices,
        )
    )
    # It may admit more: what follows from a plug-in, or happened on the way.
    found.extend(f"it keeps silent about the deviation: {one}" for one in sorted(told - {*result.deviations}))
    if result.experience != "fresh" and not result.control:
        found.add(f"its experience is {result.experience}, and it says of no control")
    fair = not result.deviations and not result.control
    expected = {
        "ranked": result.complete and fair and result.profile in RANKED_PROFILES,
        "intervals": "for these games" if suite.pools.shared else "over loops",
    }
    for name, value in expected.items():
        if (claimed := getattr(result, name)) != value:
            found.add(f"{name} is {shown(claimed)}, not {shown(value)}")
    for family in result.families:
        own = suite.families[family.name]
        for name in ("role", "note"):
            if (claimed := getattr(family, name)) != (value := getattr(own, name)):
                found.add(f"the {name} of {family.name} is {shown(claimed)}, not {shown(value)}")
    return found.check(f"profile {result.profile}, {'; '.join(result.deviations) or 'no deviations'}")


def check_prompts(result: Result, suite: Suite) -> Check:
    """Whether prompts begin with the suite's, keep under the cap, and change only where a reflection was used."""
    found = Findings("prompts")
    texts: dict[str, str] = {}
    for family in result.families:
        for loop in family.loops:
            for what in _prompt_faults(loop, suite, result.prompt_bytes):
                found.add(f"{_place(family.name, loop)}: {what}")
            for prompt in loop.prompts:
                if texts.setdefault(prompt.digest, prompt.text) != prompt.text:
                    found.add(f"two prompts have the digest {shown(prompt.digest)}")
    return found.check(f"{len(texts):,} different ones, each under {result.prompt_bytes:,} bytes")


def make_plans(result: Result, suite: Suite) -> Plans:
    """The plan of every loop, as the suite has it; `check_loops` must have passed.

    Raises:
        PoolTooSmallError: the suite has not so many tasks.
    """
    return {
        (family.name, loop.index): loop_plan(
            suite,
            family.name,
            loop.index,
            result.sizes,
            experience=result.experience,
            prompt_bytes=result.prompt_bytes,
            test_every_turn=result.test_every_turn,
            audit=result.audit,
        )
        for family in result.families
        for loop in family.loops
    }


def check_tasks(result: Result, plans: Plans) -> Check:
    """Whether every loop has the suite's own tasks, in their order, none twice."""
    found = Findings("tasks")
    for family in result.families:
        for loop in family.loops:
            for what in _task_faults(loop, plans[family.name, loop.index]):
                found.add(f"{_place(family.name, loop)}: {what}")
    again = "each batch met in every turn" if result.experience == "retried" else "none met twice in a loop"
    return found.check(f"those of {len(plans)} loops are the suite's, in its order, {again}")


def _size_faults(result: Result, suite: Suite, family: str, loop: LoopResult) -> Iterator[str]:
    sizes = result.sizes
    scored = {
        "selection": suite.scoring_size("selection", family, sizes.selection_size),
        "test": suite.scoring_size("test", family, sizes.test_size),
    }
    for one in played_tasks(loop):
        if one.purpose == "experience" and result.experience == "halved" and len(one.tasks) < sizes.batch_size:
            continue
        if len(one.tasks) != (size := scored.get(one.purpose, sizes.batch_size)):
            yield f"{len(one.tasks)} {one.purpose} tasks under prompt[{one.prompt}], not {size}"


def _prompt_faults(loop: LoopResult, suite: Suite, cap: int) -> Iterator[str]:
    first = loop.prompts[0]
    if (first.text, first.analysis, first.failure) != (suite.prompt, "", None):
        yield f"prompt[0] is not the suite's own: {shown(first.text)}"
    for index, prompt in enumerate(loop.prompts):
        if prompt.digest != (digest := prompt_digest(prompt.text)):
            yield f"the digest of prompt[{index}] is {shown(prompt.digest)}, that of its text {digest}"
        if (size := len(prompt.text.encode())) > cap:
            yield f"prompt[{index}] has {size:,} bytes, of at most {cap:,}"
        if index and prompt.failure and prompt.text != loop.prompts[index - 1].text:
            yield f"prompt[{index}] is another one, though its reflection is {prompt.failure}"


def _task_faults(loop: LoopResult, plan: LoopPlan) -> Iterator[str]:
    met = [task for batch in loop.batches for task in batch.tasks]
    if plan.experience != "retried" and (twice := next((task for task in met if met.count(task) > 1), None)):
        yield f"{shown(twice)} is met twice"
    claimed = {
        "batches": [[*batch.tasks] for batch in loop.batches],
        "selection_tasks": [*loop.selection_tasks],
        "test_tasks": [*loop.test_tasks],
    }
    planned = {
        "batches": [[task.id for task in batch] for batch in plan.batches],
        "selection_tasks": [task.id for task in plan.selection],
        "test_tasks": [task.id for task in plan.test],
    }
    for place, value, expected in differences(claimed, planned):
        yield f"{in_words(place)} is {shown(value)}, not {shown(expected)}"
    for turn, (keys, batch) in enumerate(zip(loop.replays, plan.batches, strict=False), 1):
        if foreign := {key for key in keys if task_id_of(key) not in {task.id for task in batch}}:
            yield f"turn {turn} replays {shown(min(foreign))}, whose task is none of its batch"
        if len(keys) > len(batch):
            yield f"turn {turn} replays {len(keys)} episodes, of at most {len(batch)}"


def _place(family: str, loop: LoopResult) -> str:
    return f"{family}, loop {loop.index}"
