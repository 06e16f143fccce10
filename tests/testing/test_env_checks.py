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


def tasks(env: str, seeds: tuple[Any, ...] = (70001, 70002, 70003)) -> list[Task]:
    return [Task(id=f"cellar-{seed}", family="cellar", env=env, params={"seed": seed}) for seed in seeds]


def named(env: type[TextEnv]) -> str:
    return f"{env.__module__}:{env.__name__}"


def test_an_environment_that_keeps_the_contract_passes() -> None:
    check_env(Cellar, tasks(named(Cellar)))


@pytest.mark.parametrize(("suite", "families"), [("minihack-v1", ("eat", "zap")), ("alfworld-procgen-v1", ("cool",))])
def test_our_own_environments_pass(suite: str, families: tuple[str, ...]) -> None:
    found = load_suite(suite)
    given = [task for family in families for task in found.scoring_tasks("test", family, 0, 2)]
    check_env(resolve("env", found.env), given, max_steps=12)


@pytest.mark.parametrize(
    ("flaw", "told"),
    [
        ("Seedless", r"seeding: tasks \['cellar-70001', .*\] are one and the same; let reset use the params"),
        ("Chancy", r"replay in a fresh instance: task '.*', after actions \[.*: text is .*no random numbers of the"),
        ("Leftover", "replay in a used instance: .* at the start: text is 'You are in a cellar again.', and was"),
        ("Shared", "replay beside another instance: .* text is 'You opened .*keep state in the instance"),
        ("Hashed", "replay in another process: .* text is .*no hash"),
        ("Unfit", "it raised KeyError: 'open the green door'; "),
        ("Alike", "invalid actions: task '.*' shows 'Open the Door', which is taken for 'open the door'; offer each"),
        ("Ragged", "actions: task '.*' shows 'open  the door '; offer one line each"),
        ("Telltale", "identity: task 'cellar-70001' shows 'cellar-70001'; keep task id"),
        ("Silent", "actions: task '.*' shows none, and has not ended: 'Darkness.'; offer one, or set `end`"),
        ("Unending", r"solve: task '.*' ends as None after \['open the .*let it answer actions that solve the task"),
        ("Priceless", "reward: task '.*' shows nan; give a finite number"),
        ("Mute", "play: it raised TypeError: it answered None, which is no ictbench.Observation; play task"),
        ("Versionless", r"versions: they are \{\}; name each package"),
        ("Grudging", "close: it raised AttributeError: .*; an instance must close before its first reset too"),
        ("Absent", "unplayable: these tasks cannot be played here: the cellar is flooded; come back in summer; give"),
        ("Single", "action 'open the .*: text is|replay in a used instance: .*You were here 1 times"),
        ("ThreadBound", "engine: it raised EnvError: .*signal only works in main thread; let it be played in a thread"),
    ],
)
def test_the_check_says_what_is_broken(flaw: str, told: str) -> None:
    env = getattr(flawed_envs, flaw)
    with pytest.raises(AssertionError, match=told) as found:
        check_env(env, tasks(named(env)))
    assert "\n" not in str(found.value)


def test_tasks_must_lead_to_the_class_and_differ() -> None:
    with pytest.raises(AssertionError, match=r"tasks: their ids are \['cellar-1'\]; give two or more"):
        check_env(Cellar, tasks(named(Cellar), (1,)))
    with pytest.raises(AssertionError, match=r"name: task 'cellar-70001' has env 'flawed_envs:Alike', which is <class"):
        check_env(Cellar, tasks("flawed_envs:Alike"))
    with pytest.raises(AssertionError, match=r"name: unknown env 'cellar'.* must lead to the class in any process"):
        check_env(Cellar, tasks("cellar"))
    with pytest.raises(AssertionError, match=r"class: <class 'str'> is no subclass of ictbench.TextEnv"):
        check_env(str, tasks("cellar"))  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="pickling: task 'cellar-nan' does not travel"):
        check_env(Cellar, tasks(named(Cellar), (float("nan"), 2)))
