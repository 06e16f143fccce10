from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.records import Step, Trajectory
from ictbench.reflectors.event_digest import format_episode_events, format_events
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
    """Return a trajectory of observations and actions; an action of None was an invalid proposal."""
    built = tuple(
        Step(observation=text, actions=(), digest="", thought="secret", proposed=action or "dance", executed=action)
        for text, action in steps
    )
    return Trajectory(steps=built, last_observation=last, last_digest="", end=end, failure=failure)


def events(trajectory: Trajectory, player: str | None = "@") -> list[str]:
    return format_episode_events(trajectory, player, set()).splitlines()


def test_only_changes_are_events() -> None:
    walk = episode(
        (screen("|@..%|", "Hello there."), "step e"),
        (screen("|.@.%|"), "step e"),
        (screen("|..@%|"), "step e"),
        (screen("|...@|", "You see here an apple."), "eat"),
        last=screen("|...@|"),
        end="solved",
    )
    assert events(walk) == [
        "Hello there.",
        'In sight: "%"',
        'step e: came onto "%" You see here an apple.',
        "eat: The task was solved.",
    ]


def test_a_repeated_line_appears_once() -> None:
    bump = screen("|@...|", "It is solid stone.")
    again = episode((screen("|@...|"), "step w"), (bump, "step w"), (screen("|@...|"), "step w"), last=bump)
    assert events(again) == [
        "step w: It is solid stone.",
        "In the end all 3 actions were used up.",
    ]


def test_a_line_appears_once_per_batch_except_in_solved_episodes() -> None:
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


def test_an_invalid_last_action_is_marked() -> None:
    text = screen("|@...|")
    assert events(episode((text, None), last=text, end="died")) == ["dance (invalid): The agent died."]


def test_a_changed_status_line_is_not_an_event() -> None:
    later = screen("|@...|").replace("HP:15(15)", "HP:11(15)")
    assert events(episode((screen("|@...|"), "wait"), last=later)) == [
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
def test_the_end_is_the_last_line(end: End, failure: FailureKind | None, last: str) -> None:
    text = screen("|@...|")
    assert events(episode((text, "wait"), last=text, end=end, failure=failure))[-1] == last


def test_text_without_a_map_gives_its_new_lines() -> None:
    walk = episode(
        ("You are in a room.\nYour task is to: find a cup.", "go to desk 1"),
        ("You arrive at desk 1. On the desk 1, you see a cup 1.", "look"),
        last="You are in a room.",
    )
    assert events(walk, None) == [
        "You are in a room. Your task is to: find a cup.",
        "go to desk 1: You arrive at desk 1. On the desk 1, you see a cup 1.",
        "In the end all 2 actions were used up.",
    ]


def test_the_last_line_lists_symbols_by_frequency() -> None:
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
def test_any_text_gives_events_without_thoughts(steps: list[Any], last: str, player: str | None) -> None:
    text = format_episode_events(episode(*steps, last=last), player, set())
    assert text
    assert "secret" not in text or any("secret" in f"{shown}{action}" for shown, action in [*steps, (last, "")])


def test_events_are_shorter_than_the_full_text() -> None:
    from ictbench.reflectors.trajectory_text import format_trajectories

    assert len(format_events(TRAJECTORIES, "@")) < len(format_trajectories(TRAJECTORIES))
