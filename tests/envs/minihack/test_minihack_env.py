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
"""Way to the apples in `MiniHack-Eat-v0` with seed 1."""
TO_THE_WAND = ("step s", "step s")
"""Way to the wand in `MiniHack-Zap-v0` with seed 1."""


def task(env_id: str, seed: int = 1) -> Task:
    return Task(id=f"thing-{seed}", family="thing", env="minihack", params={"env_id": env_id, "seed": seed})


@pytest.fixture
def env() -> Iterator[MiniHackEnv]:
    env = MiniHackEnv()
    yield env
    env.close()


def play(env: MiniHackEnv, start: Task, actions: tuple[str, ...]) -> list[Observation]:
    return [env.reset(start), *(env.step(action) for action in actions)]


def play_with_actor(env: MiniHackEnv, start: Task, actor: Actor, max_steps: int = 25) -> Trajectory:
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
    """Actor that repeats a sequence of actions."""

    def __init__(self, *actions: str) -> None:
        super().__init__()
        self.actions = actions

    async def act(self, prompt: str, history: History, seed: int) -> Decision:
        return Decision(action=self.actions[len(history.steps) % len(self.actions)])


# Observations


def test_an_observation_is_nethacks_message_a_blank_line_and_the_24_rows_of_its_screen(env: MiniHackEnv) -> None:
    observations = play(env, task(EAT), ("step w", "step w", "step w", "step nw", "pickup"))
    import gymnasium

    raw: Any = gymnasium.make(
        EAT, disable_env_checker=True, fix_moon_phase=True, observation_keys=("message", "tty_chars")
    ).unwrapped
    raw.seed(1, 1, reseed=False)
    expected = [format_screen(raw.reset()[0])]
    for key in "hhhy,":
        screen, *_ = raw.step([int(action) for action in raw.actions].index(ord(key)))
        expected.append(format_screen(screen))
    raw.close()
    assert [observation.text for observation in observations] == expected
    with_message, without_message = (observation.text.split("\n") for observation in observations[:2])
    assert with_message[0].startswith("Hello Agent")
    assert (with_message[1], len(with_message)) == ("", 26)
    assert len(without_message) == 24
    assert without_message[-2].startswith("Agent the ")
    assert all(line == line.rstrip() for line in with_message + without_message)


def format_screen(raw: Any) -> str:
    """Return NLE's observation in the format of the suite's presentation."""
    message = bytes(raw["message"]).rstrip(b"\0").decode("ascii")
    rows = [bytes(row).decode("ascii").rstrip(" ") for row in raw["tty_chars"]]
    assert len(rows) == 24
    return "\n".join([message, "", *rows] if message else rows)


@pytest.mark.parametrize("family", SUITE.families)
def test_rooms_offer_steps_and_other_tasks_also_runs_and_uses_of_things(env: MiniHackEnv, family: str) -> None:
    first = env.reset(SUITE.scoring_tasks("test", family, 0, 1)[0])
    expected = STEPS if family.startswith("room") else (*STEPS, *RUNS, *THINGS)
    assert first.actions == expected
    assert (first.reward, first.end, first.keys) == (0.0, None, ())


def test_steps_and_runs_move_the_player_in_their_direction(env: MiniHackEnv) -> None:
    home = position(env.reset(task(EAT)).text)
    moves = {"n": (-1, 0), "w": (0, -1), "nw": (-1, -1)}
    for direction, (down, right) in moves.items():
        env.reset(task(EAT))
        assert position(env.step(f"step {direction}").text) == (home[0] + down, home[1] + right)
    env.reset(task(EAT))
    end = position(env.step("run w").text)
    assert end == (home[0], home[1] - 4)


def position(text: str) -> tuple[int, int]:
    """Return row and column of the player."""
    rows = text.split("\n")[-24:]
    return next((row, line.index("@")) for row, line in enumerate(rows) if "@" in line)


def test_the_suites_presentation_describes_the_environment() -> None:
    text = " ".join(SUITE.presentation.split())
    assert 'Available actions, one a line: those of "step" and "run" with each of' in text
    match = re.search(r"each of ([^.]+), then ([^.]+), that the task's own action list offers", text)
    assert match
    directions, things = (part.split(", ") for part in match.groups())
    names = [f"{move} {way}" for move in ("step", "run") for way in directions] + things
    assert names == list(ACTION_KEYS) == [*STEPS, *RUNS, *THINGS]
    assert "message if there is one, then a blank line; then the 24 rows of the terminal, each without its" in text
    assert "[yn...] with y; a choice of items with the last letter offered;" in text
    assert 'a direction with "." (oneself); anything else with escape. --More-- is passed with a space.' in text
    assert f"At most {MAX_KEY_PRESSES} such key presses a decision; they are recorded and cost no decision." in text


