from __future__ import annotations

from typing import Any

import flawed_players
import pytest

from ictbench import Actor
from ictbench.plugins import installed, resolve
from ictbench.testing import check_actor, check_reflector

WRAPPERS = ("blind", "unlabelled", "flipped", "losses")
SCRIPTS = ("copy", "copy-last", "copy-commonest")
OPTIONS: dict[str, dict[str, Any]] = {
    "file": {"text": "Go on."},
    **{name: {"reflector": {"label": "rules", "name": "rules"}} for name in WRAPPERS},
}


@pytest.mark.parametrize("name", [name for name, place in installed("actor").items() if place.startswith("ictbench.")])
def test_our_own_actors_pass(name: str) -> None:
    check_actor(resolve("actor", name))


@pytest.mark.parametrize("name", [*WRAPPERS, *SCRIPTS, "file", "none", "rewrite", "rules"])
def test_our_own_reflectors_pass(name: str) -> None:
    check_reflector(resolve("reflector", name), options=OPTIONS.get(name))


def test_the_reflector_for_small_models_passes() -> None:
    check_reflector(resolve("reflector", "lessons"), answer=lambda body: 'Walk onto "%".')


def test_correct_players_pass() -> None:
    check_actor(flawed_players.Correct)
    check_reflector(flawed_players.CorrectReflector)


def test_a_reflector_is_checked_with_a_model_if_an_answer_is_given() -> None:
    def answer(body: dict[str, Any]) -> str:
        return f"ANALYSIS:\nNothing.\nIMPROVED PROMPT:\nStay {len(body['messages'][-1]['content'])} steps."

    blind_rewrite = {"reflector": {"label": "rewrite", "name": "rewrite"}}
    check_reflector(resolve("reflector", "blind"), options=blind_rewrite, answer=answer)


@pytest.mark.parametrize(
    ("flaw", "message"),
    [
        ("Unseeded", "repeated: for input 0, thought is .*, but was .*; let only prompt, history and seed determine"),
        ("CountsCalls", "in another order: for input 0, thought is .*keep no state between calls"),
        ("InstanceState", "concurrently: for input 0, .*keep no state in the instance: many episodes share it"),
        ("HashDependent", "in a new process: for input 0, .*not the order of a set or a hash"),
        ("ModifiesHistory", "history: it modified the history; copy what you want to change"),
        ("ReturnsText", "act: it returned 'wait'; return an ictbench.Decision"),
        (
            "FailsOnEmptyObservation",
            "act: it raised IndexError: list index out of range .*players.py, line ",
        ),
        ("AcceptsAnyOption", "options: the unknown option 'no_such_option' is accepted; pass options that .* super"),
        ("DependsOnTheSeedThoughDeterministic", "set deterministic to False"),
        ("AwaitsThoughCpuBound", "cpu_bound: it awaits something; set cpu_bound to False"),
        ("CountsUsageWithoutModel", "usage: it counts 1 calls, but has no model; count only calls of a model"),
        ("ActorWithWrongTrainedOn", "trained_on: it is 'minihack-v1'; set it to None or to a tuple of families"),
        ("HidesModelFailure", r"failing model \(overflow\): it returned .*; let ModelFailure through"),
    ],
)
def test_check_actor_names_violation_and_remedy(flaw: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message) as caught:
        check_actor(getattr(flawed_players, flaw))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("flaw", "message"),
    [
        ("IgnoresPromptCap", "prompt cap: the prompt has 41 bytes, more than 40; .* or return failure='too_long'"),
        ("UnseededReflector", "repeated: for input 0, prompt is .*; let only prompt, trajectories, state and the"),
        ("CountsTurnsInInstance", "after a restart: for input 1, prompt is .*; keep what you remember in the state"),
        ("LeaksBetweenLoops", "next to another loop: for input 0, .*; keep no state in the instance"),
        ("ProcessDependent", "in a new process: for input 0, prompt is"),
        (
            "FailsOnEmptyBatch",
            "reflect: it raised IndexError: tuple index out of range .*players.py, line ",
        ),
        ("NeitherPromptNorFailure", "failure: prompt is None and failure is None; return either a prompt, or"),
        ("BlankPrompt", r"prompt: it is ' \\n'; return the old prompt, or None and a failure"),
        ("ReturnsPrompt", "reflect: it returned 'Find the way out.'; return an ictbench.Reflection"),
        ("InfiniteState", "state: it is not plain JSON: .*; use finite numbers"),
        ("ModifiesState", "state: it modified the state; copy what you want to change"),
        ("WrongTrainedOn", "trained_on: it is 'minihack-v1'; set it to None or to a tuple of families"),
        ("HidesOutage", r"failing model \(unauthorized\): it returned .*; let EndpointRefusedError through"),
    ],
)
def test_check_reflector_names_violation_and_remedy(flaw: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message) as caught:
        check_reflector(getattr(flawed_players, flaw))
    assert "\n" not in str(caught.value)


def test_classes_that_other_processes_cannot_use_are_violations() -> None:
    class Hidden(flawed_players.Correct):
        pass

    with pytest.raises(AssertionError, match=r"name: .*define the class at the top of a module that can be imported"):
        check_actor(Hidden)
    with pytest.raises(AssertionError, match=r"class: <class 'str'> is not a subclass of ictbench.Actor; derive it"):
        check_actor(str)  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match=r"class: .* is not a subclass of ictbench.Reflector; derive it"):
        check_reflector(Actor)  # type: ignore[type-abstract]
    with pytest.raises(AssertionError, match=r"pickling: the options .* change on the way through JSON; "):
        check_reflector(flawed_players.CorrectReflector, options={"limit": float("nan")})
