"""The unordered digest shows what happened; neither its order nor its choice of lines depends on time or outcome."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.records import End, Step, Trajectory
from ictbench.reflectors.llm.llm_reflector import format_experience
from ictbench.reflectors.unordered_digest import format_unordered
from ictbench.testing.sample_episodes import TRAJECTORIES

ENDS: tuple[End, ...] = ("solved", "died", "env_ended", "step_limit")
ACTIONS = ("step e", "step w", "eat", "read", "wear")
MESSAGES = {"eat": "You have nothing to eat.", "wear": "You are now wearing a robe.", "read": "Never mind."}


def played(*actions: str, end: End = "step_limit", rewards: float = 0.0) -> Trajectory:
    """Return an episode in which each action is followed by its message."""
    texts = ["Hello.", *(MESSAGES.get(action, "") for action in actions)]
    steps = [
        Step(
            observation=text,
            actions=ACTIONS,
            digest="",
            thought="secret",
            proposed=action,
            executed=action,
            reward=rewards,
        )
        for text, action in zip(texts, actions, strict=False)
    ]
    return Trajectory(steps=tuple(steps), last_observation=texts[-1], last_digest="", end=end)


def without_outcomes(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("Episode ")]


def test_the_digest_names_actions_their_episodes_and_texts_and_then_the_outcomes() -> None:
    text = format_unordered([played("eat", "wear", end="solved"), played("eat", "read", "step e")], None)
    start, *actions, first, second = text.splitlines()
    assert start == "At the start: Hello."
    assert sorted(actions) == [
        "eat (1 2): You have nothing to eat.",
        "read (2): Never mind.",
        "step (2)",
        "wear (1): You are now wearing a robe.",
    ]
    assert (first, second) == ("Episode 1: the task was solved.", "Episode 2: all 3 actions were used up.")


def test_a_text_names_its_episodes_where_they_are_not_those_of_its_action() -> None:
    lines = format_unordered([played("step e", "eat"), played("eat", "eat"), played("step w", "read", "eat")], None)
    assert "eat (1 2 3): You have nothing to eat." in lines
    bumped = played("step e").model_copy(update={"last_observation": "It is solid stone."})
    assert "step (1 2): It is solid stone. (1)" in format_unordered([bumped, played("step w")], None)


def test_actions_that_were_offered_and_not_chosen_are_listed() -> None:
    assert "read (never)" in format_unordered([played("eat", "wear")], None)


def test_invalid_actions_and_the_map_are_shown() -> None:
    step = Step(observation="|..@%|", actions=ACTIONS, digest="", thought="", proposed="jump", executed=None)
    walk = step.model_copy(update={"proposed": "step e", "executed": "step e"})
    trajectory = Trajectory(steps=(step, walk), last_observation="|...@|", last_digest="", end="step_limit")
    lines = format_unordered([trajectory], "@").splitlines()
    assert {"an invalid action (1)", 'step (1): came onto "%"'} <= {*lines}
    assert sorted(lines[-1].split()) == ['"%"', '"."', '"|"', "Symbols:"]


@given(st.permutations(["eat", "read", "wear", "step e"]))
def test_the_order_in_time_does_not_show(order: list[str]) -> None:
    """Messages that differ from each other follow the same actions in any order: the text is the same."""
    usual = played("eat", "read", "wear", "step e")
    assert format_unordered([played(*order), usual], None) == format_unordered([usual, usual], None)


@given(st.lists(st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=6), min_size=1, max_size=3), st.data())
def test_outcomes_change_only_their_own_lines(batch: list[list[str]], data: st.DataObject) -> None:
    ends: list[End] = [data.draw(st.sampled_from(ENDS)) for _ in batch]
    plain = format_unordered([played(*actions) for actions in batch], None)
    ended = format_unordered(
        [played(*actions, end=end, rewards=1.0) for actions, end in zip(batch, ends, strict=True)], None
    )
    assert without_outcomes(ended) == without_outcomes(plain)


def test_actions_of_different_batches_have_different_orders() -> None:
    """The order is no constant, which would favour the families whose action comes first or last."""
    batches = [[played(*"abcd"[:number], "eat", "read", "wear")] for number in range(5)]
    orders = {
        tuple(line.split()[0] for line in without_outcomes(format_unordered(batch, None)) if line[:3] in {"eat", "rea"})
        for batch in batches
    }
    assert len(orders) == 2


@pytest.mark.parametrize("player", [None, "@"])
def test_every_kind_of_end_is_named(player: str | None) -> None:
    text = format_unordered(TRAJECTORIES, player)
    for number, end in enumerate(("solved", "used up", "died", "without success", "too long"), start=1):
        assert any(line.startswith(f"Episode {number}: ") and end in line for line in text.splitlines())
    assert "secret" not in text
    assert format_unordered((), player) == ""
    assert format_experience("unordered", "", ()) == "(none)"
