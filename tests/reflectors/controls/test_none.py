from __future__ import annotations

import asyncio

from ictbench.records import Reflection
from ictbench.reflectors.controls.none import NoneReflector
from ictbench.reflectors.reflector import Context


def test_the_prompt_is_returned_unchanged() -> None:
    reflection = asyncio.run(NoneReflector().reflect("Play well.", [], {"kept": 1}, Context(seed=0, prompt_cap=1)))
    assert reflection == Reflection(prompt="Play well.", state={"kept": 1})
    assert not NoneReflector.needs_model
