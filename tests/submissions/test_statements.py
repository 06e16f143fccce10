"""Labels, dates, versions and training families of a result that a board does not believe."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from boards import make_result

from ictbench._version import __version__
from ictbench.records import ModelSpec, PluginSpec
from ictbench.results.schema import Player, SuiteId
from ictbench.runs.player_names import ModelAccess, parse_player
from ictbench.submissions.player_labels import label_problems
from ictbench.submissions.truthfulness import untrue_statements
from ictbench.suites import load_suite

READ = {"read": [("0000", "1111"), ("0000", "1110"), ("0000", "1101")]}
SUITE = load_suite("minihack-v1")
MODEL = ModelSpec(provider="openai", model="gpt-4.1-mini")


@pytest.mark.parametrize(
    "name",
    [
        "rules",
        "none",
        "icl",
        "blind:rules",
        "shuffled:blind:rules",
        "openai/gpt-4.1-mini",
        "ace:openai/gpt-4.1-mini",
        "blind:ace:openai/gpt-4.1-mini",
        "blind:openai/gpt-4.1-mini",
    ],
)
def test_labels_that_ictbench_gives_are_accepted(name: str) -> None:
    reflector = parse_player("reflector", name, SUITE.reflector, ModelAccess())
    result = make_result(READ, reflector=reflector)
    assert [*label_problems(result)] == []


def test_labels_of_prompt_files_are_accepted(tmp_path: Any) -> None:
    (tmp_path / "mine.txt").write_text("Win.", encoding="utf-8")
    for name in (f"file:{tmp_path / 'mine.txt'}", f"blind:file:{tmp_path / 'mine.txt'}"):
        reflector = parse_player("reflector", name, SUITE.reflector, ModelAccess())
        assert [*label_problems(make_result(READ, reflector=reflector))] == []


@pytest.mark.parametrize(
    "player",
    [
        PluginSpec(label="openai/gpt-9 (official)", name="rules"),
        PluginSpec(label="rules ", name="rules"),
        PluginSpec(label="openai/gpt-9", name="rewrite", model=MODEL),
        PluginSpec(label="openai/gpt-4.1-mini", name="rules"),
        PluginSpec(label="file:a/openai", name="file"),
        PluginSpec(label="rules", name="file"),
        PluginSpec(label="rules", name="blind", options={"reflector": {"label": "rules", "name": "rules"}}),
        PluginSpec(label="blind:gpt-9", name="blind", options={"reflector": {"label": "gpt-9", "name": "rules"}}),
        PluginSpec(label="blind:rules", name="blind", options={"reflector": "rules"}),
        PluginSpec(label="openai/gpt-4.1-mini", name="mine:Reflector", model=MODEL),
    ],
)
def test_label_that_claims_something_else_is_refused(player: PluginSpec) -> None:
    (problem,) = label_problems(make_result(READ, reflector=player))
    assert repr(player.label) in problem
    (of_actor,) = label_problems(make_result(READ, actor=Player(**player.model_dump())))
    assert of_actor.startswith("its actor is labelled")


def test_date_may_be_a_day_ahead_and_no_more() -> None:
    host = make_result(READ).host

    def problems(started: str) -> list[str]:
        changed = host.model_copy(update={"started": started})
        return [*untrue_statements(make_result(READ, ictbench=__version__, host=changed))]

    now = datetime.now(UTC)
    assert problems((now + timedelta(hours=20)).isoformat()) == []
    assert "in the future" in problems((now + timedelta(hours=30)).isoformat())[0]
    assert "not a time in ISO 8601" in problems("2026-01-01, about noon")[0]


@pytest.mark.parametrize(
    ("version", "problem"),
    [
        (__version__, None),
        ("0.0.9", None),
        (f"{__version__}.dev1", None),
        (f"{__version__}rc1", None),
        ("99.0.0", "update ictbench"),
        (f"{__version__}.post9999", "update ictbench"),
        ("0.0.9.post9999", None),
        ("latest", "which is no version"),
        ("\u0661.0.0", "which is no version"),
    ],
)
def test_version_is_a_known_one(version: str, problem: str | None) -> None:
    problems = [*untrue_statements(make_result(READ, ictbench=version))]
    assert problems == [] if problem is None else problem in problems[0]


@pytest.mark.parametrize(
    ("name", "is_clear"),
    [
        ("minihack-v1/zap", True),
        ("minihack-v1/eat", True),
        ("alfworld-v1/look", True),
        ("other:web-pages", True),
        ("my-suite/zap", True),
        ("minihack-v1/z\u0430p", False),
        ("minihack-v1/Zap", False),
        ("minihack-v1", False),
        ("MiniHack-v1/zap", False),
        ("m\u0456nihack-v1/zap", False),
        ("zap", False),
        ("other:", False),
        ("other:minihack-v1-zap", False),
        ("other:minihack_v1", False),
        ("other:read", False),
        ("other:re\u0430d", False),
        ("other:a/b", False),
        ("other:my own games", True),
        ("other:already-clean web pages", True),
        ("other:bread recipes", True),
        ("other:all of them", False),
        ("other:AllFamilies", False),
        ("other:held out too", False),
        ("other:He1dOut", False),
        ("other:meta train and more", False),
        ("other:these", False),
        ("other:some levels with ZAP", False),
        ("other:room-dark levels", False),
        ("other:alle, auch die zur\u00fcckgehaltenen", False),
    ],
)
def test_training_family_is_named_clearly(name: str, is_clear: bool) -> None:
    suite = SuiteId(name="minihack-v1", digest="d" * 64)
    result = make_result(READ, ictbench=__version__, suite=suite, reflector_trained_on=(name,))
    assert (not [*untrue_statements(result)]) == is_clear


@pytest.mark.parametrize(
    ("counts", "problem"),
    [
        ({"retried_failures": {"refused": 1}, "retried_reflections": {"unparseable": 1, "truncated": 2}}, ""),
        ({"retried_failures": {"unparseable": 1}}, "retried_failures names 'unparseable'"),
        ({"retried_reflections": {"buy mine": 1}}, "retried_reflections names 'buy mine'"),
    ],
)
def test_failures_that_were_repeated_are_of_known_kinds(counts: dict[str, Any], problem: str) -> None:
    problems = [*untrue_statements(make_result(READ, ictbench=__version__, **counts))]
    # The actor of the sample is a program, which cannot fail.
    named = [one for one in problems if "is a program" not in one]
    assert problem in named[0] if problem else named == []


def test_a_run_is_no_older_than_the_benchmark() -> None:
    host = make_result(READ).host.model_copy(update={"started": "2019-05-01T00:00:00"})
    (problem,) = untrue_statements(make_result(READ, ictbench=__version__, host=host))
    assert "before there was ictbench" in problem
