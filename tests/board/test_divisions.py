from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import pytest
from boards import make_result, submit
from hypothesis import given
from hypothesis import strategies as st

from ictbench.board.board_tables import COMBINED_MEANING, board_markdown, combined, write_tables
from ictbench.board.divisions import DIVISIONS, NAMES, Spent, pareto_front
from ictbench.board.entries import read_board
from ictbench.board.entry_facts import EntryFacts
from ictbench.board.ranking import rank
from ictbench.records import PluginSpec, Usage
from ictbench.submissions import known_players
from ictbench.submissions.known_players import KnownPlayer
from ictbench.submissions.layout import BoardFolder
from ictbench.web.board.entry_summary import entry_summary, track_summary

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.board.ranking import Track

LOOPS = 6
SMALL = st.integers(0, 3)
SPENT = st.lists(st.none() | st.builds(Spent, SMALL.map(float), SMALL, SMALL.map(float)), max_size=12)


def with_tokens(solved: int, label: str, tokens: int, **changes: Any) -> Any:
    """Return a result that solves this many of four tasks in every loop, for this many tokens."""
    families = {"read": [("0000", "1" * solved + "0" * (4 - solved))] * LOOPS}
    return make_result(families, label, cost={"reflector": Usage(calls=1, input_tokens=tokens)}, **changes)


@pytest.fixture
def folder(tmp_path: Path) -> BoardFolder:
    """A board with two reflectors, two memory learners and an optimiser, all with the same actor and tasks."""
    folder = BoardFolder(tmp_path / "rooms-v1")
    submit(folder, "reflects", with_tokens(3, "reflects", 100), name="Reflects")
    submit(folder, "idle", with_tokens(1, "idle", 200), name="Idle")
    submit(folder, "remembers", with_tokens(4, "remembers", 500, division="memory"), name="Remembers")
    submit(folder, "forgets", with_tokens(0, "forgets", 50, division="memory"), name="Forgets")
    submit(folder, "searches", with_tokens(2, "searches", 900, division="optimiser"), name="Searches")
    return folder


def ranks(track: Track) -> dict[str, str]:
    return {one.entry.slug: one.ranks for one in track.ranked}


def test_each_division_has_a_ranking_of_its_own(folder: BoardFolder) -> None:
    tracks = rank(read_board(folder).entries)
    assert [(track.name, ranks(track)) for track in tracks] == [
        ("lite, rules", {"reflects": "1", "idle": "2"}),
        ("lite, rules, memory learners", {"remembers": "1", "forgets": "2"}),
        ("lite, rules, optimisers", {"searches": "1"}),
    ]
    assert len({track.key for track in tracks}) == 3
    assert {track.setup for track in tracks} == {tracks[0].key}, "reflectors keep the key that their track had"
    # Corrections are for the pairs of a division: p is that of two entries alone.
    assert tracks[1].comparisons.pair("forgets", "remembers").p == 2 / 2**LOOPS


