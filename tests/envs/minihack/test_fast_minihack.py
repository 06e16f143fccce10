from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest

from ictbench.envs.minihack.minihack_env import MiniHackEnv
from ictbench.records import Observation, Task

nethack = pytest.importorskip("nle.nethack.nethack")
DATA = Path(nethack.HACKDIR) / "nhdat"


def task(env_id: str, seed: int = 7) -> Task:
    return Task(id="t", family="f", env="minihack", params={"env_id": env_id, "seed": seed})


def test_a_level_is_compiled_once_and_reused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ictbench.envs.minihack.fast_minihack._compiled", {})
    digest_before = hashlib.sha256(DATA.read_bytes()).hexdigest()
    ids = ("MiniHack-Eat-v0", "MiniHack-Room-Dark-5x5-v0")
    first = [MiniHackEnv() for _ in ids]
    digests = [env.reset(task(env_id)).digest for env, env_id in zip(first, ids, strict=True)]
    # From here on, nothing can be compiled.
    monkeypatch.setattr("minihack.base.PATCH_SCRIPT", "/nowhere")
    later = [MiniHackEnv() for _ in ids]
    assert [env.reset(task(env_id)).digest for env, env_id in zip(later, ids, strict=True)] == digests
    assert len(set(digests)) == 2
    with pytest.raises(FileNotFoundError):
        MiniHackEnv().reset(task("MiniHack-Read-v0"))
    for env in (*first, *later):
        env.close()
    assert hashlib.sha256(DATA.read_bytes()).hexdigest() == digest_before, "NLE's own data file was changed"


@pytest.mark.parametrize(
    "env_id", ["MiniHack-Eat-v0", "MiniHack-Zap-v0", "MiniHack-Room-Monster-15x15-v0", "MiniHack-River-v0"]
)
def test_an_episode_is_that_of_the_stock_environment(monkeypatch: pytest.MonkeyPatch, env_id: str) -> None:
    def play() -> list[Observation]:
        env = MiniHackEnv()
        seen = []
        for seed in range(4):
            chance = random.Random(seed)
            seen.append(env.reset(task(env_id, seed)))
            while seen[-1].end is None and len(seen) < 60 * (seed + 1):
                seen.append(env.step(chance.choice(seen[-1].actions)))
        env.close()
        return seen

    fast = play()
    monkeypatch.delattr("ictbench.envs.minihack.fast_minihack.FastMiniHack.step")
    assert play() == fast
    assert any(one.reward for one in fast)
