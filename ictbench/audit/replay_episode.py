"""Replay specification of a recorded episode, and its comparison with the replay."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from ictbench.audit.findings import quote
from ictbench.audit.replay_actor import REPLAY_ACTOR
from ictbench.records import EpisodeSpec
from ictbench.submissions.pack import PROPOSED_CHARACTERS

if TYPE_CHECKING:
    from ictbench.records import Episode, Step, Task
    from ictbench.submissions.episode_records import EpisodeRecord, RecordedStep

Aspect = Literal["played", "observations", "actions", "rewards", "ends", "versions", "added", "texts"]
"""Aspect in which a replay can differ; `played` stands for an environment that broke, `added` for what a memory
added to the prompt, `texts` for the words of an episode that a submission shows in full."""

ASPECTS: tuple[Aspect, ...] = get_args(Aspect)


class Mismatch(NamedTuple):
    """First difference between a record and its replay; later ones follow from it."""

    aspect: Aspect
    key: str
    """Key of the recorded episode."""
    detail: str


def replay_spec(record: EpisodeRecord, task: Task, *, keep_texts: bool = False) -> EpisodeSpec:
    """Return the episode that replays `record` on `task`. Of the record only its proposals and its seed are used."""
    script = [_proposal(step) for step in record.trajectory.steps]
    return EpisodeSpec(
        task=task,
        prompt=json.dumps(script),
        actor=REPLAY_ACTOR,
        max_steps=len(script),
        seed=record.seed,
        keep_texts=keep_texts,
    )


def first_mismatch(record: EpisodeRecord, replayed: Episode, digits: int) -> Mismatch | None:
    """Return the first difference between a record and its replay, None if they agree.

    Args:
        record: The recorded episode.
        replayed: The episode that `replay_spec(record, task)` led to.
        digits: Hexadecimal digits of each recorded observation hash.
    """
    recorded, trajectory = record.trajectory, replayed.trajectory
    over = None if trajectory.end == "step_limit" else trajectory.end

    def differs(aspect: Aspect, detail: str) -> Mismatch:
        return Mismatch(aspect, record.key, detail)

    if (start := replayed.start[:digits]) != record.start:
        recorded_start = quote(record.start) if record.start else "none, as older versions of ictbench recorded none"
        return differs("observations", f"its start has the hash {quote(start)}, the record {recorded_start}")
    for number, step in enumerate(recorded.steps, 1):
        place = f"decision {number}"
        if number > len(trajectory.steps):
            return differs("ends", f"the game is {over} before {place} of {len(recorded.steps)}")
        played = trajectory.steps[number - 1]
        if (digest := played.digest[:digits]) != step.digest:
            return differs("observations", f"{place} is taken on {digest}, not on {step.digest}")
        if wrong := _action_mismatch(step, played):
            return differs("actions", f"{place}: {wrong}")
        if step.executed is not None and (played.reward, played.keys) != (step.reward, step.keys):
            return differs(
                "rewards",
                f"{place}, {quote(step.executed)}, gives {played.reward!r} by keys {quote(played.keys)}, "
                f"not {step.reward!r} by {quote(step.keys)}",
            )
    if (digest := trajectory.last_digest[:digits]) != recorded.last_digest:
        return differs("observations", f"the last one is {digest}, not {recorded.last_digest}")
    # A failed model or the step limit ends an episode whose game is not over.
    recorded_over = None if recorded.end in ("failed", "step_limit") else recorded.end
    if over != recorded_over:
        return differs("ends", f"it ends as {over or 'not over'}, not as {recorded.end}")
    # Records of versions that knew no progress stay valid; they claim none.
    if record.progress is not None and replayed.progress != record.progress:
        return differs("ends", f"its progress is {replayed.progress}, not {record.progress}")
    if replayed.versions != record.versions:
        return differs("versions", f"played with {quote(replayed.versions)} here, and {quote(record.versions)} there")
    return None


def _action_mismatch(recorded: RecordedStep, played: Step) -> str | None:
    if played.executed == recorded.executed:
        return None
    if recorded.executed is not None:
        return f"{quote(recorded.executed)} is not available"
    return f"{quote(played.proposed)} is the action {quote(played.executed)}, and None was executed"


def _proposal(step: RecordedStep) -> str | None:
    """Return what the actor of a recorded step proposed, as far as the record tells.

    A submission omits a proposal that was executed verbatim, and truncates a long one.
    """
    if step.proposed is None or len(step.proposed) >= PROPOSED_CHARACTERS:
        return step.executed
    return step.proposed