@pytest.mark.parametrize("family", SUITE.families)
def test_observations_do_not_name_the_environment_the_task_or_the_seed(env: MiniHackEnv, family: str) -> None:
    params = SUITE.families[family].params
    secret_task = Task(id="some-task", family=family, env="minihack", params={**params, "seed": 54321})
    trajectory = play_with_actor(env, secret_task, RulesActor())
    texts = "\n".join([*(step.observation for step in trajectory.steps), trajectory.last_observation])
    for secret in ("54321", "some-task", "minihack", str(params["env_id"]).lower(), "room-"):
        assert secret not in texts.lower()
    fields = set(Trajectory.model_fields) | set(type(trajectory.steps[0]).model_fields)
    assert fields.isdisjoint({"task", "env", "seed", "family", "params"})


def test_a_seed_determines_every_random_number_generator_of_the_game(env: MiniHackEnv) -> None:
    env.reset(task(EAT, 12345))
    core, display, reseeds, *_ = env._env.get_seeds()
    assert (core, display, reseeds) == (12345, 12345, False)
    maps = [env.reset(task(EAT, seed)).text.split("\n")[-23:-2] for seed in range(30)]
    assert len({tuple(rows) for rows in maps}) >= 20
    assert maps == [env.reset(task(EAT, seed)).text.split("\n")[-23:-2] for seed in range(30)]


def test_the_seed_determines_moon_phase_and_friday_the_13th(env: MiniHackEnv) -> None:
    greetings = [env.reset(task(EAT, seed)).text.split("\n")[0] for seed in range(100)]
    assert 0 < sum("New moon" in greeting for greeting in greetings) < 50
    assert 0 < sum("Full moon" in greeting for greeting in greetings) < 50
    assert 0 < sum("Friday the 13th" in greeting for greeting in greetings) < 20


# Ends of episodes


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
def test_a_solved_game_shows_its_last_screen(
    env: MiniHackEnv, env_id: str, way: tuple[str, ...], use: str, message: str, keys: tuple[str, ...]
) -> None:
    *before, last = play(env, task(env_id), (*way, "pickup", use))
    assert all(observation.end is None for observation in before)
    assert (last.end, last.keys) == ("solved", keys)
    rows = last.text.split("\n")
    assert (rows[0], rows[1], len(rows)) == (message, "", 26)
    assert position(last.text) == position(before[-1].text)
    assert rows[-2].startswith("Agent the ")


def test_a_room_is_solved_on_its_stairs(env: MiniHackEnv) -> None:
    way = ("step w", "step w", "step nw", "step n", "step n")
    first, *_, last = play(env, task(ROOM), way)
    rows = first.text.split("\n")[-24:]
    stairs = next((row, line.index(">")) for row, line in enumerate(rows) if ">" in line)
    assert (last.end, position(last.text)) == ("solved", stairs)


def test_a_positive_reward_is_not_a_success(env: MiniHackEnv) -> None:
    way = "ne/e/se/se/ne/ne/ne/se/se/se/ne/ne/se/se/ne/ne/ne/se"
    actions = (*(f"step {direction}" for direction in way.split("/")), "eat")
    last = play(env, task("MiniHack-ExploreMaze-Easy-Mapped-v0", 2), actions)[-1]
    assert last.reward > 0
    assert last.end is None


def test_success_does_not_depend_on_the_sum_of_rewards(env: MiniHackEnv) -> None:
    observations = play(env, task(EAT), ("read",) * 120 + (*TO_THE_APPLES, "eat"))
    assert sum(observation.reward for observation in observations) < 0
    assert observations[-1].end == "solved"


def test_a_death_ends_the_episode_as_died(env: MiniHackEnv) -> None:
    actions = ("step e", "step sw", "step ne", "step s", "step n", "step e", "step n")
    *before, last = play(env, task("MiniHack-Room-Ultimate-5x5-v0", 270), actions)
    assert before[-1].end is None
    assert last.end == "died"
    assert "Killed by a sewer rat" in last.text


def test_any_other_end_is_env_ended_even_with_a_positive_reward(env: MiniHackEnv) -> None:
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
def test_nle_does_not_end_an_episode_of_300_decisions(env: MiniHackEnv, env_id: str, action: str) -> None:
    trajectory = play_with_actor(env, task(env_id), Repeat(action), max_steps=300)
    assert (trajectory.end, len(trajectory.steps)) == ("step_limit", 300)


