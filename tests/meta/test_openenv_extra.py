from __future__ import annotations

import importlib
import sys

import pytest

from ictbench.errors import MissingExtraError


def test_without_openenv_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openenv", None)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "ictbench.meta.openenv_server", raising=False)
    with pytest.raises(MissingExtraError, match=r"ictbench\[openenv\]"):
        importlib.import_module("ictbench.meta.openenv_server")
