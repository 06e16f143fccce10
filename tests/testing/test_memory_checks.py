"""The conformance check finds each way in which a learner with a memory may violate its contract."""

from __future__ import annotations

import flawed_learners
import pytest
from recalled_rules import RecalledRules

from ictbench.reflectors.controls.blind import BlindReflector
from ictbench.testing import check_reflector


def test_correct_learners_pass() -> None:
    check_reflector(flawed_learners.Remembers)
    check_reflector(RecalledRules)


def test_a_control_of_a_learner_is_checked_with_its_memory() -> None:
    name = "flawed_learners:CountsRecalls"
    with pytest.raises(AssertionError, match="recall in another order: "):
        check_reflector(BlindReflector, options={"reflector": {"label": "own", "name": name}})


@pytest.mark.parametrize(
    ("flaw", "message"),
    [
        ("TooMuch", "memory: it has 256,002 bytes, of at most 256,000; keep less of the episodes"),
        ("NotANumber", "memory: it is not plain JSON: .*; use finite numbers"),
        ("Tuple", "reflect: it raised ValidationError: memory"),
        ("NoDivision", 'memory: it returned one; set `division = "memory"` in the class'),
        ("NoMemory", "memory: no reflection has one; return it with each reflection"),
        ("CountsInInstance", "after a restart: for input 1, memory is .*; keep what you remember in the state, or"),
        ("CountsRecalls", "recall in another order: for call 0, it returns 'Recalled .* let only memory, observation"),
        ("HashDependent", "recall in a new process: for call 0, it returns .*, not the order of a set or a hash"),
        ("ChangesMemory", "recall: it changed {'turns': .*; copy what you want to change"),
        ("Long", "recall: .*recall returned 2,001 bytes, of at most 2,000; return less; return a short text for"),
        ("NoText", "recall: .*recall returned None; return a text"),
        ("Surrogate", "recall: .*recall returned text that UTF-8 cannot encode"),
        ("Fails", r"recall: .*KeyError: 'insights' \(.*flawed_learners.py, line "),
        ("IgnoresRoom", "prompt cap: the prompt has 7000 bytes, more than 5998"),
    ],
)
def test_each_flaw_is_named(flaw: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message) as caught:
        check_reflector(getattr(flawed_learners, flaw))
    assert "\n" not in str(caught.value)


def test_a_slow_recall_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ictbench.testing.memory_checks.RECALL_SECONDS", 0.2)
    with pytest.raises(AssertionError, match=r"recall: it took 0.\d s; take at most 0.2 s"):
        check_reflector(flawed_learners.Slow)
