"""The same task gives the same episode: in a fresh environment, a used one, another process, on another date.

Run as a program it plays the episodes and prints them, for the tests that need another process.
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

DEADLY = ("MiniHack-Room-Monster-5x5-v0", 228)
"""Played as below, it ends in death and on the screen with the high scores."""

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
"""Every family, and levels with monsters: what they do is chance."""

Event = list[Any]
"""Digest of the observation, reward, end, extra keys."""


def play(env: MiniHackEnv, game: tuple[str, int]) -> list[Event]:
    env_id, seed = game
    dice = random.Random(seed)
    seen = env.reset(Task(id="any", family="any", env="minihack", params={"env_id": env_id, "seed": seed}))
    events: list[Event] = [[seen.digest, seen.reward, seen.end, list(seen.keys)]]
    while seen.end is None and len(events) <= 60:
        seen = env.step(dice.choice(seen.actions))
        events.append([seen.digest, seen.reward, seen.end, list(seen.keys)])
    return events


def play_fresh(game: tuple[str, int]) -> list[Event]:
    env = MiniHackEnv()
    try:
        return play(env, game)
    finally:
        env.close()


@functools.cache
def expected() -> list[list[Event]]:
    return [play_fresh(game) for game in GAMES]


def test_in_a_fresh_environment() -> None:
    assert [play_fresh(game) for game in GAMES] == expected()
    assert len({json.dumps(events) for events in expected()}) == len(GAMES)
    assert sum(len(events) for events in expected()) > 10 * len(GAMES)


def test_in_a_used_environment() -> None:
    """After other levels, after other games of the same level type, and after deaths with their high scores."""
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


def test_in_another_process(tmp_path: Path) -> None:
    assert elsewhere({}, tmp_path)["episodes"] == expected()


@pytest.mark.parametrize(
    ("moment", "greeting"),
    [
        ("2026-02-13 12:00:00", "Friday the 13th"),
        ("2026-02-17 12:00:00", "New moon"),
        ("2026-03-03 12:00:00", "Full moon"),
        ("2031-06-10 23:59:59", ""),
    ],
)
def test_on_another_date(moment: str, greeting: str, tmp_path: Path) -> None:
    found = importlib.util.find_spec("libfaketime")
    assert found is not None
    assert found.origin is not None
    library = next(Path(found.origin).parent.rglob("libfaketime.so.1"))
    preload = " ".join([str(library), *filter(None, [os.environ.get("LD_PRELOAD")])])
    told = elsewhere(
        {"LD_PRELOAD": preload, "FAKETIME": f"@{moment}", "DONT_FAKE_MONOTONIC": "1", "TZ": "UTC"}, tmp_path
    )
    asked, answered = (datetime.datetime.fromisoformat(text) for text in (moment, told["now"]))
    assert datetime.timedelta() <= answered - asked < datetime.timedelta(hours=1)
    # Left to itself, NetHack does look at that clock.
    assert greeting in told["greeting"]
    assert greeting or "moon" not in told["greeting"]
    assert told["episodes"] == expected()


def elsewhere(variables: Mapping[str, str], folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, __file__], env={**os.environ, **variables}, cwd=folder, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def greeting_by_the_clock() -> str:
    """What NetHack says at the start where nothing keeps it from looking at the date."""
    import gymnasium

    raw: Any = gymnasium.make("MiniHack-Eat-v0", disable_env_checker=True, observation_keys=("message",)).unwrapped
    raw.seed(3, 3, reseed=False)
    message = bytes(raw.reset()[0]["message"]).rstrip(b"\0").decode()
    raw.close()
    return message


if __name__ == "__main__":
    now = datetime.datetime.now().isoformat()
    print(json.dumps({"episodes": expected(), "now": now, "greeting": greeting_by_the_clock()}))
