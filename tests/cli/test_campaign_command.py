"""`ictbench campaign`, and `ictbench check` over a campaign."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest
import yaml
from small_campaign import small_campaign, small_matrix

from ictbench.campaigns import load_campaign

if TYPE_CHECKING:
    from command_line import CommandLine, Completed

MODELS = Path(__file__).parents[2] / "examples/campaigns/models.yaml"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(small_matrix(), sort_keys=False), encoding="utf-8")
    return path


def run(call: CommandLine, *arguments: object) -> Completed:
    return call(*map(str, arguments))


def test_the_dry_run_prints_every_cell_and_plays_nothing(call: CommandLine, file: Path, tmp_path: Path) -> None:
    done = run(call, "campaign", file, "--dry-run", "--out", tmp_path / "out")
    assert done.code == 0
    for name in small_campaign().cells:
        assert name in done.out
    assert not (tmp_path / "out").exists()
    planned = json.loads(run(call, "campaign", file, "--dry-run", "--json", "--out", tmp_path / "out").out)
    assert [cell["shared"] for cell in planned["cells"]] == [0, 0, 27, 27, 27, 27]


def test_the_dry_run_prints_dollars_of_models_with_a_price(call: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-used-by-a-dry-run")
    code, out, err = run(call, "campaign", MODELS, "--dry-run")
    assert (code, err) == (0, "")
    rows = [line for line in out.splitlines() if line.startswith(("openai-", "all "))]
    assert len(rows) == 7
    for line in rows:
        assert re.search(r" \d+M to [\d,]+M +\$[\d.]+ to \$[\d.]+ +\d+ \w+ to \d+ \w+", line), line


def test_an_interrupt_prints_how_to_continue(
    call: CommandLine, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ictbench.campaigns.campaign_api.run_blocking", interrupt)
    done = run(call, "campaign", file, "--out", tmp_path / "a b")
    assert done.code == 130
    command = shlex.join(["ictbench", "campaign", str(file), "--out", str(tmp_path / "a b")])
    assert done.err.endswith(f"is recorded in {tmp_path / 'a b'}. Continue with: {command}\n")


def test_a_file_with_mistakes_has_exit_code_2_and_one_line(call: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(yaml.safe_dump(small_matrix(matrix={"reflector": ["rulez"], "batch": [1]})), encoding="utf-8")
    done = run(call, "campaign", path, "--out", tmp_path / "out")
    assert done.code == 2
    assert "'rules'" in done.err
    assert "'batch_size'" in done.err
    assert done.err.count("\n") == 1


def test_a_missing_file_comes_with_the_likely_one(call: CommandLine, file: Path) -> None:
    code, _, err = call("campaign", str(file.with_name(f"{file.stem}s.yaml")))
    assert (code, err.count("\n")) == (2, 1)
    assert f"did you mean {file}?" in err


def test_the_dry_run_needs_the_package_of_the_executor(
    call: CommandLine, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    for command in (("campaign", file), ("run", "--env", "minihack")):
        done = run(call, *command, "--dry-run", "--executor", "ray")
        assert done.code == 2
        assert "--executor ray needs a package that is not installed" in done.err
        assert "pip install 'ictbench[ray]'" in done.err


def test_the_dry_run_warns_where_nothing_can_be_significant(call: CommandLine, file: Path) -> None:
    done = run(call, "campaign", file, "--dry-run")
    assert "No comparison of this campaign can be significant" in " ".join(done.out.split())


def test_a_flag_precedes_the_file(call: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", ModuleType("ray"))
    path = tmp_path / "small.yaml"
    options = {"suite": "minihack-v1", "actor": "rules", "executor": "ray", "workers": 3}
    path.write_text(yaml.safe_dump(small_matrix(options=options, matrix={"families": ["read"]})), encoding="utf-8")
    done = run(call, "campaign", path, "--dry-run", "--executor", "process", "--ray-address", "auto")
    assert done.code == 2
    assert "--ray-address" in done.err
    assert run(call, "campaign", path, "--dry-run", "--ray-address", "auto").code == 0


def test_a_cell_that_fails_gives_exit_code_1_and_is_named(call: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    matrix = {"reflector": ["none", "small_campaign:Broken"], "families": ["read"]}
    path.write_text(yaml.safe_dump(small_matrix(matrix=matrix)), encoding="utf-8")
    done = run(call, "campaign", path, "--out", tmp_path / "out")
    assert done.code == 1
    last = done.err.splitlines()[-1]
    assert "1 of 2 cells are complete; small_campaign-Broken is not" in last
    assert "ZeroDivisionError" in last
    assert "Continue with: " in last
    summary = json.loads(run(call, "campaign", path, "--out", tmp_path / "out", "--json", "--quiet").out)
    assert {name: cell["status"] for name, cell in summary["cells"].items()} == {
        "none": "complete",
        "small_campaign-Broken": "failed",
    }


def test_a_killed_campaign_goes_on_and_ends_in_the_same_results(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "ictbench", "campaign", str(file), "--out", str(out), "--side-by-side", "2"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=tmp_path)
    deadline = time.monotonic() + 120
    while recorded(out) < 20 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = recorded(out)
    assert before >= 20
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env={**os.environ}, check=False)
    assert done.returncode == 0, done.stderr
    killed, whole = load_campaign(out), small_campaign()
    assert {name: result.families for name, result in killed.results().items()} == {
        name: result.families for name, result in whole.results().items()
    }
    for name, cell in killed.cells.items():
        assert cell.result.episodes_sha256 == whole.cells[name].result.episodes_sha256
    assert killed.table().equals(whole.table())


def recorded(out: Path) -> int:
    """Return the number of episodes in all journals."""
    count = 0
    for path in out.glob("cells/*/journal.sqlite"):
        with suppress(sqlite3.Error), closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as journal:
            count += journal.execute("SELECT count(*) FROM episodes").fetchone()[0]
    return count


def test_a_campaign_is_checked_against_a_committed_baseline(call: CommandLine, tmp_path: Path) -> None:
    folder = small_campaign().folder
    passed = run(call, "check", folder, "--against", folder / "results.json")
    assert passed.code == 0
    assert all(name in passed.out for name in small_campaign().cells)

    baseline: dict[str, Any] = json.loads((folder / "results.json").read_text())
    now = {**baseline, "cells": {name: cell for name, cell in baseline["cells"].items() if name != "rules--zap"}}
    (tmp_path / "now.json").write_text(json.dumps(now))
    failed = run(
        call,
        "check",
        tmp_path / "now.json",
        "--against",
        folder / "results.json",
        "--junit",
        tmp_path / "check.xml",
        "--github",
    )
    assert failed.code == 1
    assert "cell rules--zap of the baseline is not complete" in failed.out
    assert "::error title=rules--zap::" in failed.out
    suites = ElementTree.parse(tmp_path / "check.xml").getroot()
    assert sum(int(suite.get("failures", 0)) for suite in suites) == 1
    assert len(suites) == 6


def test_a_campaign_is_not_checked_against_a_run(call: CommandLine) -> None:
    folder = small_campaign().folder
    done = run(call, "check", folder, "--against", folder / "cells" / "none--read" / "result.json")
    assert done.code == 2
    assert "result.json" in done.err
