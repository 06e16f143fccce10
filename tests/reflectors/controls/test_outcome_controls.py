"""`unlabelled:`, `flipped:` and `losses:` change what a reflector is told about outcomes, and nothing else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.errors import ConfigError
from ictbench.records import PluginSpec, Reflection, Trajectory
from ictbench.reflectors import Context, Reflector, make_reflector, traits_of
from ictbench.reflectors.controls.flipped import flip
from ictbench.reflectors.controls.unlabelled import without_outcomes
from ictbench.reflectors.llm.llm_reflector import format_experience
from ictbench.testing.sample_episodes import DIED, FAILED, SOLVED, STEP_LIMIT, TRAJECTORIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.choices import ExperienceFormat

CONTEXT = Context(seed=3, prompt_cap=8000)
FORMATS: tuple[ExperienceFormat, ...] = ("full", "events", "tally")


class RecordingReflector(Reflector):
    """Remembers in its state what it was shown."""

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: Any, context: Context
    ) -> Reflection:
        return Reflection(prompt="seen", state=[one.model_dump(mode="json") for one in trajectories])


def spec(*names: str, **options: Any) -> PluginSpec:
    name, *inner = names
    if inner:
        options["reflector"] = spec(*inner).model_dump(mode="json", exclude={"model"})
    return PluginSpec(label=":".join(names), name=name, options=options)


def shown(wrapper: str, batch: Sequence[Trajectory]) -> Any:
    """Return the trajectories that a wrapped reflector was shown, None if it was not asked."""
    reflector = make_reflector(spec(wrapper, f"{__name__}:RecordingReflector"), None)
    reflection = asyncio.run(reflector.reflect("Play.", batch, None, CONTEXT))
    assert reflection.prompt == ("Play." if reflection.state is None else "seen")
    return reflection.state


def ended(trajectory: Trajectory, data: st.DataObject) -> Trajectory:
    """Return an episode with the same decisions, and any outcome, reward and last screen."""
    end = data.draw(st.sampled_from(["solved", "died", "env_ended", "step_limit"]))
    reward = data.draw(st.sampled_from([0.0, 1.0, -0.01]))
    steps = tuple(step.model_copy(update={"reward": reward}) for step in trajectory.steps)
    last = data.draw(st.sampled_from(["You are out.", "You die.", ""]))
    return trajectory.model_copy(update={"end": end, "steps": steps, "last_observation": last, "last_digest": last})


@given(st.data())
def test_unlabelled_episodes_are_the_same_whatever_the_outcomes(data: st.DataObject) -> None:
    batch = [SOLVED, STEP_LIMIT, SOLVED]
    other = [ended(trajectory, data) for trajectory in batch]
    assert without_outcomes(other) == without_outcomes(batch)
    for form in FORMATS:
        text = format_experience(form, "", without_outcomes(other))
        assert text == format_experience(form, "", without_outcomes(batch))
        for mark in ("Success", "reward", "solved", "used up", "How it ended", "died"):
            assert mark not in text


def test_unlabelled_episodes_have_equal_lengths_and_lack_the_last_screen() -> None:
    seen = shown("unlabelled", [SOLVED, STEP_LIMIT])
    assert [len(one["steps"]) for one in seen] == [2, 2]
    assert seen[0]["last_observation"] == SOLVED.steps[2].observation
    assert {one["end"] for one in seen} == {"step_limit"}
    longer = STEP_LIMIT.model_copy(update={"steps": STEP_LIMIT.steps * 3})
    assert shown("unlabelled", [SOLVED, longer]) == seen
    assert [len(one["steps"]) for one in shown("unlabelled", [FAILED, DIED])] == [0, 0]
    assert shown("unlabelled", []) == []


def test_flipping_inverts_marks_ends_and_rewards_and_keeps_the_rest() -> None:
    for trajectory in TRAJECTORIES:
        flipped = flip(trajectory)
        assert flipped.solved != trajectory.solved
        assert flipped.failure is None
        assert flipped.total_reward == (1.0 if flipped.solved and flipped.steps else 0.0)
        assert [step.executed for step in flipped.steps] == [step.executed for step in trajectory.steps]
        assert flip(flipped).solved == trajectory.solved
    assert [one["end"] for one in shown("flipped", [SOLVED, DIED])] == ["env_ended", "solved"]


@pytest.mark.parametrize("form", FORMATS)
def test_flipping_hides_no_action_of_a_solved_episode(form: ExperienceFormat) -> None:
    """A control that hid the solving action would also fail a reflector that copies it and ignores outcomes."""
    solved, ended = "the task was solved", "the environment ended the episode without success"
    before, after = (format_experience(form, "", [one]).lower() for one in (SOLVED, flip(SOLVED)))
    assert before != after
    restored = after.replace(ended, solved).replace("success: no", "success: yes").replace(": not solved", ": solved")
    assert restored == before


def test_only_losses_are_shown_and_without_one_the_reflector_is_not_asked() -> None:
    assert [one["end"] for one in shown("losses", [SOLVED, DIED, STEP_LIMIT])] == ["died", "step_limit"]
    assert shown("losses", [SOLVED, SOLVED]) is None


@pytest.mark.parametrize("wrapper", ["unlabelled", "flipped", "losses"])
@pytest.mark.parametrize(
    ("inner", "reason"),
    [
        (("none",), "NoneReflector does not read the episodes"),
        (("file",), "FileReflector does not read the episodes"),
        (("blind", "rules"), "BlindReflector does not read the episodes"),
        (("copy",), "CopyReflector does not read how episodes ended"),
        (("unlabelled", "rules"), "UnlabelledReflector does not read how episodes ended"),
    ],
)
def test_outcomes_that_are_not_read_cannot_be_varied(wrapper: str, inner: tuple[str, ...], reason: str) -> None:
    with pytest.raises(ConfigError, match=f"{reason}.*remove the wrapper"):
        traits_of(spec(wrapper, *inner))


@pytest.mark.parametrize(
    ("names", "control"),
    [
        (("unlabelled", "rules"), "it is not shown how episodes ended"),
        (("flipped", "rules"), "it is told the opposite of how each episode ended"),
        (("losses", "rules"), "it is shown no solved episode"),
        (("copy",), "it copies from its text and ignores how the episodes ended"),
    ],
)
def test_each_of_them_is_a_control_on_the_tasks_of_the_reflector(names: tuple[str, ...], control: str) -> None:
    traits = traits_of(spec(*names))
    assert (traits.control, traits.experience) == (control, "fresh")
