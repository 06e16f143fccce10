"""The result file, schema `ictbench.result/1`. docs/result.schema.json is generated from these models."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import ConfigDict, Field, JsonValue, computed_field, model_validator

from ictbench.protocol.loop_result import LoopResult, Purpose
from ictbench.records import End, PluginSpec, Record, Role, Usage, digest_of
from ictbench.reflectors.reflector import Experience
from ictbench.suites import Sizes

SCHEMA = "ictbench.result/1"
UNSEALED = ("host", "checksum")
"""The only keys of a result file that its checksum does not cover."""

CostRole = Literal[Purpose, "reflector"]


class Interval(Record):
    """An estimate with its 95 % interval; without one where there are fewer than three loops."""

    model_config = ConfigDict(allow_inf_nan=False)

    value: float
    low: float | None = None
    high: float | None = None

    def __neg__(self) -> Interval:
        """Of the same difference the other way round."""
        low, high = (None if end is None else -end for end in (self.high, self.low))
        return Interval(value=-self.value, low=low, high=high)


class Measures(Record):
    """The measures of one family, or the mean over families, on test tasks unless it says otherwise."""

    base: Interval
    best: Interval
    last: Interval
    gain: Interval
    last_gain: Interval
    headroom_gain: Interval | None
    """Gain ÷ (1 − base); None where the base leaves no headroom."""
    curve: tuple[Interval, ...]
    """Success on selection tasks of prompt[0] … prompt[N]."""
    auc: Interval
    """Mean of the curve."""
    w_auc: Interval
    """Σ i·curve[i] ÷ Σ i for i ≥ 1."""
    negative_transfer: Interval
    """Share of loops with gain < 0."""
    negative_last_transfer: Interval
    """Share of loops with last gain < 0."""
    overfitting_gap: Interval | None
    """Gain of a turn on its own batch, replayed, minus its gain on the next one; None without an audit."""
    best_on_test: float | None = None
    """Mean of the highest test success of any prompt. Biased: chosen on the tasks it is reported on."""


class Behaviour(Record):
    """How the actor and the reflector behaved in one family."""

    invalid_base: Interval | None
    """Share of decisions that were invalid, on test tasks under prompt[0]; None where none was made."""
    invalid_best: Interval | None
    """The same under the best prompt."""
    unusable: Interval
    """Share of reflections that could not be used."""
    ends: dict[End, int]
    """How the test episodes under the best prompts ended."""
    failed: dict[str, int]
    """Episodes of any pool that the model failed, by kind."""
    reflection_failures: dict[str, int]
    """Reflections that could not be used, by kind."""
    prompt_bytes: float
    """Mean length of the best prompts, in UTF-8 bytes."""
    prompt_change: float
    """Mean share of a prompt's lines that a turn replaces, adds or takes away: 0 unchanged, 1 all new."""
    prompt_change_after_solved: float | None
    """The same after batches whose every episode was solved; None where there were none."""
    starts_shared: float
    """Share of test tasks whose first observation equals that of a task met in the same loop's experience."""


class FamilyResult(Record):
    """One family: its loops, its measures."""

    name: str
    role: Role
    note: str = ""
    """What the suite says that a reader of the family's numbers should know."""
    loops: tuple[LoopResult, ...]
    measures: Measures | None
    """None until a loop is finished."""
    behaviour: Behaviour | None


class SuiteId(Record):
    """Which benchmark."""

    name: str
    digest: str


class Player(PluginSpec):
    """An actor or reflector as it took part."""

    fingerprint: str | None = None
    """Identifies a model's weights or version, as far as its provider tells."""


class Host(Record):
    """The only part of a result in which two runs of the same command may differ."""

    folder: str
    started: str
    """ISO 8601, UTC."""
    seconds: float
    """Wall time, summed over the sittings of a resumed run."""
    spent: Usage
    """All that was paid for, including replies to episodes that were interrupted and played again."""
    addresses: dict[str, str]
    """Where the models of actor and reflector were reached."""
    troubles: tuple[str, ...]
    """Why episodes or reflections are owed, each reason once, at most five."""
    machine: dict[str, JsonValue]


class Result(Record):
    """A run's result."""

    schema_: Literal["ictbench.result/1"] = Field(alias="schema")
    ictbench: str
    """Version of this package."""
    suite: SuiteId
    versions: dict[str, str]
    """Versions of the packages that the environment's behaviour depends on."""
    profile: str
    sizes: Sizes
    loop_indices: tuple[int, ...] | None = Field(default=None, exclude_if=lambda indices: indices is None)
    """Which loops were run, where they are not the first ones."""
    intervals: Literal["over loops", "for these games"]
    """What intervals speak of: other loops with other tasks, or, where all loops share finite games, these games."""
    test_every_turn: bool
    audit: bool
    max_steps: int
    prompt_bytes: int
    actor: Player
    reflector: Player
    reflector_trained_on: tuple[str, ...] | None
    """`SUITE/FAMILY` and `other:NAME`; empty for nothing, None for unknown, as of a model unless it is said."""
    experience: Experience = "fresh"
    """What the loops' batches are; all but `fresh` make a control."""
    control: str = ""
    """Why the arm is a control, which is never ranked, as a clause about the reflector; empty if it is none."""
    deviations: tuple[str, ...]
    """Where the run departs from its profile and suite; empty for a comparable run."""
    ranked: bool
    """Whether a leaderboard may rank it: a ranked profile, no deviation, no control, complete."""
    complete: bool
    owed: int
    """Episodes and reflections that infrastructure failures left unplayed."""
    retried_failures: dict[str, int]
    """Failed episodes that were played again on request, by kind."""
    families: tuple[FamilyResult, ...]
    by_role: dict[Role, Measures]
    """Means over the families of each role; `held-out` is the headline."""
    cost: dict[CostRole, Usage]
    episodes_sha256: str
    """SHA-256 of the uncompressed episodes.jsonl that belongs to this result."""
    host: Host

    @model_validator(mode="before")
    @classmethod
    def _forget_checksum(cls, content: Any) -> Any:
        """It is compared when a file is read, and worked out anew here."""
        if not isinstance(content, dict):
            return content
        return {name: value for name, value in content.items() if name != "checksum"}

    @computed_field(repr=False)  # type: ignore[prop-decorator]
    @property
    def checksum(self) -> str:
        """SHA-256 of the file's canonical JSON (keys sorted, no spaces), but for `host` and itself."""
        return checksum_of(self.model_dump(mode="json", by_alias=True, exclude=set(UNSEALED)))

    def to_json(self) -> str:
        """The result file: indented, fields in the order of this page, UTF-8."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), indent=1, ensure_ascii=False) + "\n"


def checksum_of(content: dict[str, Any]) -> str:
    """SHA-256 of a result file's content, as canonical JSON, but for `host` and the checksum itself."""
    return digest_of({name: value for name, value in content.items() if name not in UNSEALED})


def json_schema() -> str:
    """The JSON Schema of a result file, as checked in at docs/result.schema.json."""
    schema = Result.model_json_schema(by_alias=True, mode="serialization")
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=1) + "\n"
