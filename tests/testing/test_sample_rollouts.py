"""The conformance check of reflectors that play their episodes themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ictbench import Candidate, Context, Reflection, Reflector
from ictbench.reflectors.llm.gepa_loop import GepaLoopReflector
from ictbench.testing import check_reflector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.records import Trajectory


class Searcher(Reflector):
    """Plays its budget under a new prompt in each turn, and keeps the one that solves most."""

    division, experience = "optimiser", "pooled"

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        assert not trajectories
        assert context.play is not None
        tried = f"Try {context.turn}."
        played = await context.play(tried, range(min(context.play.left, context.play.size)))
        assert context.play.new_episodes(tried, [0]) == 0
        score = sum(one.solved for one in played)
        best: Any = state or [-1, prompt]
        best = max(best, [score, tried])
        return Reflection(prompt=best[1], state=best, candidates=(Candidate(text=tried),))


class Forgetful(Searcher):
    """Keeps its best prompt in the instance."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.best: list[Any] = []

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        reflection = await super().reflect(prompt, trajectories, self.best or None, context)
        self.best = [*reflection.state] if isinstance(reflection.state, list) else []
        self.best[0] += 1
        return reflection.model_copy(update={"state": None})


class Halved(Reflector):
    """Tries a prompt on its batch."""

    experience = "halved"

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        assert context.play is not None
        assert context.play.left == len(trajectories) == context.play.size
        assert await context.play("Look.", range(len(trajectories))) == [*trajectories]
        return Reflection(prompt="Look.")


@pytest.mark.parametrize("reflector", [Searcher, Halved])
def test_reflectors_that_play_themselves_pass(reflector: type[Reflector]) -> None:
    check_reflector(reflector)


def test_gepa_loop_passes() -> None:
    def propose(body: dict[str, Any]) -> str:
        return f"```\nI read {len(body['messages'][-1]['content'])} characters.\n```"

    check_reflector(GepaLoopReflector, answer=propose)


def test_an_optimiser_that_keeps_its_state_in_the_instance_fails() -> None:
    with pytest.raises(AssertionError, match="keep what you remember in the state"):
        check_reflector(Forgetful)
