"""Checks that the author of an environment runs on their own class.

check_env(MyEnv, load_suite("mine.yaml").scoring_tasks("test", "easy", loop=0, size=3))
"""

from __future__ import annotations

import asyncio
import math
import pickle
import re
from contextlib import closing
from typing import TYPE_CHECKING, Any

from ictbench.envs import TextEnv
from ictbench.errors import IctbenchError
from ictbench.plugins import resolve
from ictbench.records import EpisodeSpec, PluginSpec, Task
from ictbench.rollout import EpisodeWorker
from ictbench.rollout.episode import match_action
from ictbench.testing.erring_actor import ErringActor
from ictbench.testing.playthrough import (
    Playthrough,
    beside_another_instance,
    difference,
    follow,
    in_a_used_instance,
    in_another_process,
    in_fresh_instances,
    wander,
)
from ictbench.testing.violations import broken, excerpt, raised

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ictbench.records import Observation

MAX_STEPS = 25
MOST_OPENINGS = 50
"""Actions of a task's first observation that are tried, each from the start."""
TELLING_CHARACTERS, TELLING_DIGITS = 8, 5
"""How long a text or a number of a task's params is that nothing else would show by chance."""

DECIDES = "let nothing but the task and the actions decide"
REPLAYS = {
    "replay in a fresh instance": (in_fresh_instances, f"{DECIDES}: no clock, no random numbers of the process"),
    "replay in a used instance": (in_a_used_instance, f"{DECIDES}: let reset clear what an earlier task left"),
    "replay beside another instance": (beside_another_instance, f"{DECIDES}: keep state in the instance"),
    "replay in another process": (in_another_process, f"{DECIDES}: no order of a set, no hash, no file left behind"),
}


def check_env(env: type[TextEnv], tasks: Sequence[Task], *, max_steps: int = MAX_STEPS) -> None:
    """Hold an environment to the contract of `TextEnv`. Starts a process and an event loop of its own.

    Args:
        env: the class.
        tasks: some that it can play here, at least two, and different ones: from one of its suites, for example.
        max_steps: decisions of an episode.

    Raises:
        AssertionError: what is broken, for the author.
    """
    _check_plain(env, tasks)
    _tried("close", "an instance must close before its first reset too", lambda: env().close())
    first = [_wandered(env, task, max_steps) for task in tasks]
    for playthrough in first:
        for observation in playthrough.observations:
            _check_observation(observation, playthrough.task)
    _check_seeding(first)
    _check_openings(env, {task.family: task for task in tasks}.values())
    _check_replay(env, first)
    _check_end(env, tasks)
    _check_invalid_actions(env, tasks[0], max_steps)


def _check_plain(env: type[TextEnv], tasks: Sequence[Task]) -> None:
    if not (isinstance(env, type) and issubclass(env, TextEnv)):
        raise broken("class", f"{env!r} is no subclass of ictbench.TextEnv", "derive it")
    if len({task.id for task in tasks}) < max(2, len(tasks)):
        found = [task.id for task in tasks]
        raise broken("tasks", f"their ids are {found}", "give two or more tasks, each with an id of its own")
    for task in tasks:
        try:
            named = resolve("env", task.env)
        except IctbenchError as error:
            raise broken("name", str(error), "a task's env must lead to the class in any process") from error
        if named is not env:
            remedy = "install its entry point, or write package.module:Name"
            raise broken("name", f"task {task.id!r} has env {task.env!r}, which is {named!r}", remedy)
        if Task.model_validate_json(task.model_dump_json()) != task or pickle.loads(pickle.dumps(task)) != task:
            remedy = "let params hold plain JSON only"
            raise broken("pickling", f"task {task.id!r} does not travel: {task.params!r}", remedy)
        if not isinstance(key := env.pool_key(task), str):
            raise broken("pool_key", f"it is {key!r} for task {task.id!r}", "answer a str")
    if (why := env.unplayable(tasks)) is not None:
        raise broken("unplayable", f"these tasks cannot be played here: {why}", "give ones that can")


def _wandered(env: type[TextEnv], task: Task, max_steps: int) -> Playthrough:
    """A task played at random in a fresh instance."""
    with closing(env()) as playing:
        remedy = f"play task {task.id!r} with any offered action"
        played: Playthrough = _tried("play", remedy, lambda: wander(playing, task, max_steps))
        versions = playing.versions()
    named = isinstance(versions, dict) and all(isinstance(word, str) for pair in versions.items() for word in pair)
    if not named or not versions:
        remedy = "name each package on whose release an episode depends, your own at least: {'my-env': '1.0'}"
        raise broken("versions", f"they are {versions!r}", remedy)
    return played


