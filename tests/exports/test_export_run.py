"""Exported runs: files read back, offline, as what was recorded."""

from __future__ import annotations

import csv
import json
import sys
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from datasets import load_dataset, load_from_disk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ictbench
from ictbench.errors import ConfigError, MissingExtraError, RunFolderError, UsageError
from ictbench.exports import FileFormat, export
from ictbench.exports.dataset_card import make_card
from ictbench.exports.features import features_of, flatten
from ictbench.exports.table_files import Table, write_tables
from ictbench.records import Episode, Record, Step, Task, Trajectory, Usage
from ictbench.results.formatting import markdown_text
from ictbench.results.rows import TABLES, EpisodeRow
from ictbench.results.rows import Table as TableName
from ictbench.runs.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ictbench.runs.api import Source

HOSTILE = (
    *('say "hi", she said,\nand left', "a\rb", "a\r\nb", "\r", "\n", "nul \x00 bell \x07 escape \x1b[31m delete \x7f"),
    *("", " ", "NA", "None", "null", "nan", "true", "007", "1e5", "2024-01-01", "\ufeffmark", "a\x85b\u2028c"),
    *("é ☃ 𝄞", "\\N", "\\", "'", '"', "#", "=1+1", "[1]", "<b>[/]|x|</b>", "\x1a"),
)
FILES: tuple[FileFormat, ...] = ("parquet", "csv", "jsonl")


def hostile(number: int, text: str) -> Episode:
    step = Step(
        observation=text,
        actions=(text, "step n"),
        digest="d",
        thought=text,
        proposed=text,
        executed=None,
        keys=(text,),
        reward=-0.1 * number,
    )
    return Episode(
        key=f"zzz-{number:02}@0123456789ab",
        task=Task(id=f"zzz-{number}", family=text, env="minihack", params={"text": text}),
        prompt="0123456789ab",
        seed=number,
        replicate=0,
        trajectory=Trajectory(
            steps=(step, step), last_observation=text, last_digest="e", end="failed", failure="empty"
        ),
        usage=Usage(calls=1, cost=None),
        versions={text: "1"},
        added=text,
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ictbench.Run:
    """A real run with additional episodes of hostile text."""
    sizes: dict[str, Any] = {"turns": 2, "batch_size": 2, "loops": 2, "selection_size": 2, "test_size": 3}
    out = tmp_path_factory.mktemp("export") / "run"
    run = ictbench.run(suite="minihack-v1", families="eat,read", audit=True, out=out, **sizes)
    with closing(Journal(out / "journal.sqlite")) as journal:
        for number, text in enumerate(HOSTILE):
            journal.add_episode(hostile(number, text), 0, 0, Usage())
    return run


@pytest.fixture(autouse=True)
def _offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)


def recorded(run: ictbench.Run, table: TableName) -> list[dict[str, Any]]:
    return [row.model_dump(mode="json") for row in run.rows(table)]


@pytest.mark.parametrize("file_format", FILES)
def test_exported_files_read_back_as_recorded(run: ictbench.Run, tmp_path: Path, file_format: FileFormat) -> None:
    folder = export(run, tmp_path / "out", file_format=file_format)
    assert {path.name for path in folder.iterdir()} == {"README.md", *(f"{table}.{file_format}" for table in TABLES)}
    for table in TABLES:
        rows = recorded(run, table)
        if file_format == "csv":
            # CSV has no lists and cannot distinguish an empty text from None.
            rows = [{name: None if value == "" else value for name, value in flatten(row).items()} for row in rows]
        assert load_dataset(str(folder), table, split="train").to_list() == rows
    default = load_dataset(str(folder), split="train")
    assert default["key"] == run.episode_keys()


def test_the_datasets_format_reads_back_as_recorded(run: ictbench.Run, tmp_path: Path) -> None:
    folder = export(run, tmp_path / "out", file_format="datasets")
    assert {path.name for path in folder.iterdir()} == {"README.md", *TABLES}
    for table in TABLES:
        assert load_from_disk(str(folder / table)).to_list() == recorded(run, table)


