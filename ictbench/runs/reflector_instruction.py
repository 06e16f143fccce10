"""Instruction of a reflector's model that the user gives: its file, and its place in the reflector's specification."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench.errors import ConfigError
from ictbench.user_folders import expand_home

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import JsonValue

MAX_BYTES = 16_000
"""Maximum size of an instruction in UTF-8 bytes; with the request for the reply it fits into a submission."""


def read_instruction(path: Path | None) -> str | None:
    """Return the text of the file without the space around it; None without a file.

    Raises:
        ConfigError: It cannot be read, is empty, is too large, or is not text.
    """
    if path is None:
        return None
    try:
        with expand_home(path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        text = content.decode("utf-8-sig" if len(content) <= MAX_BYTES else "latin-1")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--reflector-instruction {str(path)!r} cannot be read: {error}") from error
    if len(content) > MAX_BYTES:
        raise ConfigError(
            f"--reflector-instruction {str(path)!r} has more than the maximum of {MAX_BYTES:,} bytes; shorten it"
        )
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise ConfigError(
            f"--reflector-instruction {str(path)!r} is empty; write the instruction into it, or leave it out"
        )
    if "\0" in text:
        raise ConfigError(f"--reflector-instruction {str(path)!r} is not a text file: it holds the character U+0000")
    return text


def instruction_options(name: str, plugin_class: type[Any], instruction: str | None) -> dict[str, JsonValue]:
    """Return the option that gives a reflector its instruction; none without one.

    Raises:
        ConfigError: The reflector does not take an instruction.
    """
    if instruction is None:
        return {}
    if not getattr(plugin_class, "system", ""):
        raise ConfigError(
            f"reflector {name!r} does not take an instruction: leave out --reflector-instruction, or use rewrite, "
            "gepa, gepa-loop or a memory learner on a model, e.g. ace:openai/gpt-4.1-mini"
        )
    return {"instruction": instruction}
