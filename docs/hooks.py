"""What the docs site adds to the pages of this folder: MkDocs calls these functions while it builds.

README, CONTRIBUTING and CHANGELOG are pages of it too; a file of the repository that a page links to comes along; and a
page that would load anything from elsewhere stops the build.
"""

from __future__ import annotations

import logging
import posixpath
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.structure.files import File, Files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
TOP_PAGES = {"index.md": "README.md", "CONTRIBUTING.md": "CONTRIBUTING.md", "CHANGELOG.md": "CHANGELOG.md"}
"""Pages of the site that lie at the top of the repository, and which file each is."""

FILES = "repository/"
"""Folder of the site for files of the repository that are linked to."""

LINK = re.compile(r"(?<=\]\()(?P<path>[^)#:\s]+)(?=[)#])")
LOADING = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "link": "href",
}
"""Tags whose address a browser loads by itself."""

log = logging.getLogger("mkdocs.hooks.ictbench")


def on_config(config: MkDocsConfig) -> None:
    """Leave pages out of the navigation that are not there, and put those last that it does not name."""
    there = {path.relative_to(config.docs_dir).as_posix() for path in Path(config.docs_dir).rglob("*.md")} | set(
        TOP_PAGES
    )
    config.nav = _existing(config.nav or [], there)
    if more := sorted(there - set(_pages(config.nav))):
        config.nav.append({"More": more})


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add the pages from the top of the repository, and every file that a page links to."""
    for page, source in TOP_PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    targets = {
        _target(page.src_uri, link["path"])
        for page in files.documentation_pages()
        for link in LINK.finditer(page.content_string)
    }
    for target in sorted(targets):
        path = ROOT / target.removeprefix(FILES)
        if target.startswith(FILES) and path.is_file():
            files.append(File.generated(config, target, abs_src_path=str(path)))


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links lead to where things lie in the site."""
    uri = page.file.src_uri
    folder = posixpath.dirname(uri) or "."
    return LINK.sub(lambda link: posixpath.relpath(_target(uri, link["path"]), folder), markdown)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> None:
    """Warn of what a browser would load from elsewhere; a strict build fails for a warning."""
    for address in loaded_from_elsewhere(output):
        log.warning("page %s would load %s", page.file.src_uri, address)


def loaded_from_elsewhere(html: str) -> list[str]:
    """Addresses outside the site that a browser loads by itself, and what would have the theme load a script."""
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            given = dict(attributes)
            address = given.get(LOADING.get(tag, "")) or ""
            if re.match(r"\w+:|//", address) and not address.startswith("data:"):
                found.append(address)
            if "mermaid" in (given.get("class") or "").split():
                found.append("mermaid")

    Reader().feed(html)
    return found


def _target(page: str, link: str) -> str:
    """Where in the site lies what a page of it links to."""
    source = TOP_PAGES.get(page, f"docs/{page}")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), link))
    pages = {source: page for page, source in TOP_PAGES.items()}
    return pages.get(path) or (path.removeprefix("docs/") if path.startswith("docs/") else FILES + path)


def _existing(nav: list[Any], there: set[str]) -> list[Any]:
    """The navigation without pages that are not there."""
    kept: list[Any] = []
    for entry in nav:
        ((title, target),) = entry.items()
        if isinstance(target, list):
            kept.append({title: _existing(target, there)})
        elif target in there:
            kept.append(entry)
    return kept


def _pages(nav: list[Any]) -> Iterator[str]:
    for entry in nav:
        for target in entry.values():
            if isinstance(target, list):
                yield from _pages(target)
            else:
                yield target
