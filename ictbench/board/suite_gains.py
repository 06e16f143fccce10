"""Gains of the learners that are on the boards of several suites: which of them helps where."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ictbench.board.board_tables import entry_row
from ictbench.records import digest_of
from ictbench.results.comparability import player_setup
from ictbench.results.formatting import INTERVAL_MEANING, code_span, markdown_table, signed
from ictbench.results.table_text import csv_text
from ictbench.suites.trained_on import format_trained_on

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ictbench.board.entries import Board, Entry

FILE_NAME = "suites"
COLUMNS = ("reflector", "trained on", "actor", "profile")
MEANING = (
    "Gain of the best prompt, mean over the held-out families of a suite. Each row is one learner or control "
    "with one actor and one profile. Suites differ in difficulty, so compare the rows of a column."
)
NO_ROWS = "No learner is on the boards of several suites with the same actor and profile."


@dataclass(frozen=True, slots=True)
class SuiteGains:
    """Entries of one learner or control with one actor and one profile, on the boards of several suites."""

    entries: dict[str, tuple[Entry, ...]]
    """By suite. Several entries of one suite are runs of the same learner by different submitters, or other tracks."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Texts of the columns `COLUMNS`."""
        first = self._first
        result = first.result
        control = " (control)" if first.section == "control" else ""
        trained_on = format_trained_on(first.trained_on)
        return f"{result.reflector.label}{control}", trained_on, result.actor.label, result.profile

    @property
    def order(self) -> tuple[bool, bool, str, bool, str]:
        """Key by which rows are sorted: as tracks are, then controls last, then by name."""
        result = self._first.result
        control = self._first.section == "control"
        actor = result.actor
        return actor.model is None, result.profile != "standard", actor.label, control, result.reflector.label

    def cells(self, suites: Sequence[str]) -> list[str]:
        """Return a row for the columns `COLUMNS` and one column for each suite."""
        return [*self.labels, *("; ".join(map(_gain, self.entries.get(suite, ()))) for suite in suites)]

    @property
    def _first(self) -> Entry:
        return next(iter(self.entries.values()))[0]


def suite_gains(boards: Sequence[Board]) -> tuple[list[str], list[SuiteGains]]:
    """Return the suites that have learners in common with others, and these learners.

    Entries are of the same learner if nothing of their reflectors differs but how a model is reached. Rows of language
    models as actors come first.
    """
    found: defaultdict[str, defaultdict[str, list[Entry]]] = defaultdict(lambda: defaultdict(list))
    for board in boards:
        for entry in filter(_is_shown, board.entries):
            found[_learner(entry)][board.suite].append(entry)
    several = {key: by_suite for key, by_suite in found.items() if len(by_suite) > 1}
    rows = [SuiteGains({suite: tuple(entries) for suite, entries in several[key].items()}) for key in sorted(several)]
    rows.sort(key=lambda row: row.order)
    return [board.suite for board in boards if any(board.suite in row.entries for row in rows)], rows


def write_suite_gains(boards: Sequence[Board], folder: Path) -> list[Path]:
    """Write the gains by suite as CSV (one row per entry) and as a Markdown page, and return both.

    Raises:
        OSError: A file cannot be written.
    """
    import pandas as pd  # 0.3 s to import

    suites, rows = suite_gains(boards)
    files = {"csv": csv_text(pd.DataFrame(list(_records(rows)))), "md": _markdown(suites, rows)}
    paths = [folder / f"{FILE_NAME}.{kind}" for kind in files]
    for path, text in zip(paths, files.values(), strict=True):
        path.write_text(text, encoding="utf-8")
    return paths


def _is_shown(entry: Entry) -> bool:
    """Return whether an entry is ranked, or would be if it were no control."""
    if entry.section != "control":
        return entry.section == "ranked"
    complete = entry.submitted and entry.result.complete and not entry.result.deviations
    return complete and entry.measures is not None and "replayed" in entry.badges.held


def _learner(entry: Entry) -> str:
    """Return a key that is equal for entries with the same reflector, training, actor and profile."""
    result = entry.result
    players = [dict(player_setup(player)) for player in (result.reflector, result.actor)]
    return digest_of([*players, entry.trained_on, entry.actor_trained_on, result.profile], 12)


def _gain(entry: Entry) -> str:
    assert entry.measures is not None, "an entry that is shown has held-out families"
    return signed(entry.measures.gain)


def _records(rows: Sequence[SuiteGains]) -> Iterator[dict[str, Any]]:
    for row in rows:
        for suite, entries in row.entries.items():
            yield from ({"suite": suite, **entry_row(entry)} for entry in entries)


def _markdown(suites: Sequence[str], rows: Sequence[SuiteGains]) -> str:
    lines = ["# Gains by suite", "", INTERVAL_MEANING, ""]
    if not rows:
        return "\n".join([*lines, NO_ROWS, ""])
    texts = ([*map(code_span, row.labels), *row.cells(suites)[len(COLUMNS) :]] for row in rows)
    return "\n".join([*lines, MEANING, "", markdown_table([*COLUMNS, *suites], texts)])
