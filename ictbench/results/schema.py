"""Schema of the result file, `ictbench.result/2`; docs/result.schema.json is generated from these models."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import ConfigDict, Field, JsonValue, computed_field, model_validator

from ictbench.protocol.loop_result import LoopResult, Purpose
from ictbench.records import Division, End, PluginSpec, Record, Registered, Role, Usage, digest_of
from ictbench.reflectors.reflector import Experience
from ictbench.results.html_table import html_table, interval_text
from ictbench.suites import Sizes

SCHEMA = "ictbench.result/2"
UNSEALED = ("host", "checksum")
"""Keys of a result file that its checksum does not cover."""

CostRole = Literal[Purpose, "reflector"]


class Interval(Record):
    """An estimate with its 95 % interval; the interval is missing with fewer than three loops."""

    model_config = ConfigDict(allow_inf_nan=False)

    value: float
    low: float | None = None
    high: float | None = None

    def __neg__(self) -> Interval:
        """Return the estimate of the opposite difference."""
        low, high = (None if end is None else -end for end in (self.high, self.low))
        return Interval(value=-self.value, low=low, high=high)


class Repeated(Record):
    """Success on test tasks under one prompt, where each task is played R times."""

    pass_k: tuple[Interval, ...]
    """pass^1 … pass^R: probability that k episodes of a task are all solved, mean over tasks."""
    noise: float | None
    """Share of the variance of episodes that is sampling noise, i.e. lies between repeats of a task under one prompt;
    None if all episodes ended alike, or there is only one task."""


class Reliability(Record):
    """Repeated success under the three reported prompts."""

    base: Repeated
    best: Repeated
    last: Repeated


class OnlineMeasures(Record):
    """Success on the experience, compared with that of two prompts that stay the same."""

    base: tuple[Interval, ...]
    """Success rate on the experience of each turn under prompt[0]."""
    best: tuple[Interval, ...]
    """Success rate on the experience of each turn under the best prompt."""
    gain: Interval
    """Success rate on the whole experience minus that under prompt[0]."""
    regret: Interval
    """Success rate on the whole experience under the best prompt minus that of the loop."""


class ProgressMeasures(Record):
    """Progress on test tasks: the mean share of a task that is done at the end."""

    base: Interval
    best: Interval
    last: Interval
    gain: Interval
    """best − base; the best prompt is chosen by success."""


class StreamFamily(Record):
    """Success on the test tasks of one family of a stream."""

    base: Interval
    """Under prompt[0]."""
    after: Interval | None
    """Under the prompt that the last turn with a task of the family produced; None if no turn has one."""
    last: Interval
    """Under prompt[N]."""
    forgetting: Interval | None
    """Success before a pause of the family minus that after it, mean over pauses; over the loops that have one."""
    forward_transfer: Interval | None
    """Success before the family's first task minus that under prompt[0]; over the loops that begin with others."""


class StreamMeasures(Record):
    """Measures of a stream that mixes families, or their means over several streams."""

    forgetting: Interval | None
    """Success on a family before a pause, i.e. turns without a task of it, minus that after it; mean over pauses and
    families. None without a pause."""
    forward_transfer: Interval | None
    """Success on a family before its first task minus that under prompt[0]; mean over families. None if the first turn
    has all of them."""
    families: dict[str, StreamFamily]
    """By family; empty for the means over several streams."""
    curves: tuple[tuple[float, ...], ...]
    """Success on test tasks under prompt[0] … prompt[N], mean over loops: first on the family that a loop meets first,
    then on the one it meets second, and so on. Empty for the means over several streams."""


class Measures(Record):
    """Measures of one family, or their means over families; on test tasks unless stated otherwise."""

    base: Interval
    best: Interval
    last: Interval
    gain: Interval
    last_gain: Interval
    headroom_gain: Interval | None
    """Gain ÷ (1 − base); None if the base leaves no headroom."""
    curve: tuple[Interval, ...]
    """Success rate on selection tasks of prompt[0] … prompt[N]."""
    auc: Interval
    """Mean of the curve."""
    w_auc: Interval
    """Σ i·curve[i] ÷ Σ i for i ≥ 1."""
    negative_transfer: Interval
    """Share of loops with gain < 0."""
    negative_last_transfer: Interval
    """Share of loops with last gain < 0."""
    overfitting_gap: Interval | None
    """Mean over turns of the gain on the turn's own batch minus the gain on the next one; None without an audit."""
    best_on_test: float | None = None
    """Mean of the highest test success of any prompt; biased, as it is chosen on the tasks it is reported on."""
    stream: tuple[Interval, ...] = Field(default=(), exclude_if=lambda intervals: not intervals)
    """Success rate on the experience of each turn, under the prompt of that turn; empty for an optimiser."""
    stream_success: Interval | None = Field(default=None, exclude_if=lambda value: value is None)
    """Success rate on the whole experience, i.e. while learning."""
    online: OnlineMeasures | None = Field(default=None, exclude_if=lambda value: value is None)
    """Comparison with prompt[0] and the best prompt on the experience; None without `--online`."""
    mixed: StreamMeasures | None = Field(default=None, exclude_if=lambda value: value is None)
    """Forgetting and forward transfer; None unless the family is a stream."""
    reliability: Reliability | None = Field(default=None, exclude_if=lambda value: value is None)
    """pass^k and sampling noise; None if every task is played once."""
    progress: ProgressMeasures | None = Field(default=None, exclude_if=lambda value: value is None)
    """Progress beside success; None unless it is known for every test episode."""


