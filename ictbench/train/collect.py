"""Collection of reflection states: loops on meta-train families, without selection and test."""

from __future__ import annotations

import platform
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ictbench.errors import ConfigError, RunError, RunInterruptedError, stopped_by
from ictbench.protocol import keys_for, loop_seed
from ictbench.runs.options import Options, check_caller, defaults_of
from ictbench.runs.plan import make_plan
from ictbench.runs.run_folder import RunFolder
from ictbench.runs.session import FinishedSession, run_session
from ictbench.runs.sync_loop import run_blocking
from ictbench.train.states import ReflectionState, StatesInfo, refuse_held_out, require_datasets, write_states

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ictbench.protocol import LoopResult
    from ictbench.runs import Progress
    from ictbench.runs.journal import Journal
    from ictbench.runs.plan import RunPlan


def collect(
    out: str | Path,
    *,
    on_start: Callable[[Path, Progress], None] | None = None,
    first_loop: int = 0,
    **options: Any,
) -> StatesInfo:
    """Run loops and write their reflection states into a folder; a folder of the same loops is continued.

    Args:
        out: The folder.
        on_start: Receives the folder and the live progress; see `ictbench.run`.
        first_loop: Index of the first loop; loops with other indices meet other tasks.
        options: Options of `ictbench.run`. By default, families are the meta-train ones and sizes are the paper's.

    Raises:
        UsageError: An option does not exist or does not fit, or a family is held out; nothing was played.
        RunError: The run stopped early; everything finished is recorded, and the same call continues.
    """
    require_datasets()
    plan = plan_collection(first_loop, **options)
    suite = str(options.get("suite") or plan.suite.name)
    folder = RunFolder(Path(out))
    try:
        return run_blocking(
            lambda: run_session(
                plan,
                list(plan.loops()),
                folder,
                on_start,
                lambda session: _write(session, suite),
                {"collects": "states"},
            )
        )
    except KeyboardInterrupt as error:
        raise RunInterruptedError(f"{stopped_by(error)}; everything finished is recorded in {folder.path}") from error


def plan_collection(first_loop: int = 0, **options: Any) -> RunPlan:
    """Check the options of a collection and return its plan; see `collect`.

    Raises:
        UsageError: An option does not exist or does not fit, or a family is held out.
    """
    requested = {name: value for name, value in options.items() if value is not None}
    check_caller("collect", requested)
    plan = make_plan(Options.parse({**defaults_of("collect"), **requested}))
    refuse_held_out(plan.suite, plan.families)
    if plan.traits.division == "optimiser":
        raise ConfigError(
            f"reflector {plan.reflector.label!r} plays its episodes itself, so its turns have no batch to reflect on; "
            "collect with another reflector"
        )
    if plan.traits.division == "memory":
        raise ConfigError(
            f"reflector {plan.reflector.label!r} keeps a memory, and a state holds a prompt only: its episodes are "
            "played with more than the prompt; collect with another reflector"
        )
    if streams := [family for family in plan.families if family in plan.suite.streams]:
        raise ConfigError(
            f"{streams[0]!r} is a stream: a reward needs fresh tasks of the families of a batch; collect from a suite "
            "with these families"
        )
    if len({plan.start_prompts.get(family) for family in plan.families}) > 1:
        raise ConfigError("start_prompt names a run whose families have different prompts: give a text file")
    if plan.traits.experience != "fresh":
        raise ConfigError(
            f"reflector {plan.reflector.label!r} is shown episodes of other loops, possibly from held-out families: "
            "collect with the reflector that it wraps"
        )
    # Nothing is scored. The plan must say so, because the recorded configuration is made from it.
    plan = replace(plan, sizes=plan.sizes.model_copy(update={"selection_size": 0, "test_size": 0, "repeats": 1}))
    return replace(plan, loop_indices=tuple(range(first_loop, first_loop + plan.sizes.loops))) if first_loop else plan


def _write(session: FinishedSession, suite: str) -> StatesInfo:
    plan, sizes = session.plan, session.plan.sizes
    if owed := len(session.store.owed):
        cause = next(iter(session.store.owed.values()))
        raise RunError(
            f"the states are incomplete: {owed} episodes or reflections are owed ({cause}); run the same command again"
        )
    states = (
        state
        for family, loops in session.loops.items()
        for loop in loops
        for state in _states(plan.suite.digest, family, loop, session.journal)
    )
    return write_states(
        session.folder.path,
        states,
        {
            "suite": suite,
            "suite_name": plan.suite.name,
            "suite_digest": plan.suite.digest,
            "families": list(plan.families),
            "loops": sizes.loops,
            "turns": sizes.turns,
            "batch_size": sizes.batch_size,
            "max_steps": plan.max_steps,
            "start_prompt": next(iter(plan.start_prompts.values()), None),
            "reflector": plan.reflector.model_dump(mode="json"),
            "actor": plan.actor.model_dump(mode="json"),
            "versions": {"python": platform.python_version(), **session.versions},
        },
    )


def _states(suite_digest: str, family: str, loop: LoopResult, journal: Journal) -> Iterator[ReflectionState]:
    """Yield one state per turn."""
    for turn, batch in enumerate(loop.batches, start=1):
        episodes = [journal.episode(key) for key in keys_for(loop, "experience", turn - 1)]
        trajectories = [episode.trajectory for episode in episodes if episode is not None]
        yield ReflectionState(
            family=family,
            loop=loop.index,
            turn=turn,
            prompt=loop.prompts[turn - 1].text,
            task_ids=batch.tasks,
            solved=tuple(trajectory.solved for trajectory in trajectories),
            trajectories=tuple(trajectory.model_dump_json() for trajectory in trajectories),
            loop_seed=loop_seed(suite_digest, family, loop.index),
        )
