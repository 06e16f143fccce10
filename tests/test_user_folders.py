from __future__ import annotations

from pathlib import Path

import pytest

from ictbench.errors import ConfigError
from ictbench.user_folders import cache_folder, expand_home


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without a home folder, as in a container that runs under an unknown user id."""

    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)


def test_cache_folder_is_the_configured_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache"


@pytest.mark.usefixtures("homeless")
def test_missing_home_is_an_error_with_its_remedy() -> None:
    with pytest.raises(ConfigError, match="no home folder; set HOME, or XDG_CACHE_HOME"):
        cache_folder()


def test_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expand_home(Path("~/run")) == tmp_path / "run"
    assert expand_home(Path("a/~/b")) == Path("a/~/b")
    with pytest.raises(ConfigError, match="'' is not a path; name a file or a folder"):
        expand_home("")
    with pytest.raises(ConfigError, match="write the whole path"):
        expand_home(Path("~nobody-of-that-name/run"))
