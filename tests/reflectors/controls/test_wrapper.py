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


class EchoReflector(Reflector):
    """Returns its arguments."""

    instruction = "Count."
    trained_on = ("read",)

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: Any, context: Context
    ) -> Reflection:
        return Reflection(prompt=f"{prompt} {len(trajectories)}", state=[state, context.seed])


class LargeReflector(EchoReflector):
    """May write longer prompts."""

    prompt_cap = 64_000
    control = "it holds more"


def spec(*names: str) -> PluginSpec:
    """Return the specification of a reflector in its wrappers, outermost first."""
    name, *inner = names
    options = {"reflector": spec(*inner).model_dump(mode="json", exclude={"model"})} if inner else {}
    return PluginSpec(label=":".join(names), name=name, options=options)


ECHO, LARGE = f"{__name__}:EchoReflector", f"{__name__}:LargeReflector"


@pytest.mark.parametrize("wrapper", [ShuffledReflector, ReflexionReflector])
def test_a_wrapper_passes_everything_to_the_inner_reflector(wrapper: type[WrapperReflector]) -> None:
    inner: Any = {"label": "it", "name": ECHO}
    reflection = asyncio.run(wrapper(reflector=inner).reflect("Play.", [WON, WON], "kept", CONTEXT))
    assert reflection == Reflection(prompt="Play. 2", state=["kept", 3])
    assert wrapper(reflector=inner).instruction == "Count."


def test_traits_combine_the_wrappers_and_the_inner_reflector() -> None:
    plain = traits_of(spec(ECHO))
    assert (plain.experience, plain.prompt_cap, plain.control, plain.trained_on) == ("fresh", None, "", ("read",))
    traits = traits_of(spec("shuffled", "blind", LARGE))
    assert (traits.experience, traits.prompt_cap, traits.trained_on) == ("foreign", 64_000, ("read",))
    assert traits.control == "it learns from another family's episodes; it is shown no trajectory; it holds more"
    assert traits_of(spec("reflexion", "rules")).experience == "retried"


@pytest.mark.parametrize("names", [("blind", "shuffled", "rules"), ("shuffled", "reflexion", "rules")])
def test_a_reflector_with_special_experience_cannot_be_wrapped(names: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match=r"(Shuffled|Reflexion)Reflector cannot be wrapped, because it "):
        traits_of(spec(*names))


def test_a_class_that_is_not_a_reflector_is_an_error() -> None:
    for function in (traits_of, lambda spec: make_reflector(spec, None)):
        with pytest.raises(UsageError, match=r"RulesActor is not a subclass of ictbench\.Reflector"):
            function(PluginSpec(label="x", name="ictbench.scripted.policy:RulesActor"))
