"""Carries every attack out and prints docs/attacks.md: `PYTHONPATH=tests/helpers python -m attack_table`."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import attacks_on_episodes
import attacks_on_files
import attacks_on_metadata
import attacks_on_results
from attacks import ATTACKS, outcome_of
from honest import honest_submission

if TYPE_CHECKING:
    from attacks import Attack

MODULES = (attacks_on_results, attacks_on_episodes, attacks_on_metadata, attacks_on_files)
"""Each has noted its attacks on import."""

HEAD = """\
# Attacks on a leaderboard

What a submitter can do to an honest submission, and what refuses it: **reading** its files, `leaderboard` **validate**
beyond that, **verify**, which plays 60 of its episodes again, or **nothing** here. Every attacker makes every checksum
and digest fit, and the measures too where it says so. `tests/audit/` carries each of them out on a real one, and
`PYTHONPATH=tests/helpers python -m attack_table` does so and prints this page. What pull requests may not do is in
`tests/submissions/test_pull_request.py`, what harmful files may cost in `test_safety.py`: 1.5 GB of address space, a
minute.

| attack | refused by | in the words |
|---|---|---|"""


def row(attack: Attack) -> str:
    """An attack's line of the page."""
    words = attack.reason if attack.stage == "nothing" else f"`{attack.reason.strip()}`"
    return f"| {attack.name} | {attack.stage} | {words} |"


def main() -> None:
    """Print the page; on standard error the seconds that each took, and what did not come out as it says."""
    print(HEAD)
    with tempfile.TemporaryDirectory() as temporary:
        honest = honest_submission(Path(temporary))
        for number, attack in enumerate(ATTACKS):
            started = time.perf_counter()
            stage, said = outcome_of(attack, honest, Path(temporary, str(number)))
            seconds = time.perf_counter() - started
            as_told = stage == attack.stage and (stage == "nothing" or any(attack.reason in one for one in said))
            print(row(attack), flush=True)
            print(f"{seconds:6.1f} s  {attack.name}{'' if as_told else f'  NOT AS IT SAYS: {said}'}", file=sys.stderr)


if __name__ == "__main__":
    main()
