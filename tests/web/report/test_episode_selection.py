from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ictbench.errors import ConfigError
from ictbench.web.report import EpisodeChoice, ReportSource, parse_choice
from ictbench.web.report.episode_selection import choose, omission

if TYPE_CHECKING:
    import ictbench

PROMPTS = 3
EXPERIENCE = 2 * 3 * 4
"""Families, loops, tasks met in a loop."""


@pytest.mark.parametrize(
    ("text", "found"), [("all", "all"), ("test", "test"), ("none", "none"), ("0", 0), ("20000", 20000)]
)
def test_a_choice_is_a_word_or_a_number(text: str, found: EpisodeChoice) -> None:
    assert parse_choice(text) == found


@pytest.mark.parametrize("text", ["", "some", "-1", "1.5", "²", "1e3"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--episodes takes all, test, none or a number, not "):
        parse_choice(text)


def test_all_are_the_episodes_that_the_journal_holds(run: ictbench.Run) -> None:
    keys = choose(run.result, "all")
    assert len(set(keys)) == len(keys)
    assert sorted(keys) == run.episode_keys()


def test_experience_comes_first_then_test_then_selection_then_audit(run: ictbench.Run) -> None:
    keys = choose(run.result, "all")
    experience = {task for f in run.result.families for loop in f.loops for b in loop.batches for task in b.tasks}
    test = {task for f in run.result.families for loop in f.loops for task in loop.test_tasks}
    tasks = [key.split("@")[0] for key in keys]
    pools = ["experience" if task in experience else "test" if task in test else "selection" for task in tasks]
    assert pools[:EXPERIENCE] == ["experience"] * EXPERIENCE
    assert list(dict.fromkeys(pools[EXPERIENCE:])) == ["test", "selection", "experience"]
    audited = keys[EXPERIENCE:][pools[EXPERIENCE:].index("experience") :]
    assert {key.split("@")[0] for key in audited} <= experience
    assert choose(run.result, "test") == [key for key in keys if key.split("@")[0] in test]


def test_a_number_bounds_them_and_treats_families_alike(run: ictbench.Run) -> None:
    everything = choose(run.result, "all")
    assert choose(run.result, 8) == everything[:8]
    assert {key.rsplit("-", 1)[0] for key in choose(run.result, 8)} == {"room-random", "read"}
    assert choose(run.result, 10**6) == everything
    assert choose(run.result, "none") == choose(run.result, 0) == []


def test_what_is_left_out_is_said(source: ReportSource) -> None:
    played = len(choose(source.result, "all"))
    assert omission(source.result, "all", played) == (
        f"{played} of {played} episodes of finished loops are in this page."
    )
    assert omission(source.result, 5, 5) == f"5 of {played} episodes of finished loops are in this page (--episodes 5)."
    assert omission(source.result, "all", played - 2).endswith("; the journal lacks 2.")
