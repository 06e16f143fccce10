"""Controls play other episodes than ranked runs; the checks expect those that the control declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from small_run import SUITE, failed

import ictbench
from ictbench.audit.recompute import recompute
from ictbench.records import Reflection
from ictbench.reflectors import Context, Reflector
from ictbench.submissions.episode_records import RUN_DIGITS, Evidence, evidence_of_run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pydantic import JsonValue

    from ictbench.records import Trajectory

SIZES: dict[str, Any] = {"turns": 2, "batch_size": 3, "loops": 1, "selection_size": 2, "test_size": 2}


class TryingReflector(Reflector):
    """Plays its batch twice under one new prompt, then returns the prompt."""

    experience = "halved"
    control = "it tries prompts on tasks that it knows"
    trained_on = ()

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        assert context.play is not None
        new = f'{prompt}\nWalk onto "%".'
        await context.play(new, range(len(trajectories)))
        await context.play(new, range(len(trajectories)))
        return Reflection(prompt=new)


def evidence(reflector: str, folder: Path) -> Evidence:
    ictbench.run(
        suite=SUITE.name, families="eat", reflector=reflector, actor="rules", **SIZES, executor="inline", out=folder
    )
    return evidence_of_run(folder)


@pytest.mark.parametrize(
    "reflector", [f"{__name__}:TryingReflector", "shuffled:rules", "reflexion:rules", "icl", "blind:rules"]
)
def test_honest_control_passes_every_check(reflector: str, tmp_path: Path) -> None:
    control = evidence(reflector, tmp_path / "run")
    assert control.result.control
    assert {check.verdict for check in recompute(control, SUITE)} == {"passed"}


def test_replays_of_other_tasks_or_of_too_many_fail(tmp_path: Path) -> None:
    honest = evidence(f"{__name__}:TryingReflector", tmp_path / "run")
    (family,) = honest.result.families
    (loop,) = family.loops
    assert [len(keys) for keys in loop.replays] == [1, 2]

    def failures_of(replays: tuple[tuple[str, ...], ...]) -> dict[str, str]:
        altered = family.model_copy(update={"loops": (loop.model_copy(update={"replays": replays}),)})
        result = honest.result.model_copy(update={"families": (altered,)})
        return failed(Evidence(result, honest.episodes, RUN_DIGITS))

    assert "turn 1 replays 2 episodes, of at most 1" in failures_of((loop.replays[0] * 2, loop.replays[1]))["tasks"]
    assert "whose task is not in its batch" in failures_of(loop.replays[::-1])["tasks"]
    assert "is not needed by any loop" in failures_of(((), ()))["episodes"]
