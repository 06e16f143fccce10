"""Checks of a result against its suite that need no episode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench.actors.person import is_person
from ictbench.audit.findings import Findings, quote
from ictbench.audit.json_diff import differences, format_place
from ictbench.audit.optimiser_checks import optimiser_problems
from ictbench.protocol import loop_plan, loop_seed, played_tasks
from ictbench.records import MEMORY_ROOM, prompt_digest, task_id_of
from ictbench.results.schema_checks import contradictions
from ictbench.runs.deviations import deviations, other_start, played_by_person, rejected_requests, told_solutions
from ictbench.submissions.known_players import control_of, division_of, keeps_prompt, known_experience, sees_solution
from ictbench.suites.suite import RANKED_PROFILES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.audit.verification import Check
    from ictbench.protocol import LoopPlan, LoopResult
    from ictbench.results import Result
    from ictbench.suites import Suite

Plans = dict[tuple[str, int], "LoopPlan"]
"""Plans of loops by family and loop index."""


MAX_ANALYSIS_BYTES = 1_000_000
"""Maximum size of an analysis: more than a model writes in one reply."""


def check_suite(result: Result, suite: Suite) -> Check:
    """Check that the result belongs to this suite, as it is defined here."""
    findings = Findings("suite")
    for name in ("name", "digest", "deterministic"):
        claimed, expected = getattr(result.suite, name), getattr(suite, name)
        if claimed != expected:
            findings.add(f"its {name} is {quote(claimed)}, and {quote(expected)} here")
    return findings.check(f"{suite.name}, digest {suite.digest[:12]}")


def check_agreement(result: Result) -> Check:
    """Check that the result agrees with itself: counts, outcomes, best prompts."""
    findings = Findings("agreement")
    findings.extend(contradictions(result))
    return findings.check("the result agrees with itself")


def check_loops(result: Result, suite: Suite) -> Check:
    """Check that every loop of every family occurs once and has the sizes of the run.

    Only loops in the result are examined: a plan of sizes that a submitter invented could fill the memory.
    """
    findings = Findings("loops")
    if not result.complete or result.owed or not result.families:
        findings.add(f"the run is incomplete: {result.owed} owed, or loops missing; continue it")
    for family in result.families:
        if family.name not in suite.families:
            findings.add(f"{quote(family.name)} is not a family of the suite")
            continue
        indices = [loop.index for loop in family.loops]
        if indices != [*(result.loop_indices or range(len(indices)))] or len(indices) != result.sizes.loops:
            findings.add(f"{family.name} has the loops {quote(indices)}, not 0 … {result.sizes.loops - 1}")
        for loop in family.loops:
            place = _place(family.name, loop)
            findings.extend(f"{place}: {problem}" for problem in _size_problems(result, suite, family.name, loop))
    return findings.check(f"{result.sizes.loops} of each of {len(result.families)} families, all finished")


def check_setup(result: Result, suite: Suite) -> Check:
    """Check that limits, roles and deviations are those of the suite and the profile."""
    findings = Findings("setup")
    if result.profile not in suite.profiles:
        findings.add(f"{quote(result.profile)} is not a profile of the suite")
        return findings.check("")
    expected_deviations = set(
        deviations(
            suite,
            result.profile,
            sizes=result.sizes,
            families=[family.name for family in result.families],
            max_steps=result.max_steps,
            prompt_bytes=result.prompt_bytes,
            actor=result.actor,
            trained_on=result.reflector_trained_on,
            actor_trained_on=result.actor_trained_on,
            loop_indices=result.loop_indices,
        )
    )
    expected_deviations |= {*rejected_requests(result.families)}
    if is_person(result.actor):
        expected_deviations.add(played_by_person(result.actor))
    if sees_solution(result.actor):
        expected_deviations.add(told_solutions(result.actor))
    # The result may state more: deviations of a plug-in, or events during the run.
    findings.extend(
        f"it does not state the deviation: {deviation}"
        for deviation in sorted(expected_deviations - {*result.deviations})
    )
    experience = known_experience(result.reflector)
    if experience and result.experience != experience:
        findings.add(f"its experience is {result.experience}, that of {quote(result.reflector.name)} {experience}")
    if result.division != (division := division_of(result)):
        findings.add(f"its division is {result.division}, that of {quote(result.reflector.label)} {division}")
    control = control_of(result)
    if result.control != control:
        findings.add(f"its control is {quote(result.control)}, not {quote(control)}")
    if result.experience not in ("fresh", "pooled") and not control:
        findings.add(f"its experience is {result.experience}, but it does not state that it is a control")
    if (result.experience == "pooled") != (result.division == "optimiser"):
        findings.add(f"its experience is {result.experience}, but its division {result.division}")
    fair = not result.deviations and not control
    expected_values = {
        "ranked": result.complete and fair and result.profile in RANKED_PROFILES,
        "intervals": "for these games" if suite.pools.shared else "over loops",
    }
    for name, expected in expected_values.items():
        if (claimed := getattr(result, name)) != expected:
            findings.add(f"{name} is {quote(claimed)}, not {quote(expected)}")
    for family in result.families:
        suite_family = suite.families[family.name]
        for name in ("role", "note"):
            if (claimed := getattr(family, name)) != (expected := getattr(suite_family, name)):
                findings.add(f"the {name} of {family.name} is {quote(claimed)}, not {quote(expected)}")
    return findings.check(f"profile {result.profile}, {'; '.join(result.deviations) or 'no deviations'}")


def check_prompts(result: Result, suite: Suite) -> Check:
    """Check that prompts start with the suite's, keep to the limit, and change only where a reflection succeeded."""
    findings = Findings("prompts")
    contents: dict[str, tuple[str, str]] = {}
    for family in result.families:
        for loop in family.loops:
            for problem in _prompt_problems(loop, suite, result, family.name):
                findings.add(f"{_place(family.name, loop)}: {problem}")
            if keeps_prompt(result.reflector) and any(prompt.text != loop.prompts[0].text for prompt in loop.prompts):
                reflector = quote(result.reflector.label)
                findings.add(f"{_place(family.name, loop)}: a prompt changes, but reflector {reflector} keeps it")
            if result.reflector.name == "transferred" and not _hands_out(result, family.name, loop):
                findings.add(f"{_place(family.name, loop)}: its prompts are not those that its reflector hands out")
            for prompt in loop.prompts:
                if contents.setdefault(prompt.digest, content := (prompt.text, prompt.memory)) != content:
                    findings.add(f"two prompts have the digest {quote(prompt.digest)}")
    return findings.check(f"{len(contents):,} different ones, each of at most {result.prompt_bytes:,} bytes")


