"""The tally shows each action with its outcomes; nothing else in it depends on time, on counts or on an outcome."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.records import End, Step, Trajectory
from ictbench.reflectors.llm.llm_reflector import format_experience
from ictbench.reflectors.tally_digest import OUTCOMES, format_tally
from ictbench.reflectors.unlabelled_trajectory import UnlabelledTrajectory
from ictbench.testing.sample_episodes import TRAJECTORIES

KINDS = ("eat", "read", "step", "wear")
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


def actions_of(text: str) -> list[str]:
    """Return the lines of the actions."""
    return [line for line in text.splitlines() if line.split(":")[0] in KINDS]


def without_outcomes(text: str) -> str:
    return "\n".join(line.split(":")[0] if line in actions_of(text) else line for line in text.splitlines())


def test_every_action_stands_beside_the_outcomes_of_its_episodes() -> None:
    batch = [played("eat", "wear", end="solved"), played("eat", "step e")]
    start, later, *actions = format_tally(batch, None).splitlines()
    assert start == "At the start: Hello."
    assert later.startswith("Later: ")
    assert all(message in later for message in (MESSAGES["eat"], MESSAGES["wear"]))
    assert sorted(actions) == ["eat: solved and not solved", "read: not tried", "step: not solved", "wear: solved"]


def test_the_map_is_shown_and_invalid_actions_count_as_not_tried() -> None:
    step = Step(observation="|..@%|", actions=ACTIONS, digest="", thought="", proposed="jump", executed=None)
    walk = step.model_copy(update={"proposed": "step e", "executed": "step e"})
    trajectory = Trajectory(steps=(step, walk), last_observation="|...@|", last_digest="", end="step_limit")
    text = format_tally([trajectory], "@")
    assert 'Later: Came onto "%".' in text.splitlines()
    assert sorted(text.splitlines()[-1].split()) == ['"%"', '"."', '"|"', "Symbols:"]
    assert "jump" not in text


@given(st.permutations(["eat", "read", "wear", "step e"]), st.integers(1, 3))
def test_neither_the_order_in_time_nor_counts_show(order: list[str], times: int) -> None:
    usual = played("eat", "read", "wear", "step e")
    assert format_tally([played(*order * times), usual], None) == format_tally([usual, usual], None)


@given(st.lists(st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=6), min_size=1, max_size=3), st.data())
def test_outcomes_change_only_the_words_beside_the_actions(batch: list[list[str]], data: st.DataObject) -> None:
    ends: list[End] = [data.draw(st.sampled_from(ENDS)) for _ in batch]
    plain = format_tally([played(*actions) for actions in batch], None)
    ended = format_tally(
        [played(*actions, end=end, rewards=1.0) for actions, end in zip(batch, ends, strict=True)], None
    )
    assert without_outcomes(ended) == without_outcomes(plain)
    assert len(actions_of(ended)) == len(KINDS)


@given(st.lists(st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=6), min_size=3, max_size=3))
def test_with_hidden_outcomes_every_batch_shows_the_same_actions(batch: list[list[str]]) -> None:
    hidden = [UnlabelledTrajectory.model_validate(played(*actions).model_dump()) for actions in batch]
    text = format_tally(hidden, None)
    assert sorted(actions_of(text)) == sorted(KINDS)
    assert not any(outcome in text for outcome in OUTCOMES.values())


def names_of(text: str) -> tuple[str, ...]:
    return tuple(line.split(":")[0] for line in actions_of(text))


def test_the_order_of_actions_differs_between_loops() -> None:
    """The order is no constant, which would favour the families whose action comes first or last."""
    orders = {names_of(format_tally([played("eat")], None, seed)) for seed in range(30)}
    assert {order[0] for order in orders} == set(KINDS)


@given(st.lists(st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=6), min_size=1, max_size=3), st.integers(0))
def test_the_order_of_actions_is_the_same_in_all_turns_of_a_loop(batch: list[list[str]], seed: int) -> None:
    """Otherwise a reader that takes the last action guesses anew in each turn, and the best of its guesses counts."""
    text = format_tally([played(*actions, end="solved") for actions in batch], None, seed)
    assert names_of(text) == names_of(format_tally([played("read")], None, seed))


@pytest.mark.parametrize("player", [None, "@"])
def test_episodes_of_every_kind_are_read(player: str | None) -> None:
    text = format_tally(TRAJECTORIES, player)
    assert "secret" not in text
    assert any(line.endswith(": solved and not solved") for line in text.splitlines())
    assert format_tally((), player) == ""
    assert format_experience("tally", "", ()) == "(none)"
