"""What memories add to prompts stands apart in the cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from altered_memories import altered
from finished import episodes_of, loop
from memory_run import memory_run
from small_run import failed, small_run

import ictbench
from ictbench.protocol import keys_for
from ictbench.records import ModelSpec, Usage
from ictbench.results.assemble import added_bytes
from ictbench.results.notes import remarks
from ictbench.results.tables import tables
from ictbench.submissions.episode_records import evidence_of_run

if TYPE_CHECKING:
    from typing import Any


def test_bytes_count_once_for_each_decision_in_the_role_of_the_episode() -> None:
    one = loop(["00", "11"], {0: "00", 1: "11"}, best=1)
    episodes = episodes_of(one, read_test={"added_bytes": 100, "decisions": 3}, read_selection={"added_bytes": 10})
    tests, selection = {*keys_for(one, "test")}, {*keys_for(one, "selection")}
    assert added_bytes([one], episodes) == {"test": 300 * len(tests), "selection": 40 * len(selection)}
    assert added_bytes([one], episodes_of(one)) == {}


def test_a_run_with_a_memory_states_what_it_added() -> None:
    result, records = memory_run().result, evidence_of_run(memory_run().folder).episodes()
    # Each episode of this run counts for one role.
    assert sum(result.added_bytes.values()) == sum(len(r.added.encode()) * len(r.trajectory.steps) for r in records)
    assert set(result.added_bytes) == {"experience", "selection", "test"}
    rows = tables(result)["cost"].set_index("role")
    assert rows["added_bytes"].to_dict() == {**result.added_bytes, "reflector": 0}
    assert rows.loc["test", "added_tokens_estimate"] == round(result.added_bytes["test"] / 4)
    (remark,) = (line for line in remarks(result) if line.startswith("Memories added"))
    assert remark.endswith("bytes to what the actor read, once for each decision; it is a program.")


def test_a_run_without_a_memory_states_nothing() -> None:
    result = ictbench.load_run(small_run()).result
    assert "added_bytes" not in result.model_dump()
    assert "added_bytes" not in tables(result)["cost"]


def test_the_tokens_of_a_model_are_an_estimate_and_named_one() -> None:
    model = ModelSpec(provider="openai", model="m")
    result = memory_run().result
    read = {role: Usage(calls=1, input_tokens=1_000) for role in result.cost}
    actor = result.actor.model_copy(update={"model": model})
    asked = result.model_copy(update={"actor": actor, "cost": read, "added_bytes": {"test": 400, "selection": 200}})
    assert (
        "Memories added about 150 of the actor's 2,000 input tokens in test and selection (estimate: 4 bytes a token)."
        in list(remarks(asked))
    )


def test_other_bytes_than_the_records_have_fail() -> None:
    def lower(result: dict[str, Any]) -> None:
        result["added_bytes"]["test"] -= 1

    assert "added_bytes.test is" in failed(altered(lower))["cost"]
    assert "added_bytes.test is" in failed(altered(lambda result: result["added_bytes"].pop("test")))["cost"]
    assert "added_bytes" in failed(altered(lambda result: result.pop("added_bytes")))["cost"]
