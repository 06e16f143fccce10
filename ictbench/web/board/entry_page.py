"""An entry's page: who and what, its badges, itself against others, and its whole run as a report shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench._version import __version__
from ictbench.board.badges import BADGES, PROVES, PROVES_NOT
from ictbench.results.notes import remarks
from ictbench.web.board.entry_summary import entry_summary, interval, track_summary
from ictbench.web.report import ReportSource
from ictbench.web.report.report_document import document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.board.entries import Board, Entry
    from ictbench.board.ranking import Pair, Track
    from ictbench.submissions.layout import Badge

    Json = dict[str, Any]


def entry_document(board: Board, tracks: Sequence[Track], entry: Entry) -> Json:
    """The document of an entry's page, but for its run: see `report_document`."""
    track = next((one for one in tracks if any(ranked.entry is entry for ranked in one.ranked)), None)
    ranked = next(ranked for ranked in track.ranked if ranked.entry is entry) if track else None
    submission, result = entry.submission, entry.result
    names = {one.slug: one.submission.name for one in board.entries}
    return {
        "ictbench": __version__,
        "suite": board.suite,
        "track": track_summary(track) if track else None,
        "entry": entry_summary(entry, ranked),
        "description": submission.description,
        "links": list(submission.links),
        "revisions": {"reflector": submission.reflector.revision, "actor": submission.actor.revision},
        "actor_weights": submission.actor.open_weights,
        "instruction": submission.instruction,
        "made_with": {"ictbench": submission.ictbench, **result.versions},
        "digest": submission.digest,
        "about": list(remarks(result)),
        "badges": [_badge(entry, badge) for badge in BADGES],
        "pairs": [_pair(pair, entry.slug, names) for pair in track.pairs_of(entry.slug)] if track else [],
        "log": [line.model_dump(mode="json", exclude={"before"}) for line in board.log if line.slug == entry.slug],
    }


def report_document(entry: Entry, episodes: Json) -> Json:
    """The run as a report has it; `episodes` is the index of those that are shown in full."""
    found = document([ReportSource(entry.slug, entry.result, lambda: iter(()))])
    (run,) = found["runs"]
    shown = len(episodes["keys"])
    run["episodes"] = {
        **episodes,
        "note": f"{shown} {'episode is' if shown == 1 else 'episodes are'} shown in full. Of all others the actions, "
        "rewards and hashes are in the submission, enough to play them again.",
    }
    return found


def _badge(entry: Entry, badge: Badge) -> Json:
    record = entry.badges.held.get(badge)
    return {
        "badge": badge,
        "proves": PROVES[badge],
        "proves_not": PROVES_NOT[badge],
        "record": record.model_dump(mode="json", exclude={"schema_"}) if record else None,
    }


def _pair(pair: Pair, slug: str, names: dict[str, str]) -> Json:
    """As the entry sees it: its best less the other's."""
    own = pair.one == slug
    difference = interval(pair.difference)
    assert difference is not None
    if not own:
        low, high = difference["low"], difference["high"]
        difference = {
            "value": -difference["value"],
            "low": None if high is None else -high,
            "high": None if low is None else -low,
        }
    other = pair.other if own else pair.one
    verdict = "tie" if pair.better is None else "better" if pair.better == slug else "worse"
    return {"slug": other, "name": names[other], "difference": difference, "p": pair.p, "verdict": verdict}
