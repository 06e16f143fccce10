"""Commands that play what a run is to be compared with, on the same tasks."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from ictbench.cli.program import program
from ictbench.errors import IctbenchError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench.results.gate_schema import Gate
    from ictbench.results.schema import Result

CANNOT_TELL = (
    "Replace PATH and FILE, and add what a result does not tell: addresses and sampling of models, start prompts, "
    "limits."
)


def missing_arm_commands(gate: Gate, reflector: Result, run: Path, arms: Sequence[Path]) -> Iterator[str]:
    """Yield the commands that play the missing arms of a reflector, then the one that judges it with them.

    Args:
        gate: Verdict that names the missing arms.
        reflector: Result of the reflector.
        run: Its path.
        arms: Paths of the arms that were given.
    """
    base = run.parent / run.stem if run.is_file() else run
    played = list(map(str, arms))
    for arm in gate.missing:
        if not arm.arguments:
            continue
        out = f"{base}-{arm.role}"
        yield f"{program()} run {shlex.join([*same_setup(reflector), *arm.arguments, '--out', out])}"
        played.append(out)
    if len(played) > len(arms):
        yield f"{program()} learned {shlex.join([str(run), *played])}"


def same_setup(result: Result) -> list[str]:
    """Return the options of a run on the same tasks by the same actor, as far as a result tells them."""
    words = ["--suite", result.suite.name, "--profile", result.profile]
    words += ["--families", ",".join(family.name for family in result.families)]
    standard = _sizes_of_profile(result)
    for name, value in result.sizes.model_dump().items():
        if value is not None and standard.get(name) != value:
            words += [f"--{name.replace('_', '-')}", str(value)]
    return [*words, "--actor", result.actor.label]


def _sizes_of_profile(result: Result) -> dict[str, object]:
    """Return the sizes that need no option; none if the suite is not installed."""
    from ictbench.suites.load import load_suite

    try:
        sizes = load_suite(result.suite.name).profiles.get(result.profile)  # type: ignore[call-overload]
    except IctbenchError:
        return {}
    return sizes.model_dump() if sizes else {}
