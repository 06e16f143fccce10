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
from forgery import Forgery
from honest import SLUG, SUITE

from ictbench.cli.app import app

if TYPE_CHECKING:
    from ictbench.submissions.layout import SubmissionFolder

EXAMPLES = Path(__file__).parents[2] / "examples"
SUBMISSIONS = f"leaderboards/{SUITE}/submissions"


def workflow(name: str) -> dict[str, Any]:
    # YAML 1.1 reads the key `on` as true.
    text = (EXAMPLES / f"{name}.yml").read_text("utf-8").replace("\non:", '\n"on":')
    return yaml.safe_load(text)  # type: ignore[no-any-return]


CI, REGRESSION = workflow("leaderboard-ci"), workflow("github-actions-check")
CHECK, COMMENT, REPLAY, PUBLISH = (CI["jobs"][name] for name in ("check", "comment", "replay", "publish"))
JOBS = (CHECK, COMMENT, REPLAY, PUBLISH, REGRESSION["jobs"]["check"])


def scripts(job: dict[str, Any]) -> dict[str, str]:
    """Return the scripts of a job by name of the step, without the installation."""
    return {step["name"]: step["run"] for step in job["steps"] if "run" in step and step["name"] != "Install"}


def commands() -> list[list[str]]:
    """Return the arguments of every call of ictbench."""
    job_scripts = [script for job in JOBS for script in scripts(job).values()]
    lines = [line.strip().removeprefix("if ") for script in job_scripts for line in script.splitlines()]
    calls = (re.split(r"; then| \|\| | [<>] ", line)[0] for line in lines if line.startswith("ictbench "))
    return [shlex.split(call)[1:] for call in calls]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_and_option_exists(words: list[str]) -> None:
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    known = {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= known


def test_each_job_has_the_least_permissions() -> None:
    assert CI["permissions"] == {}
    assert [job["permissions"] for job in (CHECK, COMMENT, REPLAY, PUBLISH)] == [
        {"contents": "read"},
        {"pull-requests": "write"},
        {"contents": "read"},
        {"contents": "write"},
    ]
    assert "secrets" not in str(CI)
    # The workflow of the base branch judges, not that of the pull request.
    assert set(CI["on"]) == {"pull_request_target", "push"}
    assert CHECK["if"] == "github.event_name == 'pull_request_target'"
    assert REPLAY["if"] == "github.event_name == 'push'"
    assert (COMMENT["needs"], PUBLISH["needs"]) == ("check", "replay")


def test_a_maintainer_is_who_may_push_to_the_repository() -> None:
    """An organisation's member (MEMBER) and an invited reader (COLLABORATOR) may not be able to push."""
    own_branch = "github.event.pull_request.head.repo.full_name == github.repository"
    assert CHECK["env"]["MAINTAINER"] == f"${{{{ {own_branch} && '--maintainer' || '' }}}}"
    assert "author_association" not in str(CI)


def test_an_account_checks_one_pull_request_at_a_time_and_only_pushes_start_a_full_replay() -> None:
    assert CHECK["concurrency"] == {
        "group": "check-${{ github.event.pull_request.user.id }}",
        "cancel-in-progress": True,
    }
    assert CI["on"]["push"]["branches"] == ["main"]
    full = [job for job in JOBS if any("verify" in s and "--all" in s for s in scripts(job).values())]
    assert full == [REPLAY]


def test_jobs_that_can_write_neither_replay_nor_read_a_pull_request() -> None:
    assert not any("checkout" in step.get("uses", "") for step in COMMENT["steps"])
    for job in (COMMENT, PUBLISH):
        assert not any("ictbench verify" in script for script in scripts(job).values())
    for job in (CHECK, REPLAY, *REGRESSION["jobs"].values()):
        checkouts = [step["with"] for step in job["steps"] if "checkout" in step.get("uses", "")]
        assert checkouts
        assert all(settings["persist-credentials"] is False for settings in checkouts)


def test_actions_and_packages_are_pinned() -> None:
    for job in JOBS:
        for step in job["steps"]:
            if action := step.get("uses"):
                assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", action)
            if step.get("name") == "Install":
                assert re.search(r"--constraint \S*\.github/ictbench-requirements\.txt 'ictbench\S*==\S+'", step["run"])


def test_shells_stop_at_every_failure() -> None:
    # GitHub runs `shell: bash` with -e and pipefail, its default shell without pipefail.
    assert CI["defaults"]["run"]["shell"] == REGRESSION["defaults"]["run"]["shell"] == "bash"


def test_scripts_contain_no_workflow_expressions() -> None:
    for job in JOBS:
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
def workspace(honest: SubmissionFolder, tmp_path: Path) -> Path:
    """Return a workspace with the checkout of the base and that of a pull request, which adds the first submission."""
    setup = f"""
        git init --quiet --initial-branch=main base
        cd base
        git config user.name A && git config user.email a@example.org
        echo 'leaderboards/** -text' > .gitattributes
        git add . && git commit --quiet --message first
        cd ..
        git clone --quiet base proposed
        mkdir -p proposed/{SUBMISSIONS}
        cp -r {honest.path} proposed/{SUBMISSIONS}/{SLUG}
    """
    assert shell(setup, tmp_path).returncode == 0
    commit(tmp_path / "proposed")
    return tmp_path


def commit(checkout: Path) -> None:
    script = "git add . && git -c user.name=B -c user.email=b@example.org commit --quiet --message more"
    assert shell(script, checkout).returncode == 0


def check(workspace: Path, name: str, maintainer: str = "") -> subprocess.CompletedProcess[str]:
    """Run one step of the check of a pull request, with a smaller sample."""
    script = scripts(CHECK)[name].replace("--sample 500", "--sample 20 --workers 1")
    base = shell("git rev-parse HEAD", workspace / "base").stdout.strip()
    return shell(script, workspace, BASE=base, MAINTAINER=maintainer)


def test_pull_request_check_passes_and_stores_a_preview(workspace: Path) -> None:
    for name in scripts(CHECK):
        process = check(workspace, name)
        assert process.returncode == 0, f"{name}: {process.stdout}\n{process.stderr}"
    preview = workspace / "preview"
    assert (preview / "site/index.html").exists()
    difference = (preview / "difference.txt").read_text("utf-8")
    assert any(line.startswith("+") and "Scripted pair" in line for line in difference.splitlines())
    (preview / "difference.txt").write_text(f"{difference}\n+ ```` @everyone \x1b[2J\n", encoding="utf-8")
    process = shell(scripts(COMMENT)["Write the comment"], workspace, RUN="https://example.org/1")
    assert process.returncode == 0, process.stderr
    comment = (workspace / "comment.md").read_text("utf-8")
    assert comment.count("````") == 2
    assert "\x1b" not in comment


def test_pull_request_check_refuses_other_changes(workspace: Path) -> None:
    (workspace / "proposed" / "setup.py").write_text("raise SystemExit", encoding="utf-8")
    commit(workspace / "proposed")
    process = check(workspace, "Validate")
    assert process.returncode == 1
    assert "'setup.py' is not a file of a submission" in process.stdout


def test_only_a_maintainer_may_correct_a_submission(workspace: Path) -> None:
    assert shell("git pull --quiet ../proposed main", workspace / "base").returncode == 0
    metadata = workspace / "proposed" / SUBMISSIONS / SLUG / "submission.json"
    metadata.write_text(metadata.read_text("utf-8").replace("Scripted pair", "Corrected pair"), encoding="utf-8")
    commit(workspace / "proposed")
    refused = check(workspace, "Validate")
    assert refused.returncode == 1
    assert "to correct or remove a submission, ask the board's maintainers" in refused.stdout
    assert check(workspace, "Validate", "--maintainer").returncode == 0


def test_pull_request_check_follows_no_link(workspace: Path) -> None:
    (workspace / "proposed" / "leaderboards" / SUITE / "tables").symlink_to("/proc/self")
    assert "tables" in (process := check(workspace, "Refuse links")).stdout
    assert process.returncode == 1
    # Nor does the comparison of the tables, were it reached.
    check(workspace, "Build before and after")
    difference = workspace / "preview" / "difference.txt"
    assert not difference.exists() or "PATH=" not in difference.read_text("utf-8")


def test_failed_verification_fails_the_check(workspace: Path) -> None:
    metadata = workspace / "proposed" / SUBMISSIONS / SLUG / "submission.json"
    metadata.write_text(metadata.read_text("utf-8").replace("Scripted pair", "Forged pair"), encoding="utf-8")
    (metadata.parent / "episodes.jsonl.gz").write_bytes(b"forged")
    process = check(workspace, "Verify a sample")
    assert process.returncode != 0


def publish(checkout: Path) -> None:
    """Run the jobs that follow a push, with a smaller sample and without pushing."""
    replay = scripts(REPLAY)["Replay every episode of pending submissions"]
    steps = [replay.replace("--all", "--sample 20 --workers 1"), *scripts(PUBLISH).values()]
    shutil.rmtree(checkout / "records", ignore_errors=True)
    for script in steps:
        process = shell(script.replace("&& git push", ""), checkout)
        assert process.returncode == 0, f"{process.stdout}\n{process.stderr}"


def test_merged_submission_is_replayed_logged_and_built_once(workspace: Path) -> None:
    checkout = workspace / "proposed"
    publish(checkout)
    board = checkout / "leaderboards" / SUITE
    record = board / f"verifications/{SLUG}/replayed.json"
    assert record.exists()
    log = board / "log.jsonl"
    assert log.read_text("utf-8").count("\n") == 1
    assert shell("git status --porcelain leaderboards", checkout).stdout == ""
    publish(checkout)
    assert log.read_text("utf-8").count("\n") == 1


def test_removed_submission_that_returns_is_not_replayed(workspace: Path) -> None:
    checkout = workspace / "proposed"
    publish(checkout)
    board = f"leaderboards/{SUITE}"
    log = f"ictbench leaderboard log {board} removed {SLUG} --by A --reason 'It was a copy.'"
    assert shell(log, checkout).returncode == 0
    shutil.rmtree(checkout / board / "verifications")
    publish(checkout)
    assert not (checkout / board / "verifications").exists()
    assert (checkout / board / "log.jsonl").read_text("utf-8").count("\n") == 2


def test_submission_that_cannot_be_replayed_stops_no_other(workspace: Path, honest: SubmissionFolder) -> None:
    checkout = workspace / "proposed"
    forgery = Forgery.of(honest)
    forgery.checksum = False
    forgery.result["complete"] = False
    forgery.write(checkout / SUBMISSIONS / "a-bad-one")
    publish(checkout)
    verifications = checkout / "leaderboards" / SUITE / "verifications"
    assert [path.name for path in verifications.iterdir()] == [SLUG]


def test_corrected_submission_is_replayed_and_logged_as_corrected(workspace: Path) -> None:
    checkout = workspace / "proposed"
    publish(checkout)
    metadata = checkout / SUBMISSIONS / SLUG / "submission.json"
    metadata.write_text(metadata.read_text("utf-8").replace("Scripted pair", "Corrected pair"), encoding="utf-8")
    publish(checkout)
    log = shell(f"ictbench leaderboard log leaderboards/{SUITE}", checkout).stdout
    assert [line.split()[1] for line in log.splitlines()] == ["added", "corrected"]


def test_folder_whose_name_is_an_option_or_two_lines_is_not_pending(workspace: Path) -> None:
    checkout = workspace / "proposed"
    for name in ("--help", "a\nb"):
        shutil.copytree(checkout / SUBMISSIONS / SLUG, checkout / SUBMISSIONS / name)
    assert shell("ictbench leaderboard pending leaderboards", checkout).stdout == f"{SUBMISSIONS}/{SLUG}\n"


def test_refused_submission_is_logged_with_its_digest(workspace: Path) -> None:
    checkout = workspace / "proposed"
    slug = f"{SUBMISSIONS}/{SLUG}"
    log = f"ictbench leaderboard log leaderboards/{SUITE} attempted {SLUG} --by A --reason 'Verification failed.'"
    assert shell("ictbench leaderboard pending leaderboards", checkout).stdout == f"{slug}\n"
    assert shell(log, checkout).returncode == 0
    assert shell("ictbench leaderboard pending leaderboards", checkout).stdout == ""
