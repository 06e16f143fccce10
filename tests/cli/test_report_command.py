from __future__ import annotations

import webbrowser
from typing import TYPE_CHECKING, Any

import pytest

import ictbench
from ictbench.cli.app import main

if TYPE_CHECKING:
    from pathlib import Path

SIZES: dict[str, Any] = {"turns": 1, "batch_size": 1, "loops": 1, "selection_size": 1, "test_size": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "run"
    return ictbench.run(suite="minihack-v1", families="room-random", out=path, **SIZES).folder


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["ictbench", "report", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code if isinstance(caught.value.code, int) else 0


def test_the_command_says_where_the_report_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, str(folder)) == 0
    assert capsys.readouterr() == (f"{folder / 'report.html'}\n", "")
    assert (folder / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_it_opens_the_report_when_asked(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    out = tmp_path / "a page.html"
    assert call(monkeypatch, str(folder), "--out", str(out), "--episodes", "1", "--open") == 0
    assert opened == [out.as_uri()]
    assert "a page.html" in capsys.readouterr().out
    assert "(--episodes 1)" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--episodes", "some"], "--episodes takes all, test, none or a number, not 'some'"),
        (["nowhere"], "nowhere is not the folder of a run: it has no run.json"),
    ],
)
def test_misuse_takes_one_line(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    said: str,
) -> None:
    assert call(monkeypatch, str(folder), *options) == 2
    assert capsys.readouterr().err == f"ictbench: {said}\n"
