"""Altered copies of the evidence of a small run with memories."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from memory_run import memory_run
from recalled_rules import RECALLED_RULES

from ictbench.results import Result
from ictbench.submissions.episode_records import EpisodeRecord, Evidence, evidence_of_run
from ictbench.submissions.known_players import REFLECTORS, KnownPlayer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

    from ictbench.records import Memory

Json = dict[str, Any]


def altered(
    result: Callable[[Json], object] = lambda result: None,
    records: Callable[[list[Json]], object] = lambda records: None,
    memories: Callable[[list[Memory]], object] = lambda memories: None,
) -> Evidence:
    """Return the evidence of the run after edits of its JSON and its memories, with a matching checksum."""
    honest = evidence_of_run(memory_run().folder)
    result_json = honest.result.model_dump(mode="json", by_alias=True)
    records_json = [record.model_dump(mode="json") for record in honest.episodes()]
    kept = list(honest.memories())
    result(result_json)
    records(records_json)
    memories(kept)
    altered_records = [EpisodeRecord.model_validate(record) for record in records_json]
    return replace(
        honest,
        result=Result.model_validate(result_json),
        episodes=lambda: iter(altered_records),
        memories=lambda: iter(kept),
    )


def built_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put `RecalledRules` into the board's table, as if it shipped with ictbench."""
    monkeypatch.setitem(REFLECTORS, RECALLED_RULES, KnownPlayer(division="memory"))


def prompts_of(result: Json) -> Iterator[Json]:
    """Yield all prompts of a result."""
    for family in result["families"]:
        for loop in family["loops"]:
            yield from loop["prompts"]
