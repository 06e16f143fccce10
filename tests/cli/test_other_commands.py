from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import closing
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

import ictbench
from ictbench.cli.render_result import episode_pages
from ictbench.records import Episode, Step, Task, Trajectory, Usage
from ictbench.results.formatting import signed_number
from ictbench.runs.journal import Journal

if TYPE_CHECKING:
    from pathlib import Path

    from command_line import CommandLine

HEAVY = {
    "datasets",
    "pyarrow",
    "pandas",
    "numpy",
    "scipy",
    "aiohttp",
    "gymnasium",
    "minihack",
    "nle",
    "pydantic",
    "yaml",
    "hypothesis",
}
MARKUP = "Really attack? [yn] (n) [/] [bold]not bold[/bold] [link=x] \\[y] :smile:"


def process(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a new interpreter."""
    command = [sys.executable, "-W", "error", "-c", script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={"COLUMNS": "200", "PATH": ""})


def markup_episode(name: str = "read-20000") -> Episode:
    step = Step(
        observation=f"{MARKUP}\n\n|.@.|",
        actions=("read", "step n"),
        digest="d",
        thought=f"I see {MARKUP}",
        proposed="[dim]read",
        executed=None,
        keys=(),
    )
    return Episode(
        key=f"{name}@0123456789ab",
        task=Task(id=name, family="read", env="minihack", params={"seed": 20000}),
        prompt="0123456789ab",
        seed=1,
        replicate=0,
        trajectory=Trajectory(
            steps=(step, step.model_copy(update={"executed": "read", "proposed": "read", "keys": ("y", "\x1b")})),
            last_observation=f"You see [a scroll].\n{MARKUP}",
            last_digest="e",
            end="died",
        ),
        usage=Usage(),
        versions={},
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a small run, with an additional episode whose text looks like markup."""
    path = tmp_path_factory.mktemp("cli") / "run"
    sizes: dict[str, Any] = {"turns": 1, "batch_size": 1, "loops": 1, "selection_size": 1, "test_size": 2}
    ictbench.run(suite="minihack-v1", families="room-random", out=path, **sizes)
    with closing(Journal(path / "journal.sqlite")) as journal:
        journal.add_episode(markup_episode(), 0, 0, Usage())
    return path


def test_the_package_can_be_run_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "ictbench", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"ictbench {ictbench.__version__}\n"


def test_show_prints_the_tables_of_a_run(call: CommandLine, folder: Path) -> None:
    code, out, err = call("show", str(folder))
    result = ictbench.load_run(folder).result
    (family,) = result.families
    assert (code, err) == (0, "")
    assert family.measures is not None
    (row,) = [line for line in out.splitlines() if "room-random" in line and "meta-train" in line]
    # The table may have lines between its cells or not.
    cells = re.split(r"\s*│\s*|\s{2,}", row.strip("│ "))
    levels = [f"{measure.value:.2f}" for measure in (family.measures.base, family.measures.best, family.measures.last)]
    assert cells[:5] == ["room-random", "meta-train", *levels]
    assert cells[5] == signed_number(family.measures.gain.value)
    assert f"Files: {folder}" in out.replace("\n", "")


def test_episode_keys_are_listed_one_per_line(call: CommandLine, folder: Path) -> None:
    keys = ictbench.load_run(folder).episode_keys()
    assert call("show", str(folder), "--episodes", "") == (0, "".join(f"{key}\n" for key in keys), "")
    assert call("show", str(folder), "--episodes", "read-") == (0, f"{markup_episode().key}\n", "")


def test_a_beginning_that_no_key_has_is_an_error(call: CommandLine, folder: Path) -> None:
    code, out, err = call("show", str(folder), "--episodes", "zzz")
    assert (code, out) == (2, "")
    assert "no episode whose key starts with 'zzz'; --episodes '' lists all keys" in err


def test_text_that_looks_like_markup_is_printed_literally(call: CommandLine, folder: Path) -> None:
    code, out, err = call("show", str(folder), "--episode", "read-20000")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == f"{markup_episode().key}: died after 2 decisions, total reward 0"
    assert lines.count(MARKUP) == 3
    assert lines.count(f"thought:  I see {MARKUP}") == 2
    assert "proposed: [dim]read" in lines
    assert "executed: (invalid)" in lines
    assert r"executed: read   further keys: 'y' '\x1b'" in lines
    assert "You see [a scroll]." in lines
    assert "── end: died ──" in lines
    assert lines.count("|.@.|") == 2


def test_an_episode_is_shown_with_its_full_screens(call: CommandLine, folder: Path) -> None:
    run = ictbench.load_run(folder)
    key = run.episode_keys("room-random")[0]
    shown = call("show", str(folder), "--episode", key).out
    trajectory = run.episode(key).trajectory
    for step in trajectory.steps:
        assert step.observation.rstrip() in shown
        assert f"executed: {step.executed}" in shown
    assert trajectory.last_observation.rstrip() in shown
    assert shown.count("── decision ") == len(trajectory.steps)
    assert "Dlvl:1" in shown


def test_missing_actions_and_failures_are_shown() -> None:
    plain = markup_episode()
    step = plain.trajectory.steps[0].model_copy(update={"proposed": None, "thought": ""})
    changes = {"steps": (step,), "end": "failed", "failure": "context_overflow"}
    episode = plain.model_copy(update={"trajectory": plain.trajectory.model_copy(update=changes)})
    pages = list(episode_pages(episode))
    assert len(pages) == 3
    assert pages[0].endswith("failed (context_overflow) after 1 decisions, total reward 0\n")
    assert "proposed: (no action)\n" in pages[1]
    assert "thought:" not in pages[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--episode", "zap-1"], "has no episode 'zap-1'; keys are e.g. read-"),
        (["--episode", "room-random"], "start with 'room-random', e.g. room-random-"),
    ],
)
def test_an_unknown_or_ambiguous_key_is_refused(
    call: CommandLine, folder: Path, arguments: list[str], message: str
) -> None:
    code, out, err = call("show", str(folder), *arguments)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert message in err