class Behaviour(Record):
    """Behaviour of actor and reflector in one family."""

    invalid_base: Interval | None
    """Share of invalid decisions on test tasks under prompt[0]; None without decisions."""
    invalid_best: Interval | None
    """Share of invalid decisions on test tasks under the best prompt; None without decisions."""
    unusable: Interval
    """Share of unusable reflections."""
    ends: dict[End, int]
    """Number of test episodes under the best prompts, by how they ended."""
    failed: dict[str, int]
    """Number of episodes of any pool that the model failed, by kind."""
    reflection_failures: dict[str, int]
    """Number of unusable reflections, by kind."""
    prompt_bytes: float
    """Mean length of the best prompts, in UTF-8 bytes."""
    prompt_change: float
    """Mean share of a prompt's lines that a turn replaces, adds or removes: 0 unchanged, 1 all new."""
    prompt_change_after_solved: float | None
    """Mean share of changed lines after batches that were solved completely; None without such batches."""
    starts_shared: float
    """Share of test tasks that start like an experience task of the same loop, by the environment's start key."""
    failed_base: int = Field(default=0, exclude_if=lambda count: not count)
    """Number of test episodes under prompt[0] that the model failed."""
    failed_best: int = Field(default=0, exclude_if=lambda count: not count)
    """Number of test episodes under the best prompts that the model failed."""
    gain_unfailed: float | None = Field(default=None, exclude_if=lambda gain: gain is None)
    """Gain without the pairs of test episodes of which one failed; None if none failed, or if no pair is left."""


class FamilyResult(Record):
    """Loops and measures of one family."""

    name: str
    role: Role
    note: str = ""
    """The suite's note for readers of the family's numbers."""
    loops: tuple[LoopResult, ...]
    measures: Measures | None
    """None until a loop is finished."""
    behaviour: Behaviour | None


class SuiteId(Record):
    """Name and digest of a suite."""

    name: str
    digest: str
    deterministic: bool = Field(default=True, exclude_if=lambda deterministic: deterministic)
    """False if the environment is not deterministic, so that a result cannot be verified."""


class Player(PluginSpec):
    """An actor or reflector that took part in a run."""

    fingerprint: str | None = None
    """Identifies a model's weights or version; None if its provider does not report it."""
    reproducible: bool | None = Field(default=None, exclude_if=lambda value: value is None)
    """Whether the model gave the same reply to the same question at temperature 0; None if that is unknown."""


class Host(Record):
    """Circumstances of a run; the only part in which two runs of the same command may differ."""

    folder: str
    started: str
    """Time of the start, ISO 8601, UTC."""
    seconds: float
    """Wall time in seconds, summed over the sessions of a resumed run."""
    spent: Usage
    """Usage of all calls, including those of episodes that were interrupted and played again."""
    addresses: dict[str, str]
    """Addresses of the models, by role."""
    troubles: tuple[str, ...]
    """Reasons why episodes or reflections are owed, each once, at most five."""
    machine: dict[str, JsonValue]
    failure_words: dict[str, str] = Field(default_factory=dict, exclude_if=lambda words: not words)
    """What the endpoint said about the first failure of each kind, by role and kind, e.g. `actor bad_request`; under
    `actor invalid` what the actor wrote if none of its decisions on test tasks was valid."""


