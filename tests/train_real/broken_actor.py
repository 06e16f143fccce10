"""An actor whose environment fails in one process of a training."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ictbench.errors import EnvError
from ictbench.scripted.policy import RulesActor

if TYPE_CHECKING:
    from ictbench.actors.actor import History
    from ictbench.records import Decision


class BrokenActor(RulesActor):
    """The scripted actor, broken in the process of the rank that BROKEN_RANK names."""

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        """Choose an action, or fail."""
        if os.environ.get("BROKEN_RANK") == os.environ.get("RANK", "0"):
            raise EnvError("the game hangs")
        return await super().act(prompt, history, seed)
