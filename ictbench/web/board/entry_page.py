"""The page of an entry: its description, badges, comparison with others, and its run as in a report."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ictbench._version import __version__
from ictbench.board.badges import BADGES, PROVES, PROVES_NOT
from ictbench.board.finding_cache import submission_key
from ictbench.board.prompt_transfers import prompt_transfers
from ictbench.records import Record, digest_of
from ictbench.results.experience_gate import learned_sentence
from ictbench.results.gate_arms import REQUIREMENTS, is_trained, role_of
from ictbench.web.board.board_page import entry_transfer
from ictbench.web.board.entry_summary import entry_summary, interval_json, track_head
from ictbench.web.report import ReportSource
from ictbench.web.report.report_document import report_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench.board.board_log import LogLine
    from ictbench.board.entries import Board, Entry
    from ictbench.board.ranking import Ranked, Track
    from ictbench.board.track_pairs import Pair
    from ictbench.records import ModelSpec
    from ictbench.results import Result
    from ictbench.submissions.layout import Badge

    Json = dict[str, Any]

REPLAYED_TEXTS = "The board has replayed them, and the game showed the same words; thoughts are the submitter's."
CLAIMED_TEXTS = "The board has not replayed them: their words are the submitter's."


class Learned(Record):
    """Finding: what `ictbench learned` says of an entry and its arms; empty if it says nothing."""

    sentence: str


@dataclass(frozen=True)
class BoardIndex:
    """What the pages of a board's entries look up, so that each costs the same however many there are."""

    board: Board
    tracks: Sequence[Track]

    @cached_property
    def names(self) -> dict[str, str]:
        """Names of the entries, by slug."""
        return {entry.slug: entry.submission.name for entry in self.board.entries}

    @cached_property
    def places(self) -> dict[str, tuple[Track, Ranked]]:
        """Track and place of each ranked entry, by slug."""
        return {ranked.entry.slug: (track, ranked) for track in self.tracks for ranked in track.ranked}

    @cached_property
    def log(self) -> dict[str, list[LogLine]]:
        """Lines of the log, by slug."""
        lines: defaultdict[str, list[LogLine]] = defaultdict(list)
        for line in self.board.log:
            lines[line.slug].append(line)
        return lines

    @cached_property
    def transfers(self) -> dict[str, list[Json]]:
        """Tables of prompts that another actor played, by the slugs of both entries."""
        tables: defaultdict[str, list[Json]] = defaultdict(list)
        for source, played, transfer in prompt_transfers(self.board.entries):
            for entry in (source, played):
                tables[entry.slug].append(entry_transfer(source, played, transfer))
        return tables

    @cached_property
    def rerun(self) -> list[Entry]:
        """Entries that the board has rerun; only these are arms of others."""
        return [entry for entry in self.board.entries if {*BADGES} <= {*entry.badges.held}]

    @cached_property
    def wrapped(self) -> set[str]:
        """Keys of the reflectors that an entry of `rerun` wraps."""
        wrappers = [entry.result.reflector for entry in self.rerun]
        return {digest_of([inside, _json(one.model)]) for one in wrappers if (inside := one.options.get("reflector"))}


def entry_document(index: BoardIndex, entry: Entry) -> Json:
    """Return the document of an entry's page, without its run (`run_document`)."""
    track, ranked = index.places.get(entry.slug, (None, None))
    submission, result = entry.submission, entry.result
    summary = entry_summary(entry, ranked)
    return {
        "ictbench": __version__,
        "suite": index.board.suite,
        "track": track_head(track) if track else None,
        "entry": summary,
        "description": submission.description,
        "links": list(submission.links),
        "revisions": {"reflector": submission.reflector.revision, "actor": submission.actor.revision},
        "actor_weights": submission.actor.open_weights,
        "instruction": submission.instruction,
        "made_with": {"ictbench": submission.ictbench, **result.versions},
        "digest": submission.digest,
        "notes": [*(line for line in entry.facts.remarks if line not in summary["remarks"]), *_learned(index, entry)],
        "badges": [_badge(entry, badge) for badge in BADGES],
        "pairs": [_pair(pair, entry.slug, index.names) for pair in track.pairs_with(entry.slug)] if track else [],
        "transfers": index.transfers.get(entry.slug, []),
        "log": [line.model_dump(mode="json", exclude={"before"}) for line in index.log.get(entry.slug, ())],
    }


def run_document(entry: Entry, result: Result, episodes: Json, unavailable: str = "") -> Json:
    """Return the document of the entry's run as in a report.

    Args:
        entry: The entry.
        result: Its whole result.
        episodes: Index of the episodes that are stored in the page.
        unavailable: Why there are none, if the submission's evidence could not be fetched.
    """
    document = report_document([ReportSource(entry.slug, result, lambda: iter(()))])
    (run,) = document["runs"]
    stored = len(episodes["keys"])
    run["episodes"] = {
        **episodes,
        "note": f"The evidence could not be fetched when this page was built: {unavailable}."
        if unavailable
        else f"This page holds {stored} {'episode' if stored == 1 else 'episodes'} in full. "
        + (REPLAYED_TEXTS if stored <= entry.badges.shown_replayed else CLAIMED_TEXTS)
        + " The submission records the actions, rewards and hashes of all others, which is enough to replay them.",
    }
    return document


def _learned(index: BoardIndex, entry: Entry) -> Iterator[str]:
    """Yield what `ictbench learned` says, from arms on the board that were rerun.

    Only for entries that were trained or have a control of their own: a script alone says nothing about most entries,
    and the answer takes time.
    """
    if not (is_trained(entry.result) or _reflector_key(entry.result) in index.wrapped):
        return
    rerun = [one for one in index.rerun if one is not entry]
    arms = [one for one in rerun if role_of(one.result, entry.result) in REQUIREMENTS]
    key = [submission_key(one.submission) for one in (entry, *arms)]
    if (learned := entry.findings.get(Learned, *key)) is None:
        sentence = learned_sentence(entry.read().result, [one.read().result for one in arms])
        entry.findings.put(learned := Learned(sentence=sentence or ""), *key)
    yield from [learned.sentence] if learned.sentence else []


def _reflector_key(result: Result) -> str:
    """Return a key of a reflector, equal to that of a wrapper's inner one (`ictbench.results.pairing.wrapper_of`)."""
    spec = result.reflector.model_dump(mode="json", include={"label", "name", "options"})
    return digest_of([spec, _json(result.reflector.model)])


def _json(model: ModelSpec | None) -> Json | None:
    return model.model_dump(mode="json") if model else None


def _badge(entry: Entry, badge: Badge) -> Json:
    record = entry.badges.held.get(badge)
    return {
        "badge": badge,
        "proves": PROVES[badge],
        "proves_not": PROVES_NOT[badge],
        "record": record.model_dump(mode="json", exclude={"schema_"}) if record else None,
    }


def _pair(pair: Pair, slug: str, names: dict[str, str]) -> Json:
    """Return a comparison seen from one of its entries: best of that entry minus best of the other."""
    is_first = pair.one == slug
    difference = interval_json(pair.difference)
    assert difference is not None
    if not is_first:
        low, high = difference["low"], difference["high"]
        difference = {
            "value": -difference["value"],
            "low": None if high is None else -high,
            "high": None if low is None else -low,
        }
    other = pair.other if is_first else pair.one
    verdict = "tie" if pair.better is None else "better" if pair.better == slug else "worse"
    return {"slug": other, "name": names[other], "difference": difference, "p": pair.p, "verdict": verdict}
