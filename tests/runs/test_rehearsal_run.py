"""Runs of models whose servers reject something that the run sends."""

from __future__ import annotations

import itertools
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from rehearsals import REQUESTS, is_rehearsal

import ictbench
from ictbench.cli.app import main
from ictbench.cli.live_progress import watch
from ictbench.errors import ConfigError, EndpointDownError, RunFolderError
from ictbench.protocol import sampling_seed
from ictbench.results.comparability import disagreements
from ictbench.results.notes import remarks
from ictbench.testing import Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LEARNED = "Eat the apple."
OPTIONS: dict[str, Any] = {
    "suite": "minihack-v1",
    "families": "eat",
    "turns": 1,
    "batch_size": 1,
    "loops": 1,
    "selection_size": 1,
    "test_size": 2,
    "max_steps": 2,
    "executor": "inline",
}


def has_system(body: dict[str, Any]) -> bool:
    return any(message["role"] == "system" for message in body["messages"])


def says(body: dict[str, Any], text: str) -> bool:
    return any(text in message["content"] for message in body["messages"])


def plays(body: dict[str, Any]) -> str | Reply:
    """Act by the prompt: name a valid action if it has been learned."""
    if says(body, "IMPROVED PROMPT:"):
        return f"ANALYSIS:\nHunger.\nIMPROVED PROMPT:\n{LEARNED}"
    return "Action: eat" if says(body, LEARNED) else "Action: dance"


def gemma(body: dict[str, Any]) -> str | Reply:
    return Reply("System role not supported", status=400) if has_system(body) else plays(body)


def play(
    policy: Callable[[dict[str, Any]], str | Reply], out: Path, **options: Any
) -> tuple[ictbench.Run, ScriptedServer]:
    with ScriptedServer(policy, model="test", record=True) as server:
        run = ictbench.run(
            **OPTIONS | {"reflector": "openai/test", "reflector_base_url": server.url} | options, out=out
        )
    return run, server


def invalid(run: ictbench.Run) -> tuple[float, float]:
    behaviour = run.result.families[0].behaviour
    assert behaviour is not None
    assert behaviour.invalid_base is not None
    assert behaviour.invalid_best is not None
    assert behaviour.failed == {}
    return behaviour.invalid_base.value, behaviour.invalid_best.value


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> ictbench.Run:
    return play(plays, tmp_path_factory.mktemp("plain") / "run")[0]


def test_a_server_without_a_system_role_is_measured_like_any_other(plain: ictbench.Run, tmp_path: Path) -> None:
    run, server = play(gemma, tmp_path / "run", executor="process", workers=1)
    # The first request of each player is rejected twice, as once may be an accident; all others are accepted, those of
    # the worker process, too.
    assert server.statuses[400] == 4
    assert invalid(run) == invalid(plain)
    assert [p.text for p in run.result.families[0].loops[0].prompts] == [
        p.text for p in plain.result.families[0].loops[0].prompts
    ]
    assert run.result.families[0].loops[0].prompts[1].text == LEARNED
    assert run.episode_keys() == plain.episode_keys()


def test_an_adaptation_is_recorded_as_identity_and_is_no_deviation(plain: ictbench.Run, tmp_path: Path) -> None:
    run, _ = play(gemma, tmp_path / "run")
    for player in (run.result.actor, run.result.reflector):
        assert player.model is not None
        assert player.model.adaptation.fold_system
    config = json.loads((run.folder / "run.json").read_text())
    assert config["actor"]["model"]["adaptation"]["fold_system"] is True
    assert run.result.deviations == plain.result.deviations
    assert [name for name, _ in disagreements([plain.result, run.result])] == ["actor's adaptation"]
    assert any("adapted to its server: the system text opens" in line for line in remarks(run.result))
    assert "adaptation" not in (plain.folder / "run.json").read_text()
    assert "adaptation" not in (plain.folder / "result.json").read_text()


def test_the_rehearsal_counts_as_spent(plain: ictbench.Run, tmp_path: Path) -> None:
    run, server = play(plays, tmp_path / "run")
    played = sum(usage.calls for usage in run.result.cost.values())
    # Both players share the model: its repetition is measured once.
    assert run.result.host.spent.calls == server.requests == played + REQUESTS + 1
    assert (run.result.actor.reproducible, run.result.reflector.reproducible) == (True, True)


