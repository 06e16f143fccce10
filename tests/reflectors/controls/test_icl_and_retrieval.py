from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from asked import LOST, WON
from hypothesis import given
from hypothesis import strategies as st

from ictbench.reflectors import Context, Reflector
from ictbench.reflectors.controls.icl import PROMPT_CAP, TITLE, IclReflector
from ictbench.reflectors.controls.retrieval import RetrievalReflector
from ictbench.reflectors.llm.prompt_sections import compose, last_that_fit
from ictbench.reflectors.trajectory_text import format_trajectory

if TYPE_CHECKING:
    from ictbench.records import Reflection, Trajectory


def told(name: str, *, won: bool) -> Trajectory:
    return (WON if won else LOST).model_copy(update={"last_observation": name})


def shown(found: Reflector, *batches: list[Trajectory], cap: int = PROMPT_CAP) -> str:
    """The prompt after these turns."""
    prompt, state = "Play well.", None
    for turn, batch in enumerate(batches, 1):
        context = Context(seed=0, prompt_cap=cap, turn=turn)
        reflection: Reflection = asyncio.run(found.reflect(prompt, batch, state, context))
        assert reflection.prompt is not None
        prompt, state = reflection.prompt, reflection.state
    return prompt


BATCHES = ([told("one", won=True), told("two", won=False)], [told("three", won=True)])


def test_icl_shows_all_trajectories_as_they_are() -> None:
    episodes = [f"\n{format_trajectory(trajectory)}" for batch in BATCHES for trajectory in batch]
    assert shown(IclReflector(), *BATCHES) == "\n".join(["Play well.", "", TITLE, *episodes])


def test_retrieval_shows_the_solved_ones_only() -> None:
    prompt = shown(RetrievalReflector(), *BATCHES)
    assert [word in prompt for word in ("one", "two", "three")] == [True, False, True]
    assert shown(RetrievalReflector(), [told("two", won=False)]) == "Play well."


def test_the_newest_that_fit_are_kept() -> None:
    long = [told(f"{name}{'.' * 300}", won=True) for name in ("one", "two", "three")]
    prompt = shown(IclReflector(), long[:2], long[2:], cap=1000)
    assert [word in prompt for word in ("one", "two", "three")] == [False, True, True]
    assert len(prompt.encode()) <= 1000


@pytest.mark.parametrize("found", [IclReflector, RetrievalReflector])
def test_they_are_controls_with_a_stated_cap_of_their_own(found: type[Reflector]) -> None:
    assert found.prompt_cap == PROMPT_CAP
    assert f"{PROMPT_CAP:,} bytes" in found.control
    assert found.trained_on == ()


@given(blocks=st.lists(st.text(max_size=8), max_size=6), cap=st.integers(0, 60))
def test_what_is_gathered_fits_and_leaves_no_room_for_another(blocks: list[str], cap: int) -> None:
    kept = last_that_fit("own", "Title:", blocks, cap)
    rest = list(blocks)
    for block in kept:
        rest.remove(block)
    assert not kept or len(compose("own", "Title:", kept).encode()) <= cap
    assert all(len(compose("own", "Title:", [block, *kept]).encode()) > cap for block in rest)
