"""The gate on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.cli.console import Console
from ictbench.cli.terminal_table import add_row, grid, print_line
from ictbench.results.formatting import INTERVAL_MEANING, p_value, signed
from ictbench.results.gate_text import gate_sentence

if TYPE_CHECKING:
    from ictbench.results.gate_schema import ArmLeads, FamilyGate, Gate, Lead

COLUMNS = ("lead over", "as", "turns [95 %]", "p", "last [95 %]", "p", "best [95 %]", "p", "beaten")


def print_gate(gate: Gate, *, turns: bool = False) -> None:
    """Print the leads by family, what is missing, and the answer."""
    for family in (*gate.families, *([gate.mean] if gate.mean else [])):
        _print_family(gate, family, turns)
    for arm in gate.missing:
        ending = "" if arm.arguments and arm.role != "constant" else f" ({arm.reason.removeprefix('run ')})"
        print_line(f"Missing: {arm.role}{ending}.")
    for note in gate.notes:
        print_line(f"Note: {note}.")
    print_line("turns: mean over turns, selection tasks. last, best: test tasks. Beaten: significant in all three.")
    if any(family.gain.difference.low is not None for family in gate.families):
        print_line(INTERVAL_MEANING)
    print_line(gate_sentence(gate))


def _print_family(gate: Gate, family: FamilyGate, turns: bool) -> None:
    print_line(f"{gate.suite}, {family.name}, {family.loops} loops: {gate.reflector} {family.called}")
    table = grid(COLUMNS, left=(COLUMNS[0], COLUMNS[1], COLUMNS[-1]))
    for arm in family.arms:
        add_row(table, (arm.label, arm.role or "reported only", *_cells(arm), "yes" if arm.beaten else "no"), None)
    Console().print(table)
    print_line(f"Gain {_lead(family.gain)}; last gain {_lead(family.last_gain)}.")
    print_line(f"Growth from the first turn to the last {_lead(family.growth)}.")
    if turns:
        for arm in family.arms:
            leads = "; ".join(f"turn {turn} {_lead(lead)}" for turn, lead in enumerate(arm.by_turn, start=1))
            print_line(f"Over {arm.label}: {leads}.")
    Console().print()


def _cells(arm: ArmLeads) -> list[str]:
    return [text for lead in (arm.turns, arm.last, arm.best) for text in (signed(lead.difference), p_value(lead.p))]


def _lead(lead: Lead) -> str:
    return f"{signed(lead.difference)}, p = {p_value(lead.p)}"
