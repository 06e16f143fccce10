"""Conformance check of environments, for their authors.

check_env(MyEnv, load_suite("mine.yaml").scoring_tasks("test", "easy", loop=0, size=3))
"""

from __future__ import annotations

import asyncio
import math
import pickle
import re
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

from ictbench.envs import TextEnv, env_class, env_maker
from ictbench.envs.playthrough import Playthrough, first_difference, play_actions, play_at_random
from ictbench.errors import IctbenchError
from ictbench.plugin_errors import check_methods, describe_error, raised_at, short_repr
from ictbench.records import EpisodeSpec, PluginSpec, Task
from ictbench.rollout import EpisodeWorker
from ictbench.rollout.episode import match_action
from ictbench.testing.erring_actor import ErringActor
from ictbench.testing.replays import (
    replay_in_fresh_instances,
    replay_in_new_process,
    replay_in_used_instance,
    replay_next_to_another_instance,
)
from ictbench.testing.violations import violation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ictbench.records import Episode, Observation

    EnvMaker = Callable[[], TextEnv]

T = TypeVar("T")

MAX_STEPS = 25
MAX_FIRST_ACTIONS = 50
"""Actions of a first observation that are tried, each from the start."""
MIN_IDENTIFYING_CHARACTERS, MIN_IDENTIFYING_DIGITS = 8, 5
"""Minimum length of a string or number in a task's params that an observation cannot contain by chance."""

DETERMINISM = "let only the task and the actions determine the observations"
REPLAYS = {
    "replay in a fresh instance": (
        replay_in_fresh_instances,
        f"{DETERMINISM}, not a clock or unseeded random numbers",
    ),
    "replay in a used instance": (replay_in_used_instance, f"{DETERMINISM}: reset must clear the previous episode"),
    "replay next to another instance": (
        replay_next_to_another_instance,
        f"{DETERMINISM}: keep state in the instance, not in the class or module",
    ),
    "replay in a new process": (
        replay_in_new_process,
        f"{DETERMINISM}, not the order of a set, a hash or a file left by another process",
    ),
}


def check_env(
    env: type[TextEnv], tasks: Sequence[Task], *, max_steps: int = MAX_STEPS, deterministic: bool = True
) -> None:
    """Check that a class keeps the contract of `TextEnv`. Starts a process and an event loop.

    Args:
        env: The class.
        tasks: At least two different tasks that it can play on this machine, e.g. from one of its suites.
        max_steps: Decisions per episode.
        deterministic: False for the environment of a suite that says so: then nothing is replayed.

    Raises:
        AssertionError: The class violates the contract; the message says how, and what to do.
    """
    _check_tasks(env, tasks)
    make = env_maker(tasks[0].env)
    _run("close", "make it possible to close an instance that was never reset", lambda: make().close())
    playthroughs = [_play(make, task, max_steps) for task in tasks]
    for playthrough in playthroughs:
        if not (first := playthrough.observations[0]).text.strip() and first.end is None:
            raise violation("text", f"task {playthrough.task.id!r} starts without any", "say what an agent sees")
        for observation in playthrough.observations:
            _check_observation(observation, playthrough.task)
        _check_progress(playthrough.observations, playthrough.task)
    _check_start_keys(env, playthroughs)
    _check_seeding(playthroughs)
    _check_first_actions(make, {task.family: task for task in tasks}.values())
    if deterministic:
        _check_content_keys(env, make, tasks)
        _check_replays(env, make, playthroughs)
    _check_solutions(make, tasks)
    if deterministic:
        _check_invalid_actions(make, tasks[0], max_steps)


def _check_tasks(env: type[TextEnv], tasks: Sequence[Task]) -> None:
    if not (isinstance(env, type) and issubclass(env, TextEnv)):
        raise violation("class", f"{env!r} is not a subclass of ictbench.TextEnv", "derive it from that class")
    if len({task.id for task in tasks}) < max(2, len(tasks)):
        ids = [task.id for task in tasks]
        raise violation("tasks", f"the task ids are {ids}", "give two or more tasks with different ids")
    try:
        check_methods(env.__name__, env)
    except IctbenchError as error:
        raise violation("class", str(error), "a subclass of ictbench.TextEnv has all its abstract methods") from error
    for task in tasks:
        try:
            cls = env_class(task.env)
        except IctbenchError as error:
            raise violation("name", str(error), "any process must find the class by the task's env") from error
        if cls is not env:
            remedy = "install its entry point, or write package.module:Name"
            raise violation("name", f"task {task.id!r} has env {task.env!r}, which is {cls!r}", remedy)
        if Task.model_validate_json(task.model_dump_json()) != task or pickle.loads(pickle.dumps(task)) != task:
            observed = f"the params {task.params!r} of task {task.id!r} change on the way through JSON"
            raise violation("pickling", observed, "use plain JSON values")
        if not isinstance(key := env.pool_key(task), str):
            raise violation("pool_key", f"it is {key!r} for task {task.id!r}", "return a str")
    if len(names := {task.env for task in tasks}) > 1:
        raise violation("tasks", f"they belong to {sorted(names)}", "give tasks of one environment")
    if (reason := env.unplayable(tasks)) is not None:
        raise violation("unplayable", f"these tasks cannot be played here: {reason}", "give tasks that can be played")


