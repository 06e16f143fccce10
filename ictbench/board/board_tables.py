"""Board tables as CSV and Markdown. Texts of submitters are escaped in both: no formulas, markup or mentions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench.board.entries import SECTIONS
from ictbench.board.prompt_transfers import prompt_transfers
from ictbench.results.formatting import INTERVAL_MEANING, code_span, markdown_table, p_value, signed, signed_number
from ictbench.results.table_text import csv_text
from ictbench.results.tables import FAILURES, MIXED
from ictbench.suites.trained_on import format_trained_on

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence
    from pathlib import Path

    import pandas as pd

    from ictbench.board.bad_entry import BadEntry
    from ictbench.board.entries import Board, Entry
    from ictbench.board.ranking import Ranked, Track
    from ictbench.results import Interval
    from ictbench.results.prompt_transfer import PromptTransfer
    from ictbench.results.schema import Measures

    Row = dict[str, Any]

RANKED = (
    "rank",
    "entry",
    "reflector",
    "best [95 %]",
    "gain [95 %]",
    "last",
    "headroom",
    "over blind [95 %]",
    "blind arm",
    "badges",
)
TRANSFERRED = (
    "prompts of",
    "learned with",
    "played by",
    "family",
    "gain [95 %]",
    "transferred gain [95 %]",
    "difference [95 %]",
    "p",
)
UNRANKED = ("entry", "reflector", "actor", "profile", "best [95 %]", "gain [95 %]", "why")
BAD = ("submission", "why")
MEASURES = ("base", "best", "last", "gain", "headroom_gain")


def board_tables(board: Board, tracks: Sequence[Track]) -> dict[str, pd.DataFrame]:
    """Return data frames: `ranking` (one row per ranked entry), `unranked`, `families` and `log`."""
    import pandas as pd  # 0.3 s to import

    rows: dict[str, list[Row]] = {
        "ranking": [_ranked_row(track, entry) for track in tracks for entry in track.ranked],
        "unranked": [*map(_unranked_row, unranked(board)), *map(_bad_row, board.bad)],
        "families": [row for entry in board.entries for row in _family_rows(entry)],
        "log": [line.model_dump(mode="json") for line in board.log],
    }
    return {name: pd.DataFrame(values) for name, values in rows.items()}


def write_tables(board: Board, tracks: Sequence[Track], folder: Path) -> None:
    """Write the tables as CSV files and the board as a Markdown page.

    Raises:
        OSError: A file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in board_tables(board, tracks).items():
        (folder / f"{name}.csv").write_text(csv_text(table), encoding="utf-8")
    (folder / "board.md").write_text(board_markdown(board, tracks), encoding="utf-8")


def board_markdown(board: Board, tracks: Sequence[Track]) -> str:
    """Return the Markdown page: rankings by track, then the unranked entries; ends with a newline."""
    return "\n".join([f"# {code_span(board.suite)}", "", INTERVAL_MEANING, "", *_sections(board, tracks)])


def unranked(board: Board) -> list[Entry]:
    """Return the unranked entries, by section."""
    return [entry for section in SECTIONS[1:] for entry in board.of(section)]


def ranked_cells(one: Ranked) -> list[str]:
    """Return a row for the columns `RANKED`."""
    entry, measures = one.entry, one.entry.measures
    assert measures is not None, "a ranked entry has held-out families"
    return [
        one.ranks,
        entry.submission.name,
        entry.result.reflector.label,
        _level(measures.best),
        signed(measures.gain),
        f"{measures.last.value:.2f}",
        signed_number(measures.headroom_gain.value) if measures.headroom_gain else "",
        signed(one.over_blind) if one.over_blind else "",
        one.blind.slug if one.blind else "",
        format_badges(entry),
    ]


def ranked_remarks(track: Track) -> Iterator[tuple[str, str]]:
    """Yield what a reader should know beside the scores: the names of ranked entries, each with a remark."""
    for one in track.ranked:
        for text in one.remarks:
            yield one.entry.submission.name, text


def unranked_cells(entry: Entry) -> list[str]:
    """Return a row for the columns `UNRANKED`."""
    measures = entry.measures
    return [
        entry.submission.name,
        entry.result.reflector.label,
        entry.result.actor.label,
        entry.result.profile,
        _level(measures.best) if measures else "",
        signed(measures.gain) if measures else "",
        entry.why_unranked[1],
    ]


def format_badges(entry: Entry) -> str:
    """Return the badges of an entry as text, with the share of a sampled replay."""
    share = entry.badges.replayed_share
    sampled = f" {share:.0%}" if 0 < share < 1 else ""
    return ", ".join(f"{badge}{sampled if badge == 'replayed' else ''}" for badge in entry.badges.held) or "none"


