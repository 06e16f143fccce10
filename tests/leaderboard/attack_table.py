"""Carries every attack out, and prints what became of it: `PYTHONPATH=tests python -m leaderboard.attack_table`."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from . import attacks_on_episodes, attacks_on_files, attacks_on_metadata, attacks_on_results
from .attacks import ATTACKS, outcome_of
from .honest import honest_submission

MODULES = (attacks_on_results, attacks_on_episodes, attacks_on_metadata, attacks_on_files)
"""Each has noted its attacks on import."""


def main() -> None:
    """Print the table as Markdown."""
    print("| attack | refused by | which says, or what is to be said | seconds |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        honest = honest_submission(Path(temporary))
        for number, attack in enumerate(ATTACKS):
            started = time.perf_counter()
            stage, said = outcome_of(attack, honest, Path(temporary, str(number)))
            seconds = time.perf_counter() - started
            as_told = stage == attack.stage and (stage == "nothing" or any(attack.reason in one for one in said))
            words = attack.reason if as_told else f"UNEXPECTED: {said}"
            print(f"| {attack.name} | {stage} | {words.replace('|', '¦')} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main()
