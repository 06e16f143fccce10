"""The reflector for small models asks the real SmolLM2 for a rule."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ictbench.models.providers.custom import open_model
from ictbench.plugins import resolve
from ictbench.records import ModelSpec
from ictbench.reflectors import Context
from ictbench.reflectors.llm.one_rule import TITLE, OneRuleReflector
from ictbench.testing.sample_episodes import TRAJECTORIES

if TYPE_CHECKING:
    from ictbench.records import Reflection

PROMPT = 'You are the "@".'


@pytest.mark.parametrize("provider", ["hf", "llama-cpp"])
def test_the_model_writes_a_rule_that_begins_as_asked(provider: str) -> None:
    """`hf` continues the begun reply; llama.cpp cannot, and the model begins its reply like the examples."""

    async def ask() -> Reflection:
        model = open_model(resolve("model", provider), ModelSpec(provider=provider, model="smollm2", max_tokens=32))
        try:
            context = Context(seed=0, prompt_cap=8000)
            return await OneRuleReflector(model).reflect(PROMPT, list(TRAJECTORIES), None, context)
        finally:
            await model.aclose()

    reflection = asyncio.run(ask())
    assert reflection.failure is None
    assert reflection.analysis.startswith('When you see "')
    assert reflection.analysis.count("When you see") == 1
    assert reflection.prompt
    assert reflection.prompt.startswith(f'{PROMPT}\n\n{TITLE}\nWhen you see "')