def _sections(board: Board, tracks: Sequence[Track]) -> Iterator[str]:
    for track in tracks:
        yield from (f"## {code_span(track.name)}", "")
        yield _table(RANKED, map(ranked_cells, track.ranked), texts=(1, 2))
        for name, text in ranked_remarks(track):
            yield f"{code_span(name)}: {code_span(text)}\n"
        if any(one.low < one.high for one in track.ranked):
            yield "A range of ranks is a tie: the differences within it may be due to chance.\n"
    if entries := unranked(board):
        yield from ("## Not ranked", "")
        yield _table(UNRANKED, map(unranked_cells, entries), texts=(0, 1, 2, 6))
    if rows := [row for place in prompt_transfers(board.entries) for row in _transfer_cells(*place)]:
        yield from ("## Prompts played by other actors", "")
        yield _table(TRANSFERRED, rows, texts=(0, 1, 2, 3))
    if board.bad:
        yield from ("## Cannot be shown", "")
        yield _table(BAD, ((bad.slug, bad.reason) for bad in board.bad), texts=(0, 1))
    if not board.entries:
        yield "No entry yet.\n"


def _transfer_cells(source: Entry, played: Entry, transfer: PromptTransfer) -> Iterator[list[str]]:
    for row in transfer.rows:
        yield [
            source.submission.name,
            transfer.learner,
            f"{transfer.player} ({played.submission.name})",
            row.family or f"mean {row.role}",
            signed(row.gain),
            signed(row.transferred_gain),
            signed(row.difference),
            p_value(row.p),
        ]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, texts: Container[int]) -> str:
    """Return a Markdown table; `texts` are the columns with texts of submitters, which are escaped."""
    escaped = ([code_span(cell) if column in texts else cell for column, cell in enumerate(row)] for row in rows)
    return markdown_table(head, escaped) + "\n"


def _level(interval: Interval) -> str:
    if interval.low is None or interval.high is None:
        return f"{interval.value:.2f}"
    return f"{interval.value:.2f} [{interval.low:.2f}, {interval.high:.2f}]"


def _ranked_row(track: Track, one: Ranked) -> Row:
    ends = _ends("over_blind", one.over_blind)
    arm = {
        "blind_arm": one.blind.slug if one.blind else None,
        "same_as": one.same_as.slug if one.same_as else None,
    }
    return {"track": track.name, "rank_low": one.low, "rank_high": one.high, **_row(one.entry), **ends, **arm}


def _unranked_row(entry: Entry) -> Row:
    section, reason = entry.why_unranked
    return {"section": section, "why": reason, **_row(entry)}


def _bad_row(bad: BadEntry) -> Row:
    return {"section": "bad", "why": bad.reason, "slug": bad.slug}


def _row(entry: Entry) -> Row:
    submission, result, cost = entry.submission, entry.result, entry.cost
    return {
        "slug": entry.slug,
        "name": submission.name,
        "reflector": result.reflector.label,
        "reflector_revision": submission.reflector.revision,
        "open_weights": submission.reflector.open_weights,
        "trained_on": format_trained_on(entry.trained_on),
        "actor": result.actor.label,
        "actor_trained_on": format_trained_on(entry.actor_trained_on),
        "profile": result.profile,
        "submitted_by": submission.submitted_by,
        "date": submission.date.isoformat(),
        **_measures(entry.measures),
        "badges": format_badges(entry),
        "replayed_share": entry.badges.replayed_share,
        "calls": cost.calls,
        "tokens": None if cost.unreported else cost.tokens,
        "usd": cost.cost,
        "ictbench": result.ictbench,
        "submission": submission.digest,
    }


def _family_rows(entry: Entry) -> Iterator[Row]:
    for family in entry.result.families:
        start = {"slug": entry.slug, "section": entry.section, "family": family.name, "role": family.role}
        failures = {name: getattr(family.behaviour, name, None) for name in FAILURES}
        yield start | {"loops": entry.facts.loops[family.name]} | _measures(family.measures) | failures


def _measures(measures: Measures | None) -> Row:
    row: Row = {}
    for name in MEASURES:
        row |= _ends(name, getattr(measures, name) if measures else None)
    if measures and measures.mixed:
        for name in MIXED:
            row |= _ends(name, getattr(measures.mixed, name))
    return row


def _ends(name: str, interval: Interval | None) -> Row:
    ends = (interval.value, interval.low, interval.high) if interval else (None, None, None)
    return dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
