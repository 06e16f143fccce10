"""Behaviour that needs no Ray cluster; tests/ray_cluster has one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

import ictbench
from ictbench.errors import MissingExtraError

if TYPE_CHECKING:
    from pathlib import Path


def test_missing_ray_is_an_error_that_names_the_extra_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"--executor ray needs a package .* pip install 'ictbench\[ray\]'"):
        ictbench.run(families="eat", loops=1, executor="ray", out=tmp_path / "run")
