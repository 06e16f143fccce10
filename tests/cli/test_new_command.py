from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ictbench.cli.app import main


def new(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["ictbench", "new", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def test_the_files_and_what_to_do_next_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert not new(monkeypatch, "actor", "bold_one")
    *files, following = capsys.readouterr().out.splitlines()
    assert sorted(map(Path, files)) == sorted(
        path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()
    )
    assert following == "Next: cd bold_one, pip install -e '.[test]', pytest"


def test_what_cannot_be_done_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert new(monkeypatch, "env", "class", "--out", str(tmp_path / "mine")) == 2
    assert new(monkeypatch, "model", "mine") == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first == "ictbench: 'class' is a word of Python itself; choose another name, e.g. my_class"
    assert second.startswith("ictbench: Invalid value")
