from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import ResultError
from ictbench.web.report import ReportSource, is_report, write_page

if TYPE_CHECKING:
    from pathlib import Path

Edited = Callable[[Callable[[Any], None]], ReportSource]

HOSTILE = "</script><script>alert(1)</script><!-- <img src=x onerror=alert(2)> {{document}} &lt; \u2028 \u202e"


class Page(HTMLParser):
    """Elements and texts of a page, parsed as a browser parses them."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.blocks: dict[str, str] = {}
        self.script = self.style = self.title = ""
        self._inside = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        attributes = self.tags[-1][1] if self.tags else {}
        if self._inside == "script" and attributes.get("id"):
            self.blocks[str(attributes["id"])] = data
        elif self._inside in ("script", "style", "title"):
            setattr(self, self._inside, getattr(self, self._inside) + data)

    @property
    def document(self) -> Any:
        return json.loads(self.blocks["document"])

    @property
    def policy(self) -> str:
        (policy,) = (str(a["content"]) for _, a in self.tags if a.get("http-equiv") == "Content-Security-Policy")
        return policy


def written(tmp_path: Path, *sources: ReportSource, choice: Any = "all") -> Page:
    path = tmp_path / "report.html"
    write_page(sources, choice, path)
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
    return Page(path)


def test_page_contains_document_and_episodes(tmp_path: Path, source: ReportSource) -> None:
    page = written(tmp_path, source)
    (run,) = page.document["runs"]
    keys = sorted(episode.key for episode in source.episodes())
    assert run["episodes"]["keys"] == keys
    shown: list[str] = []
    for number in range(len(page.blocks) - 1):
        chunk = json.loads(zlib.decompress(base64.b64decode(page.blocks[f"chunk-0-{number}"])))
        shown += [episode["key"] for episode in chunk]
    assert shown == keys
    assert run["episodes"]["note"] == f"This page holds {len(keys)} of {len(keys)} episodes of finished loops."


def test_document_and_script_come_before_the_chunks(tmp_path: Path, source: ReportSource) -> None:
    page = written(tmp_path, source)
    assert next(iter(page.blocks)) == "document"
    tags = [attributes.get("id") for tag, attributes in page.tags if tag == "script"]
    assert tags[:3] == ["document", None, "chunk-0-0"]


def test_each_run_has_its_own_chunks(tmp_path: Path, source: ReportSource) -> None:
    other = replace(source, name="other")
    page = written(tmp_path, source, other, choice=3)
    assert sorted(page.blocks) == ["chunk-0-0", "chunk-1-0", "document"]
    assert [len(run["episodes"]["keys"]) for run in page.document["runs"]] == [3, 3]


def test_choice_none_does_not_read_the_journal(tmp_path: Path, source: ReportSource) -> None:
    def unread() -> Any:
        raise AssertionError("read")

    page = written(tmp_path, replace(source, episodes=unread), choice="none")
    assert list(page.blocks) == ["document"]
    assert "(--episodes none)" in page.document["runs"][0]["episodes"]["note"]


def test_note_counts_episodes_that_are_missing_from_the_journal(tmp_path: Path, source: ReportSource) -> None:
    page = written(tmp_path, replace(source, episodes=lambda: iter([next(source.episodes())])))
    (run,) = page.document["runs"]
    assert len(run["episodes"]["keys"]) == 1
    assert re.search(r"\d+ are missing from the journal\.$", run["episodes"]["note"])


def test_policy_allows_only_the_script_and_the_style_of_the_page(tmp_path: Path, source: ReportSource) -> None:
    page = written(tmp_path, source)
    rules = dict(rule.strip().split(" ", 1) for rule in page.policy.split(";"))
    assert rules["default-src"] == "'none'"
    for name, text in (("script-src", page.script), ("style-src", page.style)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[name] == f"'sha256-{digest}'"
    assert set(rules) == {"default-src", "script-src", "style-src", "img-src", "base-uri", "form-action"}
    assert rules["img-src"] == "data:"
    addresses = [
        str(value) for _, attributes in page.tags for name, value in attributes.items() if name in ("src", "href")
    ]
    assert all(address.startswith(("#", "data:")) for address in addresses)
    assert not re.search(r"\{\{\w+\}\}", page.script + page.style)
    assert not any(name.startswith("on") or name == "style" for _, attributes in page.tags for name in attributes)


def test_hostile_text_cannot_end_or_begin_an_element(tmp_path: Path, source: ReportSource, edited: Edited) -> None:
    def poison(plain: Any) -> None:
        plain["reflector"]["label"] = HOSTILE
        plain["families"][0]["name"] = plain["families"][0]["note"] = HOSTILE
        plain["families"][0]["loops"][0]["prompts"][1] |= {"text": HOSTILE, "analysis": HOSTILE}

    plain = written(tmp_path, source)
    page = written(tmp_path, edited(poison))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    assert page.document["runs"][0]["label"] == HOSTILE
    assert page.document["runs"][0]["families"][0]["loops"][0]["prompts"][1]["text"] == HOSTILE
    assert page.title.startswith("</script><script>alert(1)</script>")
    assert "\u202e" not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_measure_that_is_not_finite_is_refused(tmp_path: Path, source: ReportSource) -> None:
    family, *others = source.result.families
    assert family.behaviour is not None
    behaviour = family.behaviour.model_copy(update={"prompt_bytes": float("nan")})
    families = (family.model_copy(update={"behaviour": behaviour}), *others)
    result = source.result.model_copy(update={"families": families})
    with pytest.raises(ResultError, match=r"a result is damaged \(small\): a measure in it is not a finite number"):
        write_page([replace(source, result=result)], "none", tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_failed_write_keeps_the_older_page(tmp_path: Path, source: ReportSource) -> None:
    def broken() -> Any:
        yield next(source.episodes())
        raise OSError("gone")

    written(tmp_path, source, choice="none")
    before = (tmp_path / "report.html").read_bytes()
    with pytest.raises(OSError, match="gone"):
        write_page([replace(source, episodes=broken)], "all", tmp_path / "report.html")
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
    assert (tmp_path / "report.html").read_bytes() == before


def test_reports_are_distinguished_from_other_files(tmp_path: Path, source: ReportSource) -> None:
    written(tmp_path, source, choice="none")
    assert is_report(tmp_path / "report.html")
    (tmp_path / "other.html").write_bytes(b"<!DOCTYPE html>\n<title>\xff mine</title>")
    assert not is_report(tmp_path / "other.html")


def test_equal_runs_make_equal_pages(tmp_path: Path, source: ReportSource) -> None:
    for name in ("one.html", "other.html"):
        write_page([source], "all", tmp_path / name)
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "other.html").read_bytes()
