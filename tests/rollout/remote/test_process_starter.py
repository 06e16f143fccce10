"""Workers in processes of their own, real ones, and what becomes of episodes when they die."""

from __future__ import annotations

import asyncio
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
from unruly import spec
from watching import until, workers_of

from ictbench import load_suite
from ictbench.errors import EnvError, IctbenchError, WorkerError
from ictbench.models import Limits, ModelPool, UsageMeter
from ictbench.records import Episode, EpisodeSpec, ModelSpec, PluginSpec
from ictbench.rollout import Executor, InlineExecutor, Priority, ProcessStarter, WorkerPool
from ictbench.testing import Latency, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

STAND_IN = Path(__file__).parents[2] / "helpers" / "stand_in_server.py"


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where workers' temporary folders lie; nothing remains of them, nor of their processes."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)
    return folder


def worker_processes() -> list[int]:
    """Ids of this process's workers."""
    return workers_of(os.getpid())


@asynccontextmanager
async def fleet(
    workers: int = 2, patience: float = 60.0, models: ModelPool | None = None, meter: UsageMeter | None = None
) -> AsyncIterator[WorkerPool]:
    """So many worker processes; none is left at the end."""
    meter = meter or UsageMeter()
    models = models or ModelPool(meter)
    executor = WorkerPool(ProcessStarter(models, meter), workers, patience)
    try:
        async with asyncio.timeout(120):
            yield executor
    finally:
        await executor.aclose()
        await models.aclose()
    assert worker_processes() == []


async def play(executor: Executor, specs: Sequence[EpisodeSpec]) -> list[Episode | BaseException]:
    played = (executor.play(one, Priority.TEST) for one in specs)
    return await asyncio.gather(*played, return_exceptions=True)


async def played_inline(specs: Sequence[EpisodeSpec]) -> list[Episode | BaseException]:
    executor = InlineExecutor()
    episodes = await play(executor, specs)
    await executor.aclose()
    return episodes


def solved(episodes: Sequence[Episode | BaseException]) -> list[bool]:
    for episode in episodes:
        if isinstance(episode, BaseException):
            raise episode
    return [isinstance(episode, Episode) and episode.trajectory.solved for episode in episodes]


# The same as here


def test_worker_processes_play_the_very_episodes_that_one_plays_inline(scratch: Path) -> None:
    suite = load_suite("minihack-v1")
    actor = PluginSpec(label="rules", name="rules")
    specs = [
        EpisodeSpec(task=task, prompt=suite.prompt, actor=actor, max_steps=25, seed=7)
        for family in ("eat", "room-random", "zap")
        for task in suite.experience_order(family, 0, 6)
    ]
    specs += [spec("trail-1"), spec("trail-2", "Clockwork")]

    async def go() -> None:
        async with fleet() as executor:
            assert await play(executor, specs) == await played_inline(specs)
            assert (executor.workers, executor.ready, executor.lost) == (2, 2, 0)
            assert len(worker_processes()) == 2

    asyncio.run(go())
    assert list(scratch.iterdir()) == []


def test_an_error_means_the_same_and_the_worker_lives_on() -> None:
    specs = [spec("bear", happens="EnvError"), spec("bug", happens="bug"), spec("lost", "Lost"), spec("trail-1")]

    async def go() -> None:
        async with fleet(1) as executor:
            bear, bug, lost, fine = await play(executor, specs)
            assert (type(bear), str(bear)) == (EnvError, "a bear")
            # What an environment raises is its own fault, what an actor raises a bug to be looked at.
            assert (type(bug), str(bug)) == (EnvError, "the environment broke: ZeroDivisionError: a bug")
            assert (type(lost), str(lost)) == (WorkerError, "KeyError: 'the map'")
            assert isinstance(lost, WorkerError)
            assert "unruly.py" in lost.__notes__[0]
            assert solved([fine]) == [True]
            assert executor.lost == 0

    asyncio.run(go())


