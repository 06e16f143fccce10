from __future__ import annotations

import webbrowser
from typing import TYPE_CHECKING, Any

import pytest

import ictbench

if TYPE_CHECKING:
    from pathlib import Path

    from command_line import CommandLine

SIZES: dict[str, Any] = {"turns": 1, "batch_size": 1, "loops": 1, "selection_size": 1, "test_size": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "run"
    return ictbench.run(suite="minihack-v1", families="room-random", out=path, **SIZES).folder


def test_the_path_of_the_report_is_printed(call: CommandLine, folder: Path) -> None:
    assert call("report", str(folder)) == (0, f"{folder / 'report.html'}\n", "")
    assert (folder / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_the_report_opens_in_the_browser_on_request(
    call: CommandLine, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    out = tmp_path / "a page.html"
    completed = call("report", str(folder), "--out", str(out), "--episodes", "1", "--open")
    assert completed.code == 0
    assert opened == [out.as_uri()]
    assert "a page.html" in completed.out
    assert "(--episodes 1)" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--episodes", "some"], "--episodes takes all, test, none or a number, not 'some'"),
        (["nowhere"], "nowhere does not exist; name the folder of a run, or a result file"),
    ],
)
def test_misuse_is_one_line(call: CommandLine, folder: Path, options: list[str], message: str) -> None:
    assert call("report", str(folder), *options) == (2, "", f"ictbench: {message}\n")
