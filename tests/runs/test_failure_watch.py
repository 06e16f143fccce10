"""Runs against servers whose model fails everything, much or little, for one reason or for several."""

from __future__ import annotations

import hashlib
import json
import random
import re
from typing import TYPE_CHECKING, Any

import pytest
from rehearsals import is_rehearsal

import ictbench
from ictbench.actors.react import ACTIONS_HEADING
from ictbench.errors import EnvError, FailingModelError, RunFolderError
from ictbench.runs.failure_watch import FIRST, REMEDIES, TOO_MANY, WATCHED, FailureWatch
from ictbench.testing import Reply, ScriptedServer, react_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from ictbench.choices import FailureKind
    from ictbench.runs.failure_watch import PlayerRole

PLAY = react_policy(lambda prompt, observation, actions: sorted(actions)[0])
KEY = "sk-proj-0123456789abcdef"
OVERFLOW = Reply("This model's maximum context length is 10 tokens", status=400)
FAILURES = {
    "truncated": Reply("Let me think about", finish_reason="length"),
    "context_overflow": OVERFLOW,
    "empty": Reply(""),
    "refused": Reply("", finish_reason="content_filter"),
    "bad_request": Reply("System role not supported", status=400),
}


def is_reflection(body: dict[str, Any]) -> bool:
    return "IMPROVED PROMPT:" in str(body["messages"][-1]["content"])


def answer(body: dict[str, Any]) -> str | Reply:
    if is_reflection(body):
        words = len(str(body["messages"][-1]["content"]).split())
        return f"ANALYSIS:\nNothing.\nIMPROVED PROMPT:\nWalk about. {words}"
    return PLAY(body)


def failing(
    reply: Reply, when: Callable[[dict[str, Any]], bool] = lambda body: not is_reflection(body)
) -> Callable[[dict[str, Any]], str | Reply]:
    """Return a scripted model that answers some requests with a failure; never the rehearsal."""
    return lambda body: reply if not is_rehearsal(body) and when(body) else answer(body)


def share(body: dict[str, Any], of: int) -> bool:
    """Return true for one of `of` requests, always for the same ones."""
    return int(hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest(), 16) % of == 0


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def play(server: ScriptedServer, out: Path, **options: Any) -> ictbench.Run:
    sizes = {"turns": 2, "loops": 2, "batch_size": 2, "selection_size": 3, "test_size": 4, "max_steps": 4}
    where = {"families": "eat", "executor": "inline", "reflector": "openai/m", "reflector_base_url": server.url}
    return ictbench.run(**{**sizes, **where, **options}, out=out)


# Thresholds


def recorded(outcomes: Iterable[str | None], role: PlayerRole = "actor") -> int | None:
    """Return after how many outcomes the watch stops; None if it does not."""
    watch = FailureWatch({"actor": "a", "reflector": "r"})
    for number, outcome in enumerate(outcomes, 1):
        try:
            with watch.observe(role, "name") as report:
                report(outcome, "")
        except FailingModelError:
            assert watch.tripped
            return number
    return None


@pytest.mark.parametrize("kind", sorted(WATCHED))
def test_failures_at_the_start_stop_a_run_only_if_all_are_of_one_kind(kind: FailureKind) -> None:
    other = "empty" if kind == "timeout" else "timeout"
    assert recorded([kind] * 100) == 8
    assert recorded([kind] * 3, "reflector") == 3
    assert recorded([*[kind] * 7, None, *[kind] * 21]) is None
    assert recorded([*[kind] * 7, other, *[kind] * 21]) is None
    assert recorded([*[kind] * 2, None, *[kind] * 27], "reflector") is None


@pytest.mark.parametrize("role", ["actor", "reflector"])
def test_thirty_of_the_last_fifty_stop_a_run(role: PlayerRole) -> None:
    assert recorded([*[None] * 1000, *["empty"] * 50], role) == 1030
    assert recorded([None, *[None, "empty", "empty"] * 1000], role) == 1 + 45
    assert recorded([None, *[None, "empty"] * 1000], role) is None
    assert recorded([None, *["truncated", "empty"] * 1000], role) is None