def test_an_unknown_plug_in_is_told_as_it_is_here() -> None:
    unknown = [spec("trail-1", PluginSpec(label="x", name="unruly:Nobody"))]

    async def go() -> None:
        async with fleet(1) as executor:
            (there,), (here,) = await play(executor, unknown), await played_inline(unknown)
            assert (type(there), str(there)) == (type(here), str(here))
            assert isinstance(there, IctbenchError)

    asyncio.run(go())


def test_a_plug_in_is_found_wherever_this_process_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "of_ones_own.py").write_text("from unruly import *", encoding="utf-8")
    # As a relative path, and as the folder that one is in.
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("mine")

    async def go() -> None:
        async with fleet(1) as executor:
            one = spec("trail-1", PluginSpec(label="x", name="of_ones_own:Walker"))
            assert solved(await play(executor, [one])) == [True]

    asyncio.run(go())


# Workers that die


def test_a_worker_that_is_killed_loses_nothing(tmp_path: Path, scratch: Path) -> None:
    specs = [spec(f"trail-{n}", happens="sleep", seconds=0.02) for n in range(30)]

    async def go() -> None:
        async with fleet() as executor:
            playing = asyncio.create_task(play(executor, specs))
            await until(lambda: executor.ready == 2)
            await asyncio.sleep(0.1)
            first, _ = worker_processes()
            os.kill(first, signal.SIGKILL)
            assert await playing == await played_inline(specs)
            await until(lambda: executor.lost == 1)
            # Another one takes its place.
            await until(lambda: executor.ready == 2)
            assert first not in worker_processes()

    asyncio.run(go())
    assert list(scratch.iterdir()) == []


def clean(folder: Path) -> None:
    for inside in list(folder.iterdir()):
        shutil.rmtree(inside)


def test_a_worker_whose_scratch_folder_somebody_cleaned_away_is_replaced_all_the_same(scratch: Path) -> None:
    async def go() -> None:
        async with fleet() as executor:
            playing = asyncio.create_task(play(executor, [spec("trail", happens="sleep", seconds=1)]))
            await until(lambda: executor.ready)
            clean(scratch)
            for worker in worker_processes():
                os.kill(worker, signal.SIGKILL)
            (episode,) = await playing
            assert isinstance(episode, Episode)

    asyncio.run(go())


@pytest.mark.parametrize("happens", ["exit", "segfault", "sys.exit"])
def test_an_episode_that_kills_every_worker_is_owed_and_costs_no_other(happens: str) -> None:
    async def go() -> None:
        async with fleet() as executor:
            innocents = [spec(f"trail-{n}", happens="sleep", seconds=0.01) for n in range(20)]
            deadly, *others = await play(executor, [spec("deadly", happens=happens), *innocents])
            assert type(deadly) is EnvError
            assert "it was played 3 times, and each time its worker died: worker " in str(deadly)
            if happens == "exit":
                assert "exit code 7 and said: …the trail is washed away" in str(deadly)
            assert solved(others) == [True] * 20
            assert executor.lost == 3

    asyncio.run(go())


def test_an_episode_that_kills_its_worker_once_is_played_again(tmp_path: Path) -> None:
    async def go() -> None:
        async with fleet(1) as executor:
            specs = [spec("trail-1", happens="exit", once=str(tmp_path / "once")), spec("trail-2")]
            assert solved(await play(executor, specs)) == [True, True]
            assert executor.lost == 1

    asyncio.run(go())


# Environments that hang


HANGS = ["sleep", "sleep, and no other thread runs"]


@pytest.mark.parametrize("happens", HANGS)
def test_an_environment_that_hangs_once_costs_its_worker_and_nothing_else(happens: str, tmp_path: Path) -> None:
    async def go() -> None:
        async with fleet(patience=2) as executor:
            hanging = spec("hanging", happens=happens, once=str(tmp_path / "once"))
            specs = [hanging, *(spec(f"trail-{n}", happens="sleep", seconds=0.01) for n in range(10))]
            assert solved(await play(executor, specs)) == [True] * 11
            assert executor.lost == 1

    asyncio.run(go())


