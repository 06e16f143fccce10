"""Reading of a run that has not ended: what its journal holds, without playing anything or importing its plug-ins.

A session notes its plan in the journal. The loops are then repeated from the recorded episodes and reflections, as
far as these go. Another process may write the journal meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, ValidationError

from ictbench.errors import RunFolderError
from ictbench.protocol import Audit, Loop, Online, Play, Reflect, Score
from ictbench.records import Division, PluginSpec, Record, Trajectory, episode_key, prompt_digest
from ictbench.reflectors import Experience, Traits
from ictbench.runs.options import Options
from ictbench.runs.plan import RunPlan
from ictbench.runs.write_run import build_result
from ictbench.suites import Sizes, Suite
from ictbench.validation import validation_message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ictbench.protocol import LoopPlan, LoopResult, Request
    from ictbench.results import Result
    from ictbench.runs.journal import Journal
    from ictbench.runs.run_folder import RunFolder

MAX_TASKS = 2_000_000
"""Maximum tasks of a run whose loops are repeated; the sizes may be a stranger's."""

OPTIONS = ("profile", "test_every_turn", "audit", "online", "episode_time_limit")
"""Options in the configuration of a run on which its loops depend."""

NO_TRAJECTORY = {
    solved: Trajectory(steps=(), last_observation="", last_digest="", end="solved" if solved else "step_limit")
    for solved in (True, False)
}
"""Trajectories as far as the state machine of a loop reads them."""


class PlanRecord(Record):
    """Parts of a plan that the configuration of a run does not hold."""

    suite: Suite
    experience: Experience
    prompt_cap: int | None
    control: str
    division: Division = "reflector"
    trained_on: tuple[str, ...] | None
    actor_trained_on: tuple[str, ...] | None = None
    deviations: tuple[str, ...]
    versions: dict[str, str] = Field(default_factory=dict)


def note_plan(journal: Journal, plan: RunPlan, versions: dict[str, str]) -> None:
    """Note the plan of a run that starts or goes on."""
    record = PlanRecord(
        suite=plan.suite,
        experience=plan.traits.experience,
        prompt_cap=plan.traits.prompt_cap,
        control=plan.traits.control,
        division=plan.traits.division,
        trained_on=plan.trained_on,
        actor_trained_on=plan.actor_trained_on,
        deviations=plan.deviations(),
        versions=versions,
    )
    journal.note("plan", record.model_dump(mode="json", by_alias=True))


def recorded_plan(folder: RunFolder, journal: Journal) -> tuple[RunPlan, PlanRecord]:
    """Return the plan of a run from its configuration and its journal.

    Raises:
        RunFolderError: An older version of ictbench wrote the folder, or it is damaged.
    """
    config, note = folder.read_config(), journal.get("plan")
    if note is None:
        raise RunFolderError(f"{folder.path} does not hold its plan: continue the run, and it can be shown")
    try:
        record = PlanRecord.model_validate(note)
        plan = RunPlan(
            options=Options.parse({name: config[name] for name in OPTIONS if name in config}),
            suite=record.suite,
            families=tuple(config["families"]),
            sizes=Sizes.model_validate({name: config[name] for name in Sizes.model_fields if name in config}),
            max_steps=config["max_steps"],
            actor=PluginSpec.model_validate(config["actor"]),
            reflector=PluginSpec.model_validate(config["reflector"]),
            traits=Traits(
                record.experience, record.prompt_cap, record.control, record.trained_on, division=record.division
            ),
            trained_on=record.trained_on,
            actor_trained_on=record.actor_trained_on,
            notes=(),
            start_prompts=dict(config.get("start_prompts", {})),
            loop_indices=tuple(config["loop_indices"]) if "loop_indices" in config else None,
        )
    except ValidationError as error:
        raise RunFolderError(f"the plan in {folder.path} is damaged: {validation_message(error)}") from error
    except (KeyError, TypeError) as error:
        raise RunFolderError(f"{folder.config} is damaged: {type(error).__name__} {error}") from error
    if record.suite.digest != config.get("suite_digest") or not set(plan.families) <= set(record.suite.families):
        raise RunFolderError(f"{folder.config} and the journal beside it are not of one run")
    if plan.episode_bounds()["episodes"] > MAX_TASKS:
        raise RunFolderError(f"the run in {folder.path} has more than {MAX_TASKS:,} episodes: it is shown when it ends")
    return plan, record


