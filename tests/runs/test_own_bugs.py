"""Errors in plug-ins of one's own: a run stops at once and names file, line and what was being played."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from buggy_plugins import BadReflector, suite

import ictbench
from ictbench import Reflection
from ictbench.errors import EndpointDownError, IctbenchError, PluginError, RunError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

HERE = "buggy_plugins"
SIZES: dict[str, Any] = {"turns": 1, "batch_size": 1, "loops": 1, "selection_size": 2, "test_size": 9}


def error_of(tmp_path: Path, env: str = "flawed_envs:Cellar", **options: Any) -> IctbenchError:
    """Return the error with which a run stops."""
    players = {"reflector": "none", "actor": "random", "executor": "inline", **options}
    clock = time.monotonic()
    with pytest.raises((RunError, UsageError)) as caught:
        ictbench.run(suite=suite(tmp_path, env), out=tmp_path / "run", **SIZES, **players)
    assert time.monotonic() - clock < 25, "it waited"
    assert not isinstance(caught.value, EndpointDownError)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("executor", ["inline", "process"])
@pytest.mark.parametrize(
    ("env", "actor", "message"),
    [
        (
            "BadReset",
            "random",
            r"environment \S+:BadReset, reset of task doors-\d+: KeyError: 'colour' \({place} reset\)",
        ),
        ("Cellar", "ComputingActor", r"actor \S+, decision 1 of task doors-\d+: IndexError: .* \({place} act\)"),
    ],
)
def test_a_bug_stops_the_run_with_its_line_and_leaves_its_traceback_in_the_log(
    tmp_path: Path, executor: str, env: str, actor: str, message: str
) -> None:
    env = f"{HERE}:{env}" if env != "Cellar" else "flawed_envs:Cellar"
    actor = f"{HERE}:{actor}" if actor != "random" else actor
    error = error_of(tmp_path, env, actor=actor, executor=executor)
    assert isinstance(error, PluginError)
    pattern = message.replace("{place}", rf".*{HERE}\.py, line \d+, in")
    assert re.search(pattern, str(error)), error
    assert f"the traceback is in {tmp_path / 'run' / 'run.log'}" in str(error)
    log = (tmp_path / "run" / "run.log").read_text(encoding="utf-8")
    assert "Traceback (most recent call last)" in log
    assert "pausing" not in log


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"env": "BadStep"}, r"step of task \S+: ValidationError: text: None is not a text .*line \d+, in step\)"),
        ({"env": "WrongPath"}, r"reset of task \S+: FileNotFoundError: .*nowhere.*line \d+, in reset\)"),
        ({"env": "NoActions"}, r"reset of task \S+: no action is available.*'A wall.'; offer an action, or set `end`"),
        ({"env": "NoText"}, r"reset of task \S+: the first observation has no text; say what an agent sees"),
        ({"env": "NothingReturned"}, r"step of task \S+: it returned None; return an ictbench.Observation"),
        ({"env": "BadVersions"}, r"versions\(\) returned \{'cellar': 1\}; return e.g."),
        ({"env": "BadConstructor"}, r"BadConstructor cannot be created: ValueError: no cellar \(.*in __init__\)"),
        ({"actor": "BadActor"}, r"actor \S+, decision 1 of task \S+: IndexError: .*line \d+, in act\)"),
        (
            {"actor": "SyncActor"},
            r"decision 1 of task \S+: SyncActor.act is not async: write `async def act` \(.*plugins\.py, line \d+\)",
        ),
        (
            {"reflector": "BadReflector"},
            r"reflector \S+, turn 1 of doors, loop 0: AttributeError: .*line \d+, in reflect\)",
        ),
        ({"reflector": "SyncReflector"}, r"loop 0: SyncReflector.reflect is not async: write `async def reflect` \("),
        (
            {"reflector": "Streaming"},
            r"Streaming.reflect is not async: write `async def reflect` and return the result",
        ),
        ({"env": "AsyncStep"}, r"step of task \S+: it is async: write `def step`"),
        ({"actor": "BadModel"}, r"model \S+, complete: IndexError: .*line \d+, in complete\)"),
    ],
)
def test_each_kind_of_mistake_is_named(tmp_path: Path, options: dict[str, str], message: str) -> None:
    error = error_of(tmp_path, **{kind: f"{HERE}:{name}" for kind, name in options.items()})
    assert isinstance(error, PluginError)
    assert re.search(message, str(error)), error


@pytest.mark.parametrize("wrapper", ["blind", "flipped", "unlabelled"])
def test_a_wrapped_reflector_that_is_not_async_is_named(tmp_path: Path, wrapper: str) -> None:
    error = error_of(tmp_path, "flawed_envs:Cellar", reflector=f"{wrapper}:{HERE}:SyncReflector")
    assert isinstance(error, PluginError)
    assert "SyncReflector.reflect is not async: write `async def reflect`" in str(error)
    assert f"asked by reflector {wrapper}:{HERE}:SyncReflector, turn 1" in str(error)


def test_a_missing_method_is_named_before_anything_is_written(tmp_path: Path) -> None:
    error = error_of(tmp_path, "flawed_envs:NoCloseEnv")
    assert str(error) == "environment flawed_envs:NoCloseEnv: NoCloseEnv has no close(); add it"
    assert not (tmp_path / "run").exists()


def test_an_environment_that_stays_disconnected_stops_the_run_without_a_pause(tmp_path: Path) -> None:
    error = error_of(tmp_path, f"{HERE}:Disconnected")
    assert isinstance(error, PluginError)
    assert re.search(
        "8 episodes in a row failed: the environment broke: ConnectionResetError: the game server", str(error)
    )


def test_a_run_goes_on_once_the_bug_is_fixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    error_of(tmp_path, reflector=f"{HERE}:BadReflector")

    async def reflect(self: Any, prompt: str, trajectories: Any, state: Any, context: Any) -> Reflection:
        return Reflection(prompt=prompt)

    monkeypatch.setattr(BadReflector, "reflect", reflect)
    run = ictbench.run(
        suite=suite(tmp_path, "flawed_envs:Cellar"),
        out=tmp_path / "run",
        actor="random",
        executor="inline",
        reflector=f"{HERE}:BadReflector",
        **SIZES,
    )
    assert run.result.complete
