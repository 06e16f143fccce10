"""Checks of the episodes that a submission shows in full: against its records, and against a replay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.audit.findings import Findings, quote
from ictbench.submissions.shown_episodes import raw_texts, shown_episode_keys, shown_episode_problems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.audit.verification import Check
    from ictbench.records import Episode, Trajectory
    from ictbench.submissions.episode_records import Evidence


def check_shown(evidence: Evidence) -> Check:
    """Check that the episodes shown in full are those that the result determines, with the recorded decisions.

    Their texts are checked by 32-bit hashes only; `text_mismatch` compares them with a replay.
    """
    findings = Findings("shown episodes")
    expected, shown = shown_episode_keys(evidence.result), list(evidence.shown_episodes())
    if (keys := [episode.key for episode in shown]) != expected:
        example = next((key for key in keys if key not in expected), None) or f"none of {len(expected)}"
        findings.add(
            f"the submission does not hold the episodes that the result determines, but e.g. {example!r:.80}; submit "
            "again"
        )
        return findings.check("")
    records = {record.key: record for record in evidence.episodes() if record.key in {*expected}}
    for episode in shown:
        problems = shown_episode_problems(episode, records[episode.key])
        findings.extend(f"{episode.key}: {problem}" for problem in problems)
    return findings.check(f"{len(shown)}, as the result determines, with the recorded decisions and hashes")


def text_mismatch(shown: Episode, replayed: Episode) -> str | None:
    """Return the first text or list of actions of a shown episode that its replay does not show; None if all agree.

    Args:
        shown: The episode as the submission shows it.
        replayed: Its replay, with texts, whose decisions agree with the record.
    """
    before, after = _observations(shown.trajectory), _observations(replayed.trajectory)
    for number, (stated, played) in enumerate(zip(before, after, strict=False), 1):
        if stated != played:
            return f"decision {number} is shown on {quote(stated)}, and the replay shows {quote(played)}"
    *_, last = raw_texts(shown.trajectory)
    *_, last_played = raw_texts(replayed.trajectory)
    if shown.trajectory.last_observation and last != last_played:
        return f"the last observation is shown as {quote(last)}, and the replay shows {quote(last_played)}"
    return None


def _observations(trajectory: Trajectory) -> Iterator[tuple[str | None, tuple[str, ...]]]:
    """Yield what the environment showed before each decision."""
    return ((text, step.actions) for text, step in zip(raw_texts(trajectory), trajectory.steps, strict=False))
