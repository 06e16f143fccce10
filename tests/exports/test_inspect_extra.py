from __future__ import annotations

import importlib
import sys

import pytest

from ictbench.errors import MissingExtraError


def test_without_inspect_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "inspect_ai", None)
    monkeypatch.setitem(sys.modules, "inspect_ai.log", None)
    monkeypatch.delitem(sys.modules, "ictbench.exports.inspect_logs", raising=False)
    with pytest.raises(MissingExtraError, match=r"ictbench\[inspect\]"):
        importlib.import_module("ictbench.exports.inspect_logs")
