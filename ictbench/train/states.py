"""Data set of reflection states: each a prompt and the batch of episodes that was played under it."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, JsonValue, ValidationError

from ictbench._version import __version__
from ictbench.errors import ConfigError, MissingExtraError
from ictbench.records import PluginSpec, Record, Trajectory
from ictbench.runs.run_folder import write_atomically
from ictbench.suites import load_suite

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from ictbench.suites import Suite

STATES_FILE, INFO_FILE, README_FILE = "states.parquet", "states.json", "README.md"


class ReflectionState(Record):
    """Input of one reflection: the prompt to rewrite and the batch played under it."""

    family: str
    loop: int
    turn: int
    """1 … N."""
    prompt: str
    """Prompt before the reflection."""
    task_ids: tuple[str, ...]
    """Tasks of the batch, in the order they were played."""
    solved: tuple[bool, ...]
    """Whether each task was solved."""
    trajectories: tuple[str, ...]
    """One `Trajectory` as JSON per task, in the same order."""
    loop_seed: int = 0
    """See `ictbench.reflectors.Context`."""

    @property
    def experience(self) -> list[Trajectory]:
        """The batch, as a reflector receives it."""
        return [Trajectory.model_validate_json(text) for text in self.trajectories]


class StatesInfo(Record):
    """Origin of a data set of reflection states: the content of `states.json`."""

    schema_: Literal["ictbench.states/1"] = Field(default="ictbench.states/1", alias="schema")
    ictbench: str
    suite: str
    """Suite as it was requested: a name, or the path of a suite file."""
    suite_name: str
    suite_digest: str
    families: tuple[str, ...]
    loops: int
    """Loops per family."""
    turns: int
    batch_size: int
    max_steps: int
    start_prompt: str | None = None
    """Prompt that all loops start with; None for the suite's own."""
    reflector: PluginSpec
    """Reflector that wrote the prompts."""
    actor: PluginSpec
    """Actor that played the episodes."""
    versions: dict[str, str]
    """Versions of Python and of the packages that the environment's behaviour depends on."""
    states: int
    """Number of states."""
    digest: str
    """SHA-256 over all states."""


@dataclass(frozen=True, slots=True)
class StateDataset:
    """A data set of reflection states that was read from disk and checked."""

    info: StatesInfo
    suite: Suite
    states: tuple[ReflectionState, ...]

    def select(
        self,
        families: Sequence[str] | None,
        turns: Sequence[int] | None = None,
        max_states: int | None = None,
        seed: int = 0,
    ) -> StateDataset:
        """Return some of the states, in their order.

        Args:
            families: Families to keep; None for all.
            turns: Turns to keep; None for all.
            max_states: Most states to keep, drawn at random; None for all.
            seed: Seed of the draw.

        Raises:
            ConfigError: The data set has no states of a family or turn.
        """
        if unknown := sorted(set(families or ()) - set(self.info.families)):
            raise ConfigError(
                f"families: there are no states of {', '.join(unknown)} (families: {', '.join(self.info.families)})"
            )
        if beyond := sorted(set(turns or ()) - set(range(1, self.info.turns + 1))):
            raise ConfigError(f"turns: there are no states of turn {beyond[0]} (turns: 1 to {self.info.turns})")
        states = [
            state
            for state in self.states
            if (families is None or state.family in families) and (turns is None or state.turn in turns)
        ]
        if max_states is not None and max_states < len(states):
            chosen = sorted(random.Random(f"states:{seed}").sample(range(len(states)), max_states))
            states = [states[index] for index in chosen]
        return replace(self, states=tuple(states))


def write_states(folder: Path, states: Iterable[ReflectionState], info: dict[str, JsonValue]) -> StatesInfo:
    """Write the states, then the files that describe them.

    Args:
        folder: An existing folder.
        states: Rows of the data set.
        info: Fields of `StatesInfo` except count, version and digest.

    Raises:
        MissingExtraError: The package `datasets` is not installed.
    """
    require_datasets()
    digest, count = hashlib.sha256(), 0
    unfinished = folder / f"{STATES_FILE}.part"
    writer = _parquet_writer(unfinished)
    for state in states:
        digest.update(_canonical_line(state))
        writer.write(state.model_dump(mode="json"))
        count += 1
    writer.finalize()
    unfinished.replace(folder / STATES_FILE)
    written = StatesInfo.model_validate(
        {**info, "ictbench": __version__, "states": count, "digest": f"sha256:{digest.hexdigest()}"}
    )
    write_atomically(folder / README_FILE, _data_set_card(written))
    # Last: a folder without this file is incomplete.
    write_atomically(folder / INFO_FILE, written.model_dump_json(by_alias=True, indent=2) + "\n")
    return written


