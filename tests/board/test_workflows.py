"""The example workflows of a board: valid commands, minimal permissions, correct results."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer.main
import yaml
from honest import SLUG, SUITE

from ictbench.cli.app import app

if TYPE_CHECKING:
    from ictbench.submissions.layout import SubmissionFolder

EXAMPLES = Path(__file__).parents[2] / "examples"


def workflow(name: str) -> dict[str, Any]:
    # YAML 1.1 reads the key `on` as true.
    text = (EXAMPLES / f"leaderboard-{name}.yml").read_text("utf-8").replace("\non:", '\n"on":')
    return yaml.safe_load(text)  # type: ignore[no-any-return]


CHECK, PUBLISH = (workflow("ci")["jobs"][name] for name in ("check", "publish"))
COMMENT = workflow("comment")["jobs"]["comment"]


def scripts(job: dict[str, Any]) -> dict[str, str]:
    """Return the scripts of a job by name of the step."""
    return {step.get("name", "install"): step["run"] for step in job["steps"] if "run" in step}


def commands() -> list[list[str]]:
    """Return the arguments of every call of ictbench."""
    job_scripts = [script for job in (CHECK, PUBLISH, COMMENT) for script in scripts(job).values()]
    lines = [line.strip().removeprefix("if ") for script in job_scripts for line in script.splitlines()]
    calls = (re.split(r"; then| \|\| ", line)[0] for line in lines if line.startswith("ictbench "))
    return [shlex.split(call)[1:] for call in calls]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_and_option_exists(words: list[str]) -> None:
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    known = {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= known


def test_jobs_that_read_a_pull_request_have_minimal_permissions() -> None:
    check, comment = workflow("ci"), workflow("comment")
    assert set(check["on"]) == {"pull_request", "push"}
    assert check["permissions"] == {"contents": "read"}
    assert "permissions" not in CHECK
    assert "secrets" not in str(CHECK)
    assert CHECK["if"] == "github.event_name == 'pull_request'"
    assert PUBLISH["if"] == "github.event_name == 'push'"
    assert CHECK["steps"][0]["with"] == {"fetch-depth": 0, "persist-credentials": False}
    assert set(comment["on"]) == {"workflow_run"}
    assert comment["permissions"] == {"actions": "read", "pull-requests": "write"}
    assert not any("checkout" in step.get("uses", "") for step in COMMENT["steps"])


def test_scripts_contain_no_workflow_expressions() -> None:
    for job in (CHECK, PUBLISH, COMMENT):
        assert not any("${{" in script for script in scripts(job).values())


def shell(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def pull_request(honest: SubmissionFolder, tmp_path: Path) -> Path:
    """Return a checkout of a pull request that adds the first submission to a board."""
    setup = """
        git init --quiet --initial-branch=main .
        git config user.name A && git config user.email a@example.org
        echo 'leaderboards/** -text' > .gitattributes
        git add . && git commit --quiet --message first
        git update-ref refs/remotes/origin/main HEAD
        git switch --quiet --create mine
    """
    assert shell(setup, tmp_path).returncode == 0
    shutil.copytree(honest.path, tmp_path / f"leaderboards/{SUITE}/submissions/{SLUG}")
    assert shell("git add . && git commit --quiet --message mine", tmp_path).returncode == 0
    return tmp_path


def test_pull_request_check_passes_and_stores_a_preview(pull_request: Path) -> None:
    steps = scripts(CHECK)
    del steps["install"]
    # Twenty episodes suffice to show the replay in the difference.
    steps["Verify a sample"] = steps["Verify a sample"].replace("--sample 500", "--sample 20 --workers 1")
    for name, script in steps.items():
        process = shell(script, pull_request, BASE="origin/main", MAINTAINER="", NUMBER="7")
        assert process.returncode == 0, f"{name}: {process.stdout}\n{process.stderr}"
    preview = pull_request / "preview"
    assert (preview / "number").read_text("utf-8") == "7\n"
    assert (preview / "site/index.html").exists()
    difference = (preview / "difference.txt").read_text("utf-8")
    assert any(line.startswith("+") and "Scripted pair" in line for line in difference.splitlines())
    (preview / "difference.txt").write_text(f"{difference}\n+ ```` @everyone \x1b[2J\n", encoding="utf-8")
    process = shell(scripts(COMMENT)["Write the comment"], pull_request, RUN="https://example.org/1")
    assert process.returncode == 0, process.stderr
    comment = (pull_request / "comment.md").read_text("utf-8")
    assert comment.count("````") == 2
    assert "\x1b" not in comment


def test_pull_request_check_refuses_other_changes(pull_request: Path) -> None:
    (pull_request / "setup.py").write_text("raise SystemExit", encoding="utf-8")
    assert shell("git add . && git commit --quiet --message more", pull_request).returncode == 0
    process = shell(scripts(CHECK)["Validate"], pull_request, BASE="origin/main", MAINTAINER="")
    assert process.returncode == 1
    assert "'setup.py' is not a file of a submission" in process.stdout


def test_merged_submission_is_replayed_logged_and_built(pull_request: Path) -> None:
    steps = scripts(PUBLISH)
    replay = steps["Replay every episode of new submissions, and log the result"].replace(
        "--all", "--sample 20 --workers 1"
    )
    for script in (replay, replay, steps["Build"], steps["Keep records, log and tables"].replace("&& git push", "")):
        process = shell(script, pull_request)
        assert process.returncode == 0, f"{process.stdout}\n{process.stderr}"
    board = pull_request / "leaderboards" / SUITE
    assert (board / f"verifications/{SLUG}/replayed.json").exists()
    assert (board / "log.jsonl").read_text("utf-8").count("\n") == 1
    assert shell("git status --porcelain leaderboards", pull_request).stdout == ""
