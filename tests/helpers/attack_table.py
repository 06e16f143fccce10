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
import attacks_on_files
import attacks_on_metadata
import attacks_on_others
import attacks_on_players
import attacks_on_results
from attacks import ATTACKS, attacked_submission, outcome_of

if TYPE_CHECKING:
    from attacks import Attack

MODULES = (
    attacks_on_results,
    attacks_on_episodes,
    attacks_on_metadata,
    attacks_on_others,
    attacks_on_files,
    attacks_on_players,
)
"""Modules that register their attacks when they are imported."""

HEAD = """\
# Attacks on a leaderboard

This page lists what a submitter could do to an honest submission, and which stage refuses it:

- **reading** of the files,
- **validate**: the checks of `ictbench leaderboard validate`,
- **verify**: the replay of `ictbench verify`, here of 60 episodes,
- **nothing**: this attack cannot be refused.

In every attack, all checksums and digests match; the measures match if the attack says so.
`tests/audit/test_attacks.py` carries out each attack on a real submission. `PYTHONPATH=tests/helpers python -m
attack_table` does the same and prints this page. `tests/submissions/test_pull_request.py` covers pull requests,
`tests/audit/test_rerun.py` names and options of players that a rerun must not follow, and
`tests/envs/alfworld/test_alfworld_env.py` game files that hold code.
`tests/submissions/test_safety.py` limits what harmful files may cost: 1.5 GB of address space and one minute.

| attack | refused by | message |
|---|---|---|"""


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


if __name__ == "__main__":
    main()
