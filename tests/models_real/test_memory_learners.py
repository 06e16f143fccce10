"""Memory learners ask the real SmolLM2. It may fail to answer in their format; that is recorded, too."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ictbench.models.providers.llama_cpp import LlamaCppModel
from ictbench.plugins import resolve
from ictbench.records import ADDED_BYTES, NO_MEMORY, Memory, ModelSpec
from ictbench.reflectors import Context
from ictbench.submissions.known_players import REFLECTORS
from ictbench.testing.sample_episodes import PROMPT, TRAJECTORIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.records import Reflection

LEARNERS = [name for name, known in REFLECTORS.items() if known.division == "memory" and known.has_model]
SPEC = ModelSpec(provider="llama-cpp", model="smollm2", max_tokens=60)


@pytest.fixture(scope="module", autouse=True)
def _one_server() -> Iterator[None]:
    """Keep one server running for all tests; their models share it."""
    model = LlamaCppModel(SPEC)
    asyncio.run(model.start())
    yield
    asyncio.run(model.aclose())


@pytest.mark.parametrize("name", LEARNERS)
def test_two_turns_with_the_model(name: str) -> None:
    async def turns() -> list[Reflection]:
        model = LlamaCppModel(SPEC)
        reflections: list[Reflection] = []
        reflector, memory = resolve("reflector", name)(model), NO_MEMORY
        try:
            for turn in (1, 2):
                context = Context(seed=turn, prompt_cap=8000, turn=turn, memory=memory)
                reflections.append(await reflector.reflect(PROMPT, TRAJECTORIES, None, context))
                if reflections[-1].memory is not None:
                    memory = Memory.of(reflections[-1].memory)
                    assert len(reflector.recall(memory.value, "A dark stair.", ("go on",)).encode()) <= ADDED_BYTES
        finally:
            await model.aclose()
        return reflections

    for reflection in asyncio.run(turns()):
        assert reflection.usage.calls >= 1
        assert reflection.usage.input_tokens > 100
        assert reflection.analysis
        assert (reflection.prompt is None) == (reflection.failure in ("unparseable", "truncated", "too_long"))
