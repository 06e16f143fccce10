"""Program that carries out every attack and prints docs/attacks.md.

Run it with `PYTHONPATH=tests/helpers python -m attack_table`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import attacks_on_episodes
import attacks_on_evidence
import attacks_on_files
import attacks_on_memories
import attacks_on_metadata
import attacks_on_optimisers
import attacks_on_others
import attacks_on_players
import attacks_on_results
from attacks import ATTACKS, attacked_submission, outcome_of
from attacks_elsewhere import ELSEWHERE

if TYPE_CHECKING:
    from attacks import Attack
    from attacks_elsewhere import AttackElsewhere

MODULES = (
    attacks_on_results,
    attacks_on_episodes,
    attacks_on_metadata,
    attacks_on_others,
    attacks_on_files,
    attacks_on_evidence,
    attacks_on_players,
    attacks_on_memories,
    attacks_on_optimisers,
)
"""Modules that register their attacks when they are imported."""

HEAD = """\
# Attacks on a leaderboard

This page lists what a submitter could do to an honest submission, and which stage refuses it:

- **reading** of the files,
- **validate**: the checks of `ictbench leaderboard validate`,
- **verify**: the replay of `ictbench verify`, here of 60 episodes,
- **nothing**: this attack cannot be refused.

The attacks on memories edit the submission of a learner with a memory, which the board takes for a built-in one;
those on optimisers that of `gepa-loop`.
In every attack, all checksums and digests match; the measures match if the attack says so.
`tests/audit/test_attacks.py` carries out each attack on a real submission. `PYTHONPATH=tests/helpers python -m
attack_table` does the same and prints this page. The second table lists attacks that do not edit a submission, each
with the test that carries it out. `make fuzz` tries thousands of random edits.

| attack | refused by | message |
|---|---|---|"""


HEAD_ELSEWHERE = """
## Attacks beyond the files of a submission

| attack | outcome | test |
|---|---|---|"""


def row_elsewhere(attack: AttackElsewhere) -> str:
    """Return the row of an attack that another test carries out."""
    return f"| {attack.name} | {attack.outcome} | `{attack.test}` |"


def row(attack: Attack) -> str:
    """Return the row of an attack."""
    message = attack.reason if attack.stage == "nothing" else f"`{attack.reason.strip()}`"
    return f"| {attack.name} | {attack.stage} | {message} |"


def main() -> None:
    """Print the page; on standard error print the seconds that each attack took, and unexpected outcomes."""
    print(HEAD)
    with tempfile.TemporaryDirectory() as temporary, attacked_submission(Path(temporary)) as honest:
        for number, attack in enumerate(ATTACKS):
            started = time.perf_counter()
            stage, messages = outcome_of(attack, honest, Path(temporary, str(number)))
            seconds = time.perf_counter() - started
            expected = stage == attack.stage and (
                stage == "nothing" or any(attack.reason in message for message in messages)
            )
            print(row(attack), flush=True)
            print(
                f"{seconds:6.1f} s  {attack.name}{'' if expected else f'  UNEXPECTED: {stage}: {messages}'}",
                file=sys.stderr,
            )
    print("\n".join([HEAD_ELSEWHERE, *map(row_elsewhere, ELSEWHERE)]))


if __name__ == "__main__":
    main()