def test_no_adapt_stops_before_the_first_episode(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer(gemma, model="test") as server:
        arguments = [f"--{name.replace('_', '-')}={value}" for name, value in OPTIONS.items()]
        arguments += ["--reflector=openai/test", f"--reflector-base-url={server.url}", "--no-adapt"]
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["ictbench", "run", *arguments, "--out", "run"])
        with pytest.raises(SystemExit, match="1"):
            main()
        assert server.requests == 1
    message = capsys.readouterr().err
    assert "System role not supported" in message
    assert "--no-adapt" in message
    assert ictbench.load_run(tmp_path / "run").episode_keys() == []


@pytest.mark.parametrize("decoding", ["json", "tools"])
def test_a_decoding_that_the_server_rejects_stops_the_run_before_it_plays(decoding: str, tmp_path: Path) -> None:
    def rejects(body: dict[str, Any]) -> str | Reply:
        name = next((name for name in ("response_format", "tools") if name in body), None)
        return Reply(f"{name} is not supported", status=400) if name else plays(body)

    with pytest.raises(EndpointDownError, match="--actor-decoding free"):
        play(rejects, tmp_path / "run", actor_decoding=decoding)
    assert ictbench.load_run(tmp_path / "run").episode_keys() == []


def test_a_run_that_stopped_at_the_rehearsal_can_go_on_with_a_mended_server(tmp_path: Path) -> None:
    with pytest.raises(EndpointDownError):
        play(gemma, tmp_path / "run", no_adapt=True)
    run, _ = play(plays, tmp_path / "run", no_adapt=True)
    assert run.result.complete


def test_a_resumed_run_keeps_its_adaptation_and_refuses_another(tmp_path: Path) -> None:
    calls = itertools.count()

    def dies(body: dict[str, Any]) -> str | Reply:
        return gemma(body) if next(calls) < 14 else Reply("gone", status=401)

    assert not play(dies, tmp_path / "run")[0].result.complete
    assert ictbench.load_run(tmp_path / "run").episode_keys()

    def stricter(body: dict[str, Any]) -> str | Reply:
        return Reply("Unknown parameter: 'seed'", status=400) if "seed" in body else gemma(body)

    with pytest.raises(RunFolderError, match="seed not sent"):
        play(stricter, tmp_path / "run")
    run, server = play(gemma, tmp_path / "run")
    assert run.result.complete
    assert server.statuses[400] == 0, "the recorded adaptation is the first to be tried"


