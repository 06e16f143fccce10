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


class EchoReflector(Reflector):
    """Returns its arguments."""

    instruction = "Return your arguments."

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: Any, context: Context
    ) -> Reflection:
        return Reflection(prompt=f"{prompt} {len(trajectories)}", state=[state, context.seed])


ECHO = f"{__name__}:EchoReflector"


def blind(name: str) -> BlindReflector:
    return BlindReflector(reflector={"label": "it", "name": name})


def test_the_inner_reflector_sees_everything_except_the_trajectories() -> None:
    reflection = asyncio.run(blind(ECHO).reflect("Play.", [WON, WON], "kept", CONTEXT))
    assert reflection == Reflection(prompt="Play. 0", state=["kept", 3])


def test_the_scripted_reflector_keeps_the_prompt_without_experience() -> None:
    reflection = asyncio.run(blind("rules").reflect('You are the "@".', [WON], None, CONTEXT))
    assert reflection.prompt == 'You are the "@".'


def test_the_instruction_is_that_of_the_inner_reflector() -> None:
    assert (blind(ECHO).instruction, blind("rules").instruction) == (EchoReflector.instruction, "")


@pytest.mark.parametrize("reflector", [None, "rules", {"name": 3}])
def test_an_invalid_inner_reflector_is_an_error(reflector: Any) -> None:
    with pytest.raises(ConfigError, match=r"BlindReflector wraps another reflector: its option 'reflector' must"):
        BlindReflector(reflector=reflector)
