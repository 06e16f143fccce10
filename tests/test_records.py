from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ictbench.records import (
    COUNTS,
    UNREPORTED,
    Decision,
    Episode,
    EpisodeSpec,
    ModelSpec,
    Observation,
    PluginSpec,
    Reflection,
    Step,
    Task,
    Trajectory,
    Usage,
    digest_of,
    episode_key,
    prompt_digest,
    task_id_of,
)

TASK = Task(id="read-7", family="read", env="minihack", params={"env_id": "X", "seed": 7})
ACTOR = PluginSpec(label="rules", name="rules")
SPEC = EpisodeSpec(task=TASK, prompt="Play.", actor=ACTOR, max_steps=25, seed=1)
STEP = Step(observation="A.", actions=("go",), digest="first", thought="", proposed="go", executed="go", reward=0.25)
TRAJECTORY = Trajectory(
    steps=(STEP, STEP.model_copy(update={"executed": None, "digest": "second", "reward": 0.5})),
    last_observation="B.",
    last_digest="last",
    end="solved",
)
EPISODE = Episode(
    key="read-7@abc",
    task=TASK,
    prompt="abc",
    seed=1,
    replicate=0,
    trajectory=TRAJECTORY,
    usage=Usage(calls=2, input_tokens=5),
    versions={"nle": "1.3.0"},
)

counts = st.integers(0, 10**9)
amounts = st.integers(0, 10**6).map(lambda cents: cents / 4)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    fields: dict[str, Any] = {name: draw(counts) for name in COUNTS}
    if draw(st.booleans()):
        return Usage(**fields, cost=draw(amounts))
    least = draw(amounts)
    most = draw(st.none() | amounts.map(lambda more: least + more))
    return Usage(**fields, cost=None, cost_at_least=least, cost_at_most=most)


def test_a_digest_ignores_the_order_of_keys() -> None:
    assert digest_of({"b": 1, "a": [2, "ä"]}) == digest_of({"a": [2, "ä"], "b": 1})
    assert digest_of({"b": 1, "a": [2, "ä"]}) == hashlib.sha256('{"a":[2,"ä"],"b":1}'.encode()).hexdigest()
    assert digest_of([1, 2]) != digest_of([2, 1])
    assert digest_of([1, 2], 16) == digest_of([1, 2])[:16]


def test_the_digest_of_an_observation_covers_text_and_actions_only() -> None:
    seen = Observation(text="A room.", actions=("go", "stay"))
    assert len(seen.digest) == 16
    assert seen.digest == digest_of(["A room.", ["go", "stay"]], 16)
    assert seen.digest == seen.model_copy(update={"reward": 1.0, "end": "solved", "keys": ("y",)}).digest
    assert seen.digest != seen.model_copy(update={"text": "A room"}).digest
    assert seen.digest != seen.model_copy(update={"actions": ("stay", "go")}).digest


def test_an_episode_key_names_task_prompt_and_replicate() -> None:
    digest = prompt_digest("Play.")
    assert SPEC.key == f"read-7@{digest}" == episode_key("read-7", digest)
    assert task_id_of(SPEC.key) == "read-7"
    assert task_id_of("a@b@c") == "a@b"
    assert task_id_of("none") == ""
    assert SPEC.model_copy(update={"replicate": 2}).key == f"{SPEC.key}.2"
    assert SPEC.model_copy(update={"prompt": "Play!"}).key != SPEC.key
    assert SPEC.model_copy(update={"task": TASK.model_copy(update={"id": "read-8"})}).key != SPEC.key
    assert prompt_digest("Spiel schön.") == hashlib.sha256("Spiel schön.".encode()).hexdigest()[:12]


@given(usages(), usages(), usages())
def test_usage_adds_up_in_any_order(one: Usage, two: Usage, three: Usage) -> None:
    assert (one + two) + three == one + (two + three)
    assert one + two == two + one
    assert one + Usage() == one
    assert Usage.total([one, two, three]) == one + two + three
    assert Usage.total([]) == Usage()
    total = one + two
    for name in COUNTS:
        assert getattr(total, name) == getattr(one, name) + getattr(two, name)
    least, most = total.cost_bounds
    assert least == one.cost_bounds[0] + two.cost_bounds[0]
    assert most is None or least <= most
    assert (most is None) == (one.cost_bounds[1] is None or two.cost_bounds[1] is None)
    assert Usage.model_validate_json(total.model_dump_json()) == total


def test_a_sum_with_an_unknown_price_has_an_unknown_price() -> None:
    assert (Usage(cost=1.5) + Usage(cost=0.25)).cost == 1.75
    assert (Usage(cost=1.5) + Usage(cost=None)).cost is None
    assert (Usage(cost=None) + Usage(cost=1.5)).cost is None
    assert (Usage(cost=None) + Usage(cost=1.5)).cost_bounds == (1.5, None)
    assert (Usage(cost=None, cost_at_most=2.0) + Usage(cost=1.5)).cost_bounds == (1.5, 3.5)


def test_a_usage_that_is_reported_in_full_is_written_as_before() -> None:
    assert Usage(calls=1, input_tokens=3, cost=None).model_dump_json() == (
        '{"calls":1,"input_tokens":3,"output_tokens":0,"cached_tokens":0,"reasoning_tokens":0,'
        '"cost":null,"cache_hits":0}'
    )
    assert '"unreported":1' in UNREPORTED.model_dump_json()


@pytest.mark.parametrize(
    "record",
    [TASK, SPEC, STEP, TRAJECTORY, EPISODE, Usage(), Decision(action=None), Reflection(prompt="x", state={"a": [1]})],
    ids=lambda record: type(record).__name__,
)
def test_a_record_is_frozen_strict_and_survives_json(record: Any) -> None:
    field = next(iter(type(record).model_fields))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(record, field, getattr(record, field))
    with pytest.raises(ValidationError, match="surprise"):
        type(record)(**{**record.model_dump(), "surprise": 1})
    assert type(record).model_validate_json(record.model_dump_json()) == record


def test_a_model_is_named_as_the_user_named_it() -> None:
    assert ModelSpec(provider="openai", model="gpt").name == "openai/gpt"
    assert ModelSpec(provider="package.module:Name", model="").name == "package.module:Name"


@pytest.mark.parametrize("end", ["solved", "died", "env_ended", "step_limit", "failed"])
def test_only_the_end_solved_counts_as_success(end: Any) -> None:
    ended = TRAJECTORY.model_copy(update={"end": end})
    assert ended.solved == (end == "solved")
    assert EPISODE.model_copy(update={"trajectory": ended}).summary().solved == (end == "solved")
    assert (ended.total_reward, ended.invalid) == (0.75, 1)


def test_a_summary_holds_what_the_measures_need() -> None:
    summary = EPISODE.summary()
    assert (summary.key, summary.decisions, summary.invalid, summary.usage) == (EPISODE.key, 2, 1, EPISODE.usage)
    assert (summary.end, summary.failure, summary.first_digest) == ("solved", None, "first")
    failed = Trajectory(steps=(), last_observation="A.", last_digest="only", end="failed", failure="refused")
    summary = EPISODE.model_copy(update={"trajectory": failed}).summary()
    assert (summary.decisions, summary.failure, summary.first_digest) == (0, "refused", "only")


def test_the_start_is_the_whole_first_observation_unless_the_environment_says_otherwise() -> None:
    assert EPISODE.summary().start_digest == "first"
    assert "start" not in EPISODE.model_dump()
    assert "start" not in EPISODE.summary().model_dump()
    assert EPISODE.model_copy(update={"start": "map"}).summary().start_digest == "map"
