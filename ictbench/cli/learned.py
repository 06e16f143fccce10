"""`ictbench learned`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ictbench.cli.help_page import COMPARE, page
from ictbench.cli.option_values import complete_runs

PAGE = page(
    COMPARE,
    "docs/learned.md",
    "ictbench learned runs/mini runs/blind-mini runs/shuffled-mini runs/copy",
    "ictbench learned runs/mini runs/blind-mini --turns",
)

NOT_SHOWN = 1
"""Exit code if no held-out family shows learning."""


def learned(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN",
            help="Folder of the reflector's run or submission, or a result file.",
            autocompletion=complete_runs,
        ),
    ],
    arms: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="ARM…",
            help="The same of its controls: blind:, copy, file:PATH, … on the same tasks.",
            autocompletion=complete_runs,
        ),
    ] = None,
    turns: Annotated[bool, typer.Option("--turns", help="Show the lead after every turn, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Say whether a reflector learned from experience, and what it may be called otherwise.

    It has learned in a held-out family where it beats every required control over its turns, under its last and under
    its best prompt, and where its success grows from the first turn to the last. On a text from which a script can copy
    solutions, that is not shown. Exit codes: 0 if a family shows learning, or the mean where families have fewer than
    six loops; 1 if none does, or an arm is missing; 2 for unusable arguments.
    """
    import ictbench
    from ictbench.cli.arm_commands import CANNOT_TELL, missing_arm_commands
    from ictbench.cli.render_learned import print_gate
    from ictbench.cli.terminal import print_json
    from ictbench.cli.terminal_table import print_line
    from ictbench.results.experience_gate import judge
    from ictbench.results.gate_text import gate_sentence

    reflector, *others = map(ictbench.load_result, (run, *(arms or ())))
    gate = judge(reflector, *others)
    if as_json:
        answer = {"learned": gate.learned, "sentence": gate_sentence(gate), **gate.model_dump(mode="json")}
        print_json(json.dumps(answer, indent=1, ensure_ascii=False))
    else:
        print_gate(gate, turns=turns)
        if commands := list(missing_arm_commands(gate, reflector, run, arms or ())):
            print_line(f"Commands that play the missing arms. {CANNOT_TELL}")
            for command in commands:
                print_line(command)
    if not gate.learned:
        raise typer.Exit(NOT_SHOWN)
