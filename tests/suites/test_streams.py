"""Streams: schedules of families, their tasks, and what a suite file may say about them."""

from __future__ import annotations

from collections import Counter
from itertools import groupby, pairwise, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench import Suite, load_suite
from ictbench.errors import PoolTooSmallError, SuiteError
from ictbench.suites.streams import Stream
from ictbench.suites.trained_on import held_out_trained_on, was_trained_on
from ictbench.yaml_file import read_yaml

ORDERS = ("blocked", "interleaved", "drifting")
FAMILIES = ("a", "b", "c", "d")
SUITE = load_suite("minihack-stream-v1")
SINGLE = load_suite("minihack-v1")


def stream(order: str) -> Stream:
    return Stream.model_validate({"order": order, "families": FAMILIES})


def test_orders_of_a_stream() -> None:
    assert "".join(stream("blocked").schedule(0, 12)) == "aaabbbcccddd"
    assert "".join(stream("interleaved").schedule(0, 12)) == "abcdabcdabcd"
    assert "".join(stream("drifting").schedule(0, 16)) == DRIFT
    assert "".join(stream("blocked").schedule(2, 8)) == "ccddaabb"


DRIFT = "aaababbcbccdcddd"


def test_families_drift_from_first_to_last_and_overlap_with_their_neighbours_only() -> None:
    places = {name: [index for index, family in enumerate(DRIFT) if family == name] for name in FAMILIES}
    means = [sum(places[name]) / len(places[name]) for name in FAMILIES]
    assert means == sorted(means)
    for one, other in pairwise(FAMILIES):
        assert max(places[one]) > min(places[other])
    for one, other in zip(FAMILIES, FAMILIES[2:], strict=False):
        assert max(places[one]) < min(places[other])


@given(st.sampled_from(ORDERS), st.integers(0, 20), st.integers(4, 60))
def test_every_family_has_as_many_tasks_up_to_one_and_loops_rotate(order: str, loop: int, count: int) -> None:
    schedule = stream(order).schedule(loop, count)
    counts = Counter(schedule)
    assert len(schedule) == count
    assert set(counts) == set(FAMILIES)
    assert max(counts.values()) - min(counts.values()) <= 1
    if order != "drifting":
        assert schedule[0] == FAMILIES[loop % 4]
    assert schedule == stream(order).schedule(loop + 4, count)


@pytest.mark.parametrize("order", ORDERS)
def test_each_family_is_first_equally_often(order: str) -> None:
    assert {stream(order).families_of(loop)[0] for loop in range(4)} == set(FAMILIES)


def test_a_stream_needs_a_task_of_each_family() -> None:
    with pytest.raises(PoolTooSmallError, match="at least 4 experience tasks, not 3"):
        stream("blocked").schedule(0, 3)


def test_a_single_task_can_be_tried() -> None:
    (task,) = SUITE.first_tasks("blocked", 1)
    assert task.family == "room-dark"
    assert len(SUITE.first_tasks("interleaved", 9)) == 9
    assert SINGLE.first_tasks("read", 2) == SINGLE.experience_order("read", 0, 2)


@pytest.mark.parametrize("name", SUITE.streams)
def test_families_and_roles_are_those_of_minihack_v1(name: str) -> None:
    family = SUITE.families[name]
    assert family.stream is not None
    assert set(family.stream.families) == set(SINGLE.select_families([family.role]))
    for part in family.stream.families:
        assert SUITE.streamed[part] == SINGLE.families[part].params
    assert SUITE.presentation == SINGLE.presentation
    assert (SUITE.prompt, SUITE.limits) == (SINGLE.prompt, SINGLE.limits)


def test_streams_of_the_suite_are_of_each_order_and_role() -> None:
    found = {(family.role, family.stream.order) for family in SUITE.families.values() if family.stream}
    assert found == set(product(("held-out", "meta-train"), ORDERS))


@pytest.mark.parametrize("profile", SUITE.profiles)
def test_every_loop_of_a_profile_has_tasks_of_its_own(profile: Any) -> None:
    sizes = SUITE.profiles[profile]
    for pool, size in (("selection", sizes.selection_size), ("test", sizes.test_size)):
        scoring: Any = pool
        ids = [
            task.id
            for name in SUITE.streams
            for loop in range(sizes.loops)
            for task in SUITE.scoring_tasks(scoring, name, loop, size)
        ]
        assert len(set(ids)) == len(ids)
        assert size is not None
        assert len(ids) == len(SUITE.streams) * sizes.loops * 4 * size
        assert SUITE.scoring_size(scoring, "blocked", size) == 4 * size
    assert (sizes.turns * sizes.batch_size) % 4 == 0
    assert sizes.loops % 4 == 0


