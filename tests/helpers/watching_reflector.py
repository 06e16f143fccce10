"""A reflector that looks at its own run while it is played, and may stop it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench import Reflection, Reflector

if TYPE_CHECKING:
    from collections.abc import Callable

look: Callable[[int], None] = lambda calls: None  # noqa: E731 - replaced by tests
"""Called with the number of reflections so far."""
calls = 0


class WatchingReflector(Reflector):
    async def reflect(self, prompt: str, trajectories: Any, state: Any, context: Any) -> Reflection:
        global calls
        calls += 1
        look(calls)
        return Reflection(prompt=f"{prompt}\nHint {context.turn}.")