def test_a_folder_of_a_campaign_leads_to_its_runs(call: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "campaign.json").write_text("{}", encoding="utf-8")
    code, _, err = call("show", str(tmp_path))
    assert code == 2
    assert f"its runs are the folders in {tmp_path / 'cells'}" in err
    assert str(tmp_path / "learned.json") in err


def test_a_folder_without_a_run_is_refused(call: CommandLine, tmp_path: Path) -> None:
    code, out, err = call("show", str(tmp_path))
    assert (code, out) == (2, "")
    assert err == f"ictbench: {tmp_path} is not the folder of a run: it has no run.json\n"
    (tmp_path / "run.json").write_text('{"schema": "ictbench.run/2"}', encoding="utf-8")
    code, out, err = call("show", str(tmp_path))
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert f"has no result yet; continue its run with the same options and --out {tmp_path}" in err
    (tmp_path / "result.json").write_text("{}", encoding="utf-8")
    code, out, err = call("show", str(tmp_path))
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "is not a result of schema ictbench.result/2" in err


def test_suites_are_listed(call: CommandLine) -> None:
    code, out, _ = call("tasks", "list")
    (row,) = [line for line in out.splitlines() if line.startswith("minihack-v1")]
    assert code == 0
    assert row.split()[:3] == ["minihack-v1", "minihack", "8"]


def test_a_suite_is_shown_in_full(call: CommandLine) -> None:
    suite = ictbench.load_suite("minihack-v1")
    code, out, _ = call("tasks", "show", "minihack-v1")
    rows = [re.split(r"\s*│\s*|\s{2,}", line.strip("│ ")) for line in out.splitlines()]
    assert code == 0
    for name, family in suite.families.items():
        assert [name, family.role, f"env_id={family.params['env_id']}"] in rows
    for profile, sizes in suite.profiles.items():
        assert [profile, *map(str, sizes.model_dump().values())] in rows
    assert ["experience", "seeds 0 … 9999", "any"] in rows
    assert ["test", "seeds 20000 … 99999", "its own 1000"] in rows
    for text in (suite.digest, suite.prompt, suite.presentation.strip(), "25 decisions per episode, 8000 bytes"):
        assert text in out


def test_an_unknown_suite_is_refused_with_the_nearest_name(call: CommandLine) -> None:
    code, out, err = call("tasks", "show", "minihack-v7")
    assert (code, out) == (2, "")
    assert err == "ictbench: unknown suite 'minihack-v7'; did you mean 'minihack-v1'? (or name a .yaml file)\n"


