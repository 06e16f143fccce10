from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.actors import Actor, History
from ictbench.envs.minihack import minihack_env as minihack
from ictbench.envs.minihack.minihack_env import ACTION_KEYS, ESCAPE, MAX_KEY_PRESSES, MiniHackEnv, answer_question
from ictbench.errors import EnvError, MissingExtraError, UsageError
from ictbench.records import Decision, EpisodeSpec, Observation, PluginSpec, Task, Trajectory
from ictbench.rollout.episode import play_episode
from ictbench.scripted.policy import RulesActor
from ictbench.suites import load_suite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

SUITE = load_suite("minihack-v1")
EAT, READ, ROOM, ZAP = "MiniHack-Eat-v0", "MiniHack-Read-v0", "MiniHack-Room-Random-5x5-v0", "MiniHack-Zap-v0"
COMPASS = ("n", "ne", "e", "se", "s", "sw", "w", "nw")
STEPS = tuple(f"step {direction}" for direction in COMPASS)
RUNS = tuple(f"run {direction}" for direction in COMPASS)
THINGS = ("read", "eat", "puton", "zap", "wield", "wear", "pickup")

TO_THE_APPLES = ("step nw", "step w", "step w", "step w")
"""In `MiniHack-Eat-v0` with seed 1."""
TO_THE_WAND = ("step s", "step s")
"""In `MiniHack-Zap-v0` with seed 1."""


def task(env_id: str, seed: int = 1) -> Task:
    return Task(id=f"thing-{seed}", family="thing", env="minihack", params={"env_id": env_id, "seed": seed})


@pytest.fixture
def env() -> Iterator[MiniHackEnv]:
    made = MiniHackEnv()
    yield made
    made.close()


def play(env: MiniHackEnv, start: Task, actions: tuple[str, ...]) -> list[Observation]:
    return [env.reset(start), *(env.step(action) for action in actions)]


def play_whole(env: MiniHackEnv, start: Task, actor: Actor, max_steps: int = 25) -> Trajectory:
    async def call(function: Callable[..., T], *args: Any) -> T:
        return function(*args)

    spec = EpisodeSpec(
        task=start,
        prompt=SUITE.prompt,
        actor=PluginSpec(label="test", name="test"),
        max_steps=max_steps,
        seed=7,
    )
    return asyncio.run(play_episode(spec, env, actor, call)).trajectory


class Repeat(Actor):
    """Goes through its actions, again and again."""

    def __init__(self, *actions: str) -> None:
        super().__init__()
        self.actions = actions

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        return Decision(action=self.actions[len(history.steps) % len(self.actions)])


# What is shown


def test_an_observation_is_the_message_a_blank_line_and_24_rows_as_nethack_itself_draws_them(env: MiniHackEnv) -> None:
    seen = play(env, task(EAT), ("step w", "step w", "step w", "step nw", "pickup"))
    import gymnasium

    raw: Any = gymnasium.make(
        EAT, disable_env_checker=True, fix_moon_phase=True, observation_keys=("message", "tty_chars")
    ).unwrapped
    raw.seed(1, 1, reseed=False)
    shown = [raw.reset()[0]]
    expected = [as_the_suite_says(shown[0])]
    for key in "hhhy,":
        screen, *_ = raw.step([int(action) for action in raw.actions].index(ord(key)))
        expected.append(as_the_suite_says(screen))
    raw.close()
    assert [observation.text for observation in seen] == expected
    with_message, without_message = seen[0].text.split("\n"), seen[1].text.split("\n")
    assert with_message[0].startswith("Hello Agent")
    assert (with_message[1], len(with_message)) == ("", 26)
    assert len(without_message) == 24
    assert without_message[-2].startswith("Agent the ")
    assert all(line == line.rstrip() for line in with_message + without_message)


def as_the_suite_says(raw: Any) -> str:
    message = bytes(raw["message"]).rstrip(b"\0").decode("ascii")
    rows = [bytes(row).decode("ascii").rstrip(" ") for row in raw["tty_chars"]]
    assert len(rows) == 24
    return "\n".join([message, "", *rows] if message else rows)