class Result(Record):
    """Result of a run."""

    schema_: Literal["ictbench.result/2"] = Field(alias="schema")
    ictbench: str
    """Version of this package."""
    suite: SuiteId
    versions: dict[str, str]
    """Versions of the packages that the environment's behaviour depends on."""
    profile: str
    sizes: Sizes
    loop_indices: tuple[int, ...] | None = Field(default=None, exclude_if=lambda indices: indices is None)
    """Indices of the loops; None means 0 … L−1."""
    intervals: Literal["over loops", "for these games"]
    """Scope of the intervals: other loops with other tasks, or these games only, if all loops share finite games."""
    test_every_turn: bool
    audit: bool
    online: bool = Field(default=False, exclude_if=lambda online: not online)
    """Whether the experience was played under prompt[0] and the best prompt, too."""
    max_steps: int
    prompt_bytes: int
    actor: Player
    reflector: Player
    reflector_trained_on: tuple[str, ...] | None
    """`SUITE/FAMILY` and `other:NAME`; empty for nothing, None for unknown, which is the default for a model."""
    actor_trained_on: tuple[str, ...] | None = Field(default=None, exclude_if=lambda value: value is None)
    """The same of the actor."""
    preregistration: Registered | None = Field(default=None, exclude_if=lambda value: value is None)
    """The pre-registration of the experiment, and how the run departs from it; None without one."""
    experience: Experience = "fresh"
    """Kind of experience; all kinds but `fresh` make a control."""
    division: Division = Field(default="reflector", exclude_if=lambda division: division == "reflector")
    """How the learner learns; each division has a ranking of its own."""
    control: str = ""
    """Why the arm is a control, which is never ranked, as a clause about the reflector; empty if it is not."""
    deviations: tuple[str, ...]
    """Deviations from profile and suite; empty for a comparable run."""
    ranked: bool
    """Whether a leaderboard may rank the run: complete, with a ranked profile, without deviation, not a control."""
    complete: bool
    owed: int
    """Number of episodes and reflections that are missing because of infrastructure failures."""
    retried_failures: dict[str, int]
    """Number of failed episodes that were played again, on request or after the run stopped for them, by kind."""
    retried_reflections: dict[str, int] = Field(default_factory=dict, exclude_if=lambda counts: not counts)
    """Number of unusable reflections that were repeated, on request or after the run stopped for them, by kind."""
    families: tuple[FamilyResult, ...]
    by_role: dict[Role, Measures]
    """Means over the families of each role; `held-out` is the headline."""
    cost: dict[CostRole, Usage]
    added_bytes: dict[CostRole, int] = Field(default_factory=dict, exclude_if=lambda sizes: not sizes)
    """UTF-8 bytes of what memories added to prompts, once for each decision; empty if nothing was added. A model reads
    them as a part of the input tokens in `cost`."""
    episodes_sha256: str
    """SHA-256 of the uncompressed episodes.jsonl that belongs to this result."""
    host: Host

    @model_validator(mode="before")
    @classmethod
    def _drop_checksum(cls, content: Any) -> Any:
        """Drop the checksum: it is compared when a file is read, and computed here."""
        if not isinstance(content, dict):
            return content
        return {name: value for name, value in content.items() if name != "checksum"}

    @computed_field(repr=False)  # type: ignore[prop-decorator]
    @property
    def checksum(self) -> str:
        """SHA-256 of the file's canonical JSON (keys sorted, no spaces) without `host` and `checksum`."""
        return checksum_of(self.model_dump(mode="json", by_alias=True, exclude=set(UNSEALED)))

    def _repr_html_(self) -> str:
        measured = [(family.name, family.role, family.measures) for family in self.families]
        measured += [("mean", role, measures) for role, measures in self.by_role.items()]
        rows = [(name, role, *_cells(measures)) for name, role, measures in measured]
        title = f"{self.suite.name}, profile {self.profile}: reflector {self.reflector.label}, actor {self.actor.label}"
        notes = ["Success on test tasks; in brackets 95 % intervals."]
        notes += [] if self.complete else ["Incomplete: the table holds the finished loops only."]
        return html_table(title, ("family", "role", "base", "best", "last", "gain"), rows, notes)

    def to_json(self) -> str:
        """Return the content of the result file: indented JSON, fields in the order of the models."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), indent=1, ensure_ascii=False) + "\n"


def _cells(measures: Measures | None) -> list[str]:
    """Return base, best, last and gain as text; `…` if they are not known."""
    if measures is None:
        return ["…"] * 4
    levels = (measures.base, measures.best, measures.last)
    texts = [interval_text(level.value, level.low, level.high) for level in levels]
    return [*texts, interval_text(measures.gain.value, measures.gain.low, measures.gain.high, sign=True)]


def checksum_of(content: dict[str, Any]) -> str:
    """Return SHA-256 of a result file's canonical JSON without `host` and `checksum`."""
    return digest_of({name: value for name, value in content.items() if name not in UNSEALED})


def json_schema() -> str:
    """Return the JSON Schema of a result file, as stored in docs/result.schema.json."""
    schema = Result.model_json_schema(by_alias=True, mode="serialization")
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=1) + "\n"
