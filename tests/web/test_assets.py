"""Scripts and styles of the pages: bundles are current, and sources keep to the layout and the rules of safety."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from ictbench.web.bundle import BUNDLES, ENTRY_POINTS, WEB, bundle

if TYPE_CHECKING:
    from pathlib import Path

MODULES = sorted(path.relative_to(WEB).as_posix() for path in WEB.glob("**/assets/**/*.js"))


def test_bundles_are_current(tmp_path: Path) -> None:
    bundle(ENTRY_POINTS, tmp_path)
    assert sorted(path.name for path in BUNDLES.iterdir()) == sorted(path.name for path in ENTRY_POINTS)
    for path in tmp_path.iterdir():
        current = (BUNDLES / path.name).read_text(encoding="utf-8")
        assert current == path.read_text(encoding="utf-8"), f"{path.name} is not current: run make assets"


def test_bundles_can_stand_inside_a_script_element() -> None:
    for path in BUNDLES.iterdir():
        text = path.read_text(encoding="utf-8")
        assert "</script" not in text
        assert "<!--" not in text


@pytest.mark.parametrize("name", MODULES)
def test_modules_never_parse_text_as_markup_or_code(name: str) -> None:
    markup = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|new Function"
    assert not re.search(markup, (WEB / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", MODULES)
def test_modules_are_short(name: str) -> None:
    assert len((WEB / name).read_text(encoding="utf-8").splitlines()) < 300


def test_shared_modules_do_not_depend_on_the_pages_that_use_them() -> None:
    for name in MODULES:
        text = (WEB / name).read_text(encoding="utf-8")
        if name.startswith("assets/"):
            assert "/report/" not in text
            assert "/board/" not in text
        if name.startswith("assets/") and not name.startswith("assets/run/"):
            assert "./run/" not in text
        if name.startswith("report/"):
            assert "/board/" not in text
        if name.startswith("board/"):
            assert "/report/" not in text
