"""Real worker processes, and recovery of episodes when workers die."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from faulty_plugins import spec
from watching import until, workers_of

from ictbench import load_suite
from ictbench.errors import EnvError, IctbenchError, PluginError, WorkerError
from ictbench.models import Limits, ModelPool, UsageMeter
from ictbench.records import Episode, EpisodeSpec, ModelSpec, PluginSpec
from ictbench.rollout import Executor, InlineExecutor, Priority, ProcessStarter, WorkerPool
from ictbench.testing import Latency, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

STAND_IN_SERVER = Path(__file__).parents[2] / "helpers" / "stand_in_server.py"


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder for the temporary folders of workers."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)
    return folder


def worker_processes() -> list[int]:
    """Return the ids of this process's workers."""
    return workers_of(os.getpid())


@asynccontextmanager
async def worker_pool(
    workers: int = 2, env_timeout: float = 60.0, models: ModelPool | None = None, meter: UsageMeter | None = None
) -> AsyncIterator[WorkerPool]:
    """Open a pool of worker processes, and check that none is left at the end."""
    meter = meter or UsageMeter()
    models = models or ModelPool(meter)
    executor = WorkerPool(ProcessStarter(models, meter), workers, env_timeout)
    try:
        async with asyncio.timeout(120):
            yield executor
    finally:
        await executor.aclose()
        await models.aclose()
    assert worker_processes() == []


async def play(executor: Executor, specs: Sequence[EpisodeSpec]) -> list[Episode | BaseException]:
    return await asyncio.gather(*(executor.play(spec, Priority.TEST) for spec in specs), return_exceptions=True)


async def play_inline(specs: Sequence[EpisodeSpec]) -> list[Episode | BaseException]:
    executor = InlineExecutor()
    episodes = await play(executor, specs)
    await executor.aclose()
    return episodes


def solved(episodes: Sequence[Episode | BaseException]) -> list[bool]:
    for episode in episodes:
        if isinstance(episode, BaseException):
            raise episode
    return [isinstance(episode, Episode) and episode.trajectory.solved for episode in episodes]


# Equal results


def test_worker_processes_play_the_same_episodes_as_the_inline_executor(scratch: Path) -> None:
    suite = load_suite("minihack-v1")
    actor = PluginSpec(label="rules", name="rules")
    specs = [
        EpisodeSpec(task=task, prompt=suite.prompt, actor=actor, max_steps=25, seed=7)
        for family in ("eat", "room-random", "zap")
        for task in suite.experience_order(family, 0, 6)
    ]
    specs += [spec("trail-1"), spec("trail-2", "ComputedWalker")]

    async def go() -> None:
        async with worker_pool() as executor:
            assert await play(executor, specs) == await play_inline(specs)
            assert (executor.workers, executor.ready, executor.lost) == (2, 2, 0)
            assert len(worker_processes()) == 2

    asyncio.run(go())
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("name", ["asyncio", "random", "queue", "types", "numpy", "ictbench"])
def test_files_in_the_working_directory_are_not_imported(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"{name}.py").write_text("import pathlib; pathlib.Path(__file__).with_name('imported').touch()\n")
    monkeypatch.chdir(tmp_path)

    async def go() -> None:
        async with worker_pool(workers=1) as executor:
            assert solved(await play(executor, [spec("trail-1")])) == [True]

    asyncio.run(go())
    assert not (tmp_path / "imported").exists()


def test_errors_keep_their_type_and_the_worker_survives_them() -> None:
    specs = [spec("bear", fault="EnvError"), spec("bug", fault="bug"), spec("lost", "BuggyWalker"), spec("trail-1")]

    async def go() -> None:
        async with worker_pool(1) as executor:
            bear, bug, lost, fine = await play(executor, specs)
            assert (type(bear), str(bear)) == (EnvError, "a bear")
            # An exception in the code of an environment or an actor is a bug and stops the run.
            assert (type(bug), str(bug).partition(" (")[0]) == (
                PluginError,
                "environment faulty_plugins:TrailEnv, step of task bug: ZeroDivisionError: a bug",
            )
            assert isinstance(bug, PluginError)
            assert "Traceback" in bug.__notes__[0]
            place = "actor BuggyWalker, decision 1 of task lost"
            assert (type(lost), str(lost).partition(" (")[0]) == (PluginError, f"{place}: KeyError: 'the map'")
            assert isinstance(lost, PluginError)
            assert "faulty_plugins.py" in lost.__notes__[0]
            assert solved([fine]) == [True]
            assert executor.lost == 0

    asyncio.run(go())


