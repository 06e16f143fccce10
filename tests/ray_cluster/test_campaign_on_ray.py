"""Campaigns whose cells share the workers of a real Ray cluster."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

import ray
from apart import command, comparable

import ictbench
from ictbench.campaigns import campaign

if TYPE_CHECKING:
    from pathlib import Path

    from ray.cluster_utils import Cluster

    from ictbench.campaigns.run_campaign import CampaignProgress

API: Any = ray
SIZES: dict[str, Any] = {
    "suite": "minihack-v1",
    "actor": "rules",
    "turns": 2,
    "batch_size": 2,
    "loops": 3,
    "selection_size": 4,
    "test_size": 6,
}


def test_campaign_on_a_cluster_has_the_results_of_one_in_processes(cluster: Cluster, tmp_path: Path) -> None:
    matrix = {"reflector": ["none", "rules", "blind:rules"], "families": ["read", "zap"]}
    file = {"name": "small", "options": SIZES, "matrix": matrix}
    on_ray: dict[str, Any] = {"executor": "ray", "ray_address": cluster.address}
    first = campaign(file, out=tmp_path / "ray", cells=["none--read", "rules--read"], **on_ray)
    on_cluster = campaign(file, out=tmp_path / "ray", **on_ray)
    assert not API.is_initialized()
    in_processes = campaign(file, out=tmp_path / "process", executor="process")
    assert {state.status for state in on_cluster.states} == {"complete"}
    assert len(on_cluster.cells) == 6
    for name in on_cluster.cells:
        assert comparable(on_cluster.cells[name].folder) == comparable(in_processes.cells[name].folder)
    # Cells share what they have in common, also with those of an earlier session.
    assert first.played + on_cluster.played == in_processes.played
    assert on_cluster.found > 0
    assert " is lost" not in (on_cluster.folder / "campaign.log").read_text("utf-8")


def test_campaign_goes_on_after_the_loss_of_a_node(cluster: Cluster, tmp_path: Path) -> None:
    doomed = cluster.add_node(num_cpus=1)
    file = {
        "name": "small",
        "options": {**SIZES, "families": "read", "executor": "ray", "ray_address": cluster.address},
        "matrix": {"reflector": ["rules", "blind:rules"]},
    }
    killers: list[threading.Thread] = []

    def start(progress: CampaignProgress) -> None:
        def kill() -> None:
            while progress.engine.episodes.played < 15:
                time.sleep(0.01)
            cluster.remove_node(doomed, allow_graceful=False)

        killers.append(threading.Thread(target=kill, daemon=True))
        killers[0].start()

    finished = campaign(file, out=tmp_path / "ray", on_start=start)
    killers[0].join(60)
    assert {state.status for state in finished.states} == {"complete"}
    assert (finished.folder / "campaign.log").read_text("utf-8").count(" is lost and will be replaced") == 1
    for name, reflector in (("rules", "rules"), ("blind-rules", "blind:rules")):
        out = tmp_path / name
        ictbench.run(**SIZES, families="read", reflector=reflector, executor="process", out=out)
        assert comparable(finished.cells[name].folder) == comparable(out)


def test_campaign_without_its_cluster_plays_nothing(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    file = tmp_path / "small.yaml"
    file.write_text(
        "options: {actor: rules, families: read, loops: 1}\nmatrix: {reflector: [none, rules]}\n", encoding="utf-8"
    )
    options = ["campaign", str(file), "--executor", "ray", "--ray-address", address, "--out", str(tmp_path / "out")]
    done = subprocess.run(command(*options), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"ictbench: no Ray cluster at {address}: ")
    assert not (tmp_path / "out").exists()
