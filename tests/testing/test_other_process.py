from __future__ import annotations

import os

import pytest
from flawed_players import Correct

from ictbench.testing.other_process import run_in_new_process


def test_the_call_runs_in_another_process() -> None:
    assert run_in_new_process(os.getpid) != os.getpid()
    assert run_in_new_process(sorted, "cab", reverse=True) == ["c", "b", "a"]


def test_printed_output_is_not_part_of_the_result() -> None:
    assert run_in_new_process(print, "loud") is None
    assert run_in_new_process(os.system, "echo louder") == 0


def test_classes_of_the_caller_are_found() -> None:
    assert run_in_new_process(type.mro, Correct) == Correct.mro()


def test_hashes_differ_in_the_other_process() -> None:
    assert run_in_new_process(hash, "a word") != hash("a word")


def test_an_error_in_the_other_process_is_raised_here() -> None:
    with pytest.raises(RuntimeError, match="ZeroDivisionError: "):
        run_in_new_process(divmod, 1, 0)
    with pytest.raises(RuntimeError, match="exit code 7"):
        run_in_new_process(os._exit, 7)
