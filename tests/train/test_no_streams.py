"""States are collected from families, not from streams."""

from __future__ import annotations

import pytest

from ictbench.errors import ConfigError
from ictbench.train.collect import plan_collection


def test_states_are_not_collected_from_streams() -> None:
    with pytest.raises(ConfigError, match="'train-blocked' is a stream: a reward needs fresh tasks"):
        plan_collection(suite="minihack-stream-v1", families=["train-blocked"], reflector="rules", actor="rules")
    with pytest.raises(
        ConfigError, match="held-out families of suite minihack-stream-v1 may not be trained on: blocked"
    ):
        plan_collection(suite="minihack-stream-v1", families=["blocked"], reflector="rules", actor="rules")
