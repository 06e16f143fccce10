"""The example workflows of a board are understood, ask for no more rights than they need, and do what they say."""

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
    # YAML takes the key `on` for true.
    text = (EXAMPLES / f"leaderboard-{name}.yml").read_text("utf-8").replace("\non:", '\n"on":')
    return yaml.safe_load(text)  # type: ignore[no-any-return]


CHECK, PUBLISH = (workflow("ci")["jobs"][name] for name in ("check", "publish"))
COMMENT = workflow("comment")["jobs"]["comment"]


def scripts(job: dict[str, Any]) -> dict[str, str]:
    """By name of the step, what it runs."""
    return {step.get("name", "install"): step["run"] for step in job["steps"] if "run" in step}


def commands() -> list[list[str]]:
    """Every call of ictbench, word by word."""
    scripted = [script for job in (CHECK, PUBLISH, COMMENT) for script in scripts(job).values()]
    lines = [line.strip().removeprefix("if ") for script in scripted for line in script.splitlines()]
    calls = (re.split(r"; then| \|\| ", line)[0] for line in lines if line.startswith("ictbench "))
    return [shlex.split(call)[1:] for call in calls]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_and_option_is_there(words: list[str]) -> None:
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    known = {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= known


def test_what_reads_a_pull_request_can_only_read() -> None:
    checking, commenting = workflow("ci"), workflow("comment")
    assert set(checking["on"]) == {"pull_request", "push"}
    assert checking["permissions"] == {"contents": "read"}
    assert "permissions" not in CHECK
    assert "secrets" not in str(CHECK)
    assert CHECK["if"] == "github.event_name == 'pull_request'"
    assert PUBLISH["if"] == "github.event_name == 'push'"
    assert CHECK["steps"][0]["with"] == {"fetch-depth": 0, "persist-credentials": False}
    assert set(commenting["on"]) == {"workflow_run"}
    assert commenting["permissions"] == {"actions": "read", "pull-requests": "write"}
    assert not any("checkout" in step.get("uses", "") for step in COMMENT["steps"])


def test_nothing_from_outside_is_pasted_into_a_script() -> None:
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
    """A checkout of a pull request that adds the first submission to a board."""
    begin = """
        git init --quiet --initial-branch=main .
        git config user.name A && git config user.email a@example.org
        echo 'leaderboards/** -text' > .gitattributes
        git add . && git commit --quiet --message first
        git update-ref refs/remotes/origin/main HEAD
        git switch --quiet --create mine
    """
    assert shell(begin, tmp_path).returncode == 0
    shutil.copytree(honest.path, tmp_path / f"leaderboards/{SUITE}/submissions/{SLUG}")
    assert shell("git add . && git commit --quiet --message mine", tmp_path).returncode == 0
    return tmp_path


def test_the_check_of_a_pull_request_passes_and_leaves_a_preview(pull_request: Path) -> None:
    steps = scripts(CHECK)
    del steps["install"]
    # The sample is as large as it has to be for the difference to show that it was played.
    steps["Verify a sample"] = steps["Verify a sample"].replace("--sample 500", "--sample 20 --workers 1")
    for name, script in steps.items():
        done = shell(script, pull_request, BASE="origin/main", MAINTAINER="", NUMBER="7")
        assert done.returncode == 0, f"{name}: {done.stdout}\n{done.stderr}"
    preview = pull_request / "preview"
    assert (preview / "number").read_text("utf-8") == "7\n"
    assert (preview / "site/index.html").exists()
    difference = (preview / "difference.txt").read_text("utf-8")
    assert any(line.startswith("+") and "Scripted pair" in line for line in difference.splitlines())
    (preview / "difference.txt").write_text(f"{difference}\n+ ```` @everyone \x1b[2J\n", encoding="utf-8")
    done = shell(scripts(COMMENT)["Write the comment"], pull_request, RUN="https://example.org/1")
    assert done.returncode == 0, done.stderr
    comment = (pull_request / "comment.md").read_text("utf-8")
    assert comment.count("````") == 2
    assert "\x1b" not in comment


def test_the_check_stops_a_pull_request_that_does_more(pull_request: Path) -> None:
    (pull_request / "setup.py").write_text("raise SystemExit", encoding="utf-8")
    assert shell("git add . && git commit --quiet --message more", pull_request).returncode == 0
    done = shell(scripts(CHECK)["Validate"], pull_request, BASE="origin/main", MAINTAINER="")
    assert done.returncode == 1
    assert "'setup.py' is no file of a submission" in done.stdout


def test_what_is_merged_is_replayed_logged_and_built(pull_request: Path) -> None:
    steps = scripts(PUBLISH)
    play = steps["Play every episode of what is new again, and log it"].replace("--all", "--sample 20 --workers 1")
    for script in (play, play, steps["Build"], steps["Keep records, log and tables"].replace("&& git push", "")):
        done = shell(script, pull_request)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    board = pull_request / "leaderboards" / SUITE
    assert (board / f"verifications/{SLUG}/replayed.json").exists()
    assert (board / "log.jsonl").read_text("utf-8").count("\n") == 1
    assert shell("git status --porcelain leaderboards", pull_request).stdout == ""
