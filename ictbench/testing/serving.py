"""Servers of the zoo, for a test's `with` statement.

with serve("ollama") as url:
    run = ictbench.run(env="minihack", actor="openai/qwen3:8b", actor_base_url=url, ...)
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ictbench.testing.scripted_replies import react_policy
from ictbench.testing.scripted_server import ScriptedServer
from ictbench.testing.server_zoo import find_personality

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench.testing.scripted_replies import Answer, Reply
    from ictbench.testing.server_zoo import Personality


@contextmanager
def serve(
    personality: str | Personality, answer: Answer | Sequence[str | Reply] | None = None, *, context: int | None = None
) -> Iterator[str]:
    """Serve a personality on loopback, in a thread, and give its base URL.

        with serve("ollama") as url:
            run = ictbench.run(env="minihack", actor="openai/qwen3:8b", actor_base_url=url, ...)

    Args:
        personality: One of `ictbench.testing.PERSONALITIES` by name, or a record of your own.
        answer: The model: a function of a request, or a list of replies to cycle through. By default it plays the first
            available action.
        context: Length of the model's context in words; None for no limit.

    Raises:
        ValueError: There is no such personality.
    """
    record = find_personality(personality) if isinstance(personality, str) else personality
    if context is not None:
        record = record.with_context(context)
    model = answer or react_policy(lambda prompt, observation, actions: actions[0])
    with ScriptedServer(model, personality=record) as server:
        yield server.base_url
