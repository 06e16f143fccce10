"""Logs of Inspect AI that `ictbench export` writes, opened by Inspect's own log API and viewer."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browser.reader import chromium
from inspect_ai.log import EvalLog, list_eval_logs, read_eval_log, recompute_metrics
from inspect_ai.scorer import CORRECT
from playwright.sync_api import expect, sync_playwright
from small_run import small_run

import ictbench
from ictbench.errors import ConfigError, RunFolderError
from ictbench.exports.inspect_logs import export_inspect
from ictbench.exports.inspect_samples import model_usage
from ictbench.protocol import keys_for
from ictbench.records import Usage
from ictbench.testing import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAMS = Path(sys.executable).parent
SECONDS = 120.0
NAMES = ("test-base", "test-best", "test-last", "selection", "experience", "reflections")

Logs = dict[str, EvalLog]


def read_logs(folder: Path) -> Logs:
    """Return the logs of a folder by task, as Inspect lists and reads them."""
    logs = [read_eval_log(info.name) for info in list_eval_logs(str(folder))]
    return {log.eval.task: log for log in logs}


@pytest.fixture(scope="module")
def run() -> ictbench.Run:
    return ictbench.load_run(small_run())


@pytest.fixture(scope="module")
def folder(run: ictbench.Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_inspect(run, tmp_path_factory.mktemp("logs") / "logs")


@pytest.fixture(scope="module")
def logs(folder: Path) -> Logs:
    return read_logs(folder)


def accuracy(log: EvalLog, score: str = "solved", metric: str = "accuracy") -> float:
    (found,) = [one for one in log.results.scores if one.name == score]
    return float(found.metrics[metric].value)


def test_every_family_has_its_logs_with_the_measures_of_the_result(run: ictbench.Run, logs: Logs) -> None:
    assert set(logs) == {f"minihack-v1-{family}-{name}" for family in ("eat", "read") for name in NAMES}
    for family in run.result.families:
        assert family.measures is not None
        for level in ("base", "best", "last"):
            log = logs[f"minihack-v1-{family.name}-test-{level}"]
            measure = getattr(family.measures, level)
            assert accuracy(log) == pytest.approx(measure.value)
            assert log.eval.metadata["measure"] == measure.model_dump()
            assert (log.status, len(log.samples), log.results.total_samples) == ("success", 18, 18)
        curve = [interval.value for interval in family.measures.curve]
        assert accuracy(logs[f"minihack-v1-{family.name}-selection"]) == pytest.approx(sum(curve) / len(curve))
        assert family.measures.stream_success is not None
        experience = logs[f"minihack-v1-{family.name}-experience"]
        assert accuracy(experience) == pytest.approx(family.measures.stream_success.value)
        reflections = logs[f"minihack-v1-{family.name}-reflections"]
        assert accuracy(reflections, "selection", "mean") == pytest.approx(sum(curve[1:]) / len(curve[1:]))
    assert max(accuracy(log) for task, log in logs.items() if "reflections" not in task) > 0


def test_inspect_computes_the_same_metrics_again(logs: Logs) -> None:
    for log in logs.values():
        before = log.results.scores
        again = log.model_copy(deep=True)
        recompute_metrics(again)
        assert again.results.scores == before


def test_samples_hold_every_episode_as_it_was_played(run: ictbench.Run, logs: Logs) -> None:
    for family in run.result.families:
        log = logs[f"minihack-v1-{family.name}-test-best"]
        keys = [key for loop in family.loops for key in keys_for(loop, "test", loop.best)]
        assert [sample.metadata["episode"] for sample in log.samples] == keys
        assert len({(sample.id, sample.epoch) for sample in log.samples}) == len(keys)
        for sample, key in zip(log.samples, keys, strict=True):
            episode = run.episode(key)
            loop = family.loops[sample.metadata["loop"]]
            steps = episode.trajectory.steps
            system, *turns, last = sample.messages
            assert (system.role, system.text) == ("system", loop.prompts[loop.best].text)
            assert last.text == episode.trajectory.last_observation
            for step, shown, reply in zip(steps, turns[::2], turns[1::2], strict=True):
                assert shown.text == f"{step.observation}\n\nAvailable actions:\n" + "\n".join(step.actions)
                assert reply.text.splitlines()[-1] == f"Action: {step.proposed}"
                assert (reply.metadata["executed"], reply.metadata["reward"]) == (step.executed, step.reward)
            assert (sample.scores["solved"].value == CORRECT) == episode.trajectory.solved
            assert (sample.limit is not None) == (episode.trajectory.end == "step_limit")
            assert sample.metadata["task"] == episode.task.id


def test_reflections_go_from_prompt_to_prompt(run: ictbench.Run, logs: Logs) -> None:
    (family, *_) = run.result.families
    samples = {sample.id: sample for sample in logs[f"minihack-v1-{family.name}-reflections"].samples}
    for loop in family.loops:
        for turn in (1, 2):
            sample = samples[f"loop{loop.index}-turn{turn}"]
            assert sample.input == loop.prompts[turn - 1].text
            assert sample.metadata["prompt_after"] == loop.prompts[turn].text
            assert sample.messages[-1].text.endswith(loop.prompts[turn].text)
            assert sample.scores["selection"].value == loop.selection[turn].count("1") / 4


def test_an_export_is_the_same_again(run: ictbench.Run, folder: Path, logs: Logs, tmp_path: Path) -> None:
    again = export_inspect(run, tmp_path / "again")
    assert sorted(path.name for path in again.iterdir()) == sorted(path.name for path in folder.iterdir())
    for task, log in read_logs(again).items():
        dumped = [one.model_dump(exclude={"samples": {"__all__": {"uuid"}}}) for one in (log, logs[task])]
        assert dumped[0] == dumped[1]


def test_repeats_are_epochs(tmp_path: Path) -> None:
    sizes: dict[str, Any] = {"turns": 1, "batch_size": 2, "loops": 1, "selection_size": 2, "test_size": 3}
    run = ictbench.run(
        families="eat", actor="random", reflector="rules", repeats=2, executor="inline", out=tmp_path / "run", **sizes
    )
    logs = read_logs(export_inspect(run, tmp_path / "logs"))
    (family,) = run.result.families
    assert family.measures is not None
    log = logs["minihack-v1-eat-test-last"]
    assert (log.eval.config.epochs, log.eval.dataset.samples, len(log.samples)) == (2, 3, 6)
    assert sorted(sample.epoch for sample in log.samples) == [1, 1, 1, 2, 2, 2]
    assert accuracy(log) == pytest.approx(family.measures.last.value)
    assert logs["minihack-v1-eat-experience"].eval.config.epochs == 1


def test_a_models_failures_count_as_unsolved_and_its_tokens_are_there(tmp_path: Path) -> None:
    sizes: dict[str, Any] = {"turns": 1, "batch_size": 1, "loops": 1, "selection_size": 1, "test_size": 2}

    def every_other_turn(request: dict[str, Any]) -> str:
        """Answer by the number of earlier turns: episodes played side by side get the same replies in any order."""
        earlier = sum(message["role"] == "assistant" for message in request["messages"])
        return "nothing" if earlier % 2 else "Thought: <b>*go*</b>\nAction: step n"

    with ScriptedServer(every_other_turn) as server:
        run = ictbench.run(
            families="eat",
            actor="openai/scripted",
            actor_base_url=server.url,
            reflector="none",
            max_steps=4,
            executor="inline",
            out=tmp_path / "run",
            **sizes,
        )
    log = read_logs(export_inspect(run, tmp_path / "logs"))["minihack-v1-eat-test-base"]
    assert accuracy(log) == 0
    sample = log.samples[0]
    episode = run.episode(sample.metadata["episode"])
    replies = [message.text for message in sample.messages if message.role == "assistant"]
    assert {"Thought: <b>*go*</b>\nAction: step n", "(no action)"} <= {
        reply.replace("Thought: nothing\n", "") for reply in replies
    }
    (usage,) = sample.model_usage.values()
    assert (usage.input_tokens, usage.output_tokens) == (episode.usage.input_tokens, episode.usage.output_tokens)
    assert usage.input_tokens > 0
    (total,) = log.stats.model_usage.values()
    assert total.output_tokens == sum(run.episode(one.metadata["episode"]).usage.output_tokens for one in log.samples)


def test_cached_tokens_are_not_counted_twice() -> None:
    usage = model_usage(
        Usage(calls=1, input_tokens=100, output_tokens=5, cached_tokens=60, cache_written_tokens=30, cost=None)
    )
    assert (usage.input_tokens, usage.input_tokens_cache_read, usage.input_tokens_cache_write) == (10, 60, 30)
    assert (usage.total_tokens, usage.total_cost) == (105, None)


def test_an_incomplete_run_is_no_success(run: ictbench.Run, tmp_path: Path) -> None:
    unfinished = ictbench.Run(run.folder, run.result.model_copy(update={"complete": False, "owed": 3}))
    for log in read_logs(export_inspect(unfinished, tmp_path / "logs")).values():
        assert (log.status, log.eval.metadata["owed"]) == ("cancelled", 3)


def test_a_journal_of_another_run_is_refused(run: ictbench.Run, tmp_path: Path) -> None:
    copied = tmp_path / "run"
    shutil.copytree(run.folder, copied)
    key = keys_for(run.result.families[1].loops[0], "test", 0)[0]
    database = sqlite3.connect(copied / "journal.sqlite")
    with database:
        database.execute("DELETE FROM episodes WHERE key = ?", (key,))
    database.close()
    with pytest.raises(RunFolderError, match=re.escape(key)):
        export_inspect(ictbench.load_run(copied), tmp_path / "logs")
    loops = run.result.families[0].loops
    flipped = loops[0].model_copy(update={"test": {**loops[0].test, 0: loops[0].test[0].translate({48: 49, 49: 48})}})
    families = (run.result.families[0].model_copy(update={"loops": (flipped, *loops[1:])}),)
    other = ictbench.Run(run.folder, run.result.model_copy(update={"families": families}))
    with pytest.raises(RunFolderError, match="differs from its outcome"):
        export_inspect(other, tmp_path / "logs")
    assert not (tmp_path / "logs").exists()


def test_a_folder_in_use_is_refused(run: ictbench.Run, folder: Path) -> None:
    with pytest.raises(ConfigError, match="already exists"):
        export_inspect(run, folder)


def export(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(PROGRAMS / "ictbench"), "export", *arguments, "--format", "inspect"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)


def test_the_command_writes_logs_and_says_how_to_view_them(run: ictbench.Run, tmp_path: Path) -> None:
    out = tmp_path / "logs"
    done = export(str(run.folder), "--out", str(out))
    assert (done.returncode, done.stderr) == (0, "")
    assert f"inspect view --log-dir {out}" in done.stdout
    assert len(read_logs(out)) == 12


@pytest.mark.parametrize("option", [("--public",), ("--push-to-hub", "me/x"), ("--dataset", "me/x")])
def test_options_of_other_formats_are_refused(run: ictbench.Run, tmp_path: Path, option: tuple[str, ...]) -> None:
    done = export(str(run.folder), "--out", str(tmp_path / "logs"), *option)
    assert done.returncode == 2
    assert f"{option[0]} is not for --format inspect" in done.stderr
    assert not (tmp_path / "logs").exists()


@pytest.fixture
def viewer(folder: Path, tmp_path: Path) -> Iterator[str]:
    """Address of Inspect's viewer of the logs."""
    command = [str(PROGRAMS / "inspect"), "view", "start", "--log-dir", str(folder), "--port", "17575"]
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    try:
        wait_for_port(17575, process)
        yield "http://127.0.0.1:17575"
    finally:
        process.terminate()
        process.communicate(timeout=SECONDS)


def wait_for_port(port: int, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < end
            time.sleep(0.2)


def test_inspects_viewer_shows_the_logs_and_an_episode(viewer: str, logs: Logs) -> None:
    program = chromium()
    if program is None:
        reason = "chromium is not on the PATH and could not be installed: apt-get install chromium"
        (pytest.fail if os.environ.get("ICTBENCH_REQUIRE_BROWSER") else pytest.skip)(reason)
    log = logs["minihack-v1-eat-test-best"]
    sample = log.samples[0]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1600, "height": 1200})
        page.set_default_timeout(500 * SECONDS)
        expect.set_options(timeout=500 * SECONDS)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(viewer)
        for task in logs:
            expect(page.get_by_text(task, exact=True).first).to_be_visible()
        page.get_by_text(log.eval.task, exact=True).first.click()
        page.get_by_text(str(sample.id), exact=True).first.click()
        # The rows of the screen stay apart: the text is not read as Markdown.
        line = next(line for line in sample.messages[0].text.splitlines() if line)
        expect(page.get_by_text(line).first).to_be_visible()
        assert errors == []
        browser.close()