def test_columns_have_the_same_types_in_every_format(run: ictbench.Run, tmp_path: Path) -> None:
    for file_format in FILES:
        folder = export(run, tmp_path / file_format, file_format=file_format)
        for table, row_type in TABLES.items():
            columns = load_dataset(str(folder), table, split="train").features
            assert columns == features_of(row_type, flat=file_format == "csv")
    features = features_of(EpisodeRow)
    assert str(features["solved"]) == "Value('bool')"
    assert str(features["loops"]) == "List(Value('int64'))"
    assert set(features["steps"].feature) == set(Step.model_fields)


def test_csv_keeps_hostile_texts(run: ictbench.Run, tmp_path: Path) -> None:
    folder = export(run, tmp_path / "out", file_format="csv")
    with (folder / "episodes.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["last_observation"].removeprefix("'") for row in rows[-len(HOSTILE) :]] == list(HOSTILE)
    assert [json.loads(row["steps"])[0]["thought"] for row in rows[-len(HOSTILE) :]] == list(HOSTILE)


class TextRow(Record):
    """A row of one text."""

    text: str


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(st.characters(codec="utf-8"))))
def test_any_text_survives_csv(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    out = tmp_path_factory.mktemp("csv") / "out"
    write_tables([Table("texts", TextRow, lambda: [TextRow(text=text) for text in texts])], lambda rows: "", out, "csv")
    with (out / "texts.csv").open(encoding="utf-8", newline="") as file:
        cells = [row["text"] for row in csv.DictReader(file)]
    assert [cell.removeprefix("'") for cell in cells] == texts
    assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in cells)


@pytest.mark.parametrize("file_format", ["parquet", "csv"])
def test_a_run_without_a_finished_loop_has_empty_tables(
    run: ictbench.Run, tmp_path: Path, file_format: FileFormat
) -> None:
    content = json.loads(run.result.to_json())
    content.update(complete=False, owed=1, by_role={})
    for family in content["families"]:
        family.update(loops=[], measures=None, behaviour=None)
    empty = ictbench.Run(run.folder, type(run.result).model_validate(content))
    folder = export(empty, tmp_path / "out", file_format=file_format)
    assert len(load_dataset(str(folder), "episodes", split="train")) == len(run.episode_keys())
    # An empty table is a file with columns; `load_dataset` cannot load it, so the card does not list it.
    assert [config["config_name"] for config in front(folder)[0]["configs"]] == ["episodes"]
    if file_format == "csv":
        assert (folder / "results.csv").read_text("utf-8").startswith('"suite","suite_digest",')
    assert "| complete | no, 1 owed |" in (folder / "README.md").read_text("utf-8")


def front(folder: Path) -> tuple[dict[str, Any], str]:
    _, matter, text = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    return yaml.safe_load(matter), text


def test_the_card_describes_the_data(run: ictbench.Run, tmp_path: Path) -> None:
    matter, text = front(export(run, tmp_path / "out"))
    assert [(config["config_name"], config["data_files"]) for config in matter["configs"]] == [
        (table, f"{table}.parquet") for table in TABLES
    ]
    assert "license" not in matter
    result = run.result
    for expected in (
        f"minihack-v1, digest {result.suite.digest}",
        "| reflector | rules |",
        "| actor | rules |",
        f"nle {result.versions['nle']}",
        result.checksum,
        f"{len(run.episode_keys())} rows. Each is one episode.",
        "turns 2 instead of 6",
        "No licence is stated",
        'load_dataset("FOLDER", "episodes", split="train")',
    ):
        assert expected in text
    for row_type in TABLES.values():
        for name in row_type.model_fields:
            assert f"| `{name}` | " in text
    measures = result.families[0].measures
    assert measures is not None
    assert measures.overfitting_gap is not None
    (row,) = (line for line in text.splitlines() if line.startswith("| eat "))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert (cells[3], cells[-1]) == (f"{measures.best.value:.3f}", f"{measures.overfitting_gap.value:.3f}")


