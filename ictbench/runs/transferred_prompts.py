"""Prompts of a finished run as a reflector for another actor, and the run in which that actor plays them.

Turn 1 of such a run hands out the last prompt of the recorded loop, turn 2 its best one. The run's own last prompt is
therefore the recorded best one, whatever its selection tasks say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench.errors import ConfigError
from ictbench.protocol import loop_seed
from ictbench.records import PluginSpec
from ictbench.results.comparability import START_PROMPT
from ictbench.results.result_file import read_result
from ictbench.runs.run_folder import RunFolder, no_result, write_atomically
from ictbench.suites.trained_on import NOTHING
from ictbench.user_folders import expand_home

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.results import Result
    from ictbench.results.prompt_transfer import PromptTransfer
    from ictbench.suites import Sizes, Suite

TRANSFERRED = "transferred"
TURNS = 2


def source_result(path: str) -> Result:
    """Return the result of a run whose prompts can be played by another actor.

    Raises:
        ConfigError: The run has no result, is incomplete, or another actor cannot play the same loops.
        RunFolderError: It is not a run.
        ResultError: Its result is damaged.
    """
    place = expand_home(path)
    if place.is_file():
        result = read_result(place)
    else:
        folder = RunFolder(place)
        folder.read_config()
        if not folder.result.exists():
            raise ConfigError(no_result(place))
        result = read_result(folder.result)
    if not result.complete:
        raise ConfigError(f"the run in {path} is incomplete: {result.owed} owed; continue it first")
    if result.reflector.name == TRANSFERRED:
        raise ConfigError(f"the prompts of {path} are transferred ones; name the run that learned them")
    if result.division == "memory":
        raise ConfigError(
            f"reflector {result.reflector.label!r} of {path} keeps a memory, which adds text to its prompts; only "
            "prompts that stand alone can be played by another actor: name another run"
        )
    if result.loop_indices is not None or any(text.startswith(START_PROMPT) for text in result.deviations):
        raise ConfigError(f"the loops of {path} are not the suite's first ones from its own prompt; name another run")
    return result


def transferred_spec(path: str) -> PluginSpec:
    """Return the reflector that hands out the prompts of a run."""
    result = source_result(path)
    prompts = {
        str(loop_seed(result.suite.digest, family.name, loop.index)): [
            loop.prompts[loop.last].text,
            loop.prompts[loop.best].text,
        ]
        for family in result.families
        for loop in family.loops
    }
    options: dict[str, Any] = {
        "source": result.checksum,
        "learned": {"actor": result.actor.label, "reflector": result.reflector.label},
        "prompts": prompts,
    }
    return PluginSpec(label=f"{TRANSFERRED}:{result.checksum[:12]}", name=TRANSFERRED, options=options)


def check_transfer(reflector: PluginSpec, suite: Suite, families: tuple[str, ...], sizes: Sizes) -> None:
    """Check that there is a recorded prompt that fits for every turn of a run with transferred prompts.

    Raises:
        ConfigError: A loop is not in the source, a prompt is too long, or the run has other turns than two.
    """
    prompts = reflector.options.get("prompts")
    if reflector.name != TRANSFERRED or not isinstance(prompts, dict):
        return
    if sizes.turns != TURNS:
        raise ConfigError(
            f"a run with transferred prompts has {TURNS} turns, not {sizes.turns}: use ictbench transfer-prompts"
        )
    for family in families:
        for index in range(sizes.loops):
            recorded: Any = prompts.get(str(loop_seed(suite.digest, family, index)))
            if recorded is None:
                raise ConfigError(
                    f"the run of {reflector.label} has no loop {index} of {family} in this version of {suite.name}; "
                    "use ictbench transfer-prompts, which plays its loops"
                )
            if (size := max(len(text.encode()) for text in recorded)) > suite.limits.prompt_bytes:
                raise ConfigError(
                    f"a prompt of {reflector.label} has {size:,} bytes, more than the {suite.limits.prompt_bytes:,} of "
                    "the suite; prompts of such a control cannot be transferred"
                )


def write_transfer(folder: Path, transfer: PromptTransfer) -> None:
    """Write the table into the folder of the run that played the prompts, as CSV, JSON and Markdown."""
    import pandas as pd

    from ictbench.results.table_text import csv_text

    write_atomically(folder / "transfer.csv", csv_text(pd.DataFrame(transfer.records())))
    write_atomically(folder / "transfer.json", transfer.model_dump_json(indent=1) + "\n")
    write_atomically(folder / "transfer.md", transfer.markdown())


def transfer_options(path: str, suite: str | None = None) -> dict[str, Any]:
    """Return the options of the run in which another actor plays the prompts of a run on the same test tasks.

    Args:
        path: The run that learned the prompts.
        suite: File of a suite that is not installed.
    """
    result = source_result(path)
    trained = result.reflector_trained_on
    return {
        **result.sizes.model_dump(),
        "suite": suite or result.suite.name,
        "families": tuple(family.name for family in result.families),
        "profile": result.profile,
        "max_steps": result.max_steps,
        "reflector": f"{TRANSFERRED}:{path}",
        **({} if trained is None else {"reflector_trained_on": trained or (NOTHING,)}),
        "turns": TURNS,
        "batch_size": 1,
        "test_every_turn": True,
    }
