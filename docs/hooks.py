"""MkDocs hooks of the docs site.

They add README, CONTRIBUTING and CHANGELOG as pages, write a page with all commands, copy the repository files that
pages link to, and fail the build if a page would load anything from another host.
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
"""Pages of the site whose sources are at the top of the repository, with their files."""

COMMANDS = "reference/commands.md"
"""Page with the help pages of all commands."""

FILES = "repository/"
"""Folder of the site for repository files that pages link to."""

HELP_WIDTH = 100
"""Width of help pages, in columns."""

LINK = re.compile(r"(?<=\]\()(?P<path>[^)#:\s]+)(?=[)#])")
ADDRESS_ATTRIBUTES = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "link": "href",
}
"""Tags whose address a browser loads automatically, with the attribute that holds it."""

log = logging.getLogger("mkdocs.hooks.ictbench")


def on_config(config: MkDocsConfig) -> None:
    """Remove missing pages from the navigation, and append the pages that it does not list."""
    written = {path.relative_to(config.docs_dir).as_posix() for path in Path(config.docs_dir).rglob("*.md")}
    existing = {*written, *TOP_PAGES, COMMANDS}
    config.nav = _existing_entries(config.nav or [], existing)
    if more := sorted(existing - set(_pages(config.nav))):
        config.nav.append({"More": more})


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add the pages from the top of the repository, that of the commands, and the files that pages link to."""
    files.append(File.generated(config, COMMANDS, content=commands_page()))
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
    """Rewrite links to their targets in the site."""
    uri = page.file.src_uri
    folder = posixpath.dirname(uri) or "."
    return LINK.sub(lambda link: posixpath.relpath(_target(uri, link["path"]), folder), markdown)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> None:
    """Warn about addresses that a browser would load from other hosts; a strict build fails on a warning."""
    for address in external_resources(output):
        log.warning("page %s would load %s", page.file.src_uri, address)


def commands_page() -> str:
    """Return the page with the help pages of all commands."""
    import typer

    from ictbench.cli.app import app
    from ictbench.cli.help_page import page_lines

    lines = [
        "# Commands",
        "",
        "What `ictbench COMMAND --help` prints. [The command line](../command-line.md) explains output and exit codes.",
    ]
    command = typer.main.get_command(app)
    for context in _contexts(command.make_context("ictbench", [], resilient_parsing=True)):
        help_page = "\n".join(line.plain for line in page_lines(context.command, context, HELP_WIDTH))
        lines += ["", f"## {context.command_path}", "", "```text", help_page, "```"]
    return "\n".join(lines)


def _contexts(context: Any) -> Iterator[Any]:
    """Yield the context of a command, and those of its subcommands."""
    yield context
    for name, command in getattr(context.command, "commands", {}).items():
        yield from _contexts(command.make_context(name, [], parent=context, resilient_parsing=True))


def external_resources(html: str) -> list[str]:
    """Return external addresses that a browser loads automatically, and elements for which the theme loads a script."""
    resources: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            values = dict(attributes)
            address = values.get(ADDRESS_ATTRIBUTES.get(tag, "")) or ""
            if re.match(r"\w+:|//", address) and not address.startswith("data:"):
                resources.append(address)
            if "mermaid" in (values.get("class") or "").split():
                resources.append("mermaid")

    Reader().feed(html)
    return resources


def _target(page: str, link: str) -> str:
    """Return the path in the site of a link's target."""
    source = TOP_PAGES.get(page, f"docs/{page}")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), link))
    pages = {source: page for page, source in TOP_PAGES.items()}
    return pages.get(path) or (path.removeprefix("docs/") if path.startswith("docs/") else FILES + path)


def _existing_entries(nav: list[Any], existing: set[str]) -> list[Any]:
    """Return the navigation without missing pages."""
    kept: list[Any] = []
    for entry in nav:
        ((title, target),) = entry.items()
        if isinstance(target, list):
            kept.append({title: _existing_entries(target, existing)})
        elif target in existing:
            kept.append(entry)
    return kept


def _pages(nav: list[Any]) -> Iterator[str]:
    """Yield the pages of the navigation."""
    for entry in nav:
        for target in entry.values():
            if isinstance(target, list):
                yield from _pages(target)
            else:
                yield target