@pytest.mark.parametrize("family", SUITE.families)
def test_a_room_offers_steps_and_a_skill_task_also_runs_and_uses(env: MiniHackEnv, family: str) -> None:
    first = env.reset(SUITE.scoring_tasks("test", family, 0, 1)[0])
    expected = STEPS if family.startswith("room") else (*STEPS, *RUNS, *THINGS)
    assert first.actions == expected
    assert (first.reward, first.end, first.keys) == (0.0, None, ())


def test_the_actions_do_in_nethack_what_their_names_say(env: MiniHackEnv) -> None:
    home = position(env.reset(task(EAT)).text)
    moved = {"n": (-1, 0), "w": (0, -1), "nw": (-1, -1)}
    for direction, (down, right) in moved.items():
        env.reset(task(EAT))
        assert position(env.step(f"step {direction}").text) == (home[0] + down, home[1] + right)
    env.reset(task(EAT))
    ran = position(env.step("run w").text)
    assert ran[0] == home[0]
    assert ran[1] == home[1] - 4


def position(text: str) -> tuple[int, int]:
    rows = text.split("\n")[-24:]
    return next((row, line.index("@")) for row, line in enumerate(rows) if "@" in line)


def test_the_suites_file_says_what_the_adapter_does() -> None:
    said = " ".join(SUITE.presentation.split())
    assert 'Available actions, one a line: those of "step" and "run" with each of' in said
    listed = re.search(r"each of ([^.]+), then ([^.]+), that the task's own action list offers", said)
    assert listed
    directions, things = (part.split(", ") for part in listed.groups())
    names = [f"{move} {way}" for move in ("step", "run") for way in directions] + things
    assert names == list(ACTION_KEYS) == [*STEPS, *RUNS, *THINGS]
    assert "message if there is one, then a blank line; then the 24 rows of the terminal, each without its" in said
    assert "[yn...] with y; a choice of items with the last letter offered;" in said
    assert 'a direction with "." (oneself); anything else with escape. --More-- is passed with a space.' in said
    assert f"At most {MAX_KEY_PRESSES} such key presses a decision; they are recorded and cost no decision." in said


@pytest.mark.parametrize("family", SUITE.families)
def test_nothing_shown_names_the_environment_the_task_or_the_seed(env: MiniHackEnv, family: str) -> None:
    params = SUITE.families[family].params
    named = Task(id="some-task", family=family, env="minihack", params={**params, "seed": 54321})
    trajectory = play_whole(env, named, RulesActor())
    shown = "\n".join([*(step.observation for step in trajectory.steps), trajectory.last_observation])
    for secret in ("54321", "some-task", "minihack", str(params["env_id"]).lower(), "room-"):
        assert secret not in shown.lower()
    fields = set(Trajectory.model_fields) | set(type(trajectory.steps[0]).model_fields)
    assert fields.isdisjoint({"task", "env", "seed", "family", "params"})


def test_a_seed_reaches_every_generator_of_the_game(env: MiniHackEnv) -> None:
    env.reset(task(EAT, 12345))
    core, display, reseeds, *_ = env._env.get_seeds()
    assert (core, display, reseeds) == (12345, 12345, False)
    maps = [env.reset(task(EAT, seed)).text.split("\n")[-23:-2] for seed in range(30)]
    assert len({tuple(rows) for rows in maps}) >= 20
    assert maps == [env.reset(task(EAT, seed)).text.split("\n")[-23:-2] for seed in range(30)]


def test_moon_and_friday_the_13th_come_with_the_seed(env: MiniHackEnv) -> None:
    greetings = [env.reset(task(EAT, seed)).text.split("\n")[0] for seed in range(100)]
    assert 0 < sum("New moon" in greeting for greeting in greetings) < 50
    assert 0 < sum("Full moon" in greeting for greeting in greetings) < 50
    assert 0 < sum("Friday the 13th" in greeting for greeting in greetings) < 20


# How it ends


