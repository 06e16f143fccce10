"""Workers on a real Ray cluster of several nodes on this machine."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import subprocess
import threading
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import ray
from apart import command, comparable, played
from faulty_plugins import spec
from small_run import evidence_of, small_run

import ictbench
from ictbench.audit.replay import replay
from ictbench.errors import EnvError, PluginError, WorkerError
from ictbench.models import ModelPool, UsageMeter
from ictbench.records import Episode
from ictbench.rollout import EpisodeWorker, Priority, RayStarter, WorkerPool
from ictbench.rollout.remote.framing import LENGTHS
from ictbench.runs.options import Options
from ictbench.submissions.episode_records import EpisodeRecord, evidence_of_run
from ictbench.submissions.shown_episodes import NOT_RECORDED
from ictbench.testing import ScriptedServer, react_policy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from ray.cluster_utils import Cluster

NODES = 2
"""Nodes of the cluster with room for one worker each."""
SIZES: dict[str, Any] = {
    "suite": "minihack-v1",
    "families": "read",
    "turns": 3,
    "batch_size": 2,
    "loops": 3,
    "selection_size": 4,
    "test_size": 6,
}
API: Any = ray


def run(cluster: Cluster, out: Path, **options: Any) -> ictbench.Run:
    return ictbench.run(**{**SIZES, **options}, executor="ray", ray_address=cluster.address, out=out)


def log(folder: Path) -> str:
    return (folder / "run.log").read_text("utf-8")


@asynccontextmanager
async def worker_pool(cluster: Cluster) -> AsyncIterator[tuple[WorkerPool, RayStarter]]:
    meter = UsageMeter()
    models = ModelPool(meter)
    starter = RayStarter(models, meter, cluster.address)
    executor = WorkerPool(starter, await starter.workers(), env_timeout=60)
    try:
        async with asyncio.timeout(120):
            yield executor, starter
    finally:
        async with asyncio.timeout(60):
            await executor.aclose()
        await models.aclose()


# Equal results


def test_run_on_a_cluster_has_the_same_result_as_one_in_processes(cluster: Cluster, tmp_path: Path) -> None:
    run(cluster, tmp_path / "ray")
    assert not API.is_initialized()
    ictbench.run(**SIZES, executor="process", out=tmp_path / "process")
    assert comparable(tmp_path / "ray") == comparable(tmp_path / "process")
    assert " is lost" not in log(tmp_path / "ray")


def test_all_nodes_share_the_connection_limit_of_a_model(cluster: Cluster, tmp_path: Path) -> None:
    act = react_policy(lambda prompt, observation, actions: random.Random(observation).choice(actions))
    options = {"turns": 1, "loops": 2, "max_steps": 5, "reflector": "none", "actor": "openai/m", "max_connections": 3}
    most = {}
    for executor in ("ray", "process"):
        with ScriptedServer(act, model="m") as server:
            out = tmp_path / executor
            with_server: dict[str, Any] = {**options, "actor_base_url": server.url}
            if executor == "ray":
                finished = run(cluster, out, **with_server)
            else:
                finished = ictbench.run(**SIZES | with_server, out=out)
            assert finished.result.host.spent.calls == server.requests
            most[executor] = server.max_in_flight
    assert comparable(tmp_path / "ray") == comparable(tmp_path / "process")
    assert 2 <= most["ray"] <= 3


def test_cluster_that_this_process_already_uses_stays_connected(cluster: Cluster, tmp_path: Path) -> None:
    API.init(address=cluster.address, log_to_driver=False)
    try:
        ictbench.run(**SIZES | {"loops": 1}, executor="ray", out=tmp_path / "run")
        assert API.is_initialized()
        # Its resources become free again after a moment.
        while API.available_resources().get("CPU") != NODES:
            time.sleep(0.05)
    finally:
        API.shutdown()


def test_errors_and_crashes_of_plug_ins_mean_the_same_as_in_processes(cluster: Cluster) -> None:
    async def go() -> None:
        async with worker_pool(cluster) as (executor, _):
            specs = [spec("deadly", fault="exit"), spec("bear", fault="EnvError"), spec("lost", "BuggyWalker")]
            specs += [spec(f"trail-{n}") for n in range(8)]
            plays = (executor.play(one, Priority.TEST) for one in specs)
            deadly, bear, lost, *others = await asyncio.gather(*plays, return_exceptions=True)
            assert all(isinstance(episode, Episode) and episode.trajectory.solved for episode in others)
            assert type(deadly) is type(bear) is EnvError
            assert "it was played 3 times, and each time its worker died" in str(deadly)
            assert isinstance(lost, PluginError)
            assert str(lost).startswith("actor BuggyWalker, decision 1 of task lost: KeyError: 'the map' (")

    asyncio.run(go())


# Verification


def test_verification_on_a_cluster_has_the_checks_of_one_in_processes(cluster: Cluster, tmp_path: Path) -> None:
    ictbench.run(**SIZES | {"loops": 1}, executor="process", out=tmp_path / "run")
    in_processes = ictbench.verify(tmp_path / "run")
    on_cluster = ictbench.verify(tmp_path / "run", executor="ray", ray_address=cluster.address)
    assert not API.is_initialized()
    assert on_cluster.passed
    assert on_cluster.checks == in_processes.checks
    assert on_cluster.replayed == in_processes.replayed


def test_command_verifies_on_a_cluster(cluster: Cluster, tmp_path: Path) -> None:
    ictbench.run(**SIZES | {"loops": 1}, executor="process", out=tmp_path / "run")
    options = ["--executor", "ray", "--ray-address", cluster.address, "--sample", "5", "--json"]
    done = subprocess.run(
        command("verify", str(tmp_path / "run"), *options), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["replayed"]["episodes"] == 5


def test_command_runs_a_result_again_on_a_cluster_with_the_outcomes_of_one_in_processes(
    cluster: Cluster, tmp_path: Path
) -> None:
    ictbench.run(**SIZES, actor="rules", executor="process", out=tmp_path / "run")
    options = ["--salt", "s", "--margin", "0.5", "--json"]
    on_cluster = ["--executor", "ray", "--ray-address", cluster.address]
    reran = {}
    for name, executor in (("ray", on_cluster), ("process", ["--executor", "process"])):
        out = ["--out", str(tmp_path / name), "--record", str(tmp_path / f"{name}.json")]
        done = subprocess.run(
            command("rerun", str(tmp_path / "run"), *options, *executor, *out),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout, done.stderr
        reran[name] = json.loads(done.stdout)["reran"]
    assert reran["ray"] == reran["process"]
    assert comparable(tmp_path / "ray") == comparable(tmp_path / "process")


def test_environment_that_crashes_on_a_cluster_fails_the_verification(cluster: Cluster) -> None:
    episode = asyncio.run(EpisodeWorker().play(spec("deadly", "ComputedWalker")))
    record = EpisodeRecord.model_validate(episode.model_dump(exclude=NOT_RECORDED))
    evidence = evidence_of(evidence_of_run(small_run()).result, [record])
    tasks = {"deadly": spec("deadly", fault="exit").task}
    outcome = replay(evidence, tasks, Options(executor="ray", ray_address=cluster.address, env_timeout=5.0))
    assert outcome.checks[0].detail == f"{record.key}: the environment crashed, or took longer than 5 s"


# Clusters that cannot be used


@pytest.mark.parametrize(
    ("resources", "needed"),
    [
        # The cluster has as much, but no single node has.
        ({"CPU": 2}, "CPU 2"),
        ({"unobtainium": 1}, "CPU 1, unobtainium 1"),
    ],
)
def test_worker_that_fits_on_no_node_is_an_error(
    cluster: Cluster, resources: dict[str, float], needed: str, tmp_path: Path
) -> None:
    message = f"no Ray node has room for a worker, which needs {needed}: there are nodes with CPU 1; nothing$"
    with pytest.raises(WorkerError, match=message):
        run(cluster, tmp_path / "run", worker_resources=resources, workers=1)
    assert not API.is_initialized()


def test_missing_cluster_is_an_error_of_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    options = ["run", "--families", "read", "--loops", "1", "--executor", "ray", "--ray-address", address]
    done = subprocess.run(
        command(*options, "--quiet", "--out", str(tmp_path / "run")), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"ictbench: no Ray cluster at {address}: ")


# Connections of strangers


def test_connections_without_a_token_are_closed_and_do_no_harm(cluster: Cluster) -> None:
    async def go() -> None:
        async with worker_pool(cluster) as (executor, starter):
            assert (await executor.play(spec("trail-1"), Priority.TEST)).trajectory.solved
            assert starter._server is not None
            host, port = starter._server.sockets[0].getsockname()
            hello = b'{"kind":"hello","token":"' + b"0" * 64 + b'"}'
            for data in (
                LENGTHS.pack(len(hello), 0) + hello,
                LENGTHS.pack(2**31, 2**31),
                b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
                LENGTHS.pack(4, 0) + b"null",
                LENGTHS.pack(15, 0) + b'{"kind":"play"}',
            ):
                reader, writer = await asyncio.open_connection(host, port)
                writer.write(data)
                async with asyncio.timeout(10):
                    assert await reader.read() == b""
                writer.close()
            silent, silent_writer = await asyncio.open_connection(host, port)
            episodes = [executor.play(spec(f"trail-{n}"), Priority.TEST) for n in range(8)]
            assert all(episode.trajectory.solved for episode in await asyncio.gather(*episodes))
            assert (executor.ready, executor.lost) == (NODES, 0)
        # Closing the pool also closes connections that never sent a token.
        assert await silent.read() == b""
        silent_writer.close()

    asyncio.run(go())


# Loss of nodes


def test_killed_node_loses_no_episode(cluster: Cluster, tmp_path: Path) -> None:
    doomed = cluster.add_node(num_cpus=1)
    folder = tmp_path / "ray"
    killed: list[int] = []

    def kill() -> None:
        while (count := len(played(folder))) < 15:
            time.sleep(0.01)
        killed.append(count)
        cluster.remove_node(doomed, allow_graceful=False)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    run(cluster, folder)
    killer.join(60)
    ictbench.run(**SIZES, executor="process", out=tmp_path / "process")
    assert 15 <= killed[0] < len(played(folder))
    assert log(folder).count(" is lost and will be replaced") == 1
    assert comparable(folder) == comparable(tmp_path / "process")