def test_doctor_plays_a_step_and_imports_every_plug_in(call: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    code, out, _ = call("doctor", "--json")
    checks = {check["what"]: check for check in json.loads(out)}
    assert code == 0
    # The official games may be missing; test_doctor_checks.py tests their checks.
    games = {"ALFWorld games", "suite alfworld-v1", "suite alfworld-paper-v1"}
    assert games <= set(checks)
    assert checks["suite alfworld-procgen-v1"]["found"].startswith("plays with alfworld 0.")
    absent = {what for what, check in checks.items() if not check["ok"]} - games
    extras = ("datasets", "gepa", "litellm", "llama-cpp", "ray")
    modules = {f"extra {name}": name.replace("-", "_") for name in extras}
    modules |= {"extra meta": "gymnasium", "extra hf": "transformers", "extra train": "trl"}
    modules |= {"extra inspect": "inspect_ai", "extra openenv": "openenv"}
    assert absent == {what for what, module in modules.items() if find_spec(module) is None}
    assert all(checks[what]["remedy"].endswith(f"'ictbench[{what.split()[1]}]'") for what in absent)
    assert checks["suite minihack-v1"]["found"].startswith("plays with minihack 1.")
    assert {"Python", "ictbench", "setuptools", "env minihack", "model openai", "actor react", "actor rules"} <= set(
        checks
    )
    assert {"reflector file", "reflector none", "reflector rewrite", "reflector rules"} <= set(checks)
    assert checks["OPENAI_API_KEY"]["found"] == "set"
    assert "sk-secret" not in out
    monkeypatch.delenv("OPENAI_API_KEY")
    code, out, _ = call("doctor")
    (row,) = [line for line in out.splitlines() if "OPENAI_API_KEY" in line]
    assert (code, row.split()[:4]) == (0, ["optional", "OPENAI_API_KEY", "not", "set;"])


WITHOUT_MINIHACK = "import sys; sys.modules['minihack'] = None; from ictbench.cli.app import main; main()"


def test_doctor_names_the_command_that_installs_what_is_missing() -> None:
    completed = process(WITHOUT_MINIHACK, "doctor")
    assert (completed.returncode, completed.stderr) == (0, "")
    (row,) = [line for line in completed.stdout.splitlines() if "suite minihack-v1" in line]
    assert row.startswith("optional")
    assert "cannot be played" in row
    assert "pip install 'ictbench[minihack]'" in " ".join(completed.stdout.split())


def test_a_missing_extra_is_one_line_with_the_command_that_installs_it(tmp_path: Path) -> None:
    completed = process(
        WITHOUT_MINIHACK, "run", "--env", "minihack", "--families", "read", "--out", str(tmp_path / "run")
    )
    assert (completed.returncode, completed.stdout) == (2, "")
    (line,) = completed.stderr.splitlines()
    assert line.startswith("ictbench: MiniHack needs a package that is not installed (")
    assert line.endswith("pip install 'ictbench[minihack]'")
    assert not (tmp_path / "run").exists()


def test_the_version_is_printed(call: CommandLine) -> None:
    assert call("--version") == (0, f"ictbench {ictbench.__version__}\n", "")


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["show", "--help"], ["export", "--help"], ["-h"], ["--version"]]
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import atexit, sys; from ictbench.cli.app import main; sys.argv[0] = 'ictbench'\n"
        "atexit.register(lambda: print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr))\n"
        "main()"
    )
    completed = process(script, *arguments)
    assert completed.returncode == 0
    assert "ictbench" in completed.stdout
    loaded = set(completed.stderr.split())
    assert "typer" in loaded
    # typer itself imports pydantic where a command has options of its own.
    assert loaded & HEAVY - ({"pydantic"} if arguments[0] in ("run", "show", "export") else set()) == set()


def test_importing_the_package_imports_nothing_heavy() -> None:
    script = "import ictbench, sys; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = set(process(script).stdout.split())
    assert "ictbench" in loaded
    assert loaded & (HEAVY | {"typer", "rich", "asyncio"}) == set()


def test_the_help_names_every_command(call: CommandLine) -> None:
    out = call("--help").out
    assert all(f" {name} " in out for name in ("run", "show", "export", "tasks", "doctor"))
    assert call("run", "--help").code == 0
