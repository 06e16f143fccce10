from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import ConfigError, UsageError
from ictbench.records import PluginSpec, Reflection, Trajectory
from ictbench.reflectors import Context, Reflector, make_reflector, traits_of
from ictbench.reflectors.controls.reflexion import ReflexionReflector
from ictbench.reflectors.controls.shuffled import ShuffledReflector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.reflectors.controls.wrapper import WrapperReflector

CONTEXT = Context(seed=3, prompt_cap=8000)
WON = Trajectory(steps=(), last_observation="", last_digest="", end="solved")


class Counting(Reflector):
    """Says what it was given."""

    instruction = "Count."
    trained_on = ("read",)

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: Any, context: Context
    ) -> Reflection:
        return Reflection(prompt=f"{prompt} {len(trajectories)}", state=[state, context.seed])


class Roomy(Counting):
    """Holds more than others."""

    prompt_cap = 64_000
    control = "it holds more"


def spec(*names: str) -> PluginSpec:
    """A reflector in its wrappers, outermost first."""
    name, *inside = names
    options = {"reflector": spec(*inside).model_dump(mode="json", exclude={"model"})} if inside else {}
    return PluginSpec(label=":".join(names), name=name, options=options)


COUNTING, ROOMY = f"{__name__}:Counting", f"{__name__}:Roomy"


@pytest.mark.parametrize("found", [ShuffledReflector, ReflexionReflector])
def test_only_the_terms_differ_not_what_the_reflector_inside_is_given(found: type[WrapperReflector]) -> None:
    inside: Any = {"label": "it", "name": COUNTING}
    answer = asyncio.run(found(reflector=inside).reflect("Play.", [WON, WON], "kept", CONTEXT))
    assert answer == Reflection(prompt="Play. 2", state=["kept", 3])
    assert found(reflector=inside).instruction == "Count."


def test_the_terms_are_those_of_all_that_is_wrapped() -> None:
    plain = traits_of(spec(COUNTING))
    assert (plain.experience, plain.prompt_cap, plain.control, plain.trained_on) == ("fresh", None, "", ("read",))
    terms = traits_of(spec("shuffled", "blind", ROOMY))
    assert (terms.experience, terms.prompt_cap, terms.trained_on) == ("foreign", 64_000, ("read",))
    assert terms.control == "it learns from another family's episodes; it is shown no trajectory; it holds more"
    assert traits_of(spec("reflexion", "rules")).experience == "retried"


@pytest.mark.parametrize("names", [("blind", "shuffled", "rules"), ("shuffled", "reflexion", "rules")])
def test_whose_experience_is_special_cannot_be_wrapped(names: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match=r"nothing can be wrapped around (Shuffled|Reflexion)Reflector: it "):
        traits_of(spec(*names))


def test_a_class_that_is_no_reflector_is_refused() -> None:
    for refused in (traits_of, lambda one: make_reflector(one, None)):
        with pytest.raises(UsageError, match=r"RulesActor is no subclass of ictbench\.Reflector"):
            refused(PluginSpec(label="x", name="ictbench.scripted.policy:RulesActor"))
