from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import ConfigError
from ictbench.records import Reflection, Trajectory
from ictbench.reflectors import Context, Reflector
from ictbench.reflectors.controls.blind import BlindReflector

if TYPE_CHECKING:
    from collections.abc import Sequence

CONTEXT = Context(seed=3, prompt_cap=8000)
WON = Trajectory(steps=(), last_observation="", last_digest="", end="solved")


class Counting(Reflector):
    """Says what it was given."""

    instruction = "Say what you were given."

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: Any, context: Context
    ) -> Reflection:
        return Reflection(prompt=f"{prompt} {len(trajectories)}", state=[state, context.seed])


def blind(name: str) -> BlindReflector:
    return BlindReflector(reflector={"label": "it", "name": name})


def test_the_reflector_inside_sees_all_but_the_trajectories() -> None:
    found = asyncio.run(blind(f"{__name__}:Counting").reflect("Play.", [WON, WON], "kept", CONTEXT))
    assert found == Reflection(prompt="Play. 0", state=["kept", 3])


def test_the_scripted_reflector_has_nothing_to_say_without_experience() -> None:
    found = asyncio.run(blind("rules").reflect('You are the "@".', [WON], None, CONTEXT))
    assert found.prompt == 'You are the "@".'


def test_its_instruction_is_that_of_the_reflector_inside() -> None:
    assert (blind(f"{__name__}:Counting").instruction, blind("rules").instruction) == (Counting.instruction, "")


@pytest.mark.parametrize("reflector", [None, "rules", {"name": 3}])
def test_there_must_be_another_reflector(reflector: Any) -> None:
    with pytest.raises(ConfigError, match=r"BlindReflector wraps another reflector: its option 'reflector' is"):
        BlindReflector(reflector=reflector)
