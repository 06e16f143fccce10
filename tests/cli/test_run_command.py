from __future__ import annotations

import json
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer.main

import ictbench
from ictbench.cli.app import app, main
from ictbench.cli.unknown_variables import OTHER_VARIABLES
from ictbench.models.client import Retry
from ictbench.results.formatting import signed_number
from ictbench.runs.option import LIMITS
from ictbench.runs.options import OPTIONS
from ictbench.runs.sync_loop import run_blocking

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from command_line import CommandLine


TINY = ["--families", "room-random", "--turns", "1", "--batch-size", "1", "--loops", "1"]
TINY += ["--selection-size", "1", "--test-size", "2"]
RUN = ["run", "--env", "minihack", *TINY]


def test_a_run_prints_its_table_and_the_folder_of_its_files(call: CommandLine) -> None:
    code, out, err = call(*RUN, "--out", "mine")
    assert (code, [line for line in err.splitlines() if not line.startswith("episodes ")]) == (0, [])
    heading = next(line for line in out.splitlines() if "family" in line)
    columns = ("family", "role", "base", "best", "last", "gain", "invalid", "failed")
    positions = [heading.index(name) for name in columns]
    assert positions == sorted(positions)
    assert "room-random" in out
    assert "meta-train" in out
    assert "Fewer than 3 loops: no intervals." in out
    assert "Not ranked: the quick profile is never ranked; turns 1 instead of 6" in out
    assert "The actor is scripted, not a language model." in out
    assert "Files: mine" in out
    assert ictbench.load_run("mine").result.sizes.turns == 1


def test_an_audit_shows_the_overfitting_gap(call: CommandLine) -> None:
    _, out, _ = call(*RUN, "--turns", "2", "--audit", "--out", "mine")
    measures = ictbench.load_run("mine").result.by_role["meta-train"]
    assert measures.overfitting_gap is not None
    assert f"\nOverfitting gap, meta-train: {signed_number(measures.overfitting_gap.value)}.\n" in out
    assert "Overfitting gap" not in call(*RUN, "--out", "other").out


def test_json_is_the_last_line_of_the_output(call: CommandLine) -> None:
    code, out, _ = call(*RUN, "--out", "mine", "--json")
    summary = json.loads(out.splitlines()[-1])
    result = ictbench.load_run("mine").result
    assert code == 0
    assert (summary["run"], summary["complete"], summary["owed"], summary["ranked"]) == ("mine", True, 0, False)
    measures = result.families[0].measures
    assert measures is not None
    assert summary["families"] == {"room-random": measures.model_dump(mode="json")}
    assert summary["by_role"].keys() == {"meta-train"}
    assert len(out.splitlines()) > 5


def test_quiet_prints_nothing_except_requested_json(call: CommandLine) -> None:
    assert call(*RUN, "--out", "mine", "--quiet") == (0, "", "")
    code, out, err = call(*RUN, "--out", "mine", "--quiet", "--json")
    assert (code, err, len(out.splitlines())) == (0, "", 1)
    assert json.loads(out)["run"] == "mine"


