"""Summaries of entries and tracks as plain JSON, shared by all pages of the site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ictbench.board.divisions import known_dollars, known_tokens
from ictbench.results.failures import failure_remarks
from ictbench.results.tables import MIXED
from ictbench.submissions.known_players import REFLECTORS, layers_of
from ictbench.suites.trained_on import env_of_suite, format_trained_on, was_trained_on

if TYPE_CHECKING:
    from ictbench.board.entries import Entry
    from ictbench.board.ranking import Ranked, Track
    from ictbench.records import PluginSpec
    from ictbench.results import Interval
    from ictbench.results.schema import FamilyResult, Measures

    Json = dict[str, Any]

DIGITS = 5
"""Decimal places of numbers, of which a page shows two."""

MEASURES = ("base", "best", "last", "gain", "headroom_gain")


def track_summary(track: Track) -> Json:
    """Return a track and the slugs of its entries, the highest best first."""
    return track_head(track) | {"entries": [ranked.entry.slug for ranked in track.ranked]}


def track_head(track: Track) -> Json:
    """Return a track and its size."""
    return {
        "key": track.key,
        "name": track.name,
        "setup": track.setup,
        "division": track.division,
        "profile": track.profile,
        "actor": track.actor,
        "scripted": track.scripted,
        "size": len(track.ranked),
    }


def entry_summary(entry: Entry, ranked: Ranked | None) -> Json:
    """Return an entry as a row of a table; `ranked` is its place in its track, None for an unranked entry."""
    submission, result, cost = entry.submission, entry.result, entry.cost
    section, reason = entry.why_unranked
    return {
        "slug": entry.slug,
        "name": submission.name,
        "by": submission.submitted_by,
        "date": submission.date.isoformat(),
        "reflector": result.reflector.label,
        "kind": _reflector_kind(result.reflector),
        "weights": submission.reflector.open_weights,
        "trained_on": format_trained_on(entry.trained_on),
        "actor": result.actor.label,
        "actor_trained_on": format_trained_on(entry.actor_trained_on),
        "profile": result.profile,
        "division": entry.facts.division,
        "section": section,
        "why": reason,
        "blind": _blind_arm(ranked.blind) if ranked and ranked.blind else None,
        "ranks": [ranked.low, ranked.high] if ranked else None,
        "on_front": ranked.on_front if ranked else None,
        "badges": list(entry.badges.held),
        "replayed_share": entry.badges.replayed_share,
        "remarks": [*entry.badges.remarks, *(ranked.remarks if ranked else failure_remarks(entry.held_out))],
        "measures": {
            **measures_json(entry.measures),
            "over_blind": interval_json(ranked.over_blind) if ranked else None,
        },
        "families": {family.name: _family(entry, family) for family in result.families},
        "cost": {
            "calls": cost.calls,
            "tokens": known_tokens(cost),
            "usd": known_dollars(cost),
            "experience": round(entry.facts.experience, DIGITS),
        },
    }


def _reflector_kind(reflector: PluginSpec) -> Literal["model", "program", "person", "unknown"]:
    """Return what writes the prompts; `unknown` is a class without a model that the board does not know."""
    layers = list(layers_of(reflector))
    if any(layer.model is not None for layer in layers):
        return "model"
    if any(layer.name == "file" for layer in layers):
        return "person"
    return "program" if all(layer.name in REFLECTORS for layer in layers) else "unknown"


def _blind_arm(entry: Entry) -> Json:
    """Return whose blind arm an entry is compared with."""
    return {"slug": entry.slug, "name": entry.submission.name, "by": entry.submission.submitted_by}


def measures_json(measures: Measures | None) -> Json:
    """Return the measures of a table with their intervals; null for those that are missing."""
    known = {name: interval_json(getattr(measures, name)) if measures else None for name in MEASURES}
    if measures and measures.progress:
        known["progress"] = interval_json(measures.progress.best)
    mixed = measures.mixed if measures else None
    return known | ({name: interval_json(getattr(mixed, name)) for name in MIXED} if mixed else {})


def interval_json(interval: Interval | None) -> Json | None:
    """Return a value with its interval, rounded."""
    if interval is None:
        return None
    return {name: None if value is None else round(value, DIGITS) for name, value in interval.model_dump().items()}


def _family(entry: Entry, family: FamilyResult) -> Json:
    suite = entry.result.suite.name
    trained_on = (*(entry.trained_on or ()), *(entry.actor_trained_on or ()))
    seen = was_trained_on(trained_on, suite, env_of_suite(suite), family.name)
    return {**measures_json(family.measures), "seen": seen}
