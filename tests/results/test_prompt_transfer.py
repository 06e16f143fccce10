"""Prompts learned with one actor, played by another: the run, its table, and what is refused."""

from __future__ import annotations

import asyncio
import csv
import json
from typing import TYPE_CHECKING, Any
from unittest.mock import ANY

import pytest
from boards import submit
from command_line import CommandLine, Completed
from web.board.test_build_site import content

import ictbench
from ictbench.audit.result_checks import check_prompts, check_setup
from ictbench.board.board_tables import board_markdown, board_tables
from ictbench.board.entries import read_board
from ictbench.board.finding_cache import FindingCache, submission_key
from ictbench.board.prompt_transfers import FoundTransfers
from ictbench.board.ranking import rank
from ictbench.cli.app import main
from ictbench.errors import ConfigError, PluginError, ResultError, UsageError
from ictbench.records import PluginSpec
from ictbench.reflectors import Context, make_reflector
from ictbench.results.measures import measure
from ictbench.results.outcomes import success_rate
from ictbench.results.prompt_transfer import prompt_transfer
from ictbench.results.schema import Interval
from ictbench.runs.transferred_prompts import source_result, transfer_options, write_transfer
from ictbench.submissions.known_players import control_of
from ictbench.submissions.layout import BoardFolder
from ictbench.submissions.player_labels import label_problems
from ictbench.suites import load_suite
from ictbench.web.board import build_site
from ictbench.web.report import ReportSource
from ictbench.web.report.report_document import report_document

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.results import Result