@pytest.mark.parametrize(
    ("env_id", "way", "use", "message", "keys"),
    [
        (EAT, TO_THE_APPLES, "eat", "Core dumped.", ("f",)),
        (READ, TO_THE_APPLES, "read", "This scroll seems to be blank.", ("f",)),
        (ZAP, TO_THE_WAND, "zap", "The feeling subsides.", ("f", " ", " ")),
        ("MiniHack-Wear-v0", ("step s", "step s"), "wear", "You are now wearing a robe.", ("f",)),
        ("MiniHack-Wield-v0", ("step s", "step s"), "wield", "f - a dagger (weapon in hand).", ("f",)),
        ("MiniHack-PutOn-v0", ("step s", "step s"), "puton", "f - an octagonal amulet (being worn).", ("f",)),
    ],
)
def test_a_won_game_shows_its_last_screen(
    env: MiniHackEnv, env_id: str, way: tuple[str, ...], use: str, message: str, keys: tuple[str, ...]
) -> None:
    *before, last = play(env, task(env_id), (*way, "pickup", use))
    assert all(observation.end is None for observation in before)
    assert (last.end, last.keys) == ("solved", keys)
    rows = last.text.split("\n")
    assert (rows[0], rows[1], len(rows)) == (message, "", 26)
    assert position(last.text) == position(before[-1].text)
    assert rows[-2].startswith("Agent the ")


def test_a_room_is_won_on_its_stairs(env: MiniHackEnv) -> None:
    way = ("step w", "step w", "step nw", "step n", "step n")
    first, *_, last = play(env, task(ROOM), way)
    rows = first.text.split("\n")[-24:]
    stairs = next((row, line.index(">")) for row, line in enumerate(rows) if ">" in line)
    assert (last.end, position(last.text)) == ("solved", stairs)


def test_reward_is_not_success(env: MiniHackEnv) -> None:
    way = "ne/e/se/se/ne/ne/ne/se/se/se/ne/ne/se/se/ne/ne/ne/se"
    actions = (*(f"step {direction}" for direction in way.split("/")), "eat")
    last = play(env, task("MiniHack-ExploreMaze-Easy-Mapped-v0", 2), actions)[-1]
    assert last.reward > 0
    assert last.end is None


def test_success_does_not_hang_on_the_sum_of_rewards(env: MiniHackEnv) -> None:
    seen = play(env, task(EAT), ("read",) * 120 + (*TO_THE_APPLES, "eat"))
    assert sum(observation.reward for observation in seen) < 0
    assert seen[-1].end == "solved"


def test_a_death_is_told_as_one(env: MiniHackEnv) -> None:
    actions = ("step e", "step sw", "step ne", "step s", "step n", "step e", "step n")
    *before, last = play(env, task("MiniHack-Room-Ultimate-5x5-v0", 270), actions)
    assert before[-1].end is None
    assert last.end == "died"
    assert "Killed by a sewer rat" in last.text


def test_an_end_that_is_neither_success_nor_death_is_told_as_such_even_if_rewarded(env: MiniHackEnv) -> None:
    import gymnasium
    from minihack.envs.room import MiniHackRoom5x5Random

    class GivesUp(MiniHackRoom5x5Random):  # type: ignore[misc]
        def _is_episode_end(self, observation: Any) -> Any:
            return self.StepStatus.ABORTED

    gymnasium.register(id="MiniHack-GivesUp-v0", entry_point=GivesUp, kwargs={"reward_lose": 1.0})
    try:
        last = play(env, task("MiniHack-GivesUp-v0"), ("step n",))[-1]
        assert last.reward > 0
        assert last.end == "env_ended"
    finally:
        del gymnasium.registry["MiniHack-GivesUp-v0"]


@pytest.mark.parametrize(("env_id", "action"), [(ROOM, "step s"), (EAT, "wield")])
def test_three_hundred_decisions_are_three_hundred_decisions(env: MiniHackEnv, env_id: str, action: str) -> None:
    trajectory = play_whole(env, task(env_id), Repeat(action), max_steps=300)
    assert (trajectory.end, len(trajectory.steps)) == ("step_limit", 300)


# Key presses that carry a decision out


