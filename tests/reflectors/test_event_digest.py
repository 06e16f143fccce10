from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.records import Step, Trajectory
from ictbench.reflectors.event_digest import events_of, format_events
from ictbench.testing.sample_episodes import TRAJECTORIES

if TYPE_CHECKING:
    from ictbench.choices import FailureKind
    from ictbench.records import End

STATUS = "Agent the Hatamoto St:16 Dx:18 Co:18 In:8 Wi:8 Ch:7 Lawful\nDlvl:1 $:0 HP:15(15) Pw:2(2) AC:4"


def screen(room: str, message: str = "") -> str:
    walls = "\n".join(["   ------", f"   {room}", *["   |....|"] * 3, "   ------", STATUS])
    return f"{message}\n\n{walls}" if message else walls


def episode(
    *steps: tuple[str, str | None], last: str, end: End = "step_limit", failure: FailureKind | None = None
) -> Trajectory:
    """What was seen and done by turns; a None is a proposal that was no action."""
    made = tuple(
        Step(observation=text, actions=(), digest="", thought="secret", proposed=action or "dance", executed=action)
        for text, action in steps
    )
    return Trajectory(steps=made, last_observation=last, last_digest="", end=end, failure=failure)


def told(trajectory: Trajectory, player: str | None = "@") -> list[str]:
    return events_of(trajectory, player, set()).splitlines()


def test_only_what_changed_is_told() -> None:
    walk = episode(
        (screen("|@..%|", "Hello there."), "step e"),
        (screen("|.@.%|"), "step e"),
        (screen("|..@%|"), "step e"),
        (screen("|...@|", "You see here an apple."), "eat"),
        last=screen("|...@|"),
        end="solved",
    )
    assert told(walk) == [
        "Hello there.",
        'In sight: "%"',
        'step e: came onto "%" You see here an apple.',
        "eat: The task was solved.",
    ]


def test_what_was_told_once_is_not_told_again() -> None:
    bump = screen("|@...|", "It is solid stone.")
    again = episode((screen("|@...|"), "step w"), (bump, "step w"), (screen("|@...|"), "step w"), last=bump)
    assert told(again) == [
        "step w: It is solid stone.",
        "In the end all 3 actions were used up.",
    ]


def test_of_the_batch_a_line_is_told_once_unless_the_task_was_solved() -> None:
    bump = screen("|@...|", "It is solid stone.")
    once = episode((screen("|@...|", "Hello."), "step w"), last=bump)
    won = episode((screen("|@...|", "Hello."), "step w"), last=bump, end="solved")
    lines = format_events([once, once, won, once], None).splitlines()
    assert lines == [
        *("Episode 1:", "Hello.", "step w: It is solid stone.", "In the end all 1 actions were used up."),
        *("Episode 2:", "In the end all 1 actions were used up."),
        *("Episode 3:", "Hello.", "step w: It is solid stone. The task was solved."),
        *("Episode 4:", "In the end all 1 actions were used up."),
    ]


def test_an_invalid_action_that_ends_the_episode_is_named_as_such() -> None:
    text = screen("|@...|")
    assert told(episode((text, None), last=text, end="died")) == ["dance (invalid): The agent died."]


def test_numbers_of_a_status_line_are_no_news() -> None:
    later = screen("|@...|").replace("HP:15(15)", "HP:11(15)")
    assert told(episode((screen("|@...|"), "wait"), last=later)) == [
        "In the end all 1 actions were used up.",
    ]


@pytest.mark.parametrize(
    ("end", "failure", "last"),
    [
        ("solved", None, "wait: The task was solved."),
        ("died", None, "wait: The agent died."),
        ("env_ended", None, "wait: The environment ended the episode without success."),
        ("step_limit", None, "In the end all 1 actions were used up."),
        ("failed", "empty", "In the end the agent could not go on: it answered nothing."),
    ],
)
def test_how_it_ended_stands_last(end: End, failure: FailureKind | None, last: str) -> None:
    text = screen("|@...|")
    assert told(episode((text, "wait"), last=text, end=end, failure=failure))[-1] == last


def test_text_without_a_map_is_told_by_its_new_lines() -> None:
    walk = episode(
        ("You are in a room.\nYour task is to: find a cup.", "go to desk 1"),
        ("You arrive at desk 1. On the desk 1, you see a cup 1.", "look"),
        last="You are in a room.",
    )
    assert told(walk, None) == [
        "You are in a room. Your task is to: find a cup.",
        "go to desk 1: You arrive at desk 1. On the desk 1, you see a cup 1.",
        "In the end all 2 actions were used up.",
    ]


def test_the_symbols_that_were_met_stand_last_the_commonest_first() -> None:
    onto = episode((screen("|@<.%|"), "step e"), (screen("|.@.%|"), "wait"), last=screen("|.@.%|"))
    seen = episode((screen("|@..%|"), "wait"), last=screen("|@..%|"))
    assert format_events([onto, seen], "@").splitlines()[-1] == 'Symbols: "%" "<"'
    assert "Symbols" not in format_events([onto], None)


def test_episodes_are_numbered() -> None:
    one = episode(("A.", "wait"), last="A.")
    assert format_events([one, one], None).startswith("Episode 1:\n")
    assert "\nEpisode 2:\n" in format_events([one, one], None)
    assert format_events([], "@") == ""


texts = st.text(st.characters(codec="utf-8"), max_size=60)


@given(st.lists(st.tuples(texts, st.one_of(st.none(), texts)), max_size=5), texts, st.sampled_from(["@", None]))
def test_any_text_can_be_told_and_no_thought_is(steps: list[Any], last: str, player: str | None) -> None:
    found = events_of(episode(*steps, last=last), player, set())
    assert found
    assert "secret" not in found or any("secret" in f"{text}{action}" for text, action in [*steps, (last, "")])


def test_every_kind_of_episode_is_shorter_so() -> None:
    from ictbench.reflectors.trajectory_text import format_trajectories

    assert len(format_events(TRAJECTORIES, "@")) < len(format_trajectories(TRAJECTORIES))
