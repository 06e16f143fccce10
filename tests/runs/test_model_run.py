"""Runs of a model behind an HTTP server, as actor and as reflector."""

from __future__ import annotations

import gzip
import json
import sqlite3
import zlib
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from rehearsals import REQUESTS, after_rehearsal

import ictbench
from ictbench.cli.app import main
from ictbench.errors import EndpointDownError, UsageError
from ictbench.testing import Reply, ScriptedServer, react_policy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LEARNED = "Walk to the stairs."
KEY = "sk-planted-0123456789"
OPTIONS: dict[str, Any] = {
    "suite": "minihack-v1",
    "families": "room-random",
    "turns": 2,
    "batch_size": 2,
    "loops": 3,
    "selection_size": 2,
    "test_size": 3,
    "max_steps": 6,
}
STEPS = {
    (-1, 0): "n",
    (-1, 1): "ne",
    (0, 1): "e",
    (1, 1): "se",
    (1, 0): "s",
    (1, -1): "sw",
    (0, -1): "w",
    (-1, -1): "nw",
}


def find(screen: list[str], symbol: str) -> tuple[int, int] | None:
    # The last two rows are the status line; the first ones may be a message.
    rows = range(len(screen) - 3, 0, -1)
    return next(((row, screen[row].index(symbol)) for row in rows if symbol in screen[row]), None)


def decide(prompt: str, observation: str, actions: list[str]) -> str | None:
    """Walk to the stairs if the prompt says so; otherwise name an invalid action, or none."""
    screen = observation.split("\n")
    here, stairs = find(screen, "@"), find(screen, ">")
    if prompt != LEARNED or here is None or stairs is None:
        return "dance" if "step n" in actions and len(observation) % 2 else None
    signs = [(there > mine) - (there < mine) for mine, there in zip(here, stairs, strict=True)]
    return f"step {STEPS[signs[0], signs[1]]}"


class Model:
    """Scripted model that acts and reflects, and whose endpoint can fail."""

    def __init__(self) -> None:
        self.calls = 0
        self.down_after: int | None = None
        self.refused: set[str] = set()
        """Observations that are not answered."""
        self._act = react_policy(decide)

    def __call__(self, body: dict[str, Any]) -> str | Reply:
        self.calls += 1
        last = body["messages"][-1]["content"]
        if (self.down_after is not None and self.calls > self.down_after) or last in self.refused:
            return Reply("overloaded", status=503, headers={"Retry-After": "0"})
        if "IMPROVED PROMPT:" in last:
            return f"ANALYSIS:\nStairs end it.\nIMPROVED PROMPT:\n{LEARNED}"
        return self._act(body)


@pytest.fixture(scope="module")
def model() -> Model:
    return Model()


@pytest.fixture(scope="module")
def server(model: Model) -> Iterator[ScriptedServer]:
    with ScriptedServer(model, model="test") as server:
        yield server


