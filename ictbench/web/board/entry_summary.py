"""What every page of the site says of an entry, as plain JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench.suites.trained_on import env_of_suite, format_trained_on, was_trained_on

if TYPE_CHECKING:
    from ictbench.board.entries import Entry
    from ictbench.board.ranking import Ranked, Track
    from ictbench.results import Interval
    from ictbench.results.schema import FamilyResult, Measures

    Json = dict[str, Any]

DIGITS = 5
"""After the point, of what a page shows with two."""

MEASURES = ("base", "best", "last", "gain", "headroom_gain")


def track_summary(track: Track) -> Json:
    """A track and the slugs of its entries, highest best first."""
    return {
        "key": track.key,
        "name": track.name,
        "profile": track.profile,
        "actor": track.actor,
        "scripted": track.scripted,
        "entries": [one.entry.slug for one in track.ranked],
    }


def entry_summary(entry: Entry, ranked: Ranked | None) -> Json:
    """An entry as a row of a table; `ranked` where it is."""
    submission, result, cost = entry.submission, entry.result, entry.cost
    section, reason = entry.why_unranked
    return {
        "slug": entry.slug,
        "name": submission.name,
        "by": submission.submitted_by,
        "date": submission.date.isoformat(),
        "reflector": result.reflector.label,
        "weights": submission.reflector.open_weights,
        "trained_on": format_trained_on(entry.trained_on),
        "actor": result.actor.label,
        "profile": result.profile,
        "section": section,
        "why": reason,
        "ranks": [ranked.low, ranked.high] if ranked else None,
        "badges": list(entry.badges.held),
        "replayed_share": entry.badges.replayed_share,
        "remarks": list(entry.badges.remarks),
        "measures": {**measures(entry.measures), "over_blind": interval(ranked.over_blind) if ranked else None},
        "families": {family.name: _family(entry, family) for family in result.families},
        "cost": {"calls": cost.calls, "tokens": cost.input_tokens + cost.output_tokens, "usd": cost.cost},
    }


def measures(found: Measures | None) -> Json:
    """The measures of a table, each with its interval; null where there is none."""
    return {name: interval(getattr(found, name)) if found else None for name in MEASURES}


def interval(found: Interval | None) -> Json | None:
    """A number with its interval."""
    if found is None:
        return None
    return {name: None if value is None else round(value, DIGITS) for name, value in found.model_dump().items()}


def _family(entry: Entry, family: FamilyResult) -> Json:
    suite = entry.result.suite.name
    seen = was_trained_on(entry.trained_on or (), suite, env_of_suite(suite), family.name)
    return {**measures(family.measures), "seen": seen}
