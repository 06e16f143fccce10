"""Training questions in which the actions have each other's names."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ictbench.records import Step, Trajectory
from ictbench.reflectors.llm.one_action import OneActionQuestion
from ictbench.reflectors.tally_digest import format_tally
from ictbench.train.reflection_task import ReflectionTask
from ictbench.train.renamed_actions import Renaming, rename_trajectories
from ictbench.train.states import ReflectionState

START = 'You are the "@". "step" moves.\nWhen you see "You see here", choose "pickup".'
ACTIONS = ("step e", "pickup", "eat", "read", "wear", "zap")


def episode(*actions: str, solved: bool) -> Trajectory:
    return Trajectory(
        steps=tuple(
            Step(observation="Hello.", actions=ACTIONS, digest="", thought="", proposed=action, executed=action)
            for action in actions
        ),
        last_observation="Bye.",
        last_digest="",
        end="solved" if solved else "step_limit",
    )


def state_of(loop: int, prompt: str = START) -> ReflectionState:
    batch = [episode("step e", "pickup", "wear", solved=True), episode("step e", "zap", solved=False)]
    return ReflectionState(
        family="wear",
        loop=loop,
        turn=1,
        prompt=prompt,
        task_ids=("a", "b"),
        solved=(True, False),
        trajectories=tuple(one.model_dump_json() for one in batch),
    )


def task(seed: int = 0) -> ReflectionTask:
    return ReflectionTask(OneActionQuestion("tally"), "tally", 8000, Renaming.of_training(seed, START))


@given(st.integers(0, 50), st.integers(0, 50))
def test_names_are_exchanged_among_actions_that_the_first_prompt_does_not_quote(seed: int, loop: int) -> None:
    names = Renaming.of_training(seed, START).names(state_of(loop))
    assert sorted(names) == sorted(names.values()) == ["eat", "read", "wear", "zap"]


def test_kinds_of_errands_have_each_others_names_and_keep_what_they_are_done_with() -> None:
    start = 'Do "heat or cool" before "move".\nChoose "move <named> to <named>".\nWhen you hold nothing, choose "take".'
    actions = ("take egg 1", "heat egg 1 with stove 1", "cool egg 1 with ice 1", "move egg 1 to shelf 2", "help")
    steps = tuple(step.model_copy(update={"actions": actions}) for step in episode(*actions[:2], solved=True).steps)
    errand = episode(solved=True).model_copy(update={"steps": steps})
    state = state_of(1, start).model_copy(update={"trajectories": (errand.model_dump_json(),)})
    renaming = Renaming.of_training(0, start)
    assert sorted(renaming.names(state)) == ["cool", "heat", "help"]
    (renamed,) = rename_trajectories([errand], {"heat": "cool", "cool": "help", "help": "heat"})
    assert renamed.steps[1].actions == (
        "take egg 1",
        "cool egg 1 with stove 1",
        "help egg 1 with ice 1",
        "move egg 1 to shelf 2",
        "heat",
    )
    assert renamed.steps[1].executed == "cool egg 1 with stove 1"


def test_names_differ_from_state_to_state_and_stay_with_the_seed() -> None:
    renaming = Renaming.of_training(0, START)
    assert {renaming.names(state_of(loop))["wear"] for loop in range(40)} == {"eat", "read", "wear", "zap"}
    assert renaming.names(state_of(3)) == Renaming.of_training(0, START).names(state_of(3))


@given(st.integers(0, 200))
def test_the_outcome_moves_with_the_action(loop: int) -> None:
    state, renaming = state_of(loop), Renaming.of_training(0, START)
    names = renaming.names(state)
    text = format_tally(rename_trajectories(state.experience, names), "@")
    assert f"\n{names['wear']}: solved\n" in f"\n{text}\n"
    assert f"\n{names['zap']}: not solved\n" in f"\n{text}\n"
    assert "\npickup: solved\n" in f"\n{text}\n"


@given(st.integers(0, 200))
def test_a_reply_gets_the_actions_own_name_before_it_is_played(loop: int) -> None:
    state = state_of(loop)
    names = Renaming.of_training(0, START).names(state)
    prompt = task().parse(state, f" {names['wear']}.", cut=False).prompt
    assert prompt is not None
    assert prompt.startswith(START)
    assert prompt.endswith('choose "wear".')


def test_the_question_names_the_earlier_action_as_its_episodes_do() -> None:
    earlier = task().parse(state_of(0), " step", cut=False).prompt
    assert earlier is not None
    state = state_of(7, earlier.replace('"step"', '"zap"'))
    names = Renaming.of_training(0, START).names(state)

    class Tokenizer:
        """Joins the messages; renders no template."""

        bos_token = None

        def apply_chat_template(self, messages: list[dict[str, str]], **_: object) -> str:
            return "\n".join(message["content"] for message in messages)

    text = task().text(state, Tokenizer())
    assert f"Chosen so far: {names['zap']}\n" in text


def test_an_unusable_reply_stays_unusable() -> None:
    assert task().parse(state_of(0), " ?", cut=False).failure == "unparseable"
