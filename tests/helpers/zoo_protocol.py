"""Whole runs of the protocol against the servers of the zoo, and what they observe."""

from __future__ import annotations

import functools
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import yaml

import ictbench
from ictbench import list_suites
from ictbench.envs import TextEnv
from ictbench.errors import IctbenchError
from ictbench.models.client import Retry
from ictbench.records import Observation, Task
from ictbench.testing import Personality, Reply, ScriptedServer, react_policy
from ictbench.testing.server_zoo.reply_quirks import REASONING

if TYPE_CHECKING:
    from ictbench.results import Result

LEARNED = "Knock, then enter."
LESSON = 'When you see "come in", choose "enter"'
DECODINGS = ("free", "json", "tools")
RUNS = (*DECODINGS, "begun")
"""A run of each decoding, and one whose reflector begins the replies of its model."""
SIZES: dict[str, Any] = {"turns": 1, "batch_size": 1, "loops": 1, "selection_size": 1, "test_size": 2, "max_steps": 4}


class DoorEnv(TextEnv):
    """Action `knock`, then `enter`, solves the task; anything else changes nothing."""

    _knocked = False

    def reset(self, task: Task) -> Observation:
        self._knocked = False
        return self._show(f"Door {task.params['seed']}.")

    def step(self, action: str) -> Observation:
        if action == "enter" and self._knocked:
            return Observation(text="You are in.", actions=("wait",), end="solved", reward=1.0)
        self._knocked = self._knocked or action == "knock"
        return self._show("Someone calls: come in." if self._knocked else "Nothing happens.")

    def _show(self, text: str) -> Observation:
        return Observation(text=f"{text} 門", actions=("knock", "enter", "wait"))

    def close(self) -> None: ...

    def versions(self) -> dict[str, str]:
        return {"door": "1"}


def write_door_suite(folder: Path) -> str:
    """Write a suite with the one family `door` and return its path."""
    content: dict[str, Any] = yaml.safe_load(list_suites()["minihack-v1"].read_text(encoding="utf-8"))
    content |= {"name": "doors-v1", "env": "zoo_protocol:DoorEnv", "families": {"door": {"role": "meta-train"}}}
    path = folder / "doors-v1.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return str(path)


def decide(prompt: str, observation: str, actions: list[str]) -> str | None:
    """Solve the task if the prompt says how; otherwise name an available action, an unavailable one, or none."""
    if LEARNED in prompt or LESSON in prompt:
        return "enter" if "come in" in observation else "knock"
    if observation.startswith("Door"):
        return "wait"
    return None if "is not one of the available actions" in observation else "dance"


def answer(body: dict[str, Any]) -> str | Reply:
    """Answer as the model of the actor and of the reflectors `rewrite` and `lessons`."""
    *_, last = (message["content"] for message in body["messages"] if message["role"] != "assistant")
    if "IMPROVED PROMPT:" in last:
        return f"ANALYSIS:\nThe door was closed.\nIMPROVED PROMPT:\n{LEARNED}"
    if "What happened:" in last:
        return f'Walk onto ">"\n{LESSON}\n'
    return react_policy(decide)(body)


@dataclass(frozen=True)
class Played:
    """What the protocol recorded."""

    episodes: tuple[tuple[str, str, tuple[str | None, ...]], ...]
    """Task, end and proposed actions of every episode."""
    prompts: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What became of a run."""

    played: Played | None = None
    """None if the run was stopped, or is incomplete."""
    result: Result | None = None
    error: IctbenchError | None = None
    requests: tuple[dict[str, Any], ...] = ()
    """Bodies of all requests."""


def run_protocol(
    kind: str, personality: Personality | None = None, *, model: str | None = None, **options: Any
) -> Outcome:
    """Run the protocol against a server, or against one without quirks.

    Args:
        kind: One of `RUNS`.
        personality: The server; None for one without quirks.
        model: Provider and model; by default those of the personality.
        options: Further options of the run.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        # What a server does does not depend on how long one waits for it.
        patch.object(Retry, "wait", lambda retry, failures, *_: None if failures >= retry.attempts else 0.0),
        ScriptedServer(answer, personality=personality, record=True) as server,
    ):
        provider = personality.provider if personality else "openai"
        name = model or f"{provider}/{personality.model if personality else 'scripted'}"
        given: dict[str, Any] = {
            "suite": write_door_suite(Path(folder)),
            **SIZES,
            "executor": "inline",
            "actor": name,
            "actor_base_url": server.base_url,
            "reflector": f"lessons:{name}" if kind == "begun" else name,
            "reflector_base_url": server.base_url,
            **({} if kind == "begun" else {"actor_decoding": kind}),
            **options,
        }
        try:
            run = ictbench.run(**given, out=Path(folder, "run"))
        except IctbenchError as error:
            return Outcome(error=error, requests=tuple(server.requests_log))
        if not run.result.complete:
            return Outcome(result=run.result, requests=tuple(server.requests_log))
        episodes = tuple(
            (episode.task.id, episode.trajectory.end, tuple(step.proposed for step in episode.trajectory.steps))
            for episode in map(run.episode, run.episode_keys())
        )
        (loop,) = run.result.families[0].loops
        played = Played(tuple(sorted(episodes, key=str)), tuple(prompt.text for prompt in loop.prompts))
        return Outcome(played, run.result, requests=tuple(server.requests_log))


@functools.cache
def plain(kind: str) -> Played:
    """Return what is recorded against a server without quirks."""
    outcome = run_protocol(kind)
    assert outcome.played is not None
    return outcome.played


def shows_reasoning(played: Played) -> bool:
    """Return whether reasoning was taken for an answer."""
    actions = {action for _, _, proposed in played.episodes for action in proposed}
    lines = set(REASONING.splitlines())
    return bool(actions & {"go west"}) or any(lines & set(prompt.splitlines()) for prompt in played.prompts)