@pytest.mark.parametrize("kind", ["unparseable", "too_long"])
def test_prompts_that_cannot_be_used_never_stop_a_run(kind: str) -> None:
    assert recorded([kind] * 100, "reflector") is None


@pytest.mark.parametrize("share", [0.1, 0.25, 1 / 3])
def test_a_weak_model_is_not_stopped(share: float) -> None:
    stopped = [
        recorded("truncated" if dice.random() < share else None for _ in range(400))
        for dice in map(random.Random, range(200))
    ]
    assert sum(number is not None for number in stopped) <= 4


def test_failures_that_end_before_slower_successes_are_judged_in_the_order_of_the_start() -> None:
    watch = FailureWatch({"actor": "a"})
    blocks = [watch.observe("actor", str(number)) for number in range(60)]
    reports = [block.__enter__() for block in blocks]
    for number in sorted(range(60), key=lambda number: number % 3 != 0):
        reports[number]("empty" if number % 3 == 0 else None, "")
        blocks[number].__exit__(None, None, None)
    assert not watch.tripped
    assert watch.counts["actor"] == {"empty": 20}


def test_an_episode_that_is_owed_counts_for_nothing_and_holds_up_nothing() -> None:
    watch = FailureWatch({"actor": "a"})
    owed = watch.observe("actor", "owed")
    owed.__enter__()
    for number in range(8):
        with watch.observe("actor", str(number)) as report:
            report("empty", "")
    assert not watch.tripped
    assert not owed.__exit__(EnvError, EnvError("it broke"), None)
    assert watch.tripped
    with pytest.raises(FailingModelError, match="empty 8 of 8"), watch.observe("actor", "next"):
        pass


# Episodes


@pytest.mark.parametrize("kind", FAILURES)
def test_a_run_stops_if_its_first_episodes_all_fail_for_one_reason(tmp_path: Path, kind: str) -> None:
    with ScriptedServer(failing(FAILURES[kind])) as server, pytest.raises(FailingModelError) as stopped:
        play(server, tmp_path / "run", max_connections=4)
    message = str(stopped.value)
    first = FIRST["actor"]
    assert f"actor openai/m fails: {kind} {first} of {first} episodes" in message
    assert REMEDIES["actor"][kind] in message  # type: ignore[index]
    assert f"--accept-failures {kind}" in message
    run = ictbench.load_run(tmp_path / "run")
    # Episodes in flight at that moment end and are recorded, others are not begun.
    assert first <= len(run.episode_keys()) <= first + 2 * 4
    assert set(run.episodes()["failure"]) == {kind}
    assert not (run.folder / "result.json").exists()


@pytest.mark.parametrize("executor", ["inline", "process"])
def test_the_words_of_the_server_are_shown_and_kept_once_short_and_without_the_key(
    tmp_path: Path, executor: str
) -> None:
    # The second key lies across the place where the text is cut.
    words = f"{KEY} may not use the system role {'x' * 245} {KEY} {'x' * 900}"
    with ScriptedServer(failing(Reply(words, status=400))) as server, pytest.raises(FailingModelError) as stopped:
        play(server, tmp_path / "run", executor=executor, workers=1)
    log = (tmp_path / "run" / "run.log").read_text()
    run = ictbench.load_run(tmp_path / "run")
    for text in (str(stopped.value), log, run.episode(run.episode_keys()[0]).failure_detail):
        assert "[key] may not use the system role xxx" in text
        assert "x" * 300 not in text
        assert "sk-" not in text
    assert log.count("for the first time in this run") == 1