SIZES: dict[str, Any] = {
    "turns": 3,
    "batch_size": 2,
    "loops": 3,
    "selection_size": 3,
    "test_size": 4,
    "max_steps": 12,
    "executor": "inline",
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> ictbench.Run:
    out = tmp_path_factory.mktemp("source") / "learned"
    return ictbench.run(families="read,eat", reflector="rules", actor="rules", out=out, **SIZES)


def play(source: ictbench.Run, actor: str, out: Path) -> ictbench.Run:
    return ictbench.run(actor=actor, out=out, executor="inline", **transfer_options(str(source.folder)))


@pytest.fixture(scope="module")
def played(source: ictbench.Run, tmp_path_factory: pytest.TempPathFactory) -> ictbench.Run:
    return play(source, "random", tmp_path_factory.mktemp("played") / "random")


def test_the_other_actor_plays_the_recorded_prompts_on_the_same_test_tasks(
    source: ictbench.Run, played: ictbench.Run
) -> None:
    for one, other in zip(source.result.families, played.result.families, strict=True):
        assert one.name == other.name
        for learned, loop in zip(one.loops, other.loops, strict=True):
            assert loop.test_tasks == learned.test_tasks
            assert [prompt.text for prompt in loop.prompts] == [
                learned.prompts[index].text for index in (0, learned.last, learned.best)
            ]
            assert sorted(loop.test) == [0, 1, 2]


def test_the_run_is_a_control_that_names_its_source(source: ictbench.Run, played: ictbench.Run) -> None:
    result = played.result
    assert result.reflector.options["source"] == source.result.checksum
    assert result.reflector.label == f"transferred:{source.result.checksum[:12]}"
    assert (result.control, result.ranked) == ("its prompts were learned with another actor", False)
    assert (control_of(result), list(label_problems(result))) == (result.control, [])
    suite = load_suite("minihack-v1")
    assert all(check(result, suite).verdict == "passed" for check in (check_setup, check_prompts))
    options = {**result.reflector.options, "prompts": {}}
    forged = result.model_copy(update={"reflector": result.reflector.model_copy(update={"options": options})})
    assert "are not those that its reflector hands out" in check_prompts(forged, suite).detail


def test_the_actor_of_the_source_gains_the_same_again(source: ictbench.Run, tmp_path: Path) -> None:
    """The same actor plays the same episodes, so both gains and their intervals are equal."""
    again = prompt_transfer(source.result, play(source, "rules", tmp_path / "again").result)
    for row in again.rows:
        assert (row.transferred_gain, row.transferred_last_gain) == (row.gain, row.last_gain)
        assert (row.difference.value, row.p) == (0, 1)
    by_name = {family.name: family.measures for family in source.result.families}
    for row in again.rows[:2]:
        assert row.family is not None
        measures = by_name[row.family]
        assert measures is not None
        assert (row.gain, row.last_gain) == (measures.gain, measures.last_gain)


def test_gains_are_those_of_the_recorded_best_and_last_prompts(source: ictbench.Run, played: ictbench.Run) -> None:
    table = prompt_transfer(source.result, played.result)
    assert (table.learner, table.player, table.source) == ("rules", "random", source.result.checksum)
    assert {(row.family, row.role, row.loops) for row in table.rows} == {
        ("read", "held-out", 3),
        ("eat", "meta-train", 3),
        (None, "held-out", 3),
        (None, "meta-train", 3),
    }
    for family in played.result.families:
        (row,) = (row for row in table.rows if row.family == family.name)
        rates = [[success_rate(loop.test[index]) for index in (0, 1, 2)] for loop in family.loops]
        assert row.transferred_gain.value == pytest.approx(sum(best - base for base, _, best in rates) / 3)
        assert row.transferred_last_gain.value == pytest.approx(sum(last - base for base, last, _ in rates) / 3)
        assert row.difference.value == pytest.approx(row.transferred_gain.value - row.gain.value)
        low, high = row.difference.low, row.difference.high
        assert low is not None
        assert high is not None
        assert low <= row.difference.value <= high
        assert measure([family.loops]).last_gain.value == pytest.approx(row.transferred_gain.value)


def test_tables_are_written_and_hold_the_same(source: ictbench.Run, played: ictbench.Run, tmp_path: Path) -> None:
    table = prompt_transfer(source.result, played.result)
    write_transfer(tmp_path, table)
    content = json.loads((tmp_path / "transfer.json").read_text("utf-8"))
    assert content == table.model_dump(mode="json")
    assert (tmp_path / "transfer.md").read_text("utf-8") == table.markdown()
    head, *rows = (tmp_path / "transfer.csv").read_text("utf-8").splitlines()
    assert head.startswith("suite,profile,reflector,learner,player,source,family,role,loops,gain,gain_low,gain_high,")
    assert len(rows) == len(table.rows)


def test_a_report_of_both_runs_holds_the_gains_of_both_actors(source: ictbench.Run, played: ictbench.Run) -> None:
    table = prompt_transfer(source.result, played.result)
    sources = [ReportSource(name, run.result, lambda: iter(())) for name, run in (("a", source), ("b", played))]
    (transfer,) = report_document(sources)["transfers"]
    assert (transfer["source"], transfer["played"]) == ({"name": "a"}, {"name": "b"})
    assert (transfer["reflector"], transfer["learner"], transfer["player"]) == ("rules", "rules", "random")
    names = ["eat", "read", "mean of held-out families", "mean of meta-train families"]
    assert [row.pop("name") for row in transfer["rows"]] == names
    assert transfer["rows"] == [row.model_dump(mode="json") for row in table.rows]
    assert report_document(sources[::-1])["transfers"] == [transfer | {"rows": ANY}]
    assert report_document(sources[1:])["transfers"] == report_document(sources[:1])["transfers"] == []


@pytest.fixture
def folder(source: ictbench.Run, played: ictbench.Run, tmp_path: Path) -> BoardFolder:
    """A board of both runs."""
    folder = BoardFolder(tmp_path / "boards" / "minihack-v1")
    submit(folder, "learns", source.result, unranked=True, name="Learns")
    submit(folder, "plays", played.result, unranked=True, name="Plays")
    return folder


def test_a_board_tabulates_it_where_it_has_replayed_both(folder: BoardFolder, played: ictbench.Run) -> None:
    board = read_board(folder)
    markdown = board_markdown(board, rank(board.entries))
    assert "## Prompts played by other actors" in markdown
    rows = [line for line in markdown.splitlines() if "`random (Plays)`" in line]
    assert len(rows) == 4
    assert all(line.startswith("| `Learns` | `rules` |") for line in rows)
    submit(folder, "plays", played.result, unranked=True, badges=(), description="Not replayed.")
    board = read_board(folder)
    assert "Prompts played" not in board_markdown(board, rank(board.entries))
    assert board_tables(board, rank(board.entries))["transfers"].empty


def test_pages_and_csv_of_a_board_hold_the_table(
    folder: BoardFolder, source: ictbench.Run, played: ictbench.Run, tmp_path: Path
) -> None:
    table = prompt_transfer(source.result, played.result)
    findings = FindingCache(tmp_path / "findings")
    pages = build_site(folder.path.parent, tmp_path / "site", findings=findings)
    of_suite = content(pages[1], "board")["transfers"]
    entries = {page.stem: content(page, "document")["transfers"] for page in pages[2:]}
    assert entries == {"learns": of_suite, "plays": of_suite}
    (transfer,) = of_suite
    assert transfer["source"] == {"name": "Learns", "slug": "learns"}
    assert transfer["played"] == {"name": "Plays", "slug": "plays"}
    expected = [row.model_dump(mode="json") for row in table.rows]
    assert [{**row, "name": ANY} for row in transfer["rows"]] == [{**row, "name": ANY} for row in expected]
    rows = [*csv.DictReader((folder.tables / "transfers.csv").read_text("utf-8").splitlines())]
    assert [(row["prompts_of"], row["played_in"], row["family"]) for row in rows] == [
        ("learns", "plays", family) for family in ("eat", "read", "", "")
    ]
    differences = [row.difference.value for row in table.rows]
    assert [float(row["difference"]) for row in rows] == pytest.approx(differences, abs=1e-6)
    # A later build finds what this one has computed.
    found = read_board(folder, findings).entries
    keys = [submission_key(entry.submission) for entry in found]
    assert findings.get(FoundTransfers, *keys) == FoundTransfers(transfers=(table,))


def test_prompts_that_go_with_a_memory_are_refused(source: ictbench.Run, tmp_path: Path) -> None:
    path = tmp_path / "memory.json"
    path.write_text(altered(source.result, division="memory").to_json(), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"'rules' of .*memory\.json keeps a memory.*: name another run"):
        source_result(str(path))


def altered(result: Result, **changes: Any) -> Result:
    return result.model_copy(update=changes)


def test_another_source_or_another_setup_is_refused(source: ictbench.Run, played: ictbench.Run) -> None:
    with pytest.raises(ResultError, match="did not play the prompts of the result"):
        prompt_transfer(altered(source.result, profile="lite"), played.result)
    with pytest.raises(ResultError, match="did not play the prompts"):
        prompt_transfer(source.result, source.result)
    with pytest.raises(ResultError, match="did not play the same: nle is"):
        prompt_transfer(source.result, altered(played.result, versions={**played.result.versions, "nle": "0"}))
    with pytest.raises(ResultError, match="is incomplete, or has loops that the other has not"):
        prompt_transfer(source.result, altered(played.result, complete=False))
    (first, *others) = played.result.families
    fewer = altered(played.result, families=(first.model_copy(update={"loops": first.loops[1:]}), *others))
    with pytest.raises(ResultError, match="has loops that the other has not"):
        prompt_transfer(source.result, fewer)
    swapped = first.loops[0].model_copy(update={"prompts": first.loops[0].prompts[:1] * 3})
    other = altered(played.result, families=(first.model_copy(update={"loops": (swapped, *first.loops[1:])}), *others))
    with pytest.raises(ResultError, match="was not played under the recorded prompts"):
        prompt_transfer(source.result, other)


def test_what_cannot_be_transferred_is_refused(source: ictbench.Run, played: ictbench.Run, tmp_path: Path) -> None:
    options = {"actor": "random", "executor": "inline", "out": tmp_path / "run"}

    def run(**changes: Any) -> None:
        ictbench.run(**{**transfer_options(str(source.folder)), **options, **changes})

    with pytest.raises(ConfigError, match="has 2 turns, not 3: use ictbench transfer-prompts"):
        run(turns=3)
    with pytest.raises(ConfigError, match="has no loop 0 of zap"):
        run(families="zap")
    with pytest.raises(ConfigError, match="has no loop 3 of"):
        run(loops=4)
    with pytest.raises(ConfigError, match="transferred prompts are the same whatever is shown; remove blind:"):
        run(reflector=f"blind:transferred:{source.folder}")
    with pytest.raises(ConfigError, match="are transferred ones; name the run that learned them"):
        transfer_options(str(played.folder))
    with pytest.raises(UsageError, match="does not exist; name the folder of a run"):
        transfer_options(str(tmp_path / "nothing"))
    assert not (tmp_path / "run").exists()


def test_a_turn_without_a_recorded_prompt_is_an_error() -> None:
    options: dict[str, Any] = {"source": "s", "learned": {}, "prompts": {"7": ["a", "b"]}}
    reflector = make_reflector(PluginSpec(label="t", name="transferred", options=options), None)

    def prompt(turn: int, seed: int) -> str | None:
        return asyncio.run(reflector.reflect("p", (), None, Context(1, 100, None, turn, seed))).prompt

    assert [prompt(1, 7), prompt(2, 7)] == ["a", "b"]
    for turn, seed in ((1, 8), (3, 7)):
        with pytest.raises(PluginError, match=f"has no prompt for turn {turn} of this loop"):
            prompt(turn, seed)


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: str) -> Completed:
        monkeypatch.setattr("sys.argv", ["ictbench", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        return Completed(int(caught.value.code or 0), *capsys.readouterr())

    return call


def test_the_command_plays_the_prompts_and_keeps_the_tables(
    source: ictbench.Run, played: ictbench.Run, call: CommandLine, tmp_path: Path
) -> None:
    options = ("--actor", "random", "--executor", "inline", "--out", str(tmp_path / "out"), "--format", "csv")
    code, out, _ = call("transfer-prompts", str(source.folder), *options)
    assert code == 0
    # The same actor plays the same episodes again.
    expected = prompt_transfer(source.result, played.result).model_dump(mode="json")
    assert json.loads((tmp_path / "out" / "transfer.json").read_text("utf-8")) == expected
    assert (tmp_path / "out" / "transfer.csv").read_text("utf-8") == out


def test_the_command_prints_the_table_of_runs_that_exist(
    source: ictbench.Run, played: ictbench.Run, call: CommandLine
) -> None:
    arguments = ("transfer-prompts", str(source.folder), "--played", str(played.folder))
    code, out, _ = call(*arguments, "--format", "json")
    assert code == 0
    assert json.loads(out) == [prompt_transfer(source.result, played.result).model_dump(mode="json")]
    code, out, _ = call(*arguments, "--format", "md")
    assert (code, out) == (0, prompt_transfer(source.result, played.result).markdown())
    code, out, _ = call(*arguments)
    assert code == 0
    assert "prompts that rules learned with rules, played by random" in " ".join(out.split())


def test_intervals_are_explained_only_where_there_are_some(source: ictbench.Run, played: ictbench.Run) -> None:
    transfer = prompt_transfer(source.result, played.result)
    without = {
        name: Interval(value=value.value, low=None, high=None)
        for name, value in transfer.rows[0]
        if isinstance(value, Interval)
    }
    few = transfer.model_copy(update={"rows": tuple(row.model_copy(update=without) for row in transfer.rows)})
    for one in (transfer, few):
        assert ("In brackets" in one.markdown()) == any("[" in cell for row in one.cells() for cell in row)
    assert "In brackets" not in few.markdown()
    assert "In brackets" in transfer.markdown()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name the actor that plays the prompts, e.g. --actor rules, or runs that did, with --played"),
        (("--actor", "random", "--played", "PLAYED"), "name the actor that plays the prompts"),
        (("--played", "PLAYED", "--played", "PLAYED"), "--played names 2 runs for 1; name one for each"),
        (("--played", "SOURCE"), "did not play the prompts of the result"),
        (("SOURCE", "--actor", "random"), "two of the runs have the name 'learned'"),
        (("PLAYED", "--actor", "random"), "are transferred ones; name the run that learned them"),
    ],
)
def test_the_command_refuses_what_does_not_fit(
    source: ictbench.Run, played: ictbench.Run, call: CommandLine, arguments: tuple[str, ...], message: str
) -> None:
    places = {"SOURCE": str(source.folder), "PLAYED": str(played.folder)}
    code, _, err = call("transfer-prompts", str(source.folder), *(places.get(one, one) for one in arguments))
    assert code == 2
    assert message in err