def test_unknown_plug_in_raises_the_same_error_as_inline() -> None:
    unknown = [spec("trail-1", PluginSpec(label="x", name="faulty_plugins:Missing"))]

    async def go() -> None:
        async with worker_pool(1) as executor:
            (error,), (inline_error,) = await play(executor, unknown), await play_inline(unknown)
            assert (type(error), str(error)) == (type(inline_error), str(inline_error))
            assert isinstance(error, IctbenchError)

    asyncio.run(go())


def test_workers_have_the_module_path_of_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "own_plugins.py").write_text("from faulty_plugins import *", encoding="utf-8")
    # A relative path on the module path.
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("mine")

    async def go() -> None:
        async with worker_pool(1) as executor:
            own = spec("trail-1", PluginSpec(label="x", name="own_plugins:Walker"))
            assert solved(await play(executor, [own])) == [True]

    asyncio.run(go())


# Workers that die


def test_killed_worker_is_replaced_and_no_episode_is_lost(tmp_path: Path, scratch: Path) -> None:
    specs = [spec(f"trail-{n}", fault="sleep", seconds=0.02) for n in range(30)]

    async def go() -> None:
        async with worker_pool() as executor:
            playing = asyncio.create_task(play(executor, specs))
            await until(lambda: executor.ready == 2)
            await asyncio.sleep(0.1)
            first, _ = worker_processes()
            os.kill(first, signal.SIGKILL)
            assert await playing == await play_inline(specs)
            await until(lambda: executor.lost == 1)
            await until(lambda: executor.ready == 2)
            assert first not in worker_processes()

    asyncio.run(go())
    assert list(scratch.iterdir()) == []


def test_processes_of_an_environment_end_with_its_worker() -> None:
    async def go() -> None:
        async with worker_pool(1) as executor:
            playing = asyncio.create_task(play(executor, [spec("trail", fault="exit with a child")]))
            await until(worker_processes)
            (first, *_) = worker_processes()
            await playing
            await until(lambda: not _group(first))

    asyncio.run(go())


def _group(leader: int) -> list[int]:
    """Return the processes in the process group of a worker."""
    group = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, number = stat.read_text().rpartition(")")[2].split()[:3]
            group += [int(stat.parent.name)] if int(number) == leader and state != "Z" else []
    return group


def delete_content(folder: Path) -> None:
    for inner in list(folder.iterdir()):
        shutil.rmtree(inner)


def test_worker_is_replaced_even_if_its_scratch_folder_was_deleted(scratch: Path) -> None:
    async def go() -> None:
        async with worker_pool() as executor:
            playing = asyncio.create_task(play(executor, [spec("trail", fault="sleep", seconds=1)]))
            await until(lambda: executor.ready)
            delete_content(scratch)
            for worker in worker_processes():
                os.kill(worker, signal.SIGKILL)
            (episode,) = await playing
            assert isinstance(episode, Episode)

    asyncio.run(go())


@pytest.mark.parametrize("fault", ["exit", "segfault", "sys.exit"])
def test_episode_that_kills_every_worker_is_owed_and_no_other_is_lost(fault: str) -> None:
    async def go() -> None:
        async with worker_pool() as executor:
            harmless = [spec(f"trail-{n}", fault="sleep", seconds=0.01) for n in range(20)]
            deadly, *others = await play(executor, [spec("deadly", fault=fault), *harmless])
            assert type(deadly) is EnvError
            assert "it was played 3 times, and each time its worker died: worker " in str(deadly)
            if fault == "exit":
                assert "exit code 7 and this output: …the trail is washed away" in str(deadly)
            assert solved(others) == [True] * 20
            assert executor.lost == 3

    asyncio.run(go())


def test_episode_that_kills_its_worker_once_is_played_again(tmp_path: Path) -> None:
    async def go() -> None:
        async with worker_pool(1) as executor:
            specs = [spec("trail-1", fault="exit", once=str(tmp_path / "once")), spec("trail-2")]
            assert solved(await play(executor, specs)) == [True, True]
            assert executor.lost == 1

    asyncio.run(go())


