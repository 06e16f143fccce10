"""Pre-registration of an experiment: a YAML file that says, before it is run, what will be done and how it is analysed.

Trainings, checkpoint cards and results refer to it by its digest. What departs from it is exploratory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, JsonValue, ValidationError, field_validator

from ictbench.choices import ExperienceFormat, ProfileName
from ictbench.errors import ConfigError
from ictbench.hand_written import HandWritten
from ictbench.records import Record, Registered, digest_of
from ictbench.results.schema import Measures
from ictbench.suites.load import load_suite
from ictbench.validation import validation_message
from ictbench.yaml_file import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

CHECKPOINT = "{checkpoint}"
"""Stands in an arm for a checkpoint that was trained under the same pre-registration."""
Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1)]


class PlannedSizes(HandWritten):
    """Sizes of each arm's run; what is None is the profile's."""

    profile: ProfileName = "standard"
    families: tuple[str, ...] | Literal["held-out", "meta-train", "all"] = "held-out"
    loops: Count | None = None
    turns: Count | None = None
    batch_size: Count | None = None
    selection_size: Count | None = None
    test_size: Count | None = None
    repeats: Count | None = None


class PlannedTraining(HandWritten):
    """Training of the checkpoints."""

    steps: Count
    """Steps of each round."""
    rounds: Count = 1
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)
    checkpoint: Literal["last"] | Count = "last"
    """Rule that chooses the checkpoint of a training: the last one, or that of a step of the last round."""
    states: dict[Literal["loops", "turns", "batch_size"], Count] = Field(default_factory=dict)
    """Sizes of the collection of each round; what is missing is free."""
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    """Further settings of the training, by name, e.g. learning_rate; what is missing is free."""


class Preregistration(Record):
    """Content of the file."""

    question: Text
    suite: Text
    suite_digest: str | None = None
    """Digest of the suite; None if any version of this name will do."""
    digest: ExperienceFormat
    """Form in which the reflector reads its experience."""
    start_prompt: Text | None = None
    """Text of prompt[0], of the states as well as of all arms; None for the suite's own."""
    sizes: PlannedSizes
    training: PlannedTraining | None = None
    """None if nothing is trained."""
    arms: tuple[Text, ...] = Field(min_length=1)
    """Reflectors, as on the command line; {checkpoint} stands for the trained model's folder."""
    measures: tuple[Text, ...] = Field(min_length=1)
    """Measures of the result that the question is answered by, the primary one first."""
    analysis: Text
    """How the measures are compared, and what answers the question."""

    @field_validator("measures")
    @classmethod
    def _known_measures(cls, measures: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [name for name in measures if name not in Measures.model_fields]:
            raise ValueError(f"{unknown[0]!r} is not a measure of a result ({', '.join(Measures.model_fields)})")
        return measures

    @property
    def file_digest(self) -> str:
        """Digest of the content; comments and layout of the file do not count."""
        # A file of before the field existed keeps its digest.
        absent = {"start_prompt"} if self.start_prompt is None else set()
        return f"sha256:{digest_of(self.model_dump(mode='json', exclude=absent), 64)}"


def read_preregistration(path: Path) -> Preregistration:
    """Read a pre-registration.

    Raises:
        ConfigError: The file cannot be read, has an unknown key, or a value is not valid.
        UsageError: Its suite does not exist.
    """
    try:
        content = read_yaml(path)
    except ValueError as error:
        raise ConfigError(f"pre-registration {path} cannot be read: {error}") from error
    try:
        plan = Preregistration.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"pre-registration {path}: {validation_message(error, Preregistration)}") from error
    suite = load_suite(plan.suite)
    families = plan.sizes.families
    suite.select_families([families] if isinstance(families, str) else list(families))
    return plan


def registered(plan: Preregistration, departures: Iterable[str]) -> Registered:
    """Return the reference that a card or a result records."""
    return Registered(digest=plan.file_digest, departures=tuple(departures))


def suite_departures(plan: Preregistration, name: str, digest: str) -> Iterator[str]:
    """Yield a sentence if another suite, or another version of it, is used."""
    here = {"suite": name, "suite_digest": digest}
    yield from differences({"suite": plan.suite, **_present({"suite_digest": plan.suite_digest})}, here)


def differences(planned: Mapping[str, Any], done: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each planned value that is another one in what was done."""
    for name, value in planned.items():
        if done.get(name) != value:
            yield f"{name} is {_shown(done.get(name))} instead of {_shown(value)}"


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
