"""Reflection states: what a reflector has before it when it writes the next prompt. As a data set on disk."""

from __future__ import annotations

import hashlib
import json
import platform
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

ROWS, ABOUT, README = "states.parquet", "states.json", "README.md"


class State(Record):
    """A prompt and the batch that was played under it."""

    family: str
    loop: int
    turn: int
    """1 … N."""
    prompt: str
    """The one to be rewritten."""
    task_ids: tuple[str, ...]
    """Of the batch, in its order."""
    solved: tuple[bool, ...]
    """Which of them were."""
    trajectories: tuple[str, ...]
    """Each a `Trajectory` as JSON, in the order of the tasks."""

    @property
    def experience(self) -> list[Trajectory]:
        """The batch, as a reflector gets it."""
        return [Trajectory.model_validate_json(text) for text in self.trajectories]


class About(Record):
    """Where a data set of reflection states comes from."""

    schema_: Literal["ictbench.states/1"] = Field(default="ictbench.states/1", alias="schema")
    ictbench: str
    suite: str
    """As it was asked for: a name, or the file of one's own."""
    suite_name: str
    suite_digest: str
    families: tuple[str, ...]
    loops: int
    """A family."""
    turns: int
    batch_size: int
    max_steps: int
    reflector: PluginSpec
    """Whose prompts these are."""
    actor: PluginSpec
    """Who played."""
    versions: dict[str, str]
    """Of Python and of the packages that the environment's behaviour depends on."""
    states: int
    digest: str
    """SHA-256 over all states, as `digest_of_states` computes it."""


@dataclass(frozen=True, slots=True)
class States:
    """A data set of reflection states, read and checked."""

    about: About
    suite: Suite
    states: tuple[State, ...]

    def of(self, families: Sequence[str] | None) -> States:
        """Only those of some families; None for all.

        Raises:
            ConfigError: there are none of one of them.
        """
        if families is None:
            return self
        if unknown := sorted(set(families) - set(self.about.families)):
            raise ConfigError(
                f"families: the states have none of {', '.join(unknown)}; there are {', '.join(self.about.families)}"
            )
        return replace(self, states=tuple(state for state in self.states if state.family in families))


def write_states(folder: Path, states: Iterable[State], about: dict[str, JsonValue]) -> About:
    """Write states and what is known of them, the latter last; `about` is all but counts, versions and digest.

    Raises:
        MissingExtraError: the package `datasets` is not installed.
    """
    require_datasets()
    digest, count = hashlib.sha256(), 0
    unfinished = folder / f"{ROWS}.part"
    writer = _writer(unfinished)
    for state in states:
        digest.update(_line(state))
        writer.write(state.model_dump(mode="json"))
        count += 1
    writer.finalize()
    unfinished.replace(folder / ROWS)
    made = About.model_validate(
        {**about, "ictbench": __version__, "states": count, "digest": f"sha256:{digest.hexdigest()}"}
    )
    write_atomically(folder / README, _readme(made))
    write_atomically(folder / ABOUT, made.model_dump_json(by_alias=True, indent=2) + "\n")
    return made


def read_states(folder: Path) -> States:
    """The states in a folder that `ictbench train collect` wrote.

    Raises:
        ConfigError: there are none, they are damaged, of another version of the suite, or of a held-out family.
        MissingExtraError: the package `datasets` is not installed.
    """
    require_datasets()
    about = read_about(folder)
    suite = load_suite(about.suite)
    if suite.digest != about.suite_digest:
        raise ConfigError(
            f"the states in {folder} are of another version of {about.suite} (digest {about.suite_digest[:12]}, here "
            f"{suite.digest[:12]}); collect them anew"
        )
    refuse_held_out(suite, about.families)
    states = tuple(_rows(folder / ROWS))
    digest = hashlib.sha256()
    for state in states:
        digest.update(_line(state))
    if f"sha256:{digest.hexdigest()}" != about.digest:
        raise ConfigError(f"{folder / ROWS} is not what {ABOUT} beside it says; collect the states anew")
    refuse_held_out(suite, {state.family for state in states})
    return States(about, suite, states)


def read_about(folder: Path) -> About:
    """What is known of the states in a folder.

    Raises:
        ConfigError: nothing, or it is damaged.
    """
    try:
        return About.model_validate_json((folder / ABOUT).read_bytes())
    except FileNotFoundError:
        raise ConfigError(
            f"{folder} holds no reflection states ({ABOUT}): ictbench train collect --out {folder}"
        ) from None
    except (OSError, ValidationError) as error:
        raise ConfigError(f"{folder / ABOUT} is damaged: {str(error).splitlines()[0]}") from error


def refuse_held_out(suite: Suite, families: Iterable[str]) -> None:
    """Nothing may be trained on a held-out family.

    Raises:
        ConfigError: one of these is held out.
    """
    held_out = sorted(set(families) & set(suite.select_families(["held-out"])))
    if held_out:
        trainable = ", ".join(suite.select_families(["meta-train"]))
        raise ConfigError(
            f"{', '.join(held_out)} of suite {suite.name} is held out: no reflector may be trained on it; there are "
            f"{trainable}"
        )


def require_datasets() -> None:
    """Fail where the package is missing.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import datasets  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("training", "train", str(error)) from error


def python_version() -> str:
    """As `About.versions` names it."""
    return platform.python_version()


def _writer(path: Path) -> Any:
    from datasets import Features, Value
    from datasets.arrow_writer import ParquetWriter

    text, number = Value("string"), Value("int64")
    columns = {"family": text, "loop": number, "turn": number, "prompt": text, "task_ids": [text]}
    features = Features({**columns, "solved": [Value("bool")], "trajectories": [text]})
    return ParquetWriter(features=features, path=str(path), writer_batch_size=100)


def _rows(path: Path) -> Iterator[State]:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=100):
                yield from (State.model_validate(row) for row in batch.to_pylist())
    except (OSError, pyarrow.ArrowException, ValidationError) as error:
        raise ConfigError(f"{path} cannot be read: {str(error).splitlines()[0]}") from error


def _line(state: State) -> bytes:
    return f"{json.dumps(state.model_dump(mode='json'), ensure_ascii=False, sort_keys=True)}\n".encode()


def _readme(about: About) -> str:
    """The card by which the Hub and `load_dataset` find the rows."""
    return f"""\
---
pretty_name: Reflection states of {about.suite_name}
tags: [ictbench, in-context-training, language-agents]
configs:
- config_name: states
  data_files: {ROWS}
---

# Reflection states of {about.suite_name}

{about.states} prompts, each with a batch of {about.batch_size} episodes played under it: {about.loops} loops of \
{about.turns} turns for each of {", ".join(about.families)}, by the actor {about.actor.label}, the prompts written by \
the reflector {about.reflector.label}. `{ABOUT}` says more.
"""
