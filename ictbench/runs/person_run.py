"""Run that a person plays: the protocol's own tasks, episodes and files, one episode at a time.

A person has no reflector: the prompt stays the same, and the run is a baseline. Practice tasks (experience and
selection) come first, since a person learns while playing; the test tasks, which are reported, come last.
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol

from ictbench.actors.person import MAX_NAME, person
from ictbench.envs import checked_versions
from ictbench.errors import ConfigError, JournalError
from ictbench.models import UsageMeter
from ictbench.protocol import Audit, Loop, Online, Play, Reflect, Score
from ictbench.records import Reflection, Usage
from ictbench.runs.api import Run
from ictbench.runs.find_suite import find_suite
from ictbench.runs.journal import Journal
from ictbench.runs.options import Options
from ictbench.runs.plan import make_plan
from ictbench.runs.run_log import log_to_file
from ictbench.runs.session import account
from ictbench.runs.unfinished import note_plan
from ictbench.runs.write_run import BEGUN, build_result, write_episodes, write_outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from ictbench.protocol import LoopPlan, LoopResult, Request
    from ictbench.records import Episode, EpisodeSpec, Task
    from ictbench.runs.plan import RunPlan
    from ictbench.runs.run_folder import RunFolder

Part = Literal["practice", "test"]

LOOPS, TEST_TASKS = 3, 5
"""Default number of loops, the smallest that has intervals, and of test tasks of each."""


@dataclass(frozen=True, slots=True)
class Place:
    """Place of an episode among those of its family."""

    family: str
    part: Part
    number: int
    """Number of the task, from 1."""
    total: int


class Player(Protocol):
    """A person, as a run meets one."""

    def play(self, spec: EpisodeSpec, place: Place) -> Episode:
        """Play one episode."""

    def pause(self, problem: str) -> None:
        """Show a problem, and return when the person wants to try again."""


def plan_person_run(
    *,
    env: str | None = None,
    suite: str | None = None,
    families: str | None = None,
    loops: int = LOOPS,
    test_size: int = TEST_TASKS,
    start_prompt: Path | None = None,
    name: str = "",
) -> RunPlan:
    """Return the plan of a run that a person plays, without a reflector.

    Args:
        env: Environment; its newest suite is played.
        suite: Suite by name or YAML file.
        families: Families by name, separated by commas; None for the first one of the suite.
        loops: Loops per family.
        test_size: Test tasks per loop. A loop has two practice tasks besides, one of experience and one of selection.
        start_prompt: File of the prompt to read; None for the suite's own.
        name: Name of the player.

    Raises:
        UsageError: Something requested does not exist or does not fit.
    """
    if not name.isprintable() or len(name) > MAX_NAME or name != name.strip():
        raise ConfigError(
            f"--player {name[:80]!r} is not a name of at most {MAX_NAME} printable characters; shorten it"
        )
    loaded, _ = find_suite(Options.parse({"env": env, "suite": suite}))
    options = {
        "env": env,
        "suite": suite,
        "families": families or [next(iter(loaded.families))],
        "profile": "quick" if "quick" in loaded.profiles else next(iter(loaded.profiles)),
        "reflector": "none",
        # A placeholder: `make_plan` refuses the name of a person, whom no executor can ask.
        "actor": "random",
        "executor": "inline",
        "turns": 1,
        "batch_size": 1,
        "selection_size": 1,
        "test_size": test_size,
        "repeats": 1,
        "loops": loops,
        "start_prompt": start_prompt and str(start_prompt),
    }
    # What the person played before is unknown.
    return replace(make_plan(Options.parse(options)), actor=person(name), actor_trained_on=None)


def play_person_run(plan: RunPlan, folder: RunFolder, player: Player) -> Run:
    """Let a person play what the folder does not hold yet, and write the files of the run.

    Every episode is recorded when it ends. What `player` raises, and an interrupt, stop the session: the folder then
    keeps the finished episodes, and the unfinished one is discarded.

    Raises:
        UsageError: A task cannot be played here, or the folder holds another run; nothing was played.
        RunError: The environment's code fails, or files cannot be written.
    """
    loops = list(plan.loops())
    versions = checked_versions(
        plan.suite.env,
        {task.id: task for loop in loops for task in loop.tasks}.values(),
        deterministic=plan.suite.deterministic,
    )
    with (
        folder.claim({**plan.identity(), "versions": dict(versions)}),
        log_to_file(folder.log, plan.options.log_level),
        closing(Journal(folder.journal)) as journal,
    ):
        note_plan(journal, plan, versions)
        with account(journal, UsageMeter(plan.limits)):
            session = _Session(plan, journal, player)
            finished = {
                family: session.play_family([loop for loop in loops if loop.family == family])
                for family in plan.families
            }
            journal.note("complete", True)
        write_episodes(folder, journal)
        result = build_result(plan, finished, {}, journal, dict(versions), folder.path)
        write_outcome(folder, journal, result)
    return Run(folder.path, result)


def episode_count(plan: RunPlan) -> int:
    """Return the number of episodes of a person's run."""
    return sum(len(_places(plan, [loop for loop in plan.loops() if loop.family == family])) for family in plan.families)


