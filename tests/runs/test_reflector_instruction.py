"""Instruction of a reflector's model from a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import ictbench
from ictbench.errors import ConfigError, RunFolderError
from ictbench.runs.reflector_instruction import MAX_BYTES, read_instruction
from ictbench.submissions.metadata import reflector_instruction
from ictbench.submissions.player_labels import label_problems
from ictbench.testing import ScriptedServer

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.runs import Run

GOOD = "ANALYSIS:\nScrolls matter.\n\nIMPROVED PROMPT:\nRead every scroll."


def test_the_text_is_read_without_the_space_around_it(tmp_path: Path) -> None:
    (path := tmp_path / "mine.txt").write_bytes(b"\xef\xbb\xbf\r\nBe brief.\r\nBe kind.\r\n")
    assert read_instruction(path) == "Be brief.\nBe kind."
    assert read_instruction(None) is None
    path.write_bytes(b"a" * MAX_BYTES)
    assert read_instruction(path) == "a" * MAX_BYTES


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: .*No such file"),
        (b" \n", "is empty; write the instruction into it"),
        (b"\xff\xfe", "cannot be read: .*decode"),
        (b"a" * (MAX_BYTES + 1), "has more than the maximum of 16,000 bytes; shorten it"),
        ("\N{EURO SIGN}".encode() * MAX_BYTES, "has more than the maximum of 16,000 bytes"),
        (b"Be\0brief.", r"is not a text file: it holds the character U\+0000"),
    ],
)
def test_an_unusable_file_is_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "mine.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=message) as caught:
        read_instruction(path)
    assert "mine.txt" in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_folder_is_no_instruction(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_instruction(tmp_path)


def run(folder: Path, server: ScriptedServer, text: str, reflector: str = "openai/m") -> Run:
    (path := folder / "instruction.txt").write_text(text, encoding="utf-8")
    return ictbench.run(
        families="read",
        reflector=reflector,
        reflector_base_url=server.url,
        reflector_instruction=path,
        actor="rules",
        turns=1,
        batch_size=1,
        loops=1,
        selection_size=1,
        test_size=1,
        max_steps=2,
        executor="inline",
        cache=folder / "cache.sqlite",
        out=folder / "run",
    )


def test_the_model_reads_it_and_the_result_holds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with ScriptedServer(lambda body: GOOD, record=True) as server:
        done = run(tmp_path, server, "Be brief.")
        systems = [request["messages"][0]["content"] for request in server.requests_log]
        assert "Be brief." in systems
        reflector = done.result.reflector
        assert reflector.options["instruction"] == "Be brief."
        assert list(label_problems(done.result)) == []
        hidden = done.result.model_copy(update={"reflector": reflector.model_copy(update={"label": "openai/m"})})
        assert "is labelled 'openai/m', but it is 'openai/m (instruction 213c22ed7234)'" in next(label_problems(hidden))
        published = reflector_instruction(reflector)
        assert published.startswith("Be brief.\n\nAnswer with exactly these two sections:")
        # A finished run with another text is another run; in another folder, the cache does not answer for it.
        with pytest.raises(RunFolderError, match="reflector"):
            run(tmp_path, server, "Be thorough.")
        (other := tmp_path / "other").mkdir()
        (tmp_path / "cache.sqlite").rename(other / "cache.sqlite")
        asked = len(server.requests_log)
        run(other, server, "Be thorough.")
        assert "Be thorough." in [request["messages"][0]["content"] for request in server.requests_log[asked:]]