def _play(make: EnvMaker, task: Task, max_steps: int) -> Playthrough:
    with closing(make()) as instance:
        remedy = f"make task {task.id!r} playable with any offered action"
        playthrough = _run("play", remedy, lambda: play_at_random(instance, task, max_steps))
        versions = instance.versions()
    is_valid = isinstance(versions, dict) and all(isinstance(word, str) for pair in versions.items() for word in pair)
    if not is_valid or not versions:
        remedy = "name each package whose version affects episodes, at least your own: {'my-env': '1.0'}"
        raise violation("versions", f"versions() returned {versions!r}", remedy)
    return playthrough


def _check_observation(observation: Observation, task: Task) -> None:
    shown = "\n".join((observation.text, *observation.actions))
    try:
        shown.encode()
    except UnicodeEncodeError as error:
        observed = f"task {task.id!r} shows characters that cannot be encoded: {error}"
        raise violation("text", observed, "replace lone surrogates") from error
    if not math.isfinite(observation.reward):
        raise violation("reward", f"task {task.id!r} gives {observation.reward}", "give a finite number")
    if not observation.actions and observation.end is None:
        observed = f"task {task.id!r} offers none and has not ended: {short_repr(observation.text)}"
        raise violation("actions", observed, "offer an action, or set `end`")
    for action in observation.actions:
        if action != " ".join(action.split()) or not action:
            remedy = "offer each action as one trimmed line with single spaces"
            raise violation("actions", f"task {task.id!r} offers {action!r}", remedy)
        if (match := match_action(action, observation.actions)) != action:
            observed = f"task {task.id!r} offers {action!r}, which is read as {match!r}"
            raise violation("invalid actions", observed, "offer each action once; letter case makes no difference")
    for text in _identifying_texts(task):
        if re.search(rf"(?<!\w){re.escape(text)}(?!\w)", shown):
            remedy = "show neither task id nor seed nor environment id"
            raise violation("identity", f"task {task.id!r} shows {text!r}", remedy)


def _check_progress(observations: Sequence[Observation], task: Task) -> None:
    values = [observation.progress for observation in observations]
    if None in values and any(value is not None for value in values):
        number = next(number for number, value in enumerate(values) if (value is None) != (values[0] is None))
        observed = f"task {task.id!r} starts with {values[0]}, and has {values[number]} after {number} actions"
        raise violation("progress", observed, "report it in every observation of a task, or in none")
    last = observations[-1]
    if last.end == "solved" and last.progress not in (None, 1):
        raise violation("progress", f"task {task.id!r} is solved at {last.progress}", "report 1 when a task is solved")


def _identifying_texts(task: Task) -> list[str]:
    """Return texts that identify a task and that an observation cannot contain by chance."""
    values = task.params.values()
    addresses = [task.env.partition(":")[2]] if env_class(task.env).addressed else []
    texts = [value for value in (*addresses, *values) if isinstance(value, str)]
    texts = [text for text in texts if len(text) >= MIN_IDENTIFYING_CHARACTERS]
    numbers = [str(value) for value in values if isinstance(value, int)]
    return [task.id, *texts, *(number for number in numbers if len(number) >= MIN_IDENTIFYING_DIGITS)]


def _check_seeding(playthroughs: Sequence[Playthrough]) -> None:
    first, *others = playthroughs
    if all(other.actions == first.actions and first_difference(first, other) is None for other in others):
        ids = [playthrough.task.id for playthrough in playthroughs]
        raise violation("seeding", f"the tasks {ids} are identical", "use the params in reset, e.g. the seed")


def _check_start_keys(env: type[TextEnv], playthroughs: Sequence[Playthrough]) -> None:
    """Check that the start key is a text that the first observation alone determines."""
    for playthrough in playthroughs:
        first = playthrough.observations[0]
        remedy = "return a str that the observation determines, or None"
        key = _run("start_key", remedy, lambda: env.start_key(first))  # noqa: B023
        if not (key is None or isinstance(key, str)) or env.start_key(first.model_copy()) != key:
            raise violation("start_key", f"it is {short_repr(key)} for task {playthrough.task.id!r}", remedy)