def test_an_episode_in_flight_is_not_lost_when_the_run_stops(tmp_path: Path) -> None:
    starts: list[str] = []

    def tenth_is_slow(body: dict[str, Any]) -> str | Reply:
        if is_rehearsal(body):
            return answer(body)
        start = str(body["messages"][1]["content"]).partition(ACTIONS_HEADING)[0].strip()
        starts.append(start)
        if start not in starts[9:10]:
            return Reply("", seconds=0.2)
        return Reply(str(answer(body)), seconds=0.5)

    with ScriptedServer(tenth_is_slow) as server, pytest.raises(FailingModelError, match="empty 8 of 8"):
        play(server, tmp_path / "run", max_steps=3)
    run = ictbench.load_run(tmp_path / "run")
    assert starts.count(starts[9]) == 3
    assert sorted(run.episodes()["end"].unique()) == ["failed", "step_limit"]


def test_a_weak_model_that_fails_every_third_episode_is_measured(tmp_path: Path) -> None:
    truncated = failing(FAILURES["truncated"], lambda body: not is_reflection(body) and share(body, 8))
    with ScriptedServer(truncated) as server:
        run = play(server, tmp_path / "run", loops=3)
    assert run.result.complete
    (family,) = run.result.families
    assert family.behaviour
    assert list(family.behaviour.failed) == ["truncated"]
    assert 0.15 < family.behaviour.failed["truncated"] / len(run.episode_keys()) < 0.5
    assert run.result.host.failure_words == {"actor truncated": "the reply has no end and no action"}


def test_a_weak_model_with_many_episodes_in_flight_is_measured(tmp_path: Path) -> None:
    """A third of the episodes fails at once, the others take a while: the first forty to finish are failures."""

    def weak(body: dict[str, Any]) -> str | Reply:
        if is_reflection(body) or is_rehearsal(body):
            return answer(body)
        start = str(body["messages"][1]["content"]).partition(ACTIONS_HEADING)[0].strip()
        first = len(body["messages"]) == 2
        if share({"start": start, "prompt": body["messages"][0]["content"]}, 3):
            return FAILURES["empty"] if first else answer(body)
        return Reply(str(answer(body)), seconds=1.0 if first else 0)

    with ScriptedServer(weak) as server:
        run = play(server, tmp_path / "run", loops=8, batch_size=3, selection_size=4, test_size=8, max_connections=256)
    assert run.result.complete
    assert run.result.families[0].behaviour
    assert run.result.families[0].behaviour.failed["empty"] > 40


def test_a_run_stops_if_a_large_share_of_later_episodes_fails(tmp_path: Path) -> None:
    begun: list[str] = []

    def later(body: dict[str, Any]) -> bool:
        begun.append("")
        return len(begun) > 100 and not is_reflection(body)

    with ScriptedServer(failing(FAILURES["bad_request"], later)) as server, pytest.raises(FailingModelError) as stopped:
        play(server, tmp_path / "run", loops=4, max_connections=2)
    assert re.search(rf"bad_request {TOO_MANY} of \d+ episodes \(HTTP 400: System role", str(stopped.value))
    assert ictbench.load_run(tmp_path / "run").episodes()["failure"].value_counts().to_dict()["bad_request"] >= TOO_MANY


def test_continued_after_a_fix_the_run_ends_as_one_without_the_fault(tmp_path: Path) -> None:
    with ScriptedServer(answer) as server:
        clean = play(server, tmp_path / "clean")
    with ScriptedServer(failing(FAILURES["bad_request"])) as server, pytest.raises(FailingModelError):
        play(server, tmp_path / "run")
    stopped_with = len(ictbench.load_run(tmp_path / "run").episode_keys())
    with ScriptedServer(failing(FAILURES["bad_request"])) as server, pytest.raises(FailingModelError):
        play(server, tmp_path / "run")
    again = len(ictbench.load_run(tmp_path / "run").episode_keys())
    with ScriptedServer(answer) as server:
        fixed = play(server, tmp_path / "run")
    assert fixed.result.families == clean.result.families
    assert fixed.result.by_role == clean.result.by_role
    assert fixed.result.retried_failures == {"bad_request": stopped_with + again}
    assert fixed.result.host.failure_words == {}
    assert ictbench.verify(fixed.folder, executor="inline").passed