def test_an_interrupt_after_the_result_is_written_does_not_say_to_continue(
    call: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(main: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        run_blocking(main)
        raise KeyboardInterrupt

    monkeypatch.setattr("ictbench.runs.api.run_blocking", interrupted)
    code, _, err = call(*RUN, "--out", "my run", "--quiet")
    assert (code, err) == (
        130,
        "ictbench: stopped after the run was complete; its result is in my run. Show it with: ictbench show 'my run'\n",
    )
    assert ictbench.load_run("my run").result.complete


def test_an_interrupt_while_the_table_is_printed_does_not_say_that_nothing_was_played(
    call: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: ictbench.Run) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ictbench.cli.render_result.print_result", interrupt)
    code, _, err = call(*RUN, "--out", "mine")
    assert (code, err.splitlines()[-1]) == (
        130,
        "ictbench: stopped after the run had ended; everything is recorded in mine. Show it with: ictbench show mine",
    )


def test_a_dry_run_prints_the_maximum_counts_and_plays_nothing(call: CommandLine, tmp_path: Path) -> None:
    code, out, err = call("run", "--env", "minihack", "--families", "read", "--loops", "2", "--dry-run", "--json")
    assert (code, err) == (0, "")
    *lines, duration, basis, last = out.splitlines()
    assert re.fullmatch(r"time: \d+ \w+", duration), duration
    assert basis.startswith("Estimated from 3 episodes that actor rules played.")
    # quick: 6 turns of 3, selection 10 for 7 prompts, test 20 for 3; two loops.
    expected = {
        "experience_episodes": 36,
        "selection_episodes": 140,
        "test_episodes": 120,
        "episodes": 296,
        "reflections": 12,
        "actor_calls": 0,
        "reflector_calls": 0,
    }
    assert json.loads(last)["counts"] == expected
    shown = {line.split("at most")[0].strip(): line.split("at most")[1].strip() for line in lines}
    assert shown == {name.replace("_", " "): f"{count:,}" for name, count in expected.items()}
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_counts_the_calls_of_a_model(call: CommandLine) -> None:
    options = ["--reflector", "openai/m", "--reflector-base-url", "http://127.0.0.1:9/v1", "--max-steps", "5"]
    planned = json.loads(call(*RUN, *options, "--dry-run", "--json", "--quiet").out)
    # 1 + 2 selection + 2 x 2 test episodes, of at most 5 decisions each.
    assert planned["counts"] == {
        "experience_episodes": 1,
        "selection_episodes": 2,
        "test_episodes": 4,
        "episodes": 7,
        "reflections": 1,
        "actor_calls": 35,
        "reflector_calls": 1,
    }
    assert planned["actor"]["calls"] == 35


def test_a_dry_run_prints_an_estimate_of_the_cost(call: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-used-by-a-dry-run")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    out = call(*RUN, "--reflector", "openai/gpt-4o-mini", "--dry-run").out
    actor, reflector, duration, basis, rehearsal = out.splitlines()[-5:]
    number = r"[\d,.]+[kMG]?"
    tokens = rf"{number} to {number} input tokens, {number} to {number} output tokens"
    for role, line in (("actor", actor), ("reflector", reflector)):
        money = r"\$[\d.]+ to \$[\d.]+"
        expected = rf"{role} openai/gpt-4o-mini: about {number} calls?, {tokens}, {money}, 0.5 to 10 s a reply"
        assert re.fullmatch(expected, line), line
    assert re.fullmatch(r"time: \d+ \w+ to \d+ \w+", duration), duration
    assert "episodes that actor random played" in basis
    assert rehearsal.startswith("Not counted: before the first episode a rehearsal asks each model up to 5 times")


@pytest.mark.parametrize("exists", [False, True])
def test_a_start_that_fails_gives_its_reason_once_and_leaves_no_folder(
    call: CommandLine, monkeypatch: pytest.MonkeyPatch, exists: bool
) -> None:
    monkeypatch.setattr(Retry, "wait", lambda _self, failures, *_: 0.01 if failures < 4 else None)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
        if exists:
            Path("mine").mkdir()
        arguments = ["--reflector", "openai/m", "--reflector-base-url", address, "--out", "mine"]
        code, out, err = call("run", "--families", "eat", "--actor", "rules", *arguments)
    assert (code, out) == (1, "")
    assert err.count("Note: a request is tried again: ") == 1
    assert f"Cannot connect to host {address[7:-3]} [Connection refused]" in err
    assert Path("mine").exists() is exists, "a folder that was there before is not removed"


def test_asking_models_needs_a_dry_run(call: CommandLine) -> None:
    completed = call(*RUN, "--ask")
    assert completed.code == 2
    assert "add --dry-run" in completed.err


def parameters() -> dict[str, Any]:
    """Return the options of `ictbench run` by flag, as typer knows them."""
    command: Any = typer.main.get_command(app)
    by_flag = {parameter.opts[0]: parameter for parameter in command.commands["run"].params}
    return {flag: parameter for flag, parameter in by_flag.items() if flag != "--help"}


# A value for every option, to be given as a flag, a variable and in a file.
VALUES: dict[str, Any] = {
    "--env": "minihack",
    "--preregistration": "question.yaml",
    "--start-prompt": "prompt.txt",
    "--suite": "minihack-v1",
    "--families": "zap",
    "--profile": "lite",
    "--reflector": "openai/r",
    "--actor": "openai/a",
    "--reflector-trained-on": "zap",
    "--actor-trained-on": "zap",
    "--reflector-instruction": "instruction.txt",
    "--reflector-experience": "events",
    "--reflector-temperature": 0.5,
    "--reflector-max-tokens": 12,
    "--reflector-top-p": 0.5,
    "--reflector-reasoning-effort": "low",
    "--reflector-stop": "Observation:",
    "--actor-temperature": 0.25,
    "--actor-top-p": 0.75,
    "--actor-reasoning-effort": "high",
    "--actor-stop": "Observation:",
    "--reflector-base-url": "http://127.0.0.1:1/v1",
    "--actor-base-url": "http://127.0.0.1:2/v1",
    "--actor-max-tokens": 11,
    "--reflector-model-options": "lora=x",
    "--actor-model-options": "n_ctx=4096",
    "--turns": 2,
    "--batch-size": 3,
    "--loops": 4,
    "--selection-size": 5,
    "--test-size": 6,
    "--max-steps": 7,
    "--test-every-turn": True,
    "--audit": True,
    "--online": True,
    "--repeats": 2,
    "--max-connections": 8,
    "--actor-decoding": "json",
    "--actor-history": 3,
    "--actor-past-actions": "none",
    "--episode-time-limit": 9.5,
    "--requests-per-minute": 10,
    "--tokens-per-minute": 11,
    "--max-cost": 1.5,
    "--max-tokens": 12,
    "--max-time": 13.5,
    "--outage-pause": 14.5,
    "--request-timeout": 15.5,
    "--executor": "inline",
    "--workers": 3,
    "--ray-address": "10.0.0.1:6379",
    "--worker-resources": "CPU=2",
    "--env-timeout": 16.5,
    "--log-level": "debug",
    "--cache": "replies.sqlite",
    "--retry-failed": "empty",
    "--accept-failures": "empty",
    "--no-adapt": True,
    "--stop-on-projected-cost": True,
}
OUTPUT = {"--ask", "--out", "--json", "--quiet", "--dry-run", "--config"}


class Called(Exception):  # noqa: N818 - not an error
    """Carries the options that the command passed to the library."""


@pytest.fixture
def passed(call: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Return the options that `ictbench run` passes to `ictbench.run` for these arguments."""

    def capture(**options: Any) -> None:
        raise Called(options)

    monkeypatch.setattr("ictbench.runs.run", capture)

    def passed(*arguments: str) -> dict[str, Any]:
        monkeypatch.setattr("sys.argv", ["ictbench", "run", *arguments])
        with pytest.raises(Called) as caught:
            main()
        options: dict[str, Any] = caught.value.args[0]
        return {name: value for name, value in options.items() if name != "on_start"}

    return passed


def plain(value: Any) -> Any:
    """Return the value as the flag passes it."""
    if value in ("question.yaml", "replies.sqlite", "instruction.txt"):
        return Path(value)
    return [value] if value in ("zap", "empty", "lora=x", "n_ctx=4096", "CPU=2", "Observation:") else value


def test_every_option_has_an_environment_variable_of_its_name() -> None:
    declared = parameters()
    assert set(declared) == set(VALUES) | OUTPUT
    for flag, parameter in declared.items():
        assert parameter.envvar == "ICTBENCH_" + flag[2:].replace("-", "_").upper()
        assert parameter.help


def test_the_values_cover_every_declared_option() -> None:
    assert {flag[2:].replace("-", "_") for flag in VALUES} == set(OPTIONS)


@pytest.mark.parametrize("flag", VALUES)
def test_an_option_may_be_a_flag_a_variable_or_a_key_of_the_file(
    flag: str, passed: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name, value = flag[2:].replace("-", "_"), VALUES[flag]
    default = passed().get(name)
    assert default != plain(value)
    by_flag = passed(*([flag] if value is True else [flag, str(value)]))
    assert by_flag[name] == plain(value)
    for key in (name, flag[2:]):
        # A list where there may be several, as in the docs.
        (tmp_path / "run.yaml").write_text(json.dumps({key: plain(value)}, default=str), encoding="utf-8")
        assert passed("--config", "run.yaml") == by_flag
    monkeypatch.setenv("ICTBENCH_" + name.upper(), "1" if value is True else str(value))
    assert passed() == by_flag


@pytest.mark.parametrize("families", ["zap", "zap, read"])
def test_a_list_in_the_file_may_be_one_text(passed: Callable[..., dict[str, Any]], families: str) -> None:
    Path("run.yaml").write_text(f"families: {families}\n", encoding="utf-8")
    value = passed("--config", "run.yaml")["families"]
    assert ",".join(value).replace(" ", "") == families.replace(" ", "")


def test_flags_precede_variables_and_variables_precede_the_file(
    passed: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("run.yaml").write_text("turns: 2\nloops: 2\ntest-size: 2\n", encoding="utf-8")
    monkeypatch.setenv("ICTBENCH_TURNS", "3")
    monkeypatch.setenv("ICTBENCH_LOOPS", "3")
    monkeypatch.setenv("ICTBENCH_CONFIG", "run.yaml")
    options = passed("--turns", "4")
    assert (options["turns"], options["loops"], options["test_size"], options.get("selection_size")) == (4, 3, 2, None)


def test_output_options_may_be_variables_and_keys_of_the_file(
    call: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("run.yaml").write_text("dry_run: true\njson: true\n", encoding="utf-8")
    monkeypatch.setenv("ICTBENCH_QUIET", "1")
    code, out, err = call(*RUN, "--config", "run.yaml")
    assert (code, err, len(out.splitlines())) == (0, "", 1)
    assert json.loads(out)["counts"]["episodes"] == 7
    monkeypatch.setenv("ICTBENCH_JSON", "0")
    assert call(*RUN, "--config", "run.yaml") == (0, "", "")
    Path("run.yaml").write_text("out: there\n", encoding="utf-8")
    assert call(*RUN, "--config", "run.yaml").code == 0
    assert ictbench.load_run("there").result.complete


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"config run.yaml cannot be read"),
        (b"turns: [", r"config run.yaml cannot be read: line 1, column "),
        (b"\xff\xfe\xfa", r"config run.yaml cannot be read"),
        (b"just text", r"config run.yaml is not a mapping of options to values, e.g. `turns: 5`"),
        (b"", r"config run.yaml is not a mapping"),
        (b"turn: 3", r"config run.yaml: 'turn' is not an option; did you mean 'turns'"),
        (b"turns: true", r"config run.yaml: turns: true is true or false; write a number, or a text in quotes"),
        (b"families: [yes]", r"config run.yaml: families: [true] is true or false"),
        (b"batch-size: 1\nbatch_size: 2", r"config run.yaml: 'batch-size' and 'batch_size' are one option; remove one"),
        (b"out: ''", r"config run.yaml: out: '' is not a path"),
        (b"config: other.yaml", r"config run.yaml: 'config' is not an option"),
    ],
)
def test_an_unusable_configuration_file_is_refused(call: CommandLine, content: bytes | None, message: str) -> None:
    if content is not None:
        Path("run.yaml").write_bytes(content)
    code, out, err = call(*RUN, "--config", "run.yaml")
    (line,) = err.splitlines()
    assert (code, out) == (2, "")
    assert line.startswith(f"ictbench: {message}")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--families", "raed"], 2, "suite minihack-v1 has no family 'raed'; did you mean 'read'?"),
        (
            ["--suite", "minihack-v2"],
            2,
            "unknown suite 'minihack-v2'; did you mean 'minihack-v1'? (or",
        ),
        (["--env", "nethack"], 2, "no suite has the environment 'nethack'; did you mean 'minihack'?"),
        (["--reflector", "opnai/gpt"], 2, "unknown model provider 'opnai'; did you mean 'openai'?"),
        (["--reflector", "none"], 2, "reflector 'none' has no model that could act: name an actor, e.g. --actor rules"),
        (["--reflector", "file:no.txt", "--actor", "rules"], 2, "prompt file 'no.txt' cannot be read: "),
        (["--reflector", "openai/m"], 2, "openai/m needs a key: set OPENAI_API_KEY, or give the base URL"),
        (["--reflector", "openai/m", "--reflector-base-url", "nowhere"], 2, "the base URL 'nowhere' is not an http"),
        (["--turns", "4000", "--batch-size", "3"], 2, "experience pool of 'room-random': turns x batch size = 12000 "),
        (
            ["--test-size", "5000"],
            2,
            "test pool of 'room-random': 5000 tasks requested, each loop has 1000;",
        ),
        (["--out", "file/run"], 2, "file/run cannot be written (Not a directory); choose another --out"),
        (
            ["--out", "foreign"],
            2,
            "foreign holds other files (thesis.tex) and is not the folder of a run; choose another --",
        ),
        (["--turns", "1000000000"], 2, "--turns: '1000000000' is above the maximum of 10000"),
        (["--actor", "no.such:Actor"], 2, "actor 'no.such:Actor': module 'no' cannot be found"),
    ],
)
def test_bad_input_is_one_line_that_names_the_value_and_the_remedy(
    call: CommandLine, arguments: list[str], code: int, message: str
) -> None:
    Path("file").touch()
    Path("foreign").mkdir()
    Path("foreign", "thesis.tex").touch()
    completed = call(*RUN, *arguments)
    assert (completed.code, completed.out) == (code, "")
    (line,) = completed.err.splitlines()
    assert line.startswith(f"ictbench: {message}")
    # No file was added, and no file of the user's was changed.
    assert sorted(path.name for path in Path().rglob("*")) == ["file", "foreign", "thesis.tex"]


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        (["--profile", "huge"], "huge"),
        (["--turns", "0"], "--turns"),
        (["--max-cost", "-1"], "ictbench: --max-cost: -1.0 is not greater than 0"),
        (["--episode-time-limit", "0"], "ictbench: --episode-time-limit: 0.0 is not greater than 0"),
        (["--max-time", "10m"], "--max-time: '10m' is not a number of seconds"),
        (["--dry-run=yes"], "see ictbench run --help"),
        (["--turns", "many"], "--turns"),
        (["--trns", "3"], "--trns"),
        (["--turns"], "--turns"),
    ],
)
def test_a_misused_flag_is_named_and_the_exit_code_is_2(call: CommandLine, arguments: list[str], value: str) -> None:
    code, out, err = call(*RUN, *arguments)
    assert (code, out) == (2, "")
    assert value in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ([*RUN, "--out", ""], "--out"),
        ([*RUN, "--cache="], "--cache"),
        (["show", ""], "RUN"),
        (["compare", "a", ""], "RUNS…"),
        (["runs", ""], "FOLDER"),
    ],
)
def test_an_empty_path_is_refused(call: CommandLine, arguments: list[str], name: str) -> None:
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"ictbench: {name}: '' is not a path; name a file or a folder")
    assert not list(Path().iterdir())


def test_a_folder_with_several_spaces_in_its_name_is_named_as_it_is(call: CommandLine) -> None:
    assert call(*RUN, "--out", "my  run", "--quiet").code == 0
    assert "ictbench: my  run holds a run with another" in call(*RUN, "--out", "my  run", "--test-size", "3").err


@pytest.mark.parametrize(("command", "argument"), [("show", "RUN"), ("compare", "RUNS…"), ("verify", "RUN|SUBMISSION")])
def test_a_missing_argument_has_the_name_of_the_help_page(call: CommandLine, command: str, argument: str) -> None:
    assert call(command).err == f"ictbench: Missing argument {argument}; see ictbench {command} --help\n"


def test_a_folder_of_another_configuration_is_refused_with_the_difference(call: CommandLine) -> None:
    assert call(*RUN, "--out", "mine", "--quiet").code == 0
    before = Path("mine/result.json").read_bytes()
    code, out, err = call(*RUN, "--out", "mine", "--test-size", "3")
    assert (code, out) == (2, "")
    assert err == (
        "ictbench: mine holds a run with another configuration: test_size is 2 there and 3 here; "
        "choose another --out, or the same options\n"
    )
    assert Path("mine/result.json").read_bytes() == before


def test_minihack_is_the_default_environment(call: CommandLine) -> None:
    code, out, _ = call("run", "--dry-run", "--json")
    assert code == 0
    assert (
        json.loads(out.splitlines()[-1])["counts"]["episodes"]
        == ictbench.dry_run(suite="minihack-v1").counts["episodes"]
    )


def test_a_traceback_is_shown_only_on_request(call: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Traceback" not in call(*RUN, "--families", "raed").err
    monkeypatch.setenv("ICTBENCH_TRACEBACK", "1")
    monkeypatch.setattr("sys.argv", ["ictbench", *RUN, "--families", "raed"])
    with pytest.raises(ictbench.UsageError, match="raed"):
        main()


def test_an_actor_class_of_the_user(call: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("my_actor.py").write_text(
        "from ictbench import Actor, Decision\n\n\nclass Mine(Actor):\n"
        "    async def act(self, prompt, history, seed):\n        return Decision(action=history.actions[0].upper())\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert call(*RUN, "--reflector", "none", "--actor", "my_actor:Mine", "--out", "mine", "--quiet").code == 0
    run = ictbench.load_run("mine")
    steps = run.episode(run.episode_keys()[0]).trajectory.steps
    assert {step.executed for step in steps} == {steps[0].actions[0]}
    assert {step.proposed for step in steps} == {steps[0].actions[0].upper()}
    assert run.result.actor.label == "my_actor:Mine"


def test_a_missing_list_of_trained_families_is_not_the_empty_list(passed: Callable[..., dict[str, Any]]) -> None:
    assert "reflector_trained_on" not in passed()
    assert passed("--reflector-trained-on", "nothing")["reflector_trained_on"] == ["nothing"]


def test_an_unknown_variable_is_refused_with_the_nearest_name(
    call: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ICTBENCH_BATHC_SIZE", "3")
    for command in (RUN, ["rerun", "folder"], ["train", "collect", "--out", "states"]):
        code, out, err = call(*command)
        assert (code, out) == (2, "")
        assert err.startswith("ictbench: environment variable ICTBENCH_BATHC_SIZE is not an option; ")
        assert "did you mean 'ICTBENCH_BATCH_SIZE'?" in err
    assert call("tasks", "list").code == 2


@pytest.mark.parametrize(
    ("variable", "value", "arguments", "named"),
    [
        ("ICTBENCH_REFLECTOR_BASE_URL", "http://x/v1", [], True),
        ("ICTBENCH_REFLECTOR_BASE_URL", "http://x/v1", ["--reflector-base-url", "http://x/v1"], False),
        ("ICTBENCH_REFLECTOR_EXPERIENCE", "tally", [], True),
        ("ICTBENCH_FAMILIES", "eat,foo", [], True),
        ("ICTBENCH_SUITE", "minihack-v2", [], True),
        ("ICTBENCH_PROFILE", "standard-k5", [], True),
        ("ICTBENCH_OUT", "runs/a", ["--families", "foo"], False),
    ],
)
def test_an_error_names_the_variable_of_a_value_that_was_not_typed(
    call: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    arguments: list[str],
    named: bool,
) -> None:
    monkeypatch.setenv(variable, value)
    code, _, err = call("run", "--reflector", "rules", "--actor", "rules", *arguments)
    assert code == 2
    assert (f"(from {variable})" in err) is named, err


@pytest.mark.parametrize("variable", sorted(OTHER_VARIABLES | {"ICTBENCH_STATES"}))
def test_variables_of_other_commands_and_purposes_are_accepted(
    call: CommandLine, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "x")
    assert call(*RUN, "--dry-run", "--quiet").code == 0


def test_every_other_variable_is_read_somewhere() -> None:
    root = Path(ictbench.__file__).parents[1]
    texts = [path.read_text("utf-8") for folder in ("ictbench", "tests") for path in (root / folder).rglob("*.py")]
    for variable in OTHER_VARIABLES:
        assert sum(f'"{variable}"' in text for text in texts) > 1, variable


def test_the_help_names_choices_defaults_and_groups(call: CommandLine) -> None:
    code, out, _ = call("run", "--help")
    assert code == 0
    for option in OPTIONS.values():
        assert f" {option.flag} " in out
    for text in ("quick|lite|standard", "default: quick", "default: the reflector's own model", "--turns N ", LIMITS):
        assert text in out
