"""Failure watch: stops a run whose model fails for one reason again and again, before that looks like a score."""

from __future__ import annotations

import logging
from collections import Counter, deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from ictbench.choices import FailureKind
from ictbench.errors import FailingModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from ictbench.runs.journal import Journal

log = logging.getLogger(__name__)

PlayerRole = Literal["actor", "reflector"]

FIRST: dict[PlayerRole, int] = {"actor": 8, "reflector": 3}
"""Numbers of episodes and reflections that stop a run if there are no others yet and all failed for one reason.

A model that fails every third episode has eight failures at the start in one of 6,500 runs. A reflection reads a whole
batch and costs as much as an episode, so fewer are risked.
"""
LAST, TOO_MANY = 50, 30
"""A run stops if `TOO_MANY` of the `LAST` episodes, or of the last reflections, failed for one reason.

Of a model that fails every third episode, one of 10,000 such windows holds so many failures.
"""
WATCHED: frozenset[str] = frozenset(get_args(FailureKind))
"""Failures of a request. An unparseable or too long prompt is not among them: weak reflectors write such prompts."""

UNITS: dict[PlayerRole, str] = {"actor": "episodes", "reflector": "reflections"}


class Stop(NamedTuple):
    """Reason why a run stops."""

    role: PlayerRole
    kind: FailureKind
    failed: int
    of: int


@dataclass
class _Tally:
    """Outcomes of one role: kinds of failures, None for a success."""

    recorded: Counter[str | None] = field(default_factory=Counter)
    """Outcomes that the journal held at the start of this session."""
    finished: Counter[str | None] = field(default_factory=Counter)
    """All outcomes, also those of earlier sessions."""
    started: dict[object, tuple[str | None] | None] = field(default_factory=dict)
    """Outcomes that are not judged yet, in the order of the start; None while the episode or reflection runs."""
    last: deque[str | None] = field(default_factory=lambda: deque(maxlen=LAST))
    """The last judged outcomes of this session, in the order of the start."""