# Environments that hang


HANGS = ["sleep", "sleep without releasing the GIL"]


@pytest.mark.parametrize("fault", HANGS)
def test_environment_that_hangs_once_costs_only_its_worker(fault: str, tmp_path: Path) -> None:
    async def go() -> None:
        async with worker_pool(env_timeout=2) as executor:
            hanging = spec("hanging", fault=fault, once=str(tmp_path / "once"))
            specs = [hanging, *(spec(f"trail-{n}", fault="sleep", seconds=0.01) for n in range(10))]
            assert solved(await play(executor, specs)) == [True] * 11
            assert executor.lost == 1

    asyncio.run(go())


def test_environment_that_always_hangs_is_named_and_other_episodes_are_not_blamed() -> None:
    async def go() -> None:
        async with worker_pool(1, env_timeout=1) as executor:
            specs = [spec("hanging", fault="sleep"), *(spec(f"trail-{n}") for n in range(10))]
            hanging, *others = await play(executor, specs)
            assert type(hanging) is EnvError
            assert "its environment did not answer for" in str(hanging)
            assert "in episode hanging@" in str(hanging)
            assert solved(others) == [True] * 10
            # Only the culprit was played alone.
            assert executor.lost == 3

    asyncio.run(go())


def test_idle_worker_does_not_count_as_hanging() -> None:
    async def go() -> None:
        async with worker_pool(1, env_timeout=0.2) as executor:
            assert solved(await play(executor, [spec("trail-1")])) == [True]
            await asyncio.sleep(3)
            assert solved(await play(executor, [spec("trail-2")])) == [True]
            assert executor.lost == 0

    asyncio.run(go())


# Workers that cannot be started


def write_program(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("interpreter", "message"),
    [
        (
            lambda folder: write_program(folder / "python", "#!/bin/sh\necho I am not Python\nexit 3\n"),
            "no worker can be started: its process ended with exit code 3 and this output: …I am not Python",
        ),
        (
            lambda folder: str(folder / "nothing"),
            "no worker can be started: a worker process cannot be started: .*No such file",
        ),
    ],
)
def test_worker_that_cannot_start_is_an_error_with_its_last_output(
    interpreter: Callable[[Path], str], message: str, tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", interpreter(tmp_path))

    async def go() -> None:
        async with worker_pool() as executor:
            first, second = await play(executor, [spec("trail-1"), spec("trail-2")])
            assert type(first) is type(second) is WorkerError
            with pytest.raises(WorkerError, match=message):
                raise first

    asyncio.run(go())
    assert list(scratch.iterdir()) == []


def test_pool_closed_while_it_starts_leaves_no_process_and_no_file(scratch: Path) -> None:
    async def go() -> None:
        async with worker_pool() as executor:
            playing = asyncio.create_task(play(executor, [spec("trail-1")]))
            await until(lambda: worker_processes())
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)

    asyncio.run(go())
    assert list(scratch.iterdir()) == []


# Models


def react(spec: ModelSpec) -> PluginSpec:
    return PluginSpec(label=spec.name, name="react", model=spec)


def test_a_model_own_plugins_exists_once(tmp_path: Path) -> None:
    note = tmp_path / "note"
    echo = react(ModelSpec(provider="faulty_plugins:EchoModel", model="", options={"note": str(note)}))

    async def go() -> None:
        meter = UsageMeter()
        async with worker_pool(meter=meter) as executor:
            specs = [spec(f"trail-{n}", echo) for n in range(8)]
            assert solved(await play(executor, specs)) == [True] * 8
            assert meter.spent.calls == 8 * 3

    asyncio.run(go())
    assert note.read_text("utf-8") == f"{os.getpid()}\n"


