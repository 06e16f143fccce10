from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flawed_envs
import pytest
from flawed_envs import Cellar

from ictbench import Task, load_suite
from ictbench.plugins import resolve
from ictbench.testing import check_env

if TYPE_CHECKING:
    from ictbench import TextEnv


def make_tasks(env: str, seeds: tuple[Any, ...] = (70001, 70002, 70003)) -> list[Task]:
    return [Task(id=f"cellar-{seed}", family="cellar", env=env, params={"seed": seed}) for seed in seeds]


def class_name(env: type[TextEnv]) -> str:
    return f"{env.__module__}:{env.__name__}"


def test_a_correct_environment_passes() -> None:
    check_env(Cellar, make_tasks(class_name(Cellar)))


@pytest.mark.parametrize(("suite", "families"), [("minihack-v1", ("eat", "zap")), ("alfworld-procgen-v1", ("cool",))])
def test_our_own_environments_pass(suite: str, families: tuple[str, ...]) -> None:
    loaded = load_suite(suite)
    tasks = [task for family in families for task in loaded.scoring_tasks("test", family, 0, 2)]
    check_env(resolve("env", loaded.env), tasks, max_steps=12)


@pytest.mark.parametrize(
    ("flaw", "message"),
    [
        ("NumberAsStartKey", "start_key: it is 7000\\d for task 'cellar-7000.'; return a str that the observation"),
        ("UnsteadyStartKey", "start_key: it is 'start 1' for task 'cellar-70001'; return a str that the observation"),
        (
            "NumberAsContentKey",
            "content_key: it is 7000\\d for task 'cellar-7000.'; return a digest of what reset built",
        ),
        ("UnsteadyContentKey", "content_key: it is 'open the .* door [0-9]+' for task 'cellar-70001'; return a digest"),
        ("IgnoresSeed", r"seeding: the tasks \['cellar-70001', .*\] are identical; use the params in reset"),
        ("Unseeded", r"replay in a fresh instance: task '.*', after actions \[.*: text is .*not a clock or"),
        ("RemembersEpisodes", "replay in a used instance: .* at the start: text is 'You are in a cellar again.', but"),
        ("ClassState", "replay next to another instance: .* text is 'You opened .*keep state in the instance"),
        ("HashDependent", "replay in a new process: .* text is .*not the order of a set, a hash"),
        (
            "RejectsOfferedAction",
            r"it raised KeyError: 'open the green door' \(.*envs.py, line \d+, in step\); ",
        ),
        ("SameActionTwice", "invalid actions: task '.*' offers 'Open the Door', which is read as 'open the door'"),
        ("UntrimmedAction", "actions: task '.*' offers 'open  the door '; offer each action as one trimmed line"),
        ("ShowsTaskId", "identity: task 'cellar-70001' shows 'cellar-70001'; show neither task id"),
        ("NoActions", "actions: task '.*' offers none and has not ended: 'Darkness.'; offer an action, or set `end`"),
        ("WrongSolution", r"solve: the end of task '.*' is None after \['open the .*return actions that solve"),
        ("NanReward", "reward: task '.*' gives nan; give a finite number"),
        (
            "ProgressAtTheEndOnly",
            "progress: task 'cellar-70001' starts with None, and has .* after 1 actions; report it",
        ),
        ("SolvedWithoutProgress", "progress: task 'cellar-7000.' is solved at 0.75; report 1 when a task is solved"),
        ("NoText", "text: task 'cellar-70001' starts without any; say what an agent sees"),
        (
            "NoCloseEnv",
            r"class: NoCloseEnv: NoCloseEnv has no close\(\); add it; a subclass of",
        ),
        ("NoObservation", "play: it raised TypeError: it returned None, not an ictbench.Observation; make task"),
        ("NoVersions", r"versions: versions\(\) returned \{\}; name each package"),
        (
            "CannotCloseUnused",
            "close: it raised AttributeError: .*; make it possible to close an instance that was never reset",
        ),
        ("Unplayable", "unplayable: these tasks cannot be played here: the cellar is flooded; pump it out; give"),
        ("ResetOnce", "action 'open the .*: text is|replay in a used instance: .*You were here 1 times"),
        ("MainThreadOnly", "worker: it raised PluginError: .*signal only works in main thread .*; make it playable"),
    ],
)
def test_check_env_names_violation_and_remedy(flaw: str, message: str) -> None:
    env = getattr(flawed_envs, flaw)
    with pytest.raises(AssertionError, match=message) as caught:
        check_env(env, make_tasks(class_name(env)))
    assert "\n" not in str(caught.value)


def test_invalid_tasks_are_violations() -> None:
    with pytest.raises(AssertionError, match=r"tasks: the task ids are \['cellar-1'\]; give two or more"):
        check_env(Cellar, make_tasks(class_name(Cellar), (1,)))
    with pytest.raises(AssertionError, match=r"name: task 'cellar-70001' has env 'flawed_envs:\w+', which is <class"):
        check_env(Cellar, make_tasks("flawed_envs:SameActionTwice"))
    with pytest.raises(AssertionError, match=r"name: unknown env 'cellar'.* any process must find the class"):
        check_env(Cellar, make_tasks("cellar"))
    with pytest.raises(AssertionError, match=r"class: <class 'str'> is not a subclass of ictbench.TextEnv"):
        check_env(str, make_tasks("cellar"))  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match=r"pickling: the params .* of task 'cellar-nan' change"):
        check_env(Cellar, make_tasks(class_name(Cellar), (float("nan"), 2)))
