"""A world on an OpenEnv server of the `openenv-core` package, played and verified as `openenv:URL`."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from external_suites import external_suite
from openenv_stand_in import INTERFACE

import ictbench
from ictbench.envs import env_class
from ictbench.testing import check_env

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 120.0
"""Time for what takes seconds on an idle machine."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, str(Path(__file__).with_name("hall_server.py")), str(port)])
    try:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(SECONDS)


def test_the_contract_is_kept(url: str) -> None:
    suite = external_suite(f"openenv:{url}", interface=INTERFACE)
    check_env(env_class(suite.env), suite.scoring_tasks("test", "one", 0, 3), max_steps=6)


def test_a_run_on_a_server_is_verified(url: str, tmp_path: Path) -> None:
    file = tmp_path / "external-v1.yaml"
    file.write_text(external_suite(f"openenv:{url}", interface=INTERFACE).model_dump_json(by_alias=True), "utf-8")
    run = ictbench.run(suite=str(file), reflector="rules", workers=1, out=tmp_path / "run")
    assert run.result.complete
    assert run.result.versions == {"hall": "1.2"}
    assert ictbench.verify(run, suite=file, workers=1).passed
