"""The page of an entry: its description, badges, comparison with others, and its run as in a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench._version import __version__
from ictbench.board.badges import BADGES, PROVES, PROVES_NOT
from ictbench.board.finding_cache import submission_key
from ictbench.records import Record
from ictbench.results.experience_gate import learned_sentence
from ictbench.results.gate_arms import REQUIREMENTS, is_trained, role_of
from ictbench.results.pairing import wrapper_of
from ictbench.web.board.entry_summary import entry_summary, interval_json, track_summary
from ictbench.web.report import ReportSource
from ictbench.web.report.report_document import report_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench.board.entries import Board, Entry
    from ictbench.board.ranking import Ranked, Track
    from ictbench.board.track_pairs import Pair
    from ictbench.results import Result
    from ictbench.submissions.layout import Badge

    Json = dict[str, Any]

REPLAYED_TEXTS = "The board has replayed them, and the game showed the same words; thoughts are the submitter's."
CLAIMED_TEXTS = "The board has not replayed them: their words are the submitter's."


class Learned(Record):
    """Finding: what `ictbench learned` says of an entry and its arms; empty if it says nothing."""

    sentence: str


def entry_document(board: Board, tracks: Sequence[Track], entry: Entry) -> Json:
    """Return the document of an entry's page, without its run (`run_document`)."""
    track, ranked = _place(tracks, entry)
    submission, result = entry.submission, entry.result
    names = {entry.slug: entry.submission.name for entry in board.entries}
    summary = entry_summary(entry, ranked)
    return {
        "ictbench": __version__,
        "suite": board.suite,
        "track": track_summary(track) if track else None,
        "entry": summary,
        "description": submission.description,
        "links": list(submission.links),
        "revisions": {"reflector": submission.reflector.revision, "actor": submission.actor.revision},
        "actor_weights": submission.actor.open_weights,
        "instruction": submission.instruction,
        "made_with": {"ictbench": submission.ictbench, **result.versions},
        "digest": submission.digest,
        "notes": [*(line for line in entry.facts.remarks if line not in summary["remarks"]), *_learned(board, entry)],
        "badges": [_badge(entry, badge) for badge in BADGES],
        "pairs": [_pair(pair, entry.slug, names) for pair in track.pairs_with(entry.slug)] if track else [],
        "log": [line.model_dump(mode="json", exclude={"before"}) for line in board.log if line.slug == entry.slug],
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


def _place(tracks: Sequence[Track], entry: Entry) -> tuple[Track, Ranked] | tuple[None, None]:
    """Return the track of an entry and its place in it."""
    for track in tracks:
        for ranked in track.ranked:
            if ranked.entry is entry:
                return track, ranked
    return None, None


def _learned(board: Board, entry: Entry) -> Iterator[str]:
    """Yield what `ictbench learned` says, from arms on the board that were rerun.

    Only for entries that were trained or have a control of their own: a script alone says nothing about most entries,
    and the answer takes time.
    """
    rerun = [one for one in board.entries if one is not entry and {*BADGES} <= {*one.badges.held}]
    if not (is_trained(entry.result) or any(wrapper_of(one.result, entry.result) for one in rerun)):
        return
    arms = [one for one in rerun if role_of(one.result, entry.result) in REQUIREMENTS]
    key = [submission_key(one.submission) for one in (entry, *arms)]
    if (learned := entry.findings.get(Learned, *key)) is None:
        sentence = learned_sentence(entry.read().result, [one.read().result for one in arms])
        entry.findings.put(learned := Learned(sentence=sentence or ""), *key)
    yield from [learned.sentence] if learned.sentence else []


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
