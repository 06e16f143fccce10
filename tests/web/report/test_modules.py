from __future__ import annotations

import re

import pytest

from ictbench.web.report.html_shell import ASSETS
from ictbench.web.report.modules import EXPORT, IMPORT, join_modules

SCRIPTS = sorted(path.name for path in ASSETS.iterdir() if path.name.endswith(".js"))


def source(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def test_modules_stand_after_what_they_import_each_once() -> None:
    files = {
        "top": 'import { a } from "./left.js";\nimport { b } from "./right.js";\nrun(a, b);\n',
        "left": 'import { c } from "./base.js";\nexport const a = c;\n',
        "right": 'import { c } from "./base.js";\nexport function b() {\n  return c;\n}\n',
        "base": "const hidden = 1;\nexport const c = hidden;\n",
    }
    script = join_modules("top", files.__getitem__)
    assert re.findall(r'^modules\["(\w+)"\]', script, re.MULTILINE) == ["base", "left", "right", "top"]
    assert 'const { c } = modules["base"];\nconst a = c;\nreturn { a };' in script
    assert "import" not in script
    assert "export" not in script


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_module_is_written_so_that_it_can_be_joined(name: str) -> None:
    text = source(name)
    assert len(re.findall(r"^import\b", text, re.MULTILINE)) == len(IMPORT.findall(text))
    assert len(re.findall(r"^export\b", text, re.MULTILINE)) == len(EXPORT.findall(text))
    for names, module in IMPORT.findall(text):
        offered = {found for _, found in EXPORT.findall(source(f"{module}.js"))}
        assert {each.strip() for each in names.strip("{} ").split(",")} <= offered
    assert len(text.splitlines()) < 300


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_module_reads_text_as_markup_or_code(name: str) -> None:
    markup = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|new Function"
    assert not re.search(markup, source(name))


def test_what_another_page_may_use_does_not_know_the_report() -> None:
    general = {
        *("curve", "bars", "gain", "frame", "table", "diff", "diff-view", "theme"),
        *("player", "player-views", "transport", "chunks"),
    }
    own = {
        *("report", "overview", "success", "gains", "prompts", "behaviour", "cost", "families"),
        *("episodes", "episode-list", "stage", "library", "played"),
    }
    assert {f"{name}.js" for name in general | own | {"dom", "format", "visible"}} == set(SCRIPTS)
    for name in general:
        assert {module for _, module in IMPORT.findall(source(f"{name}.js"))}.isdisjoint(own)
