"""State and memory of a reflector: the next turn gets the same, whether or not a restart lies between."""

from __future__ import annotations

import gzip
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ictbench.errors import PluginError
from ictbench.records import MEMORY_BYTES, NO_MEMORY, Memory, Reflection, Usage, canonical_json
from ictbench.runs.checked_reflection import checked_reflection, copied
from ictbench.runs.journal import Journal
from ictbench.submissions.episode_records import memories_in

if TYPE_CHECKING:
    from pathlib import Path

ANY_TEXT = st.text(st.characters(codec=None), max_size=6)
"""Also with lone surrogates, which UTF-8 cannot encode."""
REFUSED: tuple[Any, ...] = (float("nan"), float("inf"), {1: "a"}, ("a",), "\ud800", {"a": {"b"}}, 10**5000)
"""Values that JSON does not keep; Python does not write so long an integer."""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=12,
)


@given(state=JSON, memory=JSON)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_is_accepted_survives_the_journal_and_the_file(tmp_path: Path, state: Any, memory: Any) -> None:
    try:
        kept = checked_reflection("own", Reflection(prompt="p", state=state, memory=memory), "memory")
    except (PluginError, ValidationError):
        return
    (tmp_path / "journal.sqlite").unlink(missing_ok=True)
    with closing(Journal(tmp_path / "journal.sqlite")) as journal:
        journal.add_reflection("f", 0, 1, kept, 0.0, Usage())
        recorded = journal.reflection("f", 0, 1)
    assert recorded is not None
    assert repr((recorded.state, recorded.memory)) == repr((kept.state, kept.memory))
    assert Memory.of(recorded.memory).digest == Memory.of(memory).digest
    line = f"{Memory.of(recorded.memory).model_dump_json()}\n"
    (tmp_path / "memories.jsonl.gz").write_bytes(gzip.compress(line.encode()))
    if memory is not None:
        assert [*memories_in(tmp_path / "memories.jsonl.gz")] == [Memory.of(memory)]


@pytest.mark.parametrize("name", ["state", "memory"])
@pytest.mark.parametrize("value", REFUSED, ids=lambda value: type(value).__name__)
def test_what_the_journal_cannot_hold_is_refused(name: str, value: Any) -> None:
    reflection = Reflection(prompt="p").model_copy(update={name: value})
    with pytest.raises(PluginError, match=f"^own: its {name} is not plain JSON: ") as caught:
        checked_reflection("own", reflection, "memory")
    assert "\n" not in str(caught.value)


def test_memories_of_equal_digest_are_equal_in_order() -> None:
    orders = ({"b": {"d": 1, "c": 2}, "a": 3}, {"a": 3, "b": {"c": 2, "d": 1}})
    kept = [checked_reflection("own", Reflection(prompt="p", memory=order), "memory").memory for order in orders]
    assert repr(kept[0]) == repr(kept[1]) == repr(orders[1])


def test_later_changes_of_what_was_returned_change_nothing() -> None:
    state: Any = {"turns": [1]}
    memory: Any = {"rules": ["a"]}
    kept = checked_reflection("own", Reflection.model_construct(prompt="p", state=state, memory=memory), "memory")
    state["turns"].append(2)
    memory["rules"].append("b")
    assert (kept.state, kept.memory) == ({"turns": [1]}, {"rules": ["a"]})


def test_a_copy_of_a_memory_may_be_changed() -> None:
    memory = Memory.of({"rules": ["a"]})
    copy = copied(memory)
    copy.value["rules"].append("b")  # type: ignore[index, call-overload, union-attr]
    assert memory == Memory.of({"rules": ["a"]})
    assert copied(NO_MEMORY) is NO_MEMORY


@pytest.mark.parametrize("division", ["reflector", "optimiser"])
def test_a_memory_of_another_division_is_refused(division: Any) -> None:
    with pytest.raises(PluginError, match='own: it returned a memory; set `division = "memory"` in its class'):
        checked_reflection("own", Reflection(prompt="p", memory=[]), division)


@pytest.mark.parametrize(("letters", "fits"), [(127_998, True), (127_999, False)])
def test_the_size_of_a_memory_is_that_of_its_canonical_json(letters: int, fits: bool) -> None:
    memory = ["é" * letters]
    assert (len(canonical_json(memory).encode()) <= MEMORY_BYTES) == fits
    if fits:
        assert checked_reflection("own", Reflection(prompt="p", memory=memory), "memory").memory == memory
    else:
        with pytest.raises(PluginError, match="own: its memory has 256,002 bytes, of at most 256,000; keep less of"):
            checked_reflection("own", Reflection(prompt="p", memory=memory), "memory")