def test_an_environment_that_hangs_every_time_is_told_and_those_beside_it_are_not_blamed() -> None:
    async def go() -> None:
        async with fleet(1, patience=1) as executor:
            specs = [spec("hanging", happens="sleep"), *(spec(f"trail-{n}") for n in range(10))]
            hanging, *others = await play(executor, specs)
            assert type(hanging) is EnvError
            assert "its environment did not answer for" in str(hanging)
            assert "in episode hanging@" in str(hanging)
            assert solved(others) == [True] * 10
            # They were played together all the while: nobody but the culprit was played alone.
            assert executor.lost == 3

    asyncio.run(go())


def test_a_worker_with_nothing_to_do_is_not_taken_for_one_that_hangs() -> None:
    async def go() -> None:
        async with fleet(1, patience=0.2) as executor:
            assert solved(await play(executor, [spec("trail-1")])) == [True]
            await asyncio.sleep(3)
            assert solved(await play(executor, [spec("trail-2")])) == [True]
            assert executor.lost == 0

    asyncio.run(go())


# Workers that cannot be started


def program(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("interpreter", "said"),
    [
        (
            lambda folder: program(folder / "python", "#!/bin/sh\necho I am no Python\nexit 3\n"),
            "no worker can be started: its process ended with exit code 3 and said: …I am no Python",
        ),
        (
            lambda folder: str(folder / "nothing"),
            "no worker can be started: a worker process cannot be started: .*No such file",
        ),
    ],
)
def test_a_worker_that_cannot_start_is_told_with_its_last_words(
    interpreter: Callable[[Path], str], said: str, tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", interpreter(tmp_path))

    async def go() -> None:
        async with fleet() as executor:
            one, other = await play(executor, [spec("trail-1"), spec("trail-2")])
            assert type(one) is type(other) is WorkerError
            with pytest.raises(WorkerError, match=said):
                raise one

    asyncio.run(go())
    assert list(scratch.iterdir()) == []


def test_a_fleet_that_is_closed_while_it_starts_leaves_nothing(scratch: Path) -> None:
    async def go() -> None:
        async with fleet() as executor:
            playing = asyncio.create_task(play(executor, [spec("trail-1")]))
            await until(lambda: worker_processes())
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)

    asyncio.run(go())
    assert list(scratch.iterdir()) == []


# Models


def react(spec: ModelSpec) -> PluginSpec:
    return PluginSpec(label=spec.name, name="react", model=spec)


def test_a_model_of_ones_own_exists_once(tmp_path: Path) -> None:
    note = tmp_path / "note"
    echo = react(ModelSpec(provider="unruly:Echo", model="", options={"note": str(note)}))

    async def go() -> None:
        meter = UsageMeter()
        async with fleet(meter=meter) as executor:
            specs = [spec(f"trail-{n}", echo) for n in range(8)]
            assert solved(await play(executor, specs)) == [True] * 8
            assert meter.spent.calls == 8 * 3

    asyncio.run(go())
    assert note.read_text("utf-8") == f"{os.getpid()}\n"