# Further key presses of a decision


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
def test_questions_are_answered_by_the_rule(message: str, key: str) -> None:
    assert answer_question(message) == key


@given(st.text() | st.from_regex(r"[a-z ]*\[[-$a-zA-Z ]*( or \?\*)?\]( \([a-z]\))?", fullmatch=True))
def test_every_answer_is_one_key_that_can_be_pressed(message: str) -> None:
    answer = answer_question(message)
    assert len(answer) == 1
    assert answer == ESCAPE or (answer.isascii() and (answer.isalpha() or answer == "."))


def test_further_key_presses_are_recorded_and_are_not_decisions(env: MiniHackEnv) -> None:
    trajectory = play_with_actor(env, task(EAT), Repeat(*TO_THE_APPLES, "eat"))
    assert trajectory.end == "solved"
    assert [step.executed for step in trajectory.steps] == [*TO_THE_APPLES, "eat"]
    assert [step.keys for step in trajectory.steps] == [(), (), (), (), ("y",)]


def test_a_game_that_keeps_asking_is_an_error(env: MiniHackEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    messages: list[str] = []

    def answer_wrongly(message: str) -> str:
        messages.append(message)
        return "z"

    monkeypatch.setattr(minihack, "answer_question", answer_wrongly)
    env.reset(task(EAT))
    for action in TO_THE_APPLES:
        env.step(action)
    with pytest.raises(EnvError, match=r"more than 32 further key presses.*There are 2 apples here; eat one"):
        env.step("eat")
    assert len(messages) == MAX_KEY_PRESSES + 1


# Instances, and invalid tasks


def test_an_instance_is_reused_for_one_minihack_id_and_reports_package_versions(env: MiniHackEnv) -> None:
    assert MiniHackEnv.pool_key(task(EAT, 1)) == MiniHackEnv.pool_key(task(EAT, 2)) != MiniHackEnv.pool_key(task(ROOM))
    assert env.versions() == {"minihack": version("minihack"), "nle": version("nle")}


def test_close_removes_the_games_folder(env: MiniHackEnv) -> None:
    env.reset(task(EAT))
    folder = Path(env._env.nethack._vardir)
    assert folder.is_dir()
    env.close()
    env.close()
    assert not folder.exists()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"env_id": "MiniHack-Eat-v9", "seed": 1}, "'MiniHack-Eat-v9'"),
        ({"env_id": EAT, "seed": "1"}, "`seed` from 0"),
        ({"env_id": 5, "seed": 1}, "an `env_id`"),
    ],
)
def test_invalid_params_are_an_error(env: MiniHackEnv, params: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        env.reset(Task(id="odd", family="odd", env="minihack", params=params))


@pytest.mark.parametrize("package", ["gymnasium", "minihack"])
def test_a_missing_package_is_an_error_that_names_the_extra(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"{package}.*pip install 'ictbench\[minihack\]'"):
        MiniHackEnv()


def test_a_missing_dependency_of_minihack_is_an_error_that_names_the_extra() -> None:
    # setuptools 81 no longer has pkg_resources.
    code = (
        "import sys; sys.modules['pkg_resources'] = None\n"
        "from ictbench.envs.minihack.minihack_env import MiniHackEnv\n"
        "from ictbench.errors import MissingExtraError\n"
        "try: MiniHackEnv()\n"
        "except MissingExtraError as error: print(error)"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pkg_resources" in process.stdout
    assert "pip install 'ictbench[minihack]'" in process.stdout


def test_a_start_key_is_the_map_without_message_and_status(env: MiniHackEnv) -> None:
    first = env.reset(task(ROOM))
    rows = first.text.split("\n")[-24:]
    assert MiniHackEnv.start_key(first) == "\n".join(rows[1:22])
    assert "@" in MiniHackEnv.start_key(first)
    assert "St:" not in MiniHackEnv.start_key(first)
    renamed = [row.replace("Agent", "Other").replace("St:", "St:1") for row in rows]
    other = first.model_copy(update={"text": "Hello.\n\n" + "\n".join(["Hello.", *renamed[1:]])})
    assert other.digest != first.digest
    assert MiniHackEnv.start_key(other) == MiniHackEnv.start_key(first)
    moved = first.model_copy(update={"text": first.text.replace("@", ".")})
    assert MiniHackEnv.start_key(moved) != MiniHackEnv.start_key(first)


def test_some_rooms_start_alike_though_no_two_screens_are_equal(env: MiniHackEnv) -> None:
    starts = [env.reset(task(ROOM, seed)) for seed in range(200)]
    assert len({first.digest for first in starts}) == 200
    assert len({MiniHackEnv.start_key(first) for first in starts}) < 200
