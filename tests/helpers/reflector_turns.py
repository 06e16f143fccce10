"""Turns of a reflector whose model is scripted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ictbench.models import ModelClient, Retry, UsageMeter
from ictbench.models.providers.openai import OpenAIModel
from ictbench.records import NO_MEMORY, Memory, ModelSpec, Reflection, Step, Trajectory
from ictbench.reflectors import Context, Reflector
from ictbench.testing import Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.reflectors import BatchPlayer

WON = Trajectory(
    steps=(Step(observation="A?", actions=("read",), digest="", thought="", proposed="read", executed="read"),),
    last_observation="You win.",
    last_digest="",
    end="solved",
)
LOST = WON.model_copy(update={"last_observation": "You lose.", "end": "died"})


def run_turns(
    reflector_class: type[Reflector],
    replies: Sequence[str | Reply],
    *,
    cap: int = 8000,
    batch: Sequence[Trajectory] = (WON, LOST),
    play: BatchPlayer | None = None,
    turns: int | None = None,
) -> tuple[list[Reflection], list[str]]:
    """Run turns, by default one for each reply, starting from the prompt "Play well.".

    A reply that cannot be used keeps prompt and memory.

    Returns:
        The reflections, and the text of each request to the model.
    """
    with ScriptedServer(replies, record=True) as server:

        async def loop() -> list[Reflection]:
            spec = ModelSpec(provider="openai", model="scripted", base_url=server.url)
            model = ModelClient(OpenAIModel(spec), UsageMeter(), retry=Retry(base_wait=0.0))
            reflector, reflections = reflector_class(model), list[Reflection]()
            prompt, state, memory = "Play well.", None, NO_MEMORY
            try:
                for turn in range(1, (turns or len(replies)) + 1):
                    context = Context(seed=turn, prompt_cap=cap, play=play, turn=turn, memory=memory)
                    reflections.append(await reflector.reflect(prompt, batch, state, context))
                    state = reflections[-1].state
                    if reflections[-1].prompt is not None:
                        prompt, memory = reflections[-1].prompt, Memory.of(reflections[-1].memory)
            finally:
                await model.aclose()
            return reflections

        reflections = asyncio.run(loop())
    return reflections, [_text(body) for body in server.requests_log]


def recalled(
    reflector_class: type[Reflector], memory: JsonValue, observation: str = "", actions: Sequence[str] = ()
) -> str:
    """Return what a memory adds to the prompt of an episode; the model is not asked."""
    unasked: Any = object()
    return reflector_class(unasked).recall(memory, observation, tuple(actions))


def _text(body: dict[str, Any]) -> str:
    return "\n\n".join(message["content"] for message in body["messages"])
