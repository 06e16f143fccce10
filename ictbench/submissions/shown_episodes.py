"""A few episodes of a submission in full, to be read and played: which they are follows from the result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench.protocol import keys_for
from ictbench.records import Observation
from ictbench.rollout.episode import invalid_notice
from ictbench.submissions.episode_records import EpisodeRecord
from ictbench.submissions.pack import pack_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.records import Episode, Trajectory
    from ictbench.results import Result

NOT_RECORDED: Any = {"trajectory": {"steps": {"__all__": {"observation", "actions"}}, "last_observation": True}}


def shown_episode_keys(result: Result) -> list[str]:
    """Of each family's first loop, the first test episode solved and the first not, under prompt[0] and the best."""
    keys: set[str] = set()
    for family in result.families:
        for loop in family.loops[:1]:
            for index in {0, loop.best}:
                played = keys_for(loop, "test", index)
                places = (loop.test[index].find(outcome) for outcome in "10")
                keys |= {played[place] for place in places if place >= 0}
    return sorted(keys)


def shown_episode(episode: Episode) -> Episode:
    """The episode, without its last text where the record does not bind it: which actions it offered is not kept."""
    trajectory = episode.trajectory
    if _is_bound(trajectory):
        return episode
    return episode.model_copy(update={"trajectory": trajectory.model_copy(update={"last_observation": ""})})


def shown_episode_problems(episode: Episode, record: EpisodeRecord) -> Iterator[str]:
    """What an episode shown in full says that its record does not."""
    stated = EpisodeRecord.model_validate(episode.model_dump(exclude=NOT_RECORDED))
    if pack_record(stated) != pack_record(record):
        yield "its decisions are not those of its record"
    seen = zip(episode.trajectory.steps, _raw_texts(episode.trajectory), strict=False)
    for number, (step, text) in enumerate(seen, 1):
        if text is None or Observation(text=text, actions=step.actions).digest != step.digest:
            yield f"what was seen before decision {number} has not the recorded hash"
    if episode.trajectory.last_observation and not _is_bound(episode.trajectory):
        yield "what was seen last has not the recorded hash"


def _is_bound(trajectory: Trajectory) -> bool:
    """Whether the last text has the recorded hash, with no actions on offer or those of the decision before."""
    *_, text = _raw_texts(trajectory)
    offered = ((), trajectory.steps[-1].actions) if trajectory.steps else ((),)
    return text is not None and any(
        Observation(text=text, actions=actions).digest == trajectory.last_digest for actions in offered
    )


def _raw_texts(trajectory: Trajectory) -> Iterator[str | None]:
    """What the environment showed, without the notice that follows an invalid action; None where that is missing."""
    notice = ""
    shown = (*(step.observation for step in trajectory.steps), trajectory.last_observation)
    for text, step in zip(shown, (*trajectory.steps, None), strict=True):
        yield text.removeprefix(notice) if text.startswith(notice) else None
        notice = invalid_notice(step.proposed) if step and step.executed is None else ""
