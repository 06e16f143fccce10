from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ictbench.errors import ConfigError
from ictbench.web.report import EpisodeChoice, ReportSource, parse_choice
from ictbench.web.report.episode_selection import omission_note, select_episodes

if TYPE_CHECKING:
    import ictbench

EXPERIENCE = 2 * 3 * 4
"""Experience tasks of the run: families, loops, tasks per loop."""


@pytest.mark.parametrize(
    ("text", "choice"), [("all", "all"), ("test", "test"), ("none", "none"), ("0", 0), ("20000", 20000)]
)
def test_choice_is_a_word_or_a_number(text: str, choice: EpisodeChoice) -> None:
    assert parse_choice(text) == choice


@pytest.mark.parametrize("text", ["", "some", "-1", "1.5", "²", "1e3"])
def test_other_choices_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--episodes takes all, test, none or a number, not "):
        parse_choice(text)


def test_choice_all_selects_every_episode_of_the_journal(run: ictbench.Run) -> None:
    keys = select_episodes(run.result, "all")
    assert len(set(keys)) == len(keys)
    assert sorted(keys) == run.episode_keys()


def test_order_is_experience_test_selection_audit(run: ictbench.Run) -> None:
    keys = select_episodes(run.result, "all")
    experience = {task for f in run.result.families for loop in f.loops for b in loop.batches for task in b.tasks}
    test = {task for f in run.result.families for loop in f.loops for task in loop.test_tasks}
    tasks = [key.split("@")[0] for key in keys]
    pools = ["experience" if task in experience else "test" if task in test else "selection" for task in tasks]
    assert pools[:EXPERIENCE] == ["experience"] * EXPERIENCE
    assert list(dict.fromkeys(pools[EXPERIENCE:])) == ["test", "selection", "experience"]
    audited = keys[EXPERIENCE:][pools[EXPERIENCE:].index("experience") :]
    assert {key.split("@")[0] for key in audited} <= experience
    assert select_episodes(run.result, "test") == [key for key in keys if key.split("@")[0] in test]


def test_number_limits_episodes_and_treats_families_alike(run: ictbench.Run) -> None:
    everything = select_episodes(run.result, "all")
    assert select_episodes(run.result, 8) == everything[:8]
    assert {key.rsplit("-", 1)[0] for key in select_episodes(run.result, 8)} == {"room-random", "read"}
    assert select_episodes(run.result, 10**6) == everything
    assert select_episodes(run.result, "none") == select_episodes(run.result, 0) == []


def test_omission_note_states_what_is_missing_and_why(source: ReportSource) -> None:
    total = len(select_episodes(source.result, "all"))
    complete = omission_note(source.result, "all", total)
    assert complete == f"This page holds {total} of {total} episodes of finished loops."
    limited = omission_note(source.result, 5, 5)
    assert limited == f"This page holds 5 of {total} episodes of finished loops (--episodes 5)."
    assert omission_note(source.result, "all", total - 2).endswith("; 2 are missing from the journal.")
