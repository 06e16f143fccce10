"""Samples of Inspect AI's logs: one for each use of an episode, and one for each reflection.

Importing this module needs the extra `inspect`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inspect_ai.log import EvalSample, EvalSampleLimit
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    ModelOutput,
    ModelUsage,
)
from inspect_ai.scorer import CORRECT, INCORRECT, Score

from ictbench.records import BLANK_LINE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inspect_ai.model import ChatMessage

    from ictbench.protocol import LoopResult
    from ictbench.records import Episode, Reflection, Step, Usage

SOLVED, PROGRESS, SELECTION = "solved", "progress", "selection"
"""Names of the scores: of an episode its success and its progress, of a reflection its prompt's selection success."""

ACTIONS_HEADING = "Available actions:"


def episode_sample(
    episode: Episode, prompt: str, place: dict[str, Any], *, sample_id: str, epoch: int, actor: str, max_steps: int
) -> EvalSample:
    """Return the sample of an episode.

    Args:
        episode: The episode.
        prompt: The prompt that it was played under, without what a memory added.
        place: Its place in the protocol, e.g. loop and pool, for the metadata.
        sample_id: Id of the sample in its log.
        epoch: Number of the repeat, from 1.
        actor: Label of the actor.
        max_steps: Maximum number of decisions.
    """
    trajectory = episode.trajectory
    messages = list(_messages(episode, prompt, actor))
    replies = [message for message in messages if message.role == "assistant"]
    choices = [ChatCompletionChoice(message=replies[-1])] if replies else []
    usage = {actor: model_usage(episode.usage)} if episode.usage.calls else {}
    scores = {SOLVED: Score(value=CORRECT if trajectory.solved else INCORRECT, explanation=_ending(episode))}
    if episode.progress is not None:
        scores[PROGRESS] = Score(value=float(episode.progress))
    return EvalSample(
        id=sample_id,
        epoch=epoch,
        input=messages[1].content,
        target="",
        messages=messages,
        output=ModelOutput(model=actor, choices=choices),
        scores=scores,
        metadata={
            **place,
            "episode": episode.key,
            "task": episode.task.id,
            "params": episode.task.params,
            "sampling_seed": episode.seed,
            "end": trajectory.end,
            "decisions": len(trajectory.steps),
            "invalid": trajectory.invalid,
            "total_reward": trajectory.total_reward,
        },
        model_usage=usage,
        limit=_limit(max_steps) if trajectory.end == "step_limit" else None,
        turn_count=len(trajectory.steps),
    )


def reflection_sample(
    family: str, loop: LoopResult, turn: int, reflection: Reflection, *, selection: float, reflector: str
) -> EvalSample:
    """Return the sample of a turn: from the prompt before to the prompt after, scored by its selection success.

    Args:
        family: Name of the family.
        loop: The finished loop.
        turn: Number of the turn, from 1.
        reflection: What the reflector answered.
        selection: Success rate of the prompt after the turn on the loop's selection tasks.
        reflector: Label of the reflector.
    """
    before, after = loop.prompts[turn - 1], loop.prompts[turn]
    name = f"loop{loop.index}-turn{turn}"
    text = BLANK_LINE.join(part for part in (after.analysis, after.text) if part)
    reply = ChatMessageAssistant(id=f"{family}-{name}-after", content=text, model=reflector, source="generate")
    return EvalSample(
        id=name,
        epoch=1,
        input=before.text,
        target="",
        messages=[ChatMessageUser(id=f"{family}-{name}-before", content=before.text, source="input"), reply],
        output=ModelOutput(model=reflector, choices=[ChatCompletionChoice(message=reply)]),
        scores={SELECTION: Score(value=selection)},
        metadata={
            "family": family,
            "loop": loop.index,
            "turn": turn,
            "analysis": after.analysis,
            "prompt_after": after.text,
            "failure": after.failure,
            "batch_outcomes": loop.batches[turn - 1].outcomes,
            "best": loop.best == turn,
        },
        model_usage={reflector: model_usage(reflection.usage)} if reflection.usage.calls else {},
    )


def model_usage(usage: Usage) -> ModelUsage:
    """Return the usage as Inspect counts it: its input tokens are those that no cache held."""
    cached = usage.cached_tokens + usage.cache_written_tokens
    return ModelUsage(
        input_tokens=usage.input_tokens - cached,
        output_tokens=usage.output_tokens,
        total_tokens=usage.tokens,
        input_tokens_cache_read=usage.cached_tokens,
        input_tokens_cache_write=usage.cache_written_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        total_cost=usage.cost,
    )


def _messages(episode: Episode, prompt: str, actor: str) -> Iterator[ChatMessage]:
    """Yield the episode as a conversation; models get the same content in the format of their actor."""
    system = f"{prompt}{BLANK_LINE}{episode.added}" if episode.added else prompt
    yield ChatMessageSystem(id=f"{episode.key}-prompt", content=system)
    for number, step in enumerate(episode.trajectory.steps):
        shown = f"{step.observation}\n\n{ACTIONS_HEADING}\n" + "\n".join(step.actions)
        yield ChatMessageUser(id=f"{episode.key}-{number}", content=shown, source="input")
        yield ChatMessageAssistant(
            id=f"{episode.key}-{number}-reply",
            content=_reply(step),
            model=actor,
            source="generate",
            metadata={"executed": step.executed, "keys": list(step.keys), "reward": step.reward},
        )
    yield ChatMessageUser(id=f"{episode.key}-last", content=episode.trajectory.last_observation, source="input")


def _reply(step: Step) -> str:
    thought = [f"Thought: {step.thought}"] if step.thought else []
    return "\n".join([*thought, "(no action)" if step.proposed is None else f"Action: {step.proposed}"])


def _ending(episode: Episode) -> str:
    trajectory = episode.trajectory
    if trajectory.failure is None:
        return f"It ended as {trajectory.end}."
    detail = f": {episode.failure_detail}" if episode.failure_detail else ""
    return f"The model failed ({trajectory.failure}){detail}."


def _limit(max_steps: int) -> EvalSampleLimit:
    return EvalSampleLimit(type="turn", limit=max_steps, reason=f"{max_steps} decisions")
