from __future__ import annotations

from typing import Any

import flawed_players
import pytest

from ictbench import Actor
from ictbench.plugins import installed, resolve
from ictbench.testing import check_actor, check_reflector

OPTIONS: dict[str, dict[str, Any]] = {
    "file": {"text": "Go on."},
    "blind": {"reflector": {"label": "rules", "name": "rules"}},
}


@pytest.mark.parametrize("name", [name for name, place in installed("actor").items() if place.startswith("ictbench.")])
def test_our_own_actors_pass(name: str) -> None:
    check_actor(resolve("actor", name))


@pytest.mark.parametrize("name", ["blind", "file", "none", "rewrite", "rules"])
def test_our_own_reflectors_pass(name: str) -> None:
    check_reflector(resolve("reflector", name), options=OPTIONS.get(name))


def test_the_reflector_for_small_models_passes() -> None:
    check_reflector(resolve("reflector", "lessons"), answer=lambda body: 'Walk onto "%".')


def test_players_that_keep_the_contract_pass() -> None:
    check_actor(flawed_players.Steady)
    check_reflector(flawed_players.Growing)


def test_a_reflector_around_a_model_is_checked_with_one() -> None:
    def answer(body: dict[str, Any]) -> str:
        return f"ANALYSIS:\nNothing.\nIMPROVED PROMPT:\nStay {len(body['messages'][-1]['content'])} steps."

    blind_rewrite = {"reflector": {"label": "rewrite", "name": "rewrite"}}
    check_reflector(resolve("reflector", "blind"), options=blind_rewrite, answer=answer)


@pytest.mark.parametrize(
    ("flaw", "told"),
    [
        ("Moody", "the same again: history 0 is answered by .*, and was by .*; let prompt, history and seed decide"),
        ("Remembering", "in another order: history 0 .*keep nothing between calls: the history holds all there is"),
        ("Mixed", "many at once: history 0 .*keep nothing in the instance: many episodes share it"),
        ("HashedActor", "in another process: history 0 .*no hash"),
        ("Vandal", "history: it changed the history it was given; copy what you want to change"),
        ("Talker", "act: it answers 'wait'; return an ictbench.Decision"),
        ("Frail", "act: it raised IndexError: list index out of range; answer"),
        ("Lax", "options: it takes an option 'no_such_option', as if that meant something; hand options"),
        ("Waiting", "cpu_bound: it waits for something; leave cpu_bound False"),
        ("Costly", "usage: it counts 1 calls without a model; count what a model cost"),
        ("Swallowing", r"model that fails \(overflow\): it answers .*; let ModelFailure pass"),
    ],
)
def test_the_check_says_what_is_broken_in_an_actor(flaw: str, told: str) -> None:
    with pytest.raises(AssertionError, match=told) as found:
        check_actor(getattr(flawed_players, flaw))
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    ("flaw", "told"),
    [
        ("Boundless", "prompt cap: the prompt has 46 bytes of 40; mind context.prompt_cap, or say failure='too_long'"),
        ("Guessing", "the same again: in turn 1, prompt is .*; let prompt, trajectories, state and the context's seed"),
        ("Forgetful", "continued after a restart: in turn 2, prompt is .*; keep what you remember in the state"),
        ("Leaking", "beside another loop: in turn 1, .*; keep nothing in the instance: all loops share it"),
        ("Local", "in another process: in turn 1, prompt is"),
        ("Needy", "reflect: it raised IndexError: tuple index out of range; answer"),
        ("Mum", "failure: prompt is None and failure None; give a prompt, or None and in `failure` why there is none"),
        ("Blank", r"prompt: it is ' \\n'; give the old prompt, or None and a failure"),
        ("Wordy", "reflect: it answers 'Do what brings you on.'; return an ictbench.Reflection"),
        ("Infinite", "state: it is no plain JSON: .*; use finite numbers"),
        ("InPlace", "state: it changed the state it was given; copy what you want to change"),
        ("Overtrained", "trained_on: it is 'minihack-v1'; let it be None, or a tuple of families"),
        ("Deaf", r"model that fails \(unauthorized\): it answers .*; let EndpointRefusedError pass"),
    ],
)
def test_the_check_says_what_is_broken_in_a_reflector(flaw: str, told: str) -> None:
    with pytest.raises(AssertionError, match=told) as found:
        check_reflector(getattr(flawed_players, flaw))
    assert "\n" not in str(found.value)


def test_a_class_that_no_other_process_finds_is_told_so() -> None:
    class Hidden(flawed_players.Steady):
        pass

    with pytest.raises(AssertionError, match=r"name: .*define the class at the top of a module that can be imported"):
        check_actor(Hidden)
    with pytest.raises(AssertionError, match=r"class: <class 'str'> is no subclass of ictbench.Actor; derive it"):
        check_actor(str)  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match=r"class: .* is no subclass of ictbench.Reflector; derive it"):
        check_reflector(Actor)  # type: ignore[type-abstract]
    with pytest.raises(AssertionError, match="pickling: its options do not travel: "):
        check_reflector(flawed_players.Growing, options={"limit": float("nan")})
