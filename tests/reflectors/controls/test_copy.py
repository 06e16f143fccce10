"""The copy scripts write the rules that their text shows, and never read an outcome."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import ConfigError
from ictbench.records import PluginSpec, Step, Trajectory
from ictbench.reflectors import Context, make_reflector
from ictbench.reflectors.controls.copy import find_label, find_mentions
from ictbench.rules_text.rules import parse_rules

if TYPE_CHECKING:
    from ictbench.records import End

PROMPT = 'You are the "@".'
ACTIONS = ("step e", "pickup", "eat", "wear", "zap")
MESSAGES = {
    "pickup": "f - a robe.",
    "wear": "You are now wearing a robe.",
    "eat": "You have nothing to eat.",
    "zap": "Never mind.",
}


def played(*actions: str, end: End = "step_limit") -> Trajectory:
    """Return an episode that begins with a step onto `[`."""
    screens = ["|@[|", *(f"{MESSAGES.get(action, 'You see here a robe.')}\n\n|.@|" for action in ("step e", *actions))]
    steps = tuple(
        Step(observation=text, actions=ACTIONS, digest="", thought="", proposed=action, executed=action)
        for text, action in zip(screens, ("step e", *actions), strict=False)
    )
    return Trajectory(steps=steps, last_observation=screens[-1], last_digest="", end=end)


def rules(name: str, *batch: Trajectory, start: str = PROMPT, **options: Any) -> list[str]:
    reflector = make_reflector(PluginSpec(label=name, name=name, options=options), None)
    prompt = asyncio.run(reflector.reflect(start, batch, None, Context(seed=0, prompt_cap=8000))).prompt
    assert prompt is not None
    return [str(rule) for rule in parse_rules(prompt)]


WALK, PICKUP = 'Walk onto "[".', 'When you see "You see here", choose "pickup".'
FIRST, LAST = played("pickup", "eat", "zap"), played("pickup", "zap", "wear", end="solved")


@pytest.mark.parametrize("form", ["events", "tally"])
def test_copy_writes_the_first_symbol_and_a_constant(form: str) -> None:
    assert rules("copy", FIRST, LAST, experience=form) == [WALK, PICKUP]


def test_a_quotation_mark_is_a_symbol() -> None:
    ring = LAST.steps[0].model_copy(update={"observation": '|@"|'})
    amulet = LAST.model_copy(update={"steps": (ring, *LAST.steps[1:])})
    assert rules("copy", amulet)[0] == 'Walk onto """.'


def test_copy_last_and_copy_commonest_add_an_action_of_the_text() -> None:
    assert rules("copy-last", FIRST, LAST) == [WALK, PICKUP, 'When you see "f -", choose "wear".']
    # `events` leaves out what an earlier episode showed, except in solved ones.
    assert rules("copy-commonest", FIRST, LAST) == [WALK, PICKUP, 'When you see "f -", choose "zap".']
    for name in ("copy-last", "copy-commonest"):
        copied = rules(name, FIRST, LAST, experience="tally")[2]
        assert copied in {f'When you see "f -", choose "{action}".' for action in ("eat", "zap", "wear")}


def test_in_a_prompt_that_orders_an_action_theirs_takes_its_place() -> None:
    start = 'Do "rub or zap" before "drop".\nChoose "eat".'
    assert rules("copy", FIRST, LAST, start=start) == ['Do "rub or zap" before "drop".', 'Choose "eat".']
    for name in ("copy-last", "copy-commonest"):
        order, other = rules(name, FIRST, LAST, start=start, experience="tally")
        # The prompt's own rules already name "eat".
        assert order in {'Do "wear" before "drop".', 'Do "zap" before "drop".'}
        assert other == 'Choose "eat".'


@pytest.mark.parametrize("name", ["copy", "copy-last", "copy-commonest"])
def test_outcomes_change_nothing(name: str) -> None:
    lost = LAST.model_copy(update={"end": "died"})
    assert rules(name, LAST, FIRST, experience="tally") == rules(name, lost, FIRST, experience="tally")


def test_without_symbols_the_prompt_stays() -> None:
    empty = Trajectory(steps=(), last_observation="A hall.", last_digest="", end="failed")
    assert rules("copy", empty) == []


def test_mentions_have_the_episodes_of_either_digest() -> None:
    text = 'Episode 1:\neat: No.\nEpisode 2:\nrun e: came onto "<"\nIn the end you died.\nSymbols: "<"'
    assert [(one.action, one.episode) for one in find_mentions(text)] == [("eat", 1), ("run", 2)]
    text = (
        'At the start: Hi.\nLater: f - a robe. a - a club (wielded).\neat: not tried\nwear: solved\nread\nSymbols: "<"'
    )
    assert find_mentions(text) == [("eat", 0, "not tried"), ("wear", 0, "solved"), ("read", 0, "")]
    assert find_label(text) == "f -"


def test_a_format_that_it_cannot_read_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"does not support experience 'full' \(formats: events, tally\)"):
        make_reflector(PluginSpec(label="copy", name="copy", options={"experience": "full"}), None)
