"""Runs of an optimiser: which episodes it plays, what is recorded, and how a run is continued."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from optimised import OPTIONS, RULES, propose

import ictbench
from ictbench.protocol.candidates import candidate_scores
from ictbench.testing import ScriptedServer

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.protocol import LoopResult


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ictbench.Run:
    return optimise(tmp_path_factory.mktemp("optimiser") / "run")


def optimise(out: Path, **options: object) -> ictbench.Run:
    with ScriptedServer(propose, model="m") as server:
        return ictbench.run(**OPTIONS | options, reflector_base_url=server.url, out=out)


def loop_of(run: ictbench.Run) -> LoopResult:
    (loop,) = run.result.families[0].loops
    return loop


def test_the_best_candidate_so_far_is_the_prompt_of_each_turn(run: ictbench.Run) -> None:
    loop = loop_of(run)
    base, walk, eat, *_ = loop.candidates
    assert (walk.text, eat.text) == (f"{base.text}\n{RULES[0]}", f"{base.text}\n{RULES[0]}\n{RULES[1]}")
    assert (walk.parents, eat.parents) == ((base.digest,), (walk.digest,))
    assert (base.turn, base.kept, walk.turn, eat.front) == (0, 1, 2, (0, 1))
    assert walk.kept is not None
    assert eat.kept is not None
    assert [prompt.text for prompt in loop.prompts[eat.kept :]] == [eat.text] * (7 - eat.kept)
    assert [prompt.text for prompt in loop.prompts[: walk.kept]] == [base.text] * walk.kept
    assert run.result.families[0].measures is not None
    assert run.result.families[0].measures.last.value == 1


def test_each_turn_plays_a_batch_of_experience_tasks_and_no_others(run: ictbench.Run) -> None:
    loop, sizes = loop_of(run), run.result.sizes
    scored = {*loop.selection_tasks, *loop.test_tasks}
    keys = [(task, prompt) for batch in loop.batches for task, prompt in zip(batch.tasks, batch.prompts, strict=True)]
    assert [len(batch.tasks) for batch in loop.batches] == [sizes.batch_size] * sizes.turns
    assert len({*keys}) == len(keys) == sizes.turns * sizes.batch_size
    assert not scored & {task for task, _ in keys}
    assert {digest for _, digest in keys} <= {candidate.digest for candidate in loop.candidates}
    assert sum(score.played for score in candidate_scores(loop).values()) == len(keys)
