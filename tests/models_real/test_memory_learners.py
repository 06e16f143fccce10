"""Memory learners and the optimiser ask the real SmolLM2. A reply in another format is recorded, too."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ictbench.models.providers.llama_cpp import LlamaCppModel
from ictbench.plugins import resolve
from ictbench.records import ADDED_BYTES, NO_MEMORY, Memory, ModelSpec, Usage
from ictbench.reflectors import Context
from ictbench.submissions.known_players import REFLECTORS
from ictbench.testing.sample_episodes import PROMPT, TRAJECTORIES
from ictbench.testing.sample_rollouts import SampleLoop

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


def test_a_search_with_the_model() -> None:
    async def turns() -> list[Reflection]:
        model = LlamaCppModel(SPEC)
        reflections: list[Reflection] = []
        reflector = resolve("reflector", "gepa-loop")(model)
        sample = SampleLoop("pooled", (TRAJECTORIES[:2],) * 4, 8000)
        prompt, state = PROMPT, None
        try:
            for turn in range(1, 5):
                rollouts = sample.rollouts(turn)
                context = Context(seed=turn, prompt_cap=8000, play=rollouts, turn=turn, loop_seed=1)
                reflections.append(await reflector.reflect(prompt, (), state, context))
                sample.played.update(rollouts.outcomes if rollouts else ())
                prompt, state = reflections[-1].prompt or prompt, reflections[-1].state
        finally:
            await model.aclose()
        return reflections

    reflections = asyncio.run(turns())
    usage = sum((reflection.usage for reflection in reflections), Usage())
    assert 1 <= usage.calls <= 4
    assert usage.input_tokens > 100
    failed = sum(bool(reflection.failure) for reflection in reflections)
    assert len(reflections[-1].candidates) + failed >= 2