def test_launched_model_server_is_launched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages, record = tmp_path / "packages", tmp_path / "record"
    for name in ("uvicorn", "fastapi", "sse_starlette", "starlette_context", "pydantic_settings", "llama_cpp"):
        (packages / name).mkdir(parents=True)
        (packages / name / "__init__.py").touch()
    (packages / "llama_cpp" / "server").mkdir()
    (packages / "llama_cpp" / "server" / "__init__.py").touch()
    (packages / "llama_cpp" / "server" / "__main__.py").write_text(
        f"import runpy, sys\nsys.argv += ['--record', {str(record)!r}]\n"
        f"runpy.run_path({str(STAND_IN_SERVER)!r}, None, '__main__')\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(packages)
    monkeypatch.setenv("PYTHONPATH", str(packages))
    weights = tmp_path / "tiny.gguf"
    weights.write_bytes(b"GGUF and weights")
    launched = ModelSpec(provider="llama-cpp", model=str(weights))

    async def go() -> None:
        models = ModelPool(UsageMeter())
        async with worker_pool(models=models) as executor:
            episodes = await play(executor, [spec(f"trail-{n}", react(launched)) for n in range(4)])
            # The stand-in server always answers `wait`.
            assert solved(episodes) == [False] * 4
            assert (models.open(launched).fingerprint or "").startswith("sha256:")

    asyncio.run(go())
    starts = [line for line in map(json.loads, record.read_text().splitlines()) if isinstance(line, list)]
    assert len(starts) == 1


def test_workers_call_a_remote_model_and_report_its_fingerprint() -> None:
    async def go() -> None:
        with ScriptedServer(["Thought: onwards.\nAction: go"], model="walker-2") as server:
            model = ModelSpec(provider="openai", model="walker", base_url=server.url)
            meter = UsageMeter()
            models = ModelPool(meter)
            async with worker_pool(models=models, meter=meter) as executor:
                specs = [spec(f"trail-{n}", react(model)) for n in range(8)]
                assert solved(await play(executor, specs)) == [True] * 8
                assert server.requests == meter.spent.calls == 8 * 3
                assert models.open(model).fingerprint == "walker-2@scripted"

    asyncio.run(go())


def test_urgent_requests_overtake_queued_ones_of_all_workers() -> None:
    async def go() -> list[int]:
        with ScriptedServer(["Action: go"], latency=Latency.constant(0.02), record=True) as server:
            model = react(ModelSpec(provider="openai", model="walker", base_url=server.url))
            meter = UsageMeter(Limits(max_connections=2))
            async with worker_pool(meter=meter) as executor:
                scoring = [spec(f"test-{n}", model) for n in range(30)]
                tests = asyncio.create_task(play(executor, scoring))
                await until(lambda: server.requests > 6)
                urgent = [spec.model_copy(update={"prompt": "Hurry."}) for spec in scoring[:2]]
                batch = [executor.play(spec, Priority.EXPERIENCE) for spec in urgent]
                assert solved(await asyncio.gather(*batch)) == [True, True]
                assert solved(await tests) == [True] * 30
            assert server.max_in_flight == 2
            log = server.requests_log
        return [number for number, body in enumerate(log) if "Hurry." in body["messages"][0]["content"]]

    urgent = asyncio.run(go())
    assert len(urgent) == 2 * 3
    # About 28 requests are queued at any time. In the order of arrival, three decisions would wait for three times as
    # many.
    assert urgent[-1] - urgent[0] < 28


def test_cancelled_episode_returns_its_connection() -> None:
    async def go() -> None:
        with ScriptedServer(["Action: go"], latency=Latency.constant(60)) as server:
            slow = react(ModelSpec(provider="openai", model="walker", base_url=server.url))
            meter = UsageMeter()
            async with worker_pool(1, meter=meter) as executor:
                cancelled = asyncio.create_task(executor.play(spec("trail-1", slow), Priority.TEST))
                await until(lambda: server.in_flight)
                await until(lambda: meter.in_flight == 1)
                cancelled.cancel()
                await until(lambda: not meter.in_flight)
                assert solved(await play(executor, [spec("trail-2")])) == [True]

    asyncio.run(go())


def test_worker_that_dies_during_requests_returns_its_connections(tmp_path: Path) -> None:
    async def go() -> None:
        with ScriptedServer(["Action: go"], latency=Latency.constant(0.3)) as server:
            slow = react(ModelSpec(provider="openai", model="walker", base_url=server.url))
            meter = UsageMeter()
            async with worker_pool(1, meter=meter) as executor:
                playing = asyncio.create_task(play(executor, [spec(f"trail-{n}", slow) for n in range(3)]))
                await until(lambda: server.in_flight == 3)
                (process,) = worker_processes()
                os.kill(process, signal.SIGKILL)
                assert solved(await playing) == [True] * 3
                assert (executor.lost, meter.in_flight) == (1, 0)

    asyncio.run(go())
