"""The few episodes that a submission shows in full. The result determines which they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ictbench.protocol import keys_for
from ictbench.records import Observation
from ictbench.rollout.episode import invalid_notice
from ictbench.submissions.episode_records import EpisodeRecord
from ictbench.submissions.pack import pack_record
from ictbench.validation import validation_message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.records import Episode, Trajectory
    from ictbench.results import Result

NOT_RECORDED: Any = {
    "trajectory": {"steps": {"__all__": {"observation", "actions"}}, "last_observation": True},
    "failure_detail": True,
}


def shown_episode_keys(result: Result) -> list[str]:
    """Return the keys of the shown episodes, sorted.

    These are, for each family's first loop, the first solved and the first unsolved test episode under `prompt[0]` and
    under the best prompt.
    """
    keys: set[str] = set()
    for family in result.families:
        for loop in family.loops[:1]:
            for index in {0, loop.best}:
                played = keys_for(loop, "test", index)
                places = (loop.test[index].find(outcome) for outcome in "10")
                keys |= {played[place] for place in places if place >= 0}
    return sorted(keys)


def shown_episode(episode: Episode) -> Episode:
    """Return the episode, without its last text if the recorded hash does not cover it (actions are not recorded).

    The words of an endpoint about a failure are left out, too: nobody can verify them.
    """
    episode, trajectory = episode.model_copy(update={"failure_detail": ""}), episode.trajectory
    if _is_bound(trajectory):
        return episode
    return episode.model_copy(update={"trajectory": trajectory.model_copy(update={"last_observation": ""})})


def shown_episode_problems(episode: Episode, record: EpisodeRecord) -> Iterator[str]:
    """Yield where an episode shown in full contradicts its record."""
    try:
        stated = EpisodeRecord.model_validate(episode.model_dump(exclude=NOT_RECORDED))
    except ValidationError as error:
        yield f"it is not a possible episode: {validation_message(error)}"
        return
    if pack_record(stated) != pack_record(record):
        yield "its decisions differ from its record"
    if episode.failure_detail:
        yield "it holds a failure_detail, which a submission leaves out"
    observed = zip(episode.trajectory.steps, raw_texts(episode.trajectory), strict=False)
    for number, (step, text) in enumerate(observed, 1):
        if text is None or Observation(text=text, actions=step.actions).digest != step.digest:
            yield f"the observation before decision {number} does not have the recorded hash"
    if episode.trajectory.last_observation and not _is_bound(episode.trajectory):
        yield "the last observation does not have the recorded hash"


def _is_bound(trajectory: Trajectory) -> bool:
    """Return whether the last text has the recorded hash, with no available actions or those of the last decision."""
    *_, text = raw_texts(trajectory)
    offered = ((), trajectory.steps[-1].actions) if trajectory.steps else ((),)
    return text is not None and any(
        Observation(text=text, actions=actions).digest == trajectory.last_digest for actions in offered
    )


def raw_texts(trajectory: Trajectory) -> Iterator[str | None]:
    """Yield the texts of the environment, without the notice after an invalid action; None if the notice is missing."""
    notice = ""
    shown = (*(step.observation for step in trajectory.steps), trajectory.last_observation)
    for text, step in zip(shown, (*trajectory.steps, None), strict=True):
        yield text.removeprefix(notice) if text.startswith(notice) else None
        notice = invalid_notice(step.proposed) if step and step.executed is None else ""
