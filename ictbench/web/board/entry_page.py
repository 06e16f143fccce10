"""The page of an entry: its description, badges, comparison with others, and its run as in a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench._version import __version__
from ictbench.board.badges import BADGES, PROVES, PROVES_NOT
from ictbench.results.experience_gate import learned_sentence
from ictbench.results.gate_arms import is_trained
from ictbench.results.notes import remarks
from ictbench.results.pairing import wrapper_of
from ictbench.web.board.entry_summary import entry_summary, interval_json, track_summary
from ictbench.web.report import ReportSource
from ictbench.web.report.report_document import report_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench.board.entries import Board, Entry
    from ictbench.board.ranking import Ranked, Track
    from ictbench.board.track_pairs import Pair
    from ictbench.submissions.layout import Badge

    Json = dict[str, Any]

REPLAYED_TEXTS = "The board has replayed them, and the game showed the same words; thoughts are the submitter's."
CLAIMED_TEXTS = "The board has not replayed them: their words are the submitter's."


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
        "notes": [*(line for line in remarks(result) if line not in summary["remarks"]), *_learned(board, entry)],
        "badges": [_badge(entry, badge) for badge in BADGES],
        "pairs": [_pair(pair, entry.slug, names) for pair in track.pairs_with(entry.slug)] if track else [],
        "log": [line.model_dump(mode="json", exclude={"before"}) for line in board.log if line.slug == entry.slug],
    }


def run_document(entry: Entry, episodes: Json) -> Json:
    """Return the document of the entry's run as in a report; `episodes` is the index of those stored in the page."""
    document = report_document([ReportSource(entry.slug, entry.result, lambda: iter(()))])
    (run,) = document["runs"]
    stored = len(episodes["keys"])
    run["episodes"] = {
        **episodes,
        "note": f"This page holds {stored} {'episode' if stored == 1 else 'episodes'} in full. "
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
    arms = [one.result for one in board.entries if one is not entry and {*BADGES} <= {*one.badges.held}]
    if is_trained(entry.result) or any(wrapper_of(arm, entry.result) for arm in arms):
        sentence = learned_sentence(entry.result, arms)
        yield from [sentence] if sentence else []


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
