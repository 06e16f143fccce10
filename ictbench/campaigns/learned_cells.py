"""The gate of the protocol for every reflector of a campaign, with those of its controls that the campaign played."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.campaigns.cell_comparisons import groups_of
from ictbench.errors import ResultError, UsageError
from ictbench.records import Record
from ictbench.results.experience_gate import judge
from ictbench.results.gate_arms import LOSSES, REQUIREMENTS, role_of
from ictbench.results.gate_schema import Gate
from ictbench.results.gate_text import gate_sentence
from ictbench.results.outcomes import is_constant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ictbench.results import Result


class LearnedCell(Record):
    """Whether the reflector of a cell learned from experience."""

    cell: str
    arms: tuple[str, ...]
    """Cells of its controls."""
    sentence: str
    """The answer, or why there is none."""
    gate: Gate | None


def judge_cells(results: Mapping[str, Result]) -> list[LearnedCell]:
    """Return the answer for every cell whose reflector writes prompts and is no control.

    Args:
        results: Results of the complete cells, by name.
    """
    answers = []
    for group in groups_of(results):
        for name in group:
            result = results[name]
            if result.control or is_constant(result.reflector):
                continue
            others = [other for other in group if other != name]
            arms = [other for other in others if role_of(results[other], result) in (*REQUIREMENTS, LOSSES)]
            answers.append(_judge(name, result, {arm: results[arm] for arm in arms}))
    return answers


def _judge(name: str, result: Result, arms: Mapping[str, Result]) -> LearnedCell:
    control = f"blind:{result.reflector.name}"
    gate, sentence = None, f"The campaign has no control of this reflector on the same tasks, e.g. {control}."
    if arms:
        try:
            gate = judge(result, *arms.values())
            sentence = gate_sentence(gate)
        except (ResultError, UsageError) as error:
            sentence = f"No answer: {error}."
    return LearnedCell(cell=name, arms=tuple(arms), sentence=sentence, gate=gate)