def test_the_board_decides_the_division_of_a_built_in_reflector(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = BoardFolder(tmp_path / "rooms-v1")
    submit(board, "claims", with_tokens(3, "rules", 0, division="optimiser"))
    assert [track.division for track in rank(read_board(board).entries)] == ["reflector"]
    monkeypatch.setitem(known_players.REFLECTORS, "rules", KnownPlayer(division="memory"))
    assert [track.division for track in rank(read_board(board).entries)] == ["memory"]


def test_a_blind_arm_of_a_memory_learner_stands_in_its_division(tmp_path: Path) -> None:
    board = BoardFolder(tmp_path / "rooms-v1")
    own = PluginSpec(label="mine:Notes", name="mine:Notes")
    inner = own.model_dump(mode="json", exclude={"model"})
    blind = PluginSpec(label="blind:mine:Notes", name="blind", options={"reflector": inner})
    submit(board, "sees", with_tokens(4, "x", 0, division="memory", reflector=own))
    badges: Any = ("replayed", "rerun")
    submit(board, "blind", with_tokens(2, "x", 0, division="memory", reflector=blind), badges=badges)
    (track,) = rank(read_board(board).entries)
    assert (track.division, ranks(track)) == ("memory", {"sees": "1"})
    assert track.ranked[0].blind is not None
    assert track.ranked[0].over_blind is not None
    assert track.ranked[0].over_blind.value == pytest.approx(0.5)


def test_all_divisions_stand_in_one_table_with_their_costs(folder: BoardFolder) -> None:
    tracks = rank(read_board(folder).entries)
    ((name, rows),) = combined(tracks)
    assert name == "lite, rules"
    assert [(row[0], row[1], row[3], row[4], row[5]) for row in rows] == [
        ("Remembers", "memory learners", "500", "1", "yes"),
        ("Reflects", "reflectors", "100", "1", "yes"),
        ("Searches", "optimisers", "900", "1", ""),
        ("Idle", "reflectors", "200", "1", ""),
        ("Forgets", "memory learners", "50", "1", "yes"),
    ]
    assert list(combined(tracks[:1])) == [], "one division needs no other table"
    text = board_markdown(read_board(folder), tracks)
    assert "## `lite, rules, memory learners`" in text
    assert "## `lite, rules`: all divisions" in text
    assert COMBINED_MEANING in text


def test_tables_and_pages_name_the_division(folder: BoardFolder) -> None:
    waiting = make_result({"read": [("0000", "0111")] * LOOPS}, "later", division="memory")
    submit(folder, "later", waiting, name="Later", badges=())
    board = read_board(folder)
    tracks = rank(board.entries)
    write_tables(board, tracks, folder.tables)
    rows = {row["slug"]: row for row in csv.DictReader((folder.tables / "ranking.csv").read_text("utf-8").splitlines())}
    assert {slug: (row["division"], row["pareto_front"]) for slug, row in rows.items()} == {
        "reflects": ("reflector", "True"),
        "idle": ("reflector", "False"),
        "remembers": ("memory", "True"),
        "forgets": ("memory", "True"),
        "searches": ("optimiser", "False"),
    }
    assert rows["idle"]["episodes_per_loop"] == "1"
    (later,) = csv.DictReader((folder.tables / "unranked.csv").read_text("utf-8").splitlines())
    assert (later["slug"], later["division"]) == ("later", "memory")
    assert [track_summary(track)["division"] for track in tracks] == [*DIVISIONS] == [*NAMES]


def test_experience_counts_what_a_reflector_plays_itself() -> None:
    result = with_tokens(1, "x", 0)
    (family,) = result.families
    loops = [family.loops[0].model_copy(update={"replays": (("a@1", "b@1"),)}), *family.loops[1:]]
    trained = family.model_copy(update={"name": "zap", "role": "meta-train", "loops": tuple(loops)})
    families = (family.model_copy(update={"loops": tuple(loops)}), trained)
    assert EntryFacts.of(result).experience == 1
    assert EntryFacts.of(result.model_copy(update={"families": families})).experience == pytest.approx(1 + 2 / LOOPS)


@pytest.mark.parametrize("unknown", [Usage(calls=1, unreported=1), Usage(cache_hits=4)], ids=["unreported", "cached"])
def test_an_entry_with_unknown_tokens_is_not_on_the_front(tmp_path: Path, unknown: Usage) -> None:
    """Replies from the response cache cost nothing the second time."""
    board = BoardFolder(tmp_path / "rooms-v1")
    best = with_tokens(4, "unknown", 0)
    submit(board, "unknown", best.model_copy(update={"cost": {"reflector": unknown}}))
    submit(board, "known", with_tokens(2, "known", 10))
    (track,) = rank(read_board(board).entries)
    assert {one.entry.slug: one.on_front for one in track.ranked} == {"unknown": False, "known": True}
    shown = entry_summary(track.ranked[0].entry, track.ranked[0])
    assert (shown["slug"], shown["cost"]["tokens"]) == ("unknown", None)
    write_tables(read_board(board), [track], board.tables)
    rows = {row["slug"]: row for row in csv.DictReader((board.tables / "ranking.csv").read_text("utf-8").splitlines())}
    assert {slug: row["tokens"] for slug, row in rows.items()} == {"known": "10", "unknown": ""}


@given(SPENT)
def test_the_front_holds_what_no_other_entry_dominates(spent: list[Spent | None]) -> None:
    def dominates(one: Spent, other: Spent) -> bool:
        return (
            one != other
            and one.gain >= other.gain
            and one.tokens <= other.tokens
            and one.experience <= other.experience
        )

    known = [one for one in spent if one]
    assert pareto_front(spent) == [
        one is not None and not any(dominates(other, one) for other in known) for one in spent
    ]
