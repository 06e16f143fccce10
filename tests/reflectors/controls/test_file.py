from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ictbench.errors import ConfigError
from ictbench.records import Reflection
from ictbench.reflectors.controls.file import FileReflector
from ictbench.reflectors.reflector import Context

if TYPE_CHECKING:
    from pydantic import JsonValue


def reflect(text: str, cap: int) -> Reflection:
    return asyncio.run(FileReflector(text=text).reflect("Play.", [], None, Context(seed=0, prompt_cap=cap)))


def test_the_hand_written_prompt_is_returned() -> None:
    assert reflect("Read every scroll.\n", 8000) == Reflection(prompt="Read every scroll.\n")


def test_a_prompt_longer_than_the_cap_is_a_failure() -> None:
    assert reflect("äöü", 6).prompt == "äöü"
    assert reflect("äöü", 5) == Reflection(prompt=None, failure="too_long")


@pytest.mark.parametrize("text", [None, "", " \n", 3, ["a"]])
def test_an_invalid_text_is_an_error(text: JsonValue) -> None:
    with pytest.raises(ConfigError, match="'text'"):
        FileReflector(text=text)


def test_an_unknown_option_is_an_error() -> None:
    with pytest.raises(TypeError, match="path"):
        FileReflector(text="Read.", path="prompt.txt")
