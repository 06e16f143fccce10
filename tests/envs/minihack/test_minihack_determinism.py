"""A task gives the same episode in a new environment, a used one, another process and on another date.

Run as a program, this file plays the episodes and prints them, for the tests that need another process.
"""

from __future__ import annotations

import datetime
import functools
import importlib.util
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.envs.minihack.minihack_env import MiniHackEnv
from ictbench.records import Task
from ictbench.suites import load_suite

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ictbench.records import Observation

DEADLY = ("MiniHack-Room-Monster-5x5-v0", 228)
"""With the actions below, this game ends in death and shows the high scores."""

GAMES = [
    *(
        (str(family.params["env_id"]), seed)
        for family in load_suite("minihack-v1").families.values()
        for seed in (3, 4)
    ),
    DEADLY,
    ("MiniHack-Eat-Distr-v0", 202),
    ("MiniHack-Wield-Distr-v0", 64),
]
"""Every family, and levels with monsters, which act at random."""

Event = list[Any]
"""Digest, reward, end and extra keys of an observation."""


def play(env: MiniHackEnv, game: tuple[str, int]) -> list[Event]:
    env_id, seed = game
    rng = random.Random(seed)
    observation = env.reset(Task(id="any", family="any", env="minihack", params={"env_id": env_id, "seed": seed}))
    events: list[Event] = [event(observation)]
    while observation.end is None and len(events) <= 60:
        observation = env.step(rng.choice(observation.actions))
        events.append(event(observation))
    return events


def event(observation: Observation) -> Event:
    return [observation.digest, observation.reward, observation.end, list(observation.keys)]


def play_in_new_env(game: tuple[str, int]) -> list[Event]:
    env = MiniHackEnv()
    try:
        return play(env, game)
    finally:
        env.close()


@functools.cache
def expected() -> list[list[Event]]:
    return [play_in_new_env(game) for game in GAMES]


def test_episodes_are_the_same_in_a_new_environment() -> None:
    assert [play_in_new_env(game) for game in GAMES] == expected()
    assert len({json.dumps(events) for events in expected()}) == len(GAMES)
    assert sum(len(events) for events in expected()) > 10 * len(GAMES)


def test_episodes_are_the_same_in_a_used_environment() -> None:
    """Play after other levels, after other games of the same level, and after deaths with their high scores."""
    deadly_game = expected()[GAMES.index(DEADLY)]
    assert deadly_game[-1][2] == "died"
    env = MiniHackEnv()
    try:
        for _ in range(3):
            assert play(env, DEADLY) == deadly_game
        for seed in (3, 4):
            play(env, (DEADLY[0], seed))
        assert play(env, DEADLY) == deadly_game
        for game, events in reversed(list(zip(GAMES, expected(), strict=True))):
            assert play(env, game) == events
            play(env, (game[0], 1000))
            assert play(env, game) == events
    finally:
        env.close()


def test_episodes_are_the_same_in_another_process(tmp_path: Path) -> None:
    assert play_in_another_process({}, tmp_path)["episodes"] == expected()


@pytest.mark.parametrize(
    ("moment", "greeting"),
    [
        ("2026-02-13 12:00:00", "Friday the 13th"),
        ("2026-02-17 12:00:00", "New moon"),
        ("2026-03-03 12:00:00", "Full moon"),
        ("2031-06-10 23:59:59", ""),
    ],
)
def test_episodes_are_the_same_on_another_date(moment: str, greeting: str, tmp_path: Path) -> None:
    spec = importlib.util.find_spec("libfaketime")
    assert spec is not None
    assert spec.origin is not None
    library = next(Path(spec.origin).parent.rglob("libfaketime.so.1"))
    preload = " ".join([str(library), *filter(None, [os.environ.get("LD_PRELOAD")])])
    output = play_in_another_process(
        {"LD_PRELOAD": preload, "FAKETIME": f"@{moment}", "DONT_FAKE_MONOTONIC": "1", "TZ": "UTC"}, tmp_path
    )
    faked, actual = (datetime.datetime.fromisoformat(text) for text in (moment, output["now"]))
    assert datetime.timedelta() <= actual - faked < datetime.timedelta(hours=1)
    # By default, NetHack reads that clock.
    assert greeting in output["greeting"]
    assert greeting or "moon" not in output["greeting"]
    assert output["episodes"] == expected()


def play_in_another_process(variables: Mapping[str, str], folder: Path) -> dict[str, Any]:
    process = subprocess.run(
        [sys.executable, __file__], env={**os.environ, **variables}, cwd=folder, capture_output=True, check=False
    )
    assert process.returncode == 0, process.stderr.decode()
    output: dict[str, Any] = json.loads(process.stdout)
    return output


def greeting_by_the_clock() -> str:
    """Return NetHack's first message in an environment that does not fix the moon phase."""
    import gymnasium

    raw: Any = gymnasium.make("MiniHack-Eat-v0", disable_env_checker=True, observation_keys=("message",)).unwrapped
    raw.seed(3, 3, reseed=False)
    message = bytes(raw.reset()[0]["message"]).rstrip(b"\0").decode()
    raw.close()
    return message


if __name__ == "__main__":
    now = datetime.datetime.now().isoformat()
    print(json.dumps({"episodes": expected(), "now": now, "greeting": greeting_by_the_clock()}))