def read_states(folder: Path) -> StateDataset:
    """Read and check a folder that `ictbench train collect` wrote.

    Raises:
        ConfigError: The folder has no states, or they are damaged, belong to another version of the suite, or contain a
            held-out family.
        MissingExtraError: The package `datasets` is not installed.
    """
    require_datasets()
    info = read_info(folder)
    suite = load_suite(info.suite)
    if suite.digest != info.suite_digest:
        raise ConfigError(
            f"the states in {folder} belong to another version of {info.suite} (digest {info.suite_digest[:12]}, this "
            f"version has {suite.digest[:12]}); collect them again"
        )
    refuse_held_out(suite, info.families)
    states = tuple(_read_rows(folder / STATES_FILE))
    digest = hashlib.sha256()
    for state in states:
        digest.update(_canonical_line(state))
    if f"sha256:{digest.hexdigest()}" != info.digest:
        raise ConfigError(f"{folder / STATES_FILE} does not match the digest in {INFO_FILE}; collect the states again")
    # The rows themselves are checked too: families in the info file can be edited.
    refuse_held_out(suite, {state.family for state in states})
    return StateDataset(info, suite, states)


def read_info(folder: Path) -> StatesInfo:
    """Read the description of the states in a folder.

    Raises:
        ConfigError: The folder has no states, or the file is damaged.
    """
    try:
        return StatesInfo.model_validate_json((folder / INFO_FILE).read_bytes())
    except FileNotFoundError:
        raise ConfigError(
            f"{folder} has no reflection states ({INFO_FILE} is missing): ictbench train collect --out {folder}"
        ) from None
    except (OSError, ValidationError) as error:
        raise ConfigError(f"{folder / INFO_FILE} is damaged: {str(error).splitlines()[0]}") from error


def refuse_held_out(suite: Suite, families: Iterable[str]) -> None:
    """Check that no family is held out: nothing may be trained on those.

    Raises:
        ConfigError: A family is held out.
    """
    held_out = sorted(set(families) & set(suite.select_families(["held-out"])))
    if held_out:
        trainable = ", ".join(suite.select_families(["meta-train"]))
        raise ConfigError(
            f"held-out families of suite {suite.name} may not be trained on: {', '.join(held_out)} "
            f"(meta-train families: {trainable})"
        )


def require_datasets() -> None:
    """Check that the package `datasets` is installed.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        import datasets  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("training", "train", str(error)) from error


def _parquet_writer(path: Path) -> Any:
    from datasets import Features, Value
    from datasets.arrow_writer import ParquetWriter

    text, number = Value("string"), Value("int64")
    columns = {"family": text, "loop": number, "turn": number, "prompt": text, "task_ids": [text], "loop_seed": number}
    features = Features({**columns, "solved": [Value("bool")], "trajectories": [text]})
    return ParquetWriter(features=features, path=str(path), writer_batch_size=100)


def _read_rows(path: Path) -> Iterator[ReflectionState]:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=100):
                yield from (ReflectionState.model_validate(row) for row in batch.to_pylist())
    except (OSError, pyarrow.ArrowException, ValidationError) as error:
        raise ConfigError(f"{path} cannot be read: {str(error).splitlines()[0]}") from error


def _canonical_line(state: ReflectionState) -> bytes:
    """Serialise a state for the digest; states that were collected before a field existed keep theirs."""
    content = state.model_dump(mode="json", exclude_defaults=True)
    return f"{json.dumps(content, ensure_ascii=False, sort_keys=True)}\n".encode()


def _data_set_card(info: StatesInfo) -> str:
    """Return README.md with the front matter by which the Hub and `load_dataset` find the rows."""
    return f"""\
---
pretty_name: Reflection states of {info.suite_name}
tags: [ictbench, in-context-training, language-agents]
configs:
- config_name: states
  data_files: {STATES_FILE}
---

# Reflection states of {info.suite_name}

{info.states} reflection states: {info.loops} loops of {info.turns} turns for each of {", ".join(info.families)}. Each \
state is a prompt and {info.batch_size} episodes played under it. The actor {info.actor.label} played; the reflector \
{info.reflector.label} wrote the prompts. `{INFO_FILE}` has the details.
"""