def make_plans(result: Result, suite: Suite) -> Plans:
    """Return the suite's plan of every loop in a result for which `check_loops` passed.

    Raises:
        PoolTooSmallError: The suite has fewer tasks than the sizes need.
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
            online=result.online,
            prompt=loop.prompts[0].text,
        )
        for family in result.families
        for loop in family.loops
    }


def check_tasks(result: Result, plans: Plans) -> Check:
    """Check that every loop has the suite's tasks in the suite's order, none twice."""
    findings = Findings("tasks")
    for family in result.families:
        for loop in family.loops:
            for problem in _task_problems(loop, plans[family.name, loop.index], result.reflector.name):
                findings.add(f"{_place(family.name, loop)}: {problem}")
    if result.experience == "pooled":
        return findings.check(f"those of {len(plans)} loops are the suite's; the optimiser plays experience tasks only")
    repeats = "the same batch in every turn" if result.experience == "retried" else "none twice in a loop"
    return findings.check(f"those of {len(plans)} loops are the suite's, in its order, {repeats}")


def _size_problems(result: Result, suite: Suite, family: str, loop: LoopResult) -> Iterator[str]:
    sizes = result.sizes
    scoring = {
        "selection": suite.scoring_size("selection", family, sizes.selection_size),
        "test": suite.scoring_size("test", family, sizes.test_size),
    }
    for played in played_tasks(loop):
        if played.purpose == "experience" and result.experience == "pooled":
            continue
        is_batch = played.purpose in ("experience", "online")
        if is_batch and result.experience == "halved" and len(played.tasks) < sizes.batch_size:
            continue
        if len(played.tasks) != (size := scoring.get(played.purpose, sizes.batch_size)):
            yield f"{len(played.tasks)} {played.purpose} tasks under prompt[{played.prompt}], not {size}"


def _prompt_problems(loop: LoopResult, suite: Suite, result: Result, family: str) -> Iterator[str]:
    first, max_bytes = loop.prompts[0], result.prompt_bytes
    # Another one is a deviation that the result states, so that it is not ranked.
    own = first.text == suite.prompt or other_start(family, first.text) in result.deviations
    if not own or (first.analysis, first.failure) != ("", None):
        yield f"prompt[0] is not the suite's own: {quote(first.text)}"
    if first.memory:
        yield f"prompt[0] has the memory {quote(first.memory)}, before the first turn"
    for index, prompt in enumerate(loop.prompts):
        if prompt.digest != (digest := prompt_digest(prompt.text, prompt.memory)):
            yield f"the digest of prompt[{index}] is {quote(prompt.digest)}, that of its text {digest}"
        # What a memory adds to the prompt counts against the same limit.
        most, kept_free = (max_bytes - MEMORY_ROOM, " beside a memory") if prompt.memory else (max_bytes, "")
        if (size := len(prompt.text.encode())) > most:
            yield f"prompt[{index}] has {size:,} bytes, of at most {most:,}{kept_free}"
        if (size := len(prompt.analysis.encode())) > MAX_ANALYSIS_BYTES:
            yield f"prompt[{index}] has an analysis of {size:,} bytes, of at most {MAX_ANALYSIS_BYTES:,}"
        if prompt.memory and result.division != "memory":
            yield f"prompt[{index}] has a memory, but the division is {result.division}"
        before = loop.prompts[index - 1] if index else prompt
        if before.memory and not prompt.memory:
            yield f"prompt[{index}] has no memory, and the prompt before it has one"
        if prompt.failure and (prompt.text, prompt.memory) != (before.text, before.memory):
            what = "prompt" if prompt.text != before.text else "memory of prompt"
            yield f"{what}[{index}] differs from the one before, though its reflection is {prompt.failure}"


def _hands_out(result: Result, family: str, loop: LoopResult) -> bool:
    """Return whether the prompts of a loop are those recorded in the options of a reflector with transferred ones."""
    recorded = result.reflector.options.get("prompts")
    seed = str(loop_seed(result.suite.digest, family, loop.index))
    return isinstance(recorded, dict) and recorded.get(seed) == [prompt.text for prompt in loop.prompts[1:]]


def _task_problems(loop: LoopResult, plan: LoopPlan, reflector: str) -> Iterator[str]:
    claimed: dict[str, list[Any]] = {
        "selection_tasks": [*loop.selection_tasks],
        "test_tasks": [*loop.test_tasks],
        "families": [[*batch.families] for batch in loop.batches],
        "test_families": [*loop.test_families],
    }
    planned: dict[str, list[Any]] = {
        "selection_tasks": [task.id for task in plan.selection],
        "test_tasks": [task.id for task in plan.test],
        "families": [[task.family for task in batch if plan.mixed] for batch in plan.batches],
        "test_families": [task.family for task in plan.test if plan.mixed],
    }
    if plan.experience == "pooled":
        yield from optimiser_problems(loop, plan, reflector)
    else:
        experience = [task for batch in loop.batches for task in batch.tasks]
        repeated = next((task for task in experience if experience.count(task) > 1), None)
        if plan.experience != "retried" and repeated:
            yield f"{quote(repeated)} occurs twice in the experience"
        claimed["batches"] = [[*batch.tasks] for batch in loop.batches]
        planned["batches"] = [[task.id for task in batch] for batch in plan.batches]
    for place, value, expected in differences(claimed, planned):
        yield f"{format_place(place)} is {quote(value)}, not {quote(expected)}"
    if loop.replays and plan.experience != "halved":
        yield f"its reflector played episodes of its own, but its experience is {plan.experience}"
    for turn, (keys, batch) in enumerate(zip(loop.replays, plan.batches, strict=False), 1):
        batch_ids = {task.id for task in batch}
        if foreign := {key for key in keys if task_id_of(key) not in batch_ids}:
            yield f"turn {turn} replays {quote(min(foreign))}, whose task is not in its batch"
        if len(keys) > len(batch):
            yield f"turn {turn} replays {len(keys)} episodes, of at most {len(batch)}"


def _place(family: str, loop: LoopResult) -> str:
    return f"{family}, loop {loop.index}"
