"""Fixtures of the command line's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from command_line import Completed

from ictbench.cli.app import main

if TYPE_CHECKING:
    from pathlib import Path

    from command_line import CommandLine


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> CommandLine:
    """Run `ictbench` with these arguments in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for variable in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(variable, raising=False)

    def call(*arguments: str) -> Completed:
        monkeypatch.setattr("sys.argv", ["ictbench", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        code = caught.value.code
        return Completed(code if isinstance(code, int) else 0, *capsys.readouterr())

    return call