def partial_result(folder: RunFolder, journal: Journal) -> Result:
    """Return the result of the loops that are finished so far.

    Raises:
        RunFolderError: The folder does not hold the plan of the run, or is damaged.
    """
    plan, record = recorded_plan(folder, journal)
    finished: dict[str, list[LoopResult]] = {}
    for loop in repeated_loops(plan, journal):
        if loop.finished:
            finished.setdefault(loop.plan.family, []).append(loop.result())
    return build_result(plan, finished, {}, journal, record.versions, folder.path, record.deviations)


def repeated_loops(plan: RunPlan, journal: Journal) -> Iterator[Loop]:
    """Yield every loop of a plan, as far as the journal holds its episodes and reflections."""
    for loop_plan in plan.loops():
        yield _repeat(loop_plan, journal)[0]


def missing_episodes(folder: RunFolder, journal: Journal) -> dict[str, int]:
    """Return how many episodes of each pool the loops wait for now; later ones follow from their outcomes.

    Raises:
        RunFolderError: The folder does not hold the plan of the run, or is damaged.
    """
    plan, _ = recorded_plan(folder, journal)
    missing: dict[str, set[str]] = {}
    for loop_plan in plan.loops():
        for request in _repeat(loop_plan, journal)[1]:
            if not isinstance(request, Reflect):
                keys = _keys(request)
                missing.setdefault(_pool(request), set()).update({*keys} - journal.solved(keys).keys())
    return {pool: len(keys) for pool, keys in sorted(missing.items()) if keys}


def _repeat(plan: LoopPlan, journal: Journal) -> tuple[Loop, list[Request]]:
    """Return a loop as far as the journal goes, and the requests that the journal cannot answer."""
    loop, unanswered = Loop(plan), []
    requests = list(loop.start())
    while requests:
        request = requests.pop(0)
        following = _answer(loop, request, journal)
        if following is None:
            unanswered.append(request)
        else:
            requests += following
    return loop, unanswered


def _answer(loop: Loop, request: Request, journal: Journal) -> Iterable[Request] | None:
    """Answer a request from the journal, and return the next ones; None if the journal lacks something."""
    if isinstance(request, Reflect):
        reflection = journal.reflection(loop.plan.family, loop.plan.index, request.turn)
        return None if reflection is None else loop.reflected(request, reflection)
    keys = _keys(request)
    known = journal.solved(keys)
    if not known.keys() >= set(keys):
        return None
    outcomes = [known[key] for key in keys]
    match request:
        case Play():
            return loop.played(request, [NO_TRAJECTORY[solved] for solved in outcomes])
        case Score():
            return loop.scored(request, outcomes)
        case Audit():
            return loop.audited(request, outcomes)
        case Online():
            return loop.compared(request, outcomes)


def _keys(request: Play | Score | Audit | Online) -> list[str]:
    """Return the keys of the episodes that a request asks for, in their order."""
    episodes = request.episodes if isinstance(request, Score) else ((task, 0) for task in request.tasks)
    digest = prompt_digest(request.prompt, request.memory.digest)
    return [episode_key(task.id, digest, replicate) for task, replicate in episodes]


def _pool(request: Play | Score | Audit | Online) -> str:
    match request:
        case Play():
            return "experience"
        case Score():
            return request.pool
        case Audit():
            return "audit"
        case Online():
            return "online"