def test_tasks_of_a_stream_stand_together_by_family_and_are_found_by_id() -> None:
    tasks = SUITE.scoring_tasks("test", "drifting", 3, 5)
    assert [(name, len(list(group))) for name, group in groupby(task.family for task in tasks)] == [
        ("room-dark", 5),
        ("read", 5),
        ("puton", 5),
        ("zap", 5),
    ]
    for task in (*tasks, *SUITE.experience_order("drifting", 3, 24)):
        assert SUITE.task("drifting", task.id) == task


def test_there_are_blocks_for_so_many_loops() -> None:
    assert SUITE.loops == 33
    assert SUITE.scoring_tasks("test", "train-drifting", 32, 400)
    with pytest.raises(PoolTooSmallError, match="loop 33 requested, there are blocks for 33 loops"):
        SUITE.scoring_tasks("test", "blocked", 33, 1)


def test_training_on_a_family_is_training_on_its_stream_and_the_other_way_round() -> None:
    streams = tuple(name for name in SUITE.select_families(["held-out"]))
    assert held_out_trained_on(("minihack-v1/read",), SUITE) == streams
    assert held_out_trained_on(("minihack-v1/eat",), SUITE) == ()
    assert held_out_trained_on(("minihack-stream-v1/blocked",), SINGLE) == ("room-dark", "read", "puton", "zap")
    assert held_out_trained_on(("minihack-stream-v1/train-blocked",), SINGLE) == ()
    assert was_trained_on(("minihack-stream-v1/blocked",), "minihack-stream-v1", "minihack", "drifting")
    assert not was_trained_on(("alfworld-v1/read",), "minihack-stream-v1", "minihack", "blocked")


def altered(change: dict[str, Any], place: str = "families") -> dict[str, Any]:
    from ictbench import list_suites

    content: dict[str, Any] = read_yaml(list_suites()["minihack-stream-v1"])
    content[place] = {**content[place], **change}
    return content


@pytest.mark.parametrize(
    ("place", "change", "message"),
    [
        ("families", {"read": {"role": "held-out"}}, "'read' is a family and streamed"),
        ("families", {"x": {"role": "held-out", "stream": {"order": "blocked", "families": ["read"]}}}, "2 items"),
        (
            "families",
            {"x": {"role": "held-out", "stream": {"order": "blocked", "families": ["read", "read"]}}},
            "the family 'read' twice",
        ),
        (
            "families",
            {"x": {"role": "held-out", "stream": {"order": "blocked", "families": ["read", "walk"]}}},
            "'walk', which is not under `streamed`",
        ),
        (
            "families",
            {
                "x": {
                    "role": "held-out",
                    "params": {"a": 1},
                    "stream": {"order": "blocked", "families": ["read", "zap"]},
                }
            },
            "write those of its families under `streamed`",
        ),
        ("streamed", {"walk": {}}, "no stream has 'walk'"),
    ],
)
def test_a_suite_file_with_a_bad_stream_is_refused(place: str, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Suite.model_validate(altered(change, place))


def test_streams_of_finite_games_are_refused(tmp_path: Path) -> None:
    import yaml

    content = altered({})
    content["pools"] = {
        "kind": "games",
        "experience": "a",
        "selection": "b",
        "test": "c",
        "games": [{"family": "read", "split": "a", "game": "g", "problem_sha256": "0"}],
    }
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(SuiteError, match="needs pools of kind seeds"):
        load_suite(path)


def test_the_episodes_in_the_docs_are_those_of_the_profiles() -> None:
    text = (Path(__file__).parents[2] / "docs" / "streams.md").read_text(encoding="utf-8")
    for name, sizes in SUITE.profiles.items():
        n, k, loops, s, t = sizes.turns, sizes.batch_size, sizes.loops, sizes.selection_size, sizes.test_size
        assert s
        assert t
        experience, selection = n * k, (n + 1) * 4 * s
        each = experience + selection + (n + 1) * 4 * t + (2 * n - 1) * k
        plain = experience + selection + 3 * 4 * t
        row = (
            f"| `{name}` | {n} | {k} | {loops} | {s} | {t} | {each:,} | {3 * loops * each:,} | {3 * loops * plain:,} |"
        )
        assert row in text
