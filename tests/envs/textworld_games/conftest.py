"""Fixtures of the tests of TextWorld: one cache of games for all of them, as generating one takes about a second."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from ictbench.envs.textworld_games.textworld_env import TextWorldEnv

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def games(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "games"


@pytest.fixture(autouse=True)
def _share_games(games: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ICTBENCH_CACHE_DIR", str(games))


@pytest.fixture
def env() -> Iterator[TextWorldEnv]:
    with closing(TextWorldEnv()) as env:
        yield env
