from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from datasets import load_dataset

from ictbench import load_suite
from ictbench.cli.app import main
from ictbench.errors import UnknownNameError
from ictbench.exports import export_tasks, task_dataset
from ictbench.suites.task_list import list_tasks

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)


@pytest.mark.parametrize(("suite", "file_format"), [("minihack-v1", "csv"), ("alfworld-v1", "parquet")])
def test_the_tasks_of_a_suite_are_a_data_set(suite: str, file_format: str, tmp_path: Path) -> None:
    listed = [row.model_dump() for row in list_tasks(load_suite(suite), profile="quick")]
    in_memory = task_dataset(suite, profile="quick")
    assert in_memory.to_list() == listed
    folder = export_tasks(suite, tmp_path / "out", file_format, profile="quick")  # type: ignore[arg-type]
    written = load_dataset(str(folder), split="train")
    assert written.to_list() == listed
    assert written.features == in_memory.features
    assert load_suite(suite).digest in (folder / "README.md").read_text("utf-8")


def test_an_unknown_suite_is_reported_and_nothing_is_written(tmp_path: Path) -> None:
    for call in (lambda: task_dataset("minihack-v7"), lambda: export_tasks("minihack-v7", tmp_path / "out")):
        with pytest.raises(UnknownNameError, match="did you mean 'minihack-v1'"):
            call()
    assert list(tmp_path.iterdir()) == []


def test_tasks_export_command_writes_the_selected_tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    command = "ictbench tasks export minihack-v1 --families read,zap --profile lite --loops 2 --format jsonl"
    monkeypatch.setattr("sys.argv", command.split())
    with pytest.raises(SystemExit) as caught:
        main()
    assert (caught.value.code or 0, capsys.readouterr()) == (0, ("Files: minihack-v1-tasks\n", ""))
    written = load_dataset(str(tmp_path / "minihack-v1-tasks"), split="train")
    assert len(written) == 2 * 2 * (15 + 10 + 20)
    assert set(written["family"]) == {"read", "zap"}