@dataclass(frozen=True, slots=True)
class _Session:
    plan: RunPlan
    journal: Journal
    player: Player

    def play_family(self, plans: Sequence[LoopPlan]) -> list[LoopResult]:
        """Play the loops of one family: all practice first, then all tests."""
        loops = [Loop(plan) for plan in plans]
        places = _places(self.plan, plans)
        waiting = [(loop, request) for loop in loops for request in loop.start()]
        while waiting:
            waiting.sort(key=lambda pair: isinstance(pair[1], Score) and pair[1].pool == "test")
            loop, request = waiting.pop(0)
            waiting += [(loop, following) for following in self._answer(loop, request, places)]
        return [loop.result() for loop in loops]

    def _answer(self, loop: Loop, request: Request, places: dict[str, Place]) -> Iterable[Request]:
        match request:
            case Play():
                episodes = [self._episode(task, 0, request.prompt, places) for task in request.tasks]
                return loop.played(request, [episode.trajectory for episode in episodes])
            case Reflect():
                return loop.reflected(request, self._keep_prompt(loop.plan, request))
            case Score():
                episodes = [self._episode(*pair, request.prompt, places) for pair in request.episodes]
                return loop.scored(request, [episode.trajectory.solved for episode in episodes])
            case Audit() | Online():
                raise AssertionError("not in the plan of a person's run")

    def _keep_prompt(self, plan: LoopPlan, request: Reflect) -> Reflection:
        """Record what the reflector `none` answers, as a run does."""
        reflection = Reflection(prompt=request.prompt)
        if self.journal.reflection(plan.family, plan.index, request.turn) is None:
            self.journal.add_reflection(plan.family, plan.index, request.turn, reflection, 0.0, Usage())
        return reflection

    def _episode(self, task: Task, replicate: int, prompt: str, places: dict[str, Place]) -> Episode:
        """Return the recorded episode, or the one that the person plays now, once it is recorded."""
        spec = self.plan.episode(task, prompt, replicate)
        if (recorded := self.journal.episode(spec.key)) is not None:
            return recorded
        begun: dict[str, int] = self.journal.get(BEGUN, {})
        # Noted before it begins: a person may stop an episode that goes wrong, to play it again.
        self._write(lambda: self.journal.note(BEGUN, {**begun, spec.key: begun.get(spec.key, 0) + 1}))
        started, clock = time.time(), time.monotonic()
        episode = self.player.play(spec, places[spec.key])
        seconds = time.monotonic() - clock
        self._write(lambda: self.journal.add_episode(episode, started, seconds, Usage()))
        return episode

    def _write(self, write: Callable[[], None]) -> None:
        """Write to the journal, as often as the person wants to try."""
        while True:
            try:
                return write()
            except JournalError as error:
                self.player.pause(str(error))


def _places(plan: RunPlan, loops: Sequence[LoopPlan]) -> dict[str, Place]:
    """Return the place of every episode by key. Loops that share their games share the episodes."""
    tasks: dict[Part, list[Task]] = {
        "practice": [task for loop in loops for task in (*loop.batches[0], *loop.selection)],
        "test": [task for loop in loops for task in loop.test],
    }
    places: dict[str, Place] = {}
    for part, of_part in tasks.items():
        keys = dict.fromkeys(plan.episode(task, loops[0].prompt).key for task in of_part)
        new = [key for key in keys if key not in places]
        places |= {key: Place(loops[0].family, part, number, len(new)) for number, key in enumerate(new, 1)}
    return places