def _check_observation(seen: Observation, task: Task) -> None:
    where = f"task {task.id!r} shows"
    try:
        "\n".join((seen.text, *seen.actions)).encode()
    except UnicodeEncodeError as error:
        raise broken("text", f"{where} what no file can hold: {error}", "replace half a surrogate pair") from error
    if not math.isfinite(seen.reward):
        raise broken("reward", f"{where} {seen.reward}", "give a finite number")
    if not seen.actions and seen.end is None:
        raise broken("actions", f"{where} none, and has not ended: {excerpt(seen.text)}", "offer one, or set `end`")
    for action in seen.actions:
        if action != " ".join(action.split()) or not action:
            raise broken("actions", f"{where} {action!r}", "offer one line each, trimmed, with single spaces")
        if (meant := match_action(action, seen.actions)) != action:
            remedy = "offer each once; upper and lower case make no difference"
            raise broken("invalid actions", f"{where} {action!r}, which is taken for {meant!r}", remedy)
    shown = "\n".join((seen.text, *seen.actions))
    for given in _telling(task):
        if re.search(rf"(?<!\w){re.escape(given)}(?!\w)", shown):
            raise broken("identity", f"{where} {given!r}", "keep task id, seed and environment id out of what is shown")


def _telling(task: Task) -> list[str]:
    """What names a task and would not be shown by chance."""
    texts = [value for value in task.params.values() if isinstance(value, str) and len(value) >= TELLING_CHARACTERS]
    numbers = [str(value) for value in task.params.values() if isinstance(value, int)]
    return [task.id, *texts, *(number for number in numbers if len(number) >= TELLING_DIGITS)]


def _check_seeding(playthroughs: Sequence[Playthrough]) -> None:
    start = playthroughs[0]
    if all(other.actions == start.actions and difference(start, other) is None for other in playthroughs[1:]):
        ids = [playthrough.task.id for playthrough in playthroughs]
        raise broken("seeding", f"tasks {ids} are one and the same", "let reset use the params, e.g. the seed")


def _check_openings(env: type[TextEnv], tasks: Iterable[Task]) -> None:
    """Every action that is offered at the start can be carried out."""
    for task in tasks:
        with closing(env()) as playing:
            for action in playing.reset(task).actions[:MOST_OPENINGS]:
                remedy = f"carry out what task {task.id!r} offers, or do not offer it"
                taken = _tried(f"action {action!r}", remedy, lambda: follow(playing, task, [action]))  # noqa: B023
                _check_observation(taken.observations[-1], task)


def _check_replay(env: type[TextEnv], first: list[Playthrough]) -> None:
    for check, (play_again, remedy) in REPLAYS.items():
        for key in {env.pool_key(playthrough.task) for playthrough in first}:
            alike = [playthrough for playthrough in first if env.pool_key(playthrough.task) == key]
            found = _tried(check, remedy, lambda: play_again(env, alike))  # noqa: B023
            for playthrough, again in zip(alike, found, strict=True):
                if apart := difference(playthrough, again):
                    raise broken(check, apart, remedy)


def _check_end(env: type[TextEnv], tasks: Sequence[Task]) -> None:
    """What `solve` says solves, where there is a solver; and after an end there is another start."""
    for task in tasks:
        with closing(env()) as playing:
            start = playing.reset(task)
            try:
                solution = tuple(playing.solve())
            except NotImplementedError:
                return
            remedy = "let it answer actions that solve the task from its start, spelled as they are offered"
            solved = _tried("solve", remedy, lambda: follow(playing, task, solution))  # noqa: B023
            last = solved.observations[-1]
            if last.end != "solved":
                seen = f"task {task.id!r} ends as {last.end} after {list(solution)}: {excerpt(last.text)}"
                raise broken("solve", seen, remedy)
            for before, action in zip(solved.observations, solved.actions, strict=False):
                if action not in before.actions:
                    raise broken("solve", f"{action!r} is not offered by task {task.id!r}", remedy)
            if playing.reset(task) != start:
                raise broken("end", f"task {task.id!r} starts otherwise once it was solved", "let reset start it anew")


def _check_invalid_actions(env: type[TextEnv], task: Task, max_steps: int) -> None:
    """In the engine, by somebody who names nonsense at times: that costs a decision and changes nothing."""
    stumbler = PluginSpec(label="stumbler", name=f"{ErringActor.__module__}:{ErringActor.__name__}")
    spec = EpisodeSpec(task=task, prompt="", actor=stumbler, max_steps=2 * max_steps, seed=0)

    async def played() -> Any:
        worker = EpisodeWorker()
        try:
            return await worker.play(spec)
        finally:
            await worker.aclose()

    remedy = "let it be played in a thread of the engine's"
    trajectory = _tried("engine", remedy, lambda: asyncio.run(played())).trajectory
    executed = [step.executed for step in trajectory.steps if step.executed is not None]
    with closing(env()) as playing:
        plain = follow(playing, task, executed)
    expected = [observation.digest for observation in plain.observations]
    found = [step.digest for step in trajectory.steps if step.executed is not None] + [trajectory.last_digest]
    if found != expected:
        seen = f"task {task.id!r} goes otherwise where invalid decisions lie between actions {executed}"
        raise broken("invalid actions", seen, "let nothing happen between two calls of step")


def _tried(check: str, remedy: str, call: Callable[[], Any]) -> Any:
    """What a call answers; an error of the environment's is the check's finding."""
    try:
        return call()
    except Exception as error:
        raise broken(check, f"it {raised(error)}", remedy) from error