def test_the_terminal_names_an_adaptation_before_the_first_episode(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with watch(quiet=False) as on_start:
        run, _ = play(gemma, tmp_path / "run", on_start=on_start)
    notes = [line for line in capsys.readouterr().err.splitlines() if line.startswith("Note:")]
    assert [note.partition(": the system text")[0] for note in notes] == [
        "Note: Requests of the actor are adapted to its server",
        "Note: Requests of the reflector are adapted to its server",
    ]
    assert run.result.complete


@pytest.mark.parametrize("repeats", [True, False])
def test_failures_played_again_on_request_are_a_deviation_if_replies_do_not_repeat(
    repeats: bool, tmp_path: Path
) -> None:
    calls = itertools.count()
    cut: list[bool] = [True]

    def answer(body: dict[str, Any]) -> str | Reply:
        thought = "Thought: none." if repeats else f"Thought: number {next(calls)}."
        # Under the prompt of the suite the model does not come to an end.
        if cut[0] and not is_rehearsal(body) and not says(body, LEARNED) and not says(body, "IMPROVED PROMPT:"):
            return Reply("Thought: I", finish_reason="length")
        reply = plays(body)
        return reply if says(body, "IMPROVED PROMPT:") else f"{thought}\n{reply}"

    first, _ = play(answer, tmp_path / "run")
    assert first.result.families[0].behaviour is not None
    assert set(first.result.families[0].behaviour.failed) == {"truncated"}
    cut[0] = False
    again, _ = play(answer, tmp_path / "run", retry_failed="truncated")
    assert set(again.result.retried_failures) == {"truncated"}
    stated = [text for text in again.result.deviations if "played again on request" in text]
    assert len(stated) == (0 if repeats else 1)


def test_cached_replies_of_a_model_that_does_not_repeat_are_reported(tmp_path: Path) -> None:
    calls = itertools.count()

    def answer(body: dict[str, Any]) -> str | Reply:
        return f"Thought: number {next(calls)}.\n{plays(body)}"

    with ScriptedServer(answer, model="test") as server:
        options = OPTIONS | {"reflector": "openai/test", "reflector_base_url": server.url}
        options |= {"cache": tmp_path / "replies.sqlite"}
        first, second = (ictbench.run(**options, out=tmp_path / name) for name in ("first", "second"))
    assert not [line for line in remarks(first.result) if "response cache" in line]
    assert [line for line in remarks(second.result) if "response cache" in line]


def test_replies_that_do_not_repeat_are_reported(tmp_path: Path) -> None:
    calls = itertools.count()
    run, _ = play(lambda body: f"Thought: number {next(calls)}.\nAction: dance", tmp_path / "run")
    assert run.result.actor.reproducible is False
    assert any("does not repeat its replies" in line for line in remarks(run.result))


def test_repeats_of_replies_that_are_known_to_repeat_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"openai/test repeats its replies at temperature 0.*--actor-temperature"):
        play(plays, tmp_path / "run", repeats=2)
    assert ictbench.load_run(tmp_path / "run").episode_keys() == []
    # The remedies that the message names.
    run, server = play(plays, tmp_path / "sampled", repeats=2, actor_temperature=0.7)
    assert run.result.actor.reproducible is None
    loop = run.result.families[0].loops[0]
    assert len(loop.test[0]) == 4
    sent = {body["seed"] for body in server.requests_log}
    digest = run.result.suite.digest
    assert {sampling_seed(digest, task, replicate) for task in loop.test_tasks for replicate in (0, 1)} < sent
    assert play(plays, tmp_path / "once")[0].result.sizes.repeats == 1


def test_repeats_of_replies_that_do_not_repeat_are_played(tmp_path: Path) -> None:
    calls = itertools.count()
    run, _ = play(lambda body: f"Thought: number {next(calls)}.\nAction: dance", tmp_path / "run", repeats=2)
    assert run.result.complete
    assert run.result.sizes.repeats == 2


def test_a_dry_run_that_asks_refuses_identical_repeats() -> None:
    with ScriptedServer(plays, model="test") as server:
        options: dict[str, Any] = OPTIONS | {"reflector": "openai/test", "reflector_base_url": server.url, "repeats": 2}
        assert ictbench.dry_run(**options).counts["test_episodes"] == 8
        with pytest.raises(ConfigError, match="repeats its replies at temperature 0"):
            ictbench.dry_run(**options, ask=True)


def test_a_rehearsal_that_stops_leaves_the_failures_to_repeat_recorded(tmp_path: Path) -> None:
    state = {"cut": True, "rejects": False}

    def answer(body: dict[str, Any]) -> str | Reply:
        if state["rejects"]:
            return Reply("the model is on fire", status=400)
        unlearned = not is_rehearsal(body) and not says(body, LEARNED) and not says(body, "IMPROVED PROMPT:")
        return Reply("Thought: I", finish_reason="length") if state["cut"] and unlearned else plays(body)

    first, _ = play(answer, tmp_path / "run")
    recorded = first.episode_keys()
    state |= {"cut": False, "rejects": True}
    with pytest.raises(EndpointDownError, match="the model is on fire"):
        play(answer, tmp_path / "run", retry_failed="truncated")
    stopped = ictbench.load_run(tmp_path / "run")
    assert stopped.episode_keys() == recorded
    assert stopped.result.families[0].behaviour == first.result.families[0].behaviour
    state["rejects"] = False
    again, _ = play(answer, tmp_path / "run", retry_failed="truncated")
    assert first.result.families[0].behaviour is not None
    assert again.result.families[0].behaviour is not None
    assert again.result.families[0].behaviour.failed == {}
    repeated = first.result.families[0].behaviour.failed["truncated"]
    assert again.result.retried_failures == {"truncated": repeated}