@pytest.fixture(autouse=True)
def up(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start every test with a working endpoint, and without a key."""
    model.calls, model.down_after, model.refused = 0, None, set()
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)


def options(server: ScriptedServer, **changes: Any) -> dict[str, Any]:
    usual = {"reflector": "openai/test", "reflector_base_url": server.url, "outage_pause": 0.01}
    return {**OPTIONS, **usual, **changes}


@pytest.fixture(scope="module")
def undisturbed(server: ScriptedServer, tmp_path_factory: pytest.TempPathFactory) -> ictbench.Run:
    return ictbench.run(**options(server), out=tmp_path_factory.mktemp("undisturbed") / "run")


def comparable(folder: Path) -> tuple[dict[str, Any], bytes]:
    result = json.loads((folder / "result.json").read_bytes())
    result.pop("host")
    return result, gzip.decompress((folder / "episodes.jsonl.gz").read_bytes())


def test_the_gain_of_a_model_is_recorded(undisturbed: ictbench.Run) -> None:
    (family,) = undisturbed.result.families
    assert family.measures is not None
    assert family.behaviour is not None
    assert (family.measures.base.value, family.measures.best.value, family.measures.last.value) == (0, 1, 1)
    assert family.measures.gain.low is not None
    assert family.measures.gain.low > 0
    assert [point.value for point in family.measures.curve] == [0, 1, 1]
    for loop in family.loops:
        assert [prompt.text for prompt in loop.prompts[1:]] == [LEARNED, LEARNED]
        assert loop.prompts[1].analysis == "Stairs end it."
        assert loop.best == 1
    assert family.behaviour.ends == {"solved": 9}
    assert undisturbed.result.complete


def test_invalid_actions_are_counted_and_shown_to_the_reflector(
    undisturbed: ictbench.Run, server: ScriptedServer
) -> None:
    (family,) = undisturbed.result.families
    assert family.behaviour is not None
    assert family.behaviour.invalid_base is not None
    assert family.behaviour.invalid_best is not None
    assert (family.behaviour.invalid_base.value, family.behaviour.invalid_best.value) == (1, 0)
    base = family.loops[0].prompts[0].digest
    episodes = [undisturbed.episode(key) for key in undisturbed.episode_keys() if key.endswith(base)]
    assert all(episode.trajectory.end == "step_limit" for episode in episodes)
    assert all(len(episode.trajectory.steps) == episode.trajectory.invalid == 6 for episode in episodes)
    proposed = {step.proposed for episode in episodes for step in episode.trajectory.steps}
    assert proposed == {"dance", None}


def test_usage_is_reported_by_role_and_each_episode_counts_once(undisturbed: ictbench.Run) -> None:
    cost = undisturbed.result.cost
    decisions = {key: len(undisturbed.episode(key).trajectory.steps) for key in undisturbed.episode_keys()}
    assert sum(cost[role].calls for role in ("experience", "selection", "test")) == sum(decisions.values())
    assert cost["reflector"].calls == 3 * 2
    # prompt[1] and prompt[2] are the same, so two prompts are scored in each of three loops.
    assert len(decisions) == 3 * (2 * 2 + 2 * 2 + 2 * 3)
    assert all(usage.input_tokens > usage.output_tokens > 0 for usage in cost.values())
    assert all(usage.cost is None for usage in cost.values())


def test_the_model_is_identified(undisturbed: ictbench.Run, server: ScriptedServer) -> None:
    for player in (undisturbed.result.actor, undisturbed.result.reflector):
        assert player.fingerprint == "test@scripted"
        assert player.model is not None
        assert (player.label, player.model.base_url) == ("openai/test", None)
    assert undisturbed.result.host.addresses == {"actor": server.url, "reflector": server.url}
    assert (undisturbed.result.actor.name, undisturbed.result.reflector.name) == ("react", "rewrite")


def test_the_same_model_run_twice_gives_the_same_files(
    undisturbed: ictbench.Run, server: ScriptedServer, tmp_path: Path
) -> None:
    again = ictbench.run(**options(server, max_connections=3), out=tmp_path / "run")
    assert comparable(again.folder) == comparable(undisturbed.folder)


def test_requests_name_neither_environment_nor_task_nor_seed(tmp_path: Path) -> None:
    with ScriptedServer(Model(), model="test", record=True) as server:
        run = ictbench.run(**options(server, loops=1), out=tmp_path / "run")
    shown = "\n".join(message["content"] for body in server.requests_log for message in body["messages"])
    assert "minihack" not in shown.casefold()
    loop = run.result.families[0].loops[0]
    for task in (*loop.test_tasks, *loop.selection_tasks):
        assert task not in shown
        assert task.rpartition("-")[2] not in shown
    assert "(invalid: nothing happened)" in shown


def test_a_failing_endpoint_stops_the_run_which_can_be_continued(
    undisturbed: ictbench.Run, server: ScriptedServer, model: Model, tmp_path: Path
) -> None:
    whole = model.calls = 0
    for down_after in (10, 100):
        model.calls, model.down_after = 0, down_after
        with pytest.raises(EndpointDownError, match=r"8 attempts in a row failed.*HTTP 503: overloaded"):
            ictbench.run(**options(server), out=tmp_path / "run")
        assert not (tmp_path / "run" / "result.json").exists()
        with closing(sqlite3.connect(tmp_path / "run" / "journal.sqlite")) as journal:
            ends = [json.loads(row[0])["end"] for row in journal.execute("SELECT summary FROM episodes")]
        # No episode became a failure, and everything finished is recorded.
        assert "failed" not in ends
        whole = max(whole, len(ends))
    assert whole > 0
    model.calls, model.down_after = 0, None
    again = ictbench.run(**options(server), out=tmp_path / "run")
    assert comparable(again.folder) == comparable(undisturbed.folder)
    cost = undisturbed.result.cost
    assert model.calls < sum(usage.calls for usage in cost.values())


def test_a_failing_endpoint_is_one_line_and_exit_code_1_on_the_command_line(
    server: ScriptedServer,
    model: Model,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model.down_after = 0
    given = [f"--{name.replace('_', '-')}={value}" for name, value in options(server).items()]
    monkeypatch.setattr("sys.argv", ["ictbench", "run", *given, f"--out={tmp_path / 'run'}"])
    with pytest.raises(SystemExit) as caught:
        main()
    captured = capsys.readouterr()
    assert (caught.value.code, captured.out) == (1, "")
    *progress, line = captured.err.splitlines()
    notes = [shown for shown in progress if not shown.startswith("episodes ")]
    (note,) = notes
    assert note.startswith("Note: a request is tried again: openai/test: "), "the reason is given once"
    assert line.startswith("ictbench: openai/test: ")
    assert "HTTP 503: overloaded" in line
    assert line.endswith("Nothing was played; the same command starts again")
    assert not (tmp_path / "run").exists()


def test_a_few_unanswered_episodes_are_owed_and_played_later(
    undisturbed: ictbench.Run, server: ScriptedServer, model: Model, tmp_path: Path
) -> None:
    # One test task of the second loop is never answered, under any prompt.
    loop = undisturbed.result.families[0].loops[1]
    lost = [key for key in undisturbed.episode_keys() if key.startswith(f"{loop.test_tasks[1]}@")]
    first = undisturbed.episode(lost[0]).trajectory.steps[0]
    model.refused = {"\n".join([first.observation, "", "Available actions:", *first.actions])}
    run = ictbench.run(**options(server), out=tmp_path / "run")
    assert (run.result.complete, run.result.owed, run.result.ranked) == (False, 2, False)
    assert [loop.index for loop in run.result.families[0].loops] == [0, 2]
    assert run.result.families[0].behaviour is not None
    assert run.result.families[0].behaviour.failed == {}
    assert set(undisturbed.episode_keys()) - set(run.episode_keys()) == set(lost)
    model.refused = set()
    calls = model.calls
    again = ictbench.run(**options(server), out=tmp_path / "run")
    assert comparable(again.folder) == comparable(undisturbed.folder)
    # Only the two owed episodes were played, up to six decisions each, after the rehearsal of both players.
    assert model.calls - calls <= 12 + REQUESTS + 1


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply("this is too long: maximum context length is 10 tokens", status=400), "context_overflow"),
        (Reply(""), "empty"),
        (Reply("never", status=400), "bad_request"),
    ],
)
def test_failures_caused_by_the_model_count_in_the_denominator(tmp_path: Path, reply: Reply, kind: str) -> None:
    with ScriptedServer(after_rehearsal(reply), model="test") as server:
        result = ictbench.run(
            **options(server, reflector="none", actor="openai/test", reflector_base_url=None),
            actor_base_url=server.url,
            accept_failures=kind,
            out=tmp_path / "run",
        ).result
    (family,) = result.families
    assert family.measures is not None
    assert family.behaviour is not None
    assert result.complete
    assert family.measures.base.value == 0
    assert family.behaviour.ends == {"failed": 9}
    assert family.behaviour.failed == {kind: 3 * (4 + 2 + 3)}


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("I would rather not.", "unparseable"),
        (Reply("ANALYSIS:\nx\nIMPROVED PROMPT:\ny", finish_reason="length"), "truncated"),
        (f"ANALYSIS:\nx\nIMPROVED PROMPT:\n{'é' * 4001}", "too_long"),
        (Reply("no", status=400), "bad_request"),
    ],
)
def test_an_unusable_reflection_keeps_the_prompt_and_is_counted(tmp_path: Path, reply: str | Reply, kind: str) -> None:
    with ScriptedServer(after_rehearsal(reply), model="test") as server:
        result = ictbench.run(
            **options(server, loops=1), actor="rules", accept_failures="truncated,bad_request", out=tmp_path / "run"
        ).result
    (family,) = result.families
    assert family.behaviour is not None
    assert family.behaviour.reflection_failures == {kind: 2}
    assert len({prompt.digest for prompt in family.loops[0].prompts}) == 1
    assert [prompt.failure for prompt in family.loops[0].prompts] == [None, kind, kind]
    assert result.cost["reflector"].calls == 2


def test_a_key_in_the_environment_is_used_and_never_written(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    run = ictbench.run(**OPTIONS | {"loops": 1}, reflector="openai/test", out=tmp_path / "run")
    assert run.result.complete
    with closing(sqlite3.connect(tmp_path / "run" / "journal.sqlite")) as journal:
        tables = ("SELECT record FROM episodes", "SELECT record FROM reflections")
        contents = [zlib.decompress(row[0]) for table in tables for row in journal.execute(table)]
    files = [path for path in run.folder.rglob("*") if path.is_file()]
    contents += [path.read_bytes() for path in files]
    contents += [gzip.decompress(path.read_bytes()) for path in files if path.suffix == ".gz"]
    assert len(contents) > 20
    assert not any(KEY.encode() in content for content in contents)


def test_the_default_address_of_openai_needs_a_key(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="openai/test needs a key: set OPENAI_API_KEY, or give the base URL"):
        ictbench.run(**OPTIONS, reflector="openai/test", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