def test_the_card_escapes_labels() -> None:
    label = 'a|b <script>: "x"\n# ---'
    tables: Sequence[Table] = [Table("texts", TextRow, list)]
    card = make_card(label, "text", tables, "parquet", {"texts": 2})
    _, matter, text = card.split("---\n", 2)
    assert yaml.safe_load(matter)["pretty_name"] == label
    assert f"# {markdown_text(label)}\n" in text
    assert "<script>" not in text


def test_an_existing_folder_is_refused_and_kept(run: ictbench.Run, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine", encoding="utf-8")
    for out in (tmp_path, tmp_path / "mine"):
        with pytest.raises(ConfigError, match=rf"{out} already exists; choose another --out, or remove it"):
            export(run, out)
    with pytest.raises(ConfigError, match=r"cannot be written \(.*\); choose another --out"):
        export(run, tmp_path / "mine" / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    (tmp_path / "empty").mkdir()
    assert export(run, tmp_path / "empty", file_format="csv") == tmp_path / "empty"


def test_a_failed_export_leaves_nothing(run: ictbench.Run, tmp_path: Path) -> None:
    with closing(Journal(run.folder / "journal.sqlite", read_only=True)) as journal:
        kept = list(journal.episodes())
    other = ictbench.Run(tmp_path / "run", run.result)
    (tmp_path / "run").mkdir()
    with closing(Journal(tmp_path / "run" / "journal.sqlite")) as journal:
        for episode in kept[:-40]:
            journal.add_episode(episode, 0, 0, Usage())
    for file_format in FILES:
        with pytest.raises(RunFolderError, match=r"lacks \d+ episodes that result.json counts"):
            export(other, tmp_path / "out", file_format=file_format)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_rows_are_written_one_at_a_time(tmp_path: Path) -> None:
    """A large run does not have to fit into memory."""
    alive: set[int] = set()
    most = 0

    class WatchedRow(TextRow):
        """A row that records its deletion."""

        def __del__(self) -> None:
            alive.discard(id(self))

    def rows(count: int) -> Any:
        nonlocal most
        for number in range(count):
            row = WatchedRow(text=str(number))
            alive.add(id(row))
            most = max(most, len(alive))
            yield row

    for file_format in FILES:
        write_tables(
            [Table("texts", WatchedRow, partial(rows, 1000))], lambda rows: "", tmp_path / file_format, file_format
        )
        assert most <= 3


@pytest.mark.parametrize("file_format", ["csv", "jsonl"])
def test_texts_need_no_further_package(
    run: ictbench.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file_format: FileFormat
) -> None:
    with_package = ictbench.export(run, tmp_path / "with", file_format=file_format)
    monkeypatch.setitem(sys.modules, "datasets", None)
    without = ictbench.export(run, tmp_path / "without", file_format=file_format)
    for name in TABLES:
        file = f"{name}.{file_format}"
        assert (without / file).read_bytes() == (with_package / file).read_bytes()
    configs = [{"config_name", "data_files"} <= config.keys() for config in front(without)[0]["configs"]]
    assert configs == [True, True, True]
    with pytest.raises(MissingExtraError, match=r"ictbench\[datasets\]"):
        ictbench.export(run, tmp_path / "other")


def test_a_result_without_its_run_has_the_table_of_results(run: ictbench.Run, tmp_path: Path) -> None:
    file = run.folder / "result.json"
    sources: list[Source] = [run.result, file, str(file)]
    for number, source in enumerate(sources):
        folder = ictbench.export(source, tmp_path / str(number), file_format="jsonl")
        assert sorted(path.name for path in folder.iterdir()) == ["README.md", "results.jsonl"]
        rows = [json.loads(line) for line in (folder / "results.jsonl").read_text("utf-8").splitlines()]
        assert rows == recorded(run, "results")


@pytest.mark.parametrize("function", [ictbench.export, ictbench.power, ictbench.verify])
def test_what_is_not_a_run_is_refused(function: Any) -> None:
    with pytest.raises(UsageError, match=r"None .*; give a run"):
        function(None)