def test_a_launched_model_is_launched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages, record = tmp_path / "packages", tmp_path / "record"
    for name in ("uvicorn", "fastapi", "sse_starlette", "starlette_context", "pydantic_settings", "llama_cpp"):
        (packages / name).mkdir(parents=True)
        (packages / name / "__init__.py").touch()
    (packages / "llama_cpp" / "server").mkdir()
    (packages / "llama_cpp" / "server" / "__init__.py").touch()
    (packages / "llama_cpp" / "server" / "__main__.py").write_text(
        f"import runpy, sys\nsys.argv += ['--record', {str(record)!r}]\n"
        f"runpy.run_path({str(STAND_IN)!r}, None, '__main__')\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(packages)
    monkeypatch.setenv("PYTHONPATH", str(packages))
    weights = tmp_path / "tiny.gguf"
    weights.write_bytes(b"GGUF and weights")
    launched = ModelSpec(provider="llama-cpp", model=str(weights))

    async def go() -> None:
        models = ModelPool(UsageMeter())
        async with fleet(models=models) as executor:
            episodes = await play(executor, [spec(f"trail-{n}", react(launched)) for n in range(4)])
            # The stand-in only ever waits.
            assert solved(episodes) == [False] * 4
            assert (models.open(launched).fingerprint or "").startswith("sha256:")

    asyncio.run(go())
    starts = [line for line in map(json.loads, record.read_text().splitlines()) if isinstance(line, list)]
    assert len(starts) == 1


def test_a_model_at_an_address_is_asked_by_the_workers_and_known_here() -> None:
    async def go() -> None:
        with ScriptedServer(["Thought: onwards.\nAction: go"], model="walker-2") as server:
            model = ModelSpec(provider="openai", model="walker", base_url=server.url)
            meter = UsageMeter()
            models = ModelPool(meter)
            async with fleet(models=models, meter=meter) as executor:
                specs = [spec(f"trail-{n}", react(model)) for n in range(8)]
                assert solved(await play(executor, specs)) == [True] * 8
                assert server.requests == meter.spent.calls == 8 * 3
                assert models.open(model).fingerprint == "walker-2@scripted"

    asyncio.run(go())


def test_what_is_urgent_overtakes_what_queues_whichever_worker_has_it() -> None:
    async def go() -> list[int]:
        with ScriptedServer(["Action: go"], latency=Latency.constant(0.02), record=True) as server:
            model = react(ModelSpec(provider="openai", model="walker", base_url=server.url))
            meter = UsageMeter(Limits(max_connections=2))
            async with fleet(meter=meter) as executor:
                scoring = [spec(f"test-{n}", model) for n in range(30)]
                tests = asyncio.create_task(play(executor, scoring))
                await until(lambda: server.requests > 6)
                urgent = [one.model_copy(update={"prompt": "Hurry."}) for one in scoring[:2]]
                batch = [executor.play(one, Priority.EXPERIENCE) for one in urgent]
                assert solved(await asyncio.gather(*batch)) == [True, True]
                assert solved(await tests) == [True] * 30
            assert server.max_in_flight == 2
            asked = server.requests_log
        return [number for number, body in enumerate(asked) if "Hurry." in body["messages"][0]["content"]]

    hurried = asyncio.run(go())
    assert len(hurried) == 2 * 3
    # Some 28 requests queue all the while; in their order, three decisions would take three times as many.
    assert hurried[-1] - hurried[0] < 28


def test_an_episode_that_is_given_up_gives_its_connection_back() -> None:
    async def go() -> None:
        with ScriptedServer(["Action: go"], latency=Latency.constant(60)) as server:
            slow = react(ModelSpec(provider="openai", model="walker", base_url=server.url))
            meter = UsageMeter()
            async with fleet(1, meter=meter) as executor:
                given_up = asyncio.create_task(executor.play(spec("trail-1", slow), Priority.TEST))
                await until(lambda: server.in_flight)
                assert meter.in_flight == 1
                given_up.cancel()
                await until(lambda: not meter.in_flight)
                assert solved(await play(executor, [spec("trail-2")])) == [True]

    asyncio.run(go())


def test_a_worker_that_dies_in_a_request_gives_its_connections_back(tmp_path: Path) -> None:
    async def go() -> None:
        with ScriptedServer(["Action: go"], latency=Latency.constant(0.3)) as server:
            slow = react(ModelSpec(provider="openai", model="walker", base_url=server.url))
            meter = UsageMeter()
            async with fleet(1, meter=meter) as executor:
                playing = asyncio.create_task(play(executor, [spec(f"trail-{n}", slow) for n in range(3)]))
                await until(lambda: server.in_flight == 3)
                (process,) = worker_processes()
                os.kill(process, signal.SIGKILL)
                assert solved(await playing) == [True] * 3
                assert (executor.lost, meter.in_flight) == (1, 0)

    asyncio.run(go())