class FailureWatch:
    """Counts episodes and reflections by kind of failure, and stops a run that measures only a failure.

    Outcomes are judged in the order of the start. A failure ends an episode early, so that of many in flight those that
    fail are the first to finish, also with a model that plays most of them well.
    """

    def __init__(
        self, labels: Mapping[PlayerRole, str], accepted: Collection[FailureKind] = (), journal: Journal | None = None
    ) -> None:
        """Start with the counts of the journal, or with none.

        Args:
            labels: Labels of the players, for messages.
            accepted: Kinds of failures that do not stop the run.
            journal: Journal of the run, in which the words about the first failure of each kind and the reason of a
                stop are noted; None if episodes are not recorded.
        """
        self.counts: dict[PlayerRole, Counter[str]] = {role: Counter() for role in UNITS}
        """Numbers of failed episodes (`actor`) and unusable reflections (`reflector`) by kind."""
        self._labels = labels
        self._accepted = frozenset(accepted)
        self._journal = journal
        self._words: dict[str, str] = {}
        self._tallies: dict[PlayerRole, _Tally] = {role: _Tally() for role in UNITS}
        self._stop: Stop | None = None
        if journal:
            self._words.update(journal.get("failure_words", {}))
            self._add_recorded("actor", Counter(journal.failures()))
            self._add_recorded("reflector", Counter(reflection.failure for reflection in journal.reflections()))

    @property
    def tripped(self) -> bool:
        """Whether the run must stop."""
        return self._stop is not None

    def check(self) -> None:
        """Raise if the run must stop.

        Raises:
            FailingModelError: The run must stop.
        """
        if self._stop:
            raise FailingModelError(self._message(self._stop))

    @contextmanager
    def observe(self, role: PlayerRole, name: str) -> Iterator[Callable[[str | None, str], None]]:
        """Observe an episode or a reflection from its start to its end.

        The block calls the function that it gets as soon as the outcome is recorded, with the kind of the failure, or
        None, and with the words about it, without secrets. If it does not call it, nothing is counted.

        Args:
            role: Player that is at work.
            name: Name of the episode or reflection, for the log.

        Raises:
            FailingModelError: The run must stop; raised at the start or at the end of the block.
        """
        self.check()
        tally, ticket = self._tallies[role], object()
        tally.started[ticket] = None

        def report(failure: str | None, detail: str) -> None:
            tally.started[ticket] = (failure,)
            tally.finished[failure] += 1
            if failure is not None:
                self.counts[role][failure] += 1
                self._note(role, name, failure, detail)

        try:
            yield report
        finally:
            if tally.started[ticket] is None:
                del tally.started[ticket]
            self._judge(role, tally)
        self.check()

    def finish(self) -> None:
        """Check a run that has nothing left to play: one that is too short for the other checks may have failed whole.

        Raises:
            FailingModelError: All its episodes, or all its reflections, failed for one reason.
        """
        for role, tally in self._tallies.items():
            for failure in set(tally.finished):
                if failure and set(tally.finished) == {failure}:
                    self._trip(role, failure, tally.finished[failure], tally.finished[failure])
        self.check()

    def _add_recorded(self, role: PlayerRole, recorded: Counter[str | None]) -> None:
        self._tallies[role] = _Tally(recorded, recorded.copy())
        self.counts[role].update({kind: count for kind, count in recorded.items() if kind is not None})

    def _judge(self, role: PlayerRole, tally: _Tally) -> None:
        """Judge the outcomes before the first episode or reflection that still runs."""
        while tally.started:
            ticket, outcome = next(iter(tally.started.items()))
            if outcome is None:
                return
            del tally.started[ticket]
            (failure,) = outcome
            last = tally.last
            last.append(failure)
            if failure is None:
                continue
            count = last.count(failure)
            first = FIRST[role] <= len(last) == count and set(tally.recorded) <= {failure}
            if first or count >= TOO_MANY:
                self._trip(role, failure, count, len(last))

    def _trip(self, role: PlayerRole, failure: str, failed: int, of: int) -> None:
        """Stop the run, unless it stops already or this failure is accepted."""
        if failure not in WATCHED - self._accepted or self._stop:
            return
        self._stop = Stop(role, failure, failed, of)  # type: ignore[arg-type]  # a watched failure is a FailureKind
        if self._journal:
            # The next session plays them again.
            self._journal.note("stopped_for", [role, failure])

    def _note(self, role: PlayerRole, name: str, failure: str, detail: str) -> None:
        """Keep the words about the first failure of a kind."""
        key = f"{role} {failure}"
        if key in self._words:
            log.info("%s failed: %s", name, failure)
            return
        log.warning("%s failed: %s, for the first time in this run: %s", name, failure, detail or "no details")
        self._words[key] = detail
        if self._journal:
            self._journal.note("failure_words", self._words)

    def _message(self, stop: Stop) -> str:
        words, units = self._words.get(f"{stop.role} {stop.kind}"), UNITS[stop.role]
        reason = (
            f"{stop.role} {self._labels[stop.role]} fails: {stop.kind} {stop.failed} of {stop.of} {units}"
            f"{f' ({words})' if words else ''}; {REMEDIES[stop.role][stop.kind]}"
        )
        if self._journal is None:
            return reason
        return (
            f"{reason}. Other options of a player need a new --out. Continued after a fix at the server, the run plays "
            f"these {units} again; with --accept-failures {stop.kind}, it counts them as the model's own"
        )


_ANY: dict[FailureKind, str] = {
    "bad_request": "change the server's settings, or the options of the model, so that it accepts the request",
    "context_overflow": "serve the model with a longer context",
    "refused": "choose a model that answers, or a provider without this filter",
    "empty": "check the server's chat template and its settings for reasoning",
    "truncated": "let the model reason less, or raise its token limit",
    "timeout": "raise --episode-time-limit, or lower --max-connections",
}
REMEDIES: dict[PlayerRole, dict[FailureKind, str]] = {
    "actor": _ANY
    | {
        "context_overflow": "show fewer past turns with --actor-history, or serve the model with a longer context",
        "truncated": "raise --actor-max-tokens, or let the model reason less",
    },
    "reflector": _ANY
    | {
        "context_overflow": "show it less with --reflector-experience events or a smaller --batch-size, or serve the "
        "model with a longer context",
    },
}
"""What the user can do, by role and kind."""
