"""A reflector on a scripted model, asked turn by turn."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ictbench.models import ModelClient, Retry, UsageMeter
from ictbench.models.providers.openai import OpenAIModel
from ictbench.records import ModelSpec, Reflection, Step, Trajectory
from ictbench.reflectors import Context, Reflector
from ictbench.testing import Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.reflectors import Play

WON = Trajectory(
    steps=(Step(observation="A?", actions=("read",), digest="", thought="", proposed="read", executed="read"),),
    last_observation="You win.",
    last_digest="",
    end="solved",
)
LOST = WON.model_copy(update={"last_observation": "You lose.", "end": "died"})


def turns(
    found: type[Reflector],
    replies: Sequence[str | Reply],
    *,
    cap: int = 8000,
    batch: Sequence[Trajectory] = (WON, LOST),
    play: Play | None = None,
) -> tuple[list[Reflection], list[str]]:
    """Reflections turn by turn, one a reply, and what the model was asked; an unusable one keeps its prompt."""
    with ScriptedServer(replies, record=True) as server:

        async def loop() -> list[Reflection]:
            spec = ModelSpec(provider="openai", model="scripted", base_url=server.url)
            model = ModelClient(OpenAIModel(spec), UsageMeter(), retry=Retry(base=0.0))
            reflector, done = found(model), list[Reflection]()
            prompt, state = "Play well.", None
            try:
                for turn in range(1, len(replies) + 1):
                    context = Context(seed=turn, prompt_cap=cap, play=play, turn=turn)
                    done.append(await reflector.reflect(prompt, batch, state, context))
                    prompt, state = done[-1].prompt or prompt, done[-1].state
            finally:
                await model.aclose()
            return done

        reflections = asyncio.run(loop())
    return reflections, [_text(body) for body in server.requests_log]


def _text(body: dict[str, Any]) -> str:
    return "\n\n".join(message["content"] for message in body["messages"])
