from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ictbench.yaml_file import read_yaml

if TYPE_CHECKING:
    from pathlib import Path


def test_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "options.yaml"
    path.write_bytes(b"\xef\xbb\xbfturns: 3\n")
    assert read_yaml(path) == {"turns": 3}


@pytest.mark.parametrize("text", ["turns: 3\nturns: 5\n", "a: {b: 1, b: 2}\n", "- {x: 1, 'x': 2}\n"])
def test_repeated_key_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "options.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"^line \d+, column \d+: the key '[tbx].*' occurs twice; remove one$"):
        read_yaml(path)


def test_merge_keys_may_be_overridden(tmp_path: Path) -> None:
    path = tmp_path / "options.yaml"
    path.write_text("base: &b {x: 1, y: 2}\nmine:\n  <<: *b\n  x: 3\n1: one\n'1': text\n")
    assert read_yaml(path) == {"base": {"x": 1, "y": 2}, "mine": {"x": 3, "y": 2}, 1: "one", "1": "text"}


@pytest.mark.parametrize("content", [b"\xff", b"a: [", b"a: !!python/object/apply:os.getcwd []\n"])
def test_unreadable_file_is_a_value_error_of_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "options.yaml"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"^[^\n]+$"):
        read_yaml(path)