def test_accepted_failures_are_the_models_own(tmp_path: Path) -> None:
    with ScriptedServer(failing(FAILURES["truncated"])) as server:
        with pytest.raises(FailingModelError):
            play(server, tmp_path / "run")
        run = play(server, tmp_path / "run", accept_failures="truncated")
    assert run.result.complete
    assert run.result.retried_failures == {}
    assert set(run.episodes()["failure"]) == {"truncated"}
    with ScriptedServer(failing(FAILURES["empty"])) as server, pytest.raises(FailingModelError):
        play(server, tmp_path / "other", accept_failures="truncated")


def test_changed_options_of_a_player_need_a_new_run(tmp_path: Path) -> None:
    with ScriptedServer(failing(FAILURES["truncated"])) as server:
        with pytest.raises(FailingModelError):
            play(server, tmp_path / "run")
        for changed in (
            {"actor_max_tokens": 900},
            {"actor_history": 1},
            {"actor_decoding": "json"},
            {"reflector_temperature": 0.5},
        ):
            with pytest.raises(RunFolderError):
                play(server, tmp_path / "run", **changed)


def test_a_run_that_is_too_short_for_the_watch_stops_at_its_end(tmp_path: Path) -> None:
    sizes: dict[str, Any] = {"turns": 1, "loops": 1, "batch_size": 1, "selection_size": 1, "test_size": 1}
    with ScriptedServer(failing(FAILURES["empty"])) as server, pytest.raises(FailingModelError, match="empty 5 of 5"):
        play(server, tmp_path / "run", **sizes)
    with ScriptedServer(answer) as server:
        assert play(server, tmp_path / "run", **sizes).result.complete


def test_an_input_that_a_filter_flags_is_refused_and_not_owed(tmp_path: Path) -> None:
    flagged = failing(
        Reply("your input was flagged", status=403), lambda body: not is_reflection(body) and share(body, 9)
    )
    with ScriptedServer(flagged) as server:
        run = play(server, tmp_path / "run")
    assert run.result.complete
    assert run.result.families[0].behaviour
    assert list(run.result.families[0].behaviour.failed) == ["refused"]
    assert run.result.host.failure_words == {"actor refused": "HTTP 403: your input was flagged"}


# Reflections


@pytest.mark.parametrize("kind", ["context_overflow", "truncated"])
def test_a_run_stops_if_all_reflections_fail_for_one_reason(tmp_path: Path, kind: str) -> None:
    with ScriptedServer(answer) as server:
        clean = play(server, tmp_path / "clean")
    with ScriptedServer(failing(FAILURES[kind], is_reflection)) as server:
        with pytest.raises(FailingModelError) as stopped:
            play(server, tmp_path / "run", max_connections=1)
        assert f"reflector openai/m fails: {kind} {FIRST['reflector']} of {FIRST['reflector']} reflections" in str(
            stopped.value
        )
        assert REMEDIES["reflector"][kind] in str(stopped.value)  # type: ignore[index]
    with ScriptedServer(answer) as server:
        fixed = play(server, tmp_path / "run")
    assert fixed.result.families == clean.result.families
    assert fixed.result.retried_reflections == {kind: FIRST["reflector"]}
    # Episodes under prompts that a repeated reflection replaced are not part of the result.
    assert ictbench.verify(fixed.folder, executor="inline").passed


def test_a_reflector_that_writes_no_prompt_is_measured(tmp_path: Path) -> None:
    with ScriptedServer(failing(Reply("I have no idea."), is_reflection)) as server:
        run = play(server, tmp_path / "run")
    assert run.result.complete
    assert run.result.families[0].behaviour
    assert run.result.families[0].behaviour.reflection_failures == {"unparseable": 4}