@pytest.mark.parametrize(
    ("message", "key"),
    [
        ("There is an apple here; eat it? [ynq] (n)", "y"),
        ("Really attack the watchman? [yn] (n)", "y"),
        ("What do you want to wield? [- abf or ?*]", "f"),
        ("What do you want to eat? [a-d or ?*]", "d"),
        ("What do you want to zap? [f or ?*]", "f"),
        ("What do you want to read? [aA-C or ?*]", "C"),
        ("You have a little trouble lifting [a]. Continue? [ynq] (q)", "y"),
        ("Which ring-finger, Right or Left? [rl]", "l"),
        ("In what direction?", "."),
        ("Say what? [- or ?*]", ESCAPE),
        ("Dip it into the fountain?", ESCAPE),
        ("", ESCAPE),
    ],
)
def test_the_answer_to_a_question(message: str, key: str) -> None:
    assert answer_question(message) == key


@given(st.text() | st.from_regex(r"[a-z ]*\[[-$a-zA-Z ]*( or \?\*)?\]( \([a-z]\))?", fullmatch=True))
def test_every_question_gets_exactly_one_key_that_can_be_pressed(message: str) -> None:
    answer = answer_question(message)
    assert len(answer) == 1
    assert answer == ESCAPE or (answer.isascii() and (answer.isalpha() or answer == "."))


def test_extra_keys_are_recorded_and_are_no_decisions(env: MiniHackEnv) -> None:
    trajectory = play_whole(env, task(EAT), Repeat(*TO_THE_APPLES, "eat"))
    assert trajectory.end == "solved"
    assert [step.executed for step in trajectory.steps] == [*TO_THE_APPLES, "eat"]
    assert [step.keys for step in trajectory.steps] == [(), (), (), (), ("y",)]


def test_a_game_that_asks_forever_is_stopped(env: MiniHackEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    pressed: list[str] = []

    def useless(message: str) -> str:
        pressed.append(message)
        return "z"

    monkeypatch.setattr(minihack, "answer_question", useless)
    env.reset(task(EAT))
    for action in TO_THE_APPLES:
        env.step(action)
    with pytest.raises(EnvError, match=r"more than 32 further key presses.*There are 2 apples here; eat one"):
        env.step("eat")
    assert len(pressed) == MAX_KEY_PRESSES + 1


# The instance, and what can be wrong with a task


def test_an_instance_serves_one_level_type_and_says_which_packages_it_plays_with(env: MiniHackEnv) -> None:
    assert MiniHackEnv.pool_key(task(EAT, 1)) == MiniHackEnv.pool_key(task(EAT, 2)) != MiniHackEnv.pool_key(task(ROOM))
    assert env.versions() == {"minihack": version("minihack"), "nle": version("nle")}


def test_closing_removes_the_games_folder(env: MiniHackEnv) -> None:
    env.reset(task(EAT))
    folder = Path(env._env.nethack._vardir)
    assert folder.is_dir()
    env.close()
    env.close()
    assert not folder.exists()


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"env_id": "MiniHack-Eat-v9", "seed": 1}, "'MiniHack-Eat-v9'"),
        ({"env_id": EAT, "seed": "1"}, "`seed` from 0"),
        ({"env_id": 5, "seed": 1}, "an `env_id`"),
    ],
)
def test_a_task_that_cannot_be_played_is_refused_by_name(env: MiniHackEnv, params: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        env.reset(Task(id="odd", family="odd", env="minihack", params=params))


@pytest.mark.parametrize("package", ["gymnasium", "minihack"])
def test_a_missing_package_is_named_with_what_installs_it(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"{package}.*pip install 'ictbench\[minihack\]'"):
        MiniHackEnv()


def test_so_is_what_minihack_itself_needs() -> None:
    """setuptools 81 no longer has pkg_resources."""
    code = (
        "import sys; sys.modules['pkg_resources'] = None\n"
        "from ictbench.envs.minihack.minihack_env import MiniHackEnv\n"
        "from ictbench.errors import MissingExtraError\n"
        "try: MiniHackEnv()\n"
        "except MissingExtraError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pkg_resources" in done.stdout
    assert "pip install 'ictbench[minihack]'" in done.stdout
