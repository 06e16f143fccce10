"""Board tables as CSV and Markdown. Texts of submitters are escaped in both: no formulas, markup or mentions."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from ictbench.board.divisions import NAMES, known_dollars, known_tokens, spent_by
from ictbench.board.entries import SECTIONS
from ictbench.board.prompt_transfers import TRANSFERRED, prompt_transfers, transfer_cells, transfer_records
from ictbench.results.formatting import INTERVAL_MEANING, code_span, markdown_table, rate, signed, signed_number
from ictbench.results.table_text import csv_text
from ictbench.results.tables import FAILURES, MIXED, progress_columns
from ictbench.suites.trained_on import format_trained_on

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence
    from pathlib import Path

    import pandas as pd

    from ictbench.board.bad_entry import BadEntry
    from ictbench.board.entries import Board, Entry
    from ictbench.board.ranking import Ranked, Track
    from ictbench.results import Interval
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
STREAMED = ("entry", "online success [95 %]", "regret [95 %]", "forgetting [95 %]", "forward transfer [95 %]")
PROGRESS = ("entry", "progress of best [95 %]", "gain in progress [95 %]")
COMBINED = ("entry", "division", "gain [95 %]", "tokens", "episodes per loop", "Pareto front")
COMBINED_MEANING = (
    "On the Pareto front: no other entry gains at least as much with no more tokens and no more episodes of "
    "experience. Tokens are those of the whole run."
)
UNRANKED = ("entry", "reflector", "actor", "profile", "best [95 %]", "gain [95 %]", "why")
BAD = ("submission", "why")
MEASURES = ("base", "best", "last", "gain", "headroom_gain")


def board_tables(board: Board, tracks: Sequence[Track]) -> dict[str, pd.DataFrame]:
    """Return data frames: `ranking` (one row per ranked entry), `unranked`, `families`, `transfers` and `log`."""
    import pandas as pd  # 0.3 s to import

    rows: dict[str, list[Row]] = {
        "ranking": [_ranked_row(track, entry) for track in tracks for entry in track.ranked],
        "unranked": [*map(_unranked_row, unranked(board)), *map(_bad_row, board.bad)],
        "families": [row for entry in board.entries for row in _family_rows(entry)],
        "transfers": [row for place in prompt_transfers(board.entries) for row in transfer_records(*place)],
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
        rate(measures.best),
        signed(measures.gain),
        f"{measures.last.value:.2f}",
        signed_number(measures.headroom_gain.value) if measures.headroom_gain else "",
        signed(one.over_blind) if one.over_blind else "",
        one.blind.slug if one.blind else "",
        format_badges(entry),
    ]


def streamed_cells(one: Ranked) -> list[str] | None:
    """Return a row for the columns `STREAMED`; None for an entry of a suite without streams."""
    measures = one.entry.measures
    if measures is None or measures.mixed is None:
        return None
    regret = measures.online.regret if measures.online else None
    differences = (regret, measures.mixed.forgetting, measures.mixed.forward_transfer)
    return [
        one.entry.submission.name,
        rate(measures.stream_success) if measures.stream_success else "",
        *(signed(difference) if difference else "" for difference in differences),
    ]


def progress_cells(one: Ranked) -> list[str] | None:
    """Return a row for the columns `PROGRESS`; None for an entry whose progress is not known."""
    measures = one.entry.measures
    if measures is None or measures.progress is None:
        return None
    return [one.entry.submission.name, rate(measures.progress.best), signed(measures.progress.gain)]


def secondary_tables(track: Track) -> Iterator[tuple[Sequence[str], list[list[str]]]]:
    """Yield head and rows of the tables beside a ranking, of measures that only some worlds and suites have."""
    for head, cells in ((STREAMED, streamed_cells), (PROGRESS, progress_cells)):
        if rows := [*filter(None, map(cells, track.ranked))]:
            yield head, rows


def ranked_remarks(track: Track) -> Iterator[tuple[str, str]]:
    """Yield what a reader should know beside the scores: the names of ranked entries, each with a remark."""
    for one in track.ranked:
        for text in one.remarks:
            yield one.entry.submission.name, text


def combined_cells(track: Track, one: Ranked) -> list[str]:
    """Return a row for the columns `COMBINED`."""
    entry, spent = one.entry, spent_by(one.entry)
    assert entry.measures is not None, "a ranked entry has held-out families"
    return [
        entry.submission.name,
        NAMES[track.division],
        signed(entry.measures.gain),
        f"{spent.tokens:,}" if spent else "unknown",
        f"{entry.facts.experience:.4g}",
        "yes" if one.on_front else "",
    ]


def combined(tracks: Sequence[Track]) -> Iterator[tuple[str, list[list[str]]]]:
    """Yield the name and the rows `COMBINED` of each profile and actor that has entries in several divisions."""
    for _, group in groupby(tracks, key=lambda track: track.setup):
        if len(together := list(group)) > 1:
            entries = [(track, one) for track in together for one in track.ranked]
            entries.sort(key=lambda place: -place[1].gain)
            yield together[0].setup_name, [combined_cells(*place) for place in entries]


def unranked_cells(entry: Entry) -> list[str]:
    """Return a row for the columns `UNRANKED`."""
    measures = entry.measures
    return [
        entry.submission.name,
        entry.result.reflector.label,
        entry.result.actor.label,
        entry.result.profile,
        rate(measures.best) if measures else "",
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
        for head, rows in secondary_tables(track):
            yield _table(head, rows, texts=(0,))
        for name, text in ranked_remarks(track):
            yield f"{code_span(name)}: {code_span(text)}\n"
        if any(one.low < one.high for one in track.ranked):
            yield "A range of ranks is a tie: the differences within it may be due to chance.\n"
    for name, rows in combined(tracks):
        yield from (f"## {code_span(name)}: all divisions", "")
        yield _table(COMBINED, rows, texts=(0,))
        yield f"{COMBINED_MEANING}\n"
    if entries := unranked(board):
        yield from ("## Not ranked", "")
        yield _table(UNRANKED, map(unranked_cells, entries), texts=(0, 1, 2, 6))
    if rows := [row for place in prompt_transfers(board.entries) for row in transfer_cells(*place)]:
        yield from ("## Prompts played by other actors", "")
        yield _table(TRANSFERRED, rows, texts=(0, 1, 2, 3))
    if board.bad:
        yield from ("## Cannot be shown", "")
        yield _table(BAD, ((bad.slug, bad.reason) for bad in board.bad), texts=(0, 1))
    if not board.entries:
        yield "No entry yet.\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, texts: Container[int]) -> str:
    """Return a Markdown table; `texts` are the columns with texts of submitters, which are escaped."""
    escaped = ([code_span(cell) if column in texts else cell for column, cell in enumerate(row)] for row in rows)
    return markdown_table(head, escaped) + "\n"


def _ranked_row(track: Track, one: Ranked) -> Row:
    ends = _ends("over_blind", one.over_blind)
    arm = {
        "blind_arm": one.blind.slug if one.blind else None,
        "same_as": one.same_as.slug if one.same_as else None,
    }
    place = {"track": track.name, "division": track.division, "rank_low": one.low, "rank_high": one.high}
    return {**place, **entry_row(one.entry), **ends, **arm, "pareto_front": one.on_front}


def _unranked_row(entry: Entry) -> Row:
    section, reason = entry.why_unranked
    return {"section": section, "why": reason, "division": entry.facts.division, **entry_row(entry)}


def _bad_row(bad: BadEntry) -> Row:
    return {"section": "bad", "why": bad.reason, "slug": bad.slug}


def entry_row(entry: Entry) -> Row:
    """Return an entry as a row of a CSV table."""
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
        "tokens": known_tokens(cost),
        "usd": known_dollars(cost),
        "episodes_per_loop": entry.facts.experience,
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
        row |= _ends("stream_success", measures.stream_success)
        row |= _ends("online_regret", measures.online.regret if measures.online else None)
        for name in MIXED:
            row |= _ends(name, getattr(measures.mixed, name))
    return row | (progress_columns(measures) if measures else {})


def _ends(name: str, interval: Interval | None) -> Row:
    ends = (interval.value, interval.low, interval.high) if interval else (None, None, None)
    return dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
