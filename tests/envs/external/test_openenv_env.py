"""OpenEnv servers that a suite file names: what is played, what is refused, and servers that die."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from external_suites import external_content, external_suite
from openenv_stand_in import INTERFACE, Hall, serving

import ictbench
from ictbench.envs import checked_versions, env_class, env_maker
from ictbench.errors import ConfigError, EnvError, PluginError
from ictbench.testing import check_env
from ictbench.yaml_file import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ictbench.records import Task
    from ictbench.suites.suite import Suite


@pytest.fixture
def hall() -> Hall:
    return Hall()


@pytest.fixture
def url(hall: Hall) -> Iterator[str]:
    with serving(hall) as address:
        yield address


def tasks_of(suite: Suite, size: int = 2) -> list[Task]:
    return [task for family in suite.families for task in suite.scoring_tasks("test", family, 0, size)]


def refusal(suite: Suite, error: type[Exception] = ConfigError) -> str:
    with pytest.raises(error) as caught:
        checked_versions(suite.env, tasks_of(suite))
    return str(caught.value)


def test_a_server_is_played_with_the_fields_that_the_suite_names(url: str) -> None:
    suite = external_suite(f"openenv:{url}", interface=INTERFACE)
    assert checked_versions(suite.env, tasks_of(suite)) == {"hall": "1.2"}
    with closing(env_maker(suite.env)()) as env:
        ends: set[tuple[str | None, float]] = set()
        for task in tasks_of(suite, 8):
            first = env.reset(task)
            assert (first.text, first.actions) == ("A hall.", ("a", "b", "c"))
            last = env.step("b")
            ends.add((last.end, last.reward))
        assert ends == {("solved", 1.0), (None, 0.0)}


def test_the_contract_is_kept(url: str) -> None:
    suite = external_suite(f"openenv:{url}", interface=INTERFACE)
    check_env(env_class(suite.env), tasks_of(suite), max_steps=6)


def test_actions_can_be_whole_messages(url: str, hall: Hall) -> None:
    hall.action_fields = ("door", "force")
    named = {"push": {"door": "a", "force": 1}, "pull": {"door": "b"}}
    interface = {"text_from": "words", "solved_from": "won", "actions": named}
    suite = external_suite(f"openenv:{url}", interface=interface)
    with closing(env_maker(suite.env)()) as env:
        assert env.reset(tasks_of(suite)[0]).actions == ("push", "pull")
        assert env.step("pull").text
    message = refusal(external_suite(f"openenv:{url}", interface=INTERFACE))
    assert "has actions with the fields door, force" in message
    assert "`action: FIELD`" in message
    chosen = external_suite(f"openenv:{url}", interface=INTERFACE, action="door")
    assert checked_versions(chosen.env, tasks_of(chosen))


def test_a_session_fills_the_field_that_each_task_names(url: str) -> None:
    suites = [external_suite(f"openenv:{url}", interface=INTERFACE, action=field) for field in ("door", "window")]
    with closing(env_maker(suites[0].env)()) as env:
        env.reset(tasks_of(suites[0])[0])
        assert env.step("a").text
        env.reset(tasks_of(suites[1])[0])
        with pytest.raises(PluginError, match=r'rejects step {"window": "a"}'):
            env.step("a")


def test_what_the_server_does_not_say_is_refused(url: str, hall: Hall) -> None:
    def message(**interface: Any) -> str:
        return refusal(external_suite(f"openenv:{url}", interface=interface))

    assert "`actions_from: FIELD` (lists: doors)" in message(text_from="words", solved_from="won")
    assert "(fields: words, hint, doors, won)" in message(text_from="words", actions_from="doors")
    assert "gives no text, or several: name the field" in message(actions_from="doors", solved_from="won")
    hall.deterministic = False
    assert f"openenv:{url} is not deterministic: task" in message(**INTERFACE)
    hall.metadata = {}
    assert "states no name" in refusal(external_suite(f"openenv:{url}", interface=INTERFACE), PluginError)


def test_an_action_that_the_server_rejects_stops_the_run_with_its_words(url: str) -> None:
    suite = external_suite(f"openenv:{url}", interface=INTERFACE, action="window")
    message = refusal(suite, PluginError)
    assert 'rejects step {"window": "' in message
    assert "door is missing" in message


def test_a_server_without_room_says_so(url: str, hall: Hall) -> None:
    suite = external_suite(f"openenv:{url}", interface=INTERFACE)
    hall.max_sessions = 1
    assert checked_versions(suite.env, tasks_of(suite))
    with closing(env_maker(suite.env)()) as env, closing(env_maker(suite.env)()) as other:
        env.reset(tasks_of(suite)[0])
        with pytest.raises(PluginError, match=r"is full: at capacity; .*--workers 1 --max-connections 1"):
            other.reset(tasks_of(suite)[0])


def test_a_server_that_dies_in_an_episode_leaves_it_owed(url: str, hall: Hall) -> None:
    suite = external_suite(f"openenv:{url}", interface=INTERFACE)
    with closing(env_maker(suite.env)()) as env:
        env.reset(tasks_of(suite)[0])
        hall.steps_left = 0
        with pytest.raises(EnvError, match="closed the connection"):
            env.step("a")
    assert "cannot be reached: 503" in refusal(suite)


def test_a_run_whose_server_died_goes_on_when_it_is_back_and_is_verified(url: str, hall: Hall, tmp_path: Path) -> None:
    file = tmp_path / "external-v1.yaml"
    file.write_text(external_suite(f"openenv:{url}", interface=INTERFACE).model_dump_json(by_alias=True), "utf-8")
    assert read_yaml(file)["params"] == external_content("", interface=INTERFACE)["params"]
    options: dict[str, Any] = {"suite": str(file), "reflector": "rules", "executor": "inline", "out": tmp_path / "run"}

    def die_soon(*_: object) -> None:
        """Limit the steps of the run itself, of which there are at least as many as episodes."""
        hall.steps_left = 8

    # How many episodes are left depends on their order: few are owed, and many in a row stop the run.
    stop = ""
    try:
        stopped = ictbench.run(**options, on_start=die_soon).result
        assert (stopped.complete, stopped.owed > 0) == (False, True)
    except PluginError as error:
        stop = str(error)
    assert not stop or "episodes in a row failed: the server" in stop
    assert hall.is_down
    hall.steps_left = None
    run = ictbench.run(**options)
    assert (run.result.complete, run.result.owed) == (True, 0)
    assert {row.model_dump()["failure"] for row in run.rows("episodes")} == {None}
    assert ictbench.verify(run, suite=file, executor="inline").passed
    hall.metadata["version"] = "1.3"
    verification = ictbench.verify(run, suite=file, executor="inline")
    assert [check.detail for check in verification.checks if check.verdict == "failed"] == [
        "played with hall '1.2', and here is '1.3': install the same"
    ]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("localhost:8000", "is not the address of a server"),
        ("ftp://host", "write openenv:http://HOST:PORT"),
        ("http://me:secret@host", "leave out user, password and query"),
        ("http://127.0.0.1:9", "cannot be reached"),
    ],
)
def test_an_address_that_leads_to_no_server_is_refused_without_its_secrets(address: str, words: str) -> None:
    message = refusal(external_suite(f"openenv:{address}", interface=INTERFACE))
    assert words in message
    assert "secret" not in message