def _check_content_keys(env: type[TextEnv], make: EnvMaker, tasks: Sequence[Task]) -> None:
    """Check that the content key is a text that the task alone determines, not what was played before."""
    remedy = "return a digest of what reset built, the same one in every instance, or None"
    known: dict[str, str | None] = {}
    for task in tasks:
        others = [other for other in tasks[:1] if env.pool_key(other) == env.pool_key(task)]
        with closing(make()) as instance:
            for played in (task, *others, task):
                instance.reset(played)
                key = _run("content_key", remedy, instance.content_key)
                if not (key is None or isinstance(key, str)) or known.setdefault(played.id, key) != key:
                    raise violation("content_key", f"it is {short_repr(key)} for task {played.id!r}", remedy)


def _check_first_actions(make: EnvMaker, tasks: Iterable[Task]) -> None:
    """Check that every action offered at the start can be executed."""
    for task in tasks:
        with closing(make()) as instance:
            for action in instance.reset(task).actions[:MAX_FIRST_ACTIONS]:
                remedy = f"execute what task {task.id!r} offers, or do not offer it"
                playthrough = _run(f"action {action!r}", remedy, lambda: play_actions(instance, task, [action]))  # noqa: B023
                _check_observation(playthrough.observations[-1], task)


def _check_replays(env: type[TextEnv], make: EnvMaker, playthroughs: list[Playthrough]) -> None:
    for check, (replay, remedy) in REPLAYS.items():
        for key in {env.pool_key(playthrough.task) for playthrough in playthroughs}:
            group = [playthrough for playthrough in playthroughs if env.pool_key(playthrough.task) == key]
            replays = _run(check, remedy, lambda: replay(make, group))  # noqa: B023
            for first, second in zip(group, replays, strict=True):
                if difference := first_difference(first, second):
                    raise violation(check, difference, remedy)


def _check_solutions(make: EnvMaker, tasks: Sequence[Task]) -> None:
    """Check that the actions of `solve`, if there is a solver, solve the task, and that it can be started again."""
    for task in tasks:
        with closing(make()) as instance:
            start = instance.reset(task)
            try:
                solution = tuple(instance.solve())
            except NotImplementedError:
                return
            remedy = "return actions that solve the task from its start, spelled as they are offered"
            playthrough = _run("solve", remedy, lambda: play_actions(instance, task, solution))  # noqa: B023
            _check_progress(playthrough.observations, task)
            last = playthrough.observations[-1]
            if last.end != "solved":
                observed = f"the end of task {task.id!r} is {last.end} after {list(solution)}: {short_repr(last.text)}"
                raise violation("solve", observed, remedy)
            for before, action in zip(playthrough.observations, playthrough.actions, strict=False):
                if action not in before.actions:
                    raise violation("solve", f"task {task.id!r} does not offer {action!r}", remedy)
            if instance.reset(task) != start:
                observed = f"task {task.id!r} starts differently after it was solved"
                raise violation("end", observed, "start the task from the beginning in reset")


def _check_invalid_actions(make: EnvMaker, task: Task, max_steps: int) -> None:
    """Check in a worker that invalid decisions between the actions change nothing."""
    actor = PluginSpec(label="erring", name=f"{ErringActor.__module__}:{ErringActor.__name__}")
    spec = EpisodeSpec(task=task, prompt="", actor=actor, max_steps=2 * max_steps, seed=0)

    async def play() -> Episode:
        worker = EpisodeWorker()
        try:
            return await worker.play(spec)
        finally:
            await worker.aclose()

    trajectory = _run("worker", "make it playable in a worker's thread", lambda: asyncio.run(play())).trajectory
    valid_steps = [step for step in trajectory.steps if step.executed is not None]
    actions = [step.executed for step in valid_steps if step.executed is not None]
    with closing(make()) as instance:
        playthrough = play_actions(instance, task, actions)
    expected = [observation.digest for observation in playthrough.observations]
    if [*(step.digest for step in valid_steps), trajectory.last_digest] != expected:
        observed = f"task {task.id!r} changes if invalid decisions lie between the actions {actions}"
        raise violation("invalid actions", observed, "change nothing between two calls of step")


def _run(check: str, remedy: str, call: Callable[[], T]) -> T:
    """Return the result of a call; an error that it raises is a violation."""
    try:
        return call()
    except Exception as error:
        raise violation(check, f"it raised {describe_error(error)}{raised_at(error)}", remedy) from error
