"""Invalid watch: says early that no reply of a model names an available action; the run goes on."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ictbench.results.invalid_actions import invalid_remark, words_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ictbench.records import Episode, PluginSpec

log = logging.getLogger(__name__)

FIRST_DECISIONS = 50
"""Decisions that must all be invalid: of a model with one valid decision in ten, they are so in one of 200 runs."""


class InvalidWatch:
    """Counts the decisions of the first episodes of a run, until one is valid or all of them were invalid."""

    def __init__(self, actor: PluginSpec, note: Callable[[str], None], *, started: bool) -> None:
        """Start to watch.

        Args:
            actor: The actor; one without a model is not watched.
            note: Receives the remark for the user.
            started: Whether earlier sessions have recorded episodes: then these are not the first ones.
        """
        self._decoding = actor.options.get("decoding")
        self._note = note
        self._watching = actor.model is not None and not started
        self._invalid = 0

    def add(self, episode: Episode) -> None:
        """Count the decisions of a finished episode."""
        steps = episode.trajectory.steps
        if not self._watching or not steps:
            return
        self._invalid += len(steps)
        if any(step.executed is not None for step in steps):
            self._watching = False
        elif self._invalid >= FIRST_DECISIONS:
            self._watching = False
            remark = invalid_remark(f"its first {self._invalid} decisions", words_of(steps[0]), self._decoding)
            log.warning(remark)
            self._note(remark)
