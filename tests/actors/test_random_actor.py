from __future__ import annotations

import asyncio
from collections import Counter

from ictbench.actors import History
from ictbench.actors.random_actor import RandomActor

ACTIONS = ("eat", "read", "step n")


def choose(seed: int, actions: tuple[str, ...] = ACTIONS) -> str | None:
    history = History((), "A room.", actions, 25)
    return asyncio.run(RandomActor().act("prompt", history, seed)).action


def test_every_available_action_is_chosen_about_equally_often() -> None:
    counts = Counter(map(choose, range(600)))
    assert set(counts) == set(ACTIONS)
    assert min(counts.values()) > 150


def test_equal_seeds_choose_equal_actions() -> None:
    assert [choose(seed) for seed in range(20)] == [choose(seed) for seed in range(20)]


def test_without_actions_none_is_chosen() -> None:
    assert choose(1, ()) is None
