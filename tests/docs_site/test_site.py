"""The docs site, built as `make docs` builds it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

import ictbench
import ictbench.testing

ROOT = Path(__file__).parents[2]
PAGES = sorted(path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md"))


def build(site: Path, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs") / "site"
    done = build(folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def hooks() -> Any:
    spec = spec_from_file_location("hooks", ROOT / "docs" / "hooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_page_exists_and_is_in_the_navigation(site: Path) -> None:
    home = (site / "index.html").read_text(encoding="utf-8")
    for page in (*PAGES, Path("CONTRIBUTING.md"), Path("CHANGELOG.md"), Path("reference/commands.md")):
        address = page.with_suffix(".html").as_posix()
        assert (site / address).is_file()
        assert f'href="{address}" class="md-nav__link' in home
    assert not re.search(r">\s*More\s*<", home), "mkdocs.yml names every page"


def test_nothing_is_loaded_from_other_hosts(site: Path, hooks: Any) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > len(PAGES)
    assert [address for page in pages for address in hooks.external_resources(page.read_text("utf-8"))] == []
    sheets = "".join(sheet.read_text(encoding="utf-8") for sheet in site.rglob("*.css"))
    assert re.findall(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//", sheets) == []


def test_links_within_the_site_have_targets(site: Path) -> None:
    links = [
        (page, address)
        for page in site.rglob("*.html")
        for address in re.findall(r'(?:href|src)="([^"#:?]+)["#?]', page.read_text(encoding="utf-8"))
        # 404.html is served at any address, so its links are absolute.
        if page.name != "404.html"
    ]
    assert len(links) > 1000
    assert [(page.name, address) for page, address in links if not (page.parent / address).exists()] == []


def test_the_reference_has_every_public_name(site: Path) -> None:
    reference = "".join(page.read_text(encoding="utf-8") for page in (site / "reference").glob("*.html"))
    names = {*ictbench.__all__, *(f"testing.{name}" for name in ictbench.testing.__all__)} - {"__version__"}
    ids = {name for name in names if f'id="ictbench.{name}"' in reference}
    assert sorted(names - ids - {"IctbenchError", "RunError", "UsageError"}) == []
    assert 'id="ictbench.errors.UsageError"' in reference


def test_the_page_of_commands_has_every_command_and_every_option_of_a_run(site: Path) -> None:
    from ictbench.runs.options import OPTIONS

    page = (site / "reference" / "commands.html").read_text(encoding="utf-8")
    for command in ("ictbench run", "ictbench leaderboard validate", "ictbench train grpo"):
        assert f">{command}<a" in page
        assert f"Usage: {command} [OPTIONS]" in page
    assert [option.flag for option in OPTIONS.values() if f"{option.flag}" not in page] == []


def test_the_search_index_has_api_entries(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))["docs"]
    assert "reference/meta.html#ictbench.MetaEnv.evaluate" in {entry["location"] for entry in index}


def test_linked_repository_files_are_copied(site: Path) -> None:
    assert 'href="repository/tasks/minihack-v1.yaml"' in (site / "writing-an-environment.html").read_text("utf-8")
    assert (site / "repository/tasks/minihack-v1.yaml").read_bytes() == (ROOT / "tasks/minihack-v1.yaml").read_bytes()


def test_external_resources_and_broken_links_fail_the_build(tmp_path: Path) -> None:
    for name in ("README.md", "CITATION.cff", "CONTRIBUTING.md", "CHANGELOG.md", "mkdocs.yml"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("docs", "ictbench", "tasks", "examples", "integrations", "benchmarks", "leaderboards"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "submissions"))
    page = "# More\n\n![far](https://example.org/far.png)\n\n[nowhere](nowhere.md) and [of no name](runs.md#none)\n"
    (tmp_path / "docs" / "more.md").write_text(page, encoding="utf-8")
    done = build(tmp_path / "site", tmp_path)
    assert done.returncode == 1
    assert "page more.md would load https://example.org/far.png" in done.stderr
    assert "'nowhere.md'" in done.stderr
    assert "'runs.md#none'" in done.stderr
    assert done.stderr.count("WARNING -") == 3


@pytest.mark.parametrize(
    ("html", "resources"),
    [
        ('<script src="https://cdn.example/x.js"></script>', ["https://cdn.example/x.js"]),
        ('<link rel="stylesheet" href="//fonts.example/css">', ["//fonts.example/css"]),
        ('<img src="images/here.png"><img src="data:image/png;base64,AA=="><a href="https://example.org">x</a>', []),
        ('<pre class="mermaid"><code>graph</code></pre>', ["mermaid"]),
    ],
)
def test_external_resources_excludes_local_files_and_plain_links(html: str, resources: list[str], hooks: Any) -> None:
    assert hooks.external_resources(html) == resources
