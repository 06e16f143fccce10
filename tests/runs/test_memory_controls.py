"""Controls around a learner with a memory: they change what it sees, and its memory still goes into the prompts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from memory_run import OPTIONS, memory_run
from recalled_rules import RECALLED_RULES
from small_run import SUITE

import ictbench
from ictbench import Context, Reflection
from ictbench.audit.recompute import recompute
from ictbench.records import Memory, PluginSpec
from ictbench.reflectors.controls.losses import LossesReflector
from ictbench.submissions.episode_records import evidence_of_run
from ictbench.testing.sample_episodes import SOLVED

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.protocol import LoopResult

CONTROLS = ("blind", "flipped", "losses", "reflexion", "shuffled", "unlabelled")


def loops(run: ictbench.Run) -> list[LoopResult]:
    return [loop for family in run.result.families for loop in family.loops]


@pytest.mark.parametrize("control", CONTROLS)
def test_a_control_of_a_learner_with_a_memory(tmp_path: Path, control: str) -> None:
    options = OPTIONS | {"families": ["eat"], "loops": 1, "reflector": f"{control}:{RECALLED_RULES}"}
    run = ictbench.run(**options, out=tmp_path / "run")
    assert run.result.division == "memory"
    assert run.result.control
    assert not run.result.ranked
    (loop,) = loops(run)
    assert all(prompt.memory for prompt in loop.prompts[1:])
    assert all(prompt.text == SUITE.prompt for prompt in loop.prompts)
    # What it remembers differs from what the learner itself remembers, but for the batches that hide nothing.
    own = loops(memory_run())[0]
    same = [prompt.memory for prompt in loop.prompts] == [prompt.memory for prompt in own.prompts]
    hides_nothing = control == "losses" and not any("1" in batch.outcomes for batch in own.batches)
    assert same == hides_nothing
    failed = [check for check in recompute(evidence_of_run(run.folder), SUITE) if check.verdict == "failed"]
    assert failed == []


def test_blind_remembers_nothing_and_plays_what_prompt_0_plays(tmp_path: Path) -> None:
    options = OPTIONS | {"families": ["eat"], "loops": 1, "reflector": f"blind:{RECALLED_RULES}"}
    (loop,) = loops(ictbench.run(**options, out=tmp_path / "run"))
    assert len({prompt.memory for prompt in loop.prompts[1:]}) == 1, "no experience, no change"
    assert len(set(loop.selection)) == 1


def test_losses_keeps_the_memory_after_a_batch_without_a_loss() -> None:
    spec = PluginSpec(label="own", name=RECALLED_RULES).model_dump()
    context = Context(seed=1, prompt_cap=6_000, memory=Memory.of({"rules": ["a"]}))
    reflection = asyncio.run(LossesReflector(reflector=spec).reflect("p", [SOLVED], {"kept": 1}, context))
    assert reflection == Reflection(prompt="p", state={"kept": 1}), "without a memory, the loop keeps its own"
