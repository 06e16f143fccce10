from __future__ import annotations

import os

import pytest
from flawed_players import Steady

from ictbench.testing.other_process import elsewhere


def test_it_is_another_process_that_answers() -> None:
    assert elsewhere(os.getpid) != os.getpid()
    assert elsewhere(sorted, "cab", reverse=True) == ["c", "b", "a"]


def test_what_is_printed_there_is_no_part_of_the_answer() -> None:
    assert elsewhere(print, "loud") is None
    assert elsewhere(os.system, "echo louder") == 0


def test_classes_of_ones_own_are_found_there_too() -> None:
    assert elsewhere(type.mro, Steady) == Steady.mro()


def test_sets_have_another_order_there() -> None:
    assert elsewhere(hash, "a word") != hash("a word")


def test_an_error_there_is_told_here() -> None:
    with pytest.raises(RuntimeError, match="ZeroDivisionError: "):
        elsewhere(divmod, 1, 0)
    with pytest.raises(RuntimeError, match="exit code 7"):
        elsewhere(os._exit, 7)
