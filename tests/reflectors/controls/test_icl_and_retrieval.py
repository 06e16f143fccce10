from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reflector_turns import LOST, WON

from ictbench.reflectors import Context, Reflector
from ictbench.reflectors.controls.icl import PROMPT_CAP, TITLE, IclReflector
from ictbench.reflectors.controls.retrieval import RetrievalReflector
from ictbench.reflectors.llm.prompt_sections import append_section, newest_that_fit
from ictbench.reflectors.trajectory_text import format_trajectory

if TYPE_CHECKING:
    from ictbench.records import Reflection, Trajectory


def episode(name: str, *, won: bool) -> Trajectory:
    return (WON if won else LOST).model_copy(update={"last_observation": name})


def final_prompt(reflector: Reflector, *batches: list[Trajectory], cap: int = PROMPT_CAP) -> str:
    """Return the prompt after one turn per batch."""
    prompt, state = "Play well.", None
    for turn, batch in enumerate(batches, 1):
        context = Context(seed=0, prompt_cap=cap, turn=turn)
        reflection: Reflection = asyncio.run(reflector.reflect(prompt, batch, state, context))
        assert reflection.prompt is not None
        prompt, state = reflection.prompt, reflection.state
    return prompt


BATCHES = ([episode("one", won=True), episode("two", won=False)], [episode("three", won=True)])


def test_icl_appends_all_trajectories_unchanged() -> None:
    episodes = [f"\n{format_trajectory(trajectory)}" for batch in BATCHES for trajectory in batch]
    assert final_prompt(IclReflector(), *BATCHES) == "\n".join(["Play well.", "", TITLE, *episodes])


def test_retrieval_appends_solved_episodes_only() -> None:
    prompt = final_prompt(RetrievalReflector(), *BATCHES)
    assert [word in prompt for word in ("one", "two", "three")] == [True, False, True]
    assert final_prompt(RetrievalReflector(), [episode("two", won=False)]) == "Play well."


def test_the_newest_episodes_that_fit_are_kept() -> None:
    long = [episode(f"{name}{'.' * 300}", won=True) for name in ("one", "two", "three")]
    prompt = final_prompt(IclReflector(), long[:2], long[2:], cap=1000)
    assert [word in prompt for word in ("one", "two", "three")] == [False, True, True]
    assert len(prompt.encode()) <= 1000


@pytest.mark.parametrize("cls", [IclReflector, RetrievalReflector])
def test_both_are_controls_that_state_their_larger_cap(cls: type[Reflector]) -> None:
    assert cls.prompt_cap == PROMPT_CAP
    assert f"{PROMPT_CAP:,} bytes" in cls.control
    assert cls.trained_on == ()


@given(blocks=st.lists(st.text(max_size=8), max_size=6), cap=st.integers(0, 60))
def test_the_kept_blocks_fit_and_no_other_block_would(blocks: list[str], cap: int) -> None:
    kept = newest_that_fit("own", "Title:", blocks, cap)
    rest = list(blocks)
    for block in kept:
        rest.remove(block)
    assert not kept or len(append_section("own", "Title:", kept).encode()) <= cap
    assert all(len(append_section("own", "Title:", [block, *kept]).encode()) > cap for block in rest)
