"""Parts of a BabyAI mission, such as the two of `open the red door, then open the blue door`."""

from __future__ import annotations

from typing import Any

DONE = "success"
"""What a verifier of BabyAI returns for an instruction that is carried out."""


def share_done(mission: Any, *, accomplished: bool) -> float:
    """Return the share of a mission's parts that are done; a part that was done stays so.

    Args:
        mission: BabyAI's instruction: an action, or two instructions that are to be carried out in an order or in any.
        accomplished: Whether the mission is accomplished. A mission of one part remembers nothing.
    """
    done, parts = _count(mission)
    return 1.0 if accomplished else done / parts


def _count(instruction: Any) -> tuple[int, int]:
    """Return how many parts are known to be done, and how many there are."""
    if not hasattr(instruction, "instr_a"):
        return 0, 1
    done = parts = 0
    sides = ((instruction.instr_a, instruction.a_done), (instruction.instr_b, instruction.b_done))
    for side, status in sides:
        side_done, side_parts = _count(side)
        done += side_parts if status == DONE else side_done
        parts += side_parts
    return done, parts
