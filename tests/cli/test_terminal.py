from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from ictbench.cli.console import Console
from ictbench.cli.terminal import VisibleStream, print_json, safe_output

if TYPE_CHECKING:
    import pytest
    from command_line import CommandLine

CLIPBOARD = "\x1b]52;c;cm0gLXJmIH4=\x07"
"""Sequence that writes to the clipboard of many terminals."""


@given(st.text())
def test_nothing_printed_can_control_the_terminal(text: str) -> None:
    raw = io.StringIO()
    print(text, file=VisibleStream(raw))
    assert raw.getvalue().replace("\n", "").replace("\t", "").isprintable()


def test_rich_keeps_its_styles_and_replaces_controls_in_texts(capsys: pytest.CaptureFixture[str]) -> None:
    with safe_output():
        Console(force_terminal=True, color_system="standard", width=80).print(Text(f"a{CLIPBOARD}b", style="red"))
    out = capsys.readouterr().out
    assert out.startswith("\x1b[31ma\N{REPLACEMENT CHARACTER}]52;c;")
    assert CLIPBOARD[:3] not in out
    assert "\x07" not in out


@given(
    st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.dictionaries(st.text(), inner), max_leaves=4)
)
def test_json_is_printable_and_unchanged(value: object) -> None:
    raw, sys.stdout = sys.stdout, io.StringIO()
    try:
        print_json(json.dumps(value, ensure_ascii=False, indent=1))
        text = sys.stdout.getvalue()
    finally:
        sys.stdout = raw
    assert text.replace("\n", "").isprintable()
    assert json.loads(text) == value


def test_error_messages_are_cleaned(call: CommandLine) -> None:
    completed = call("show", f"x{CLIPBOARD}")
    assert completed.code == 2
    assert "x\N{REPLACEMENT CHARACTER}]52;c;" in completed.err
    assert "\x1b" not in completed.err


def test_an_output_without_unicode_gets_ascii_instead_of_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", raw)
    with safe_output():
        print("gain – 0.5 ≥ 0.4 … 日")
    raw.flush()
    assert raw.buffer.getvalue() == b"gain - 0.5 >= 0.4 ... ?\n"


def test_json_keeps_its_values_on_an_output_without_unicode(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", raw)
    with safe_output():
        print_json(json.dumps({"name": "é 日 🎲"}, ensure_ascii=False))
    raw.flush()
    assert json.loads(raw.buffer.getvalue()) == {"name": "é 日 🎲"}
