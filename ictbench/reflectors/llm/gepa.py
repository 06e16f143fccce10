"""Control: runs the optimizer of the `gepa` package, which plays its candidate prompts on the tasks of the batch.

Agrawal et al., *GEPA: Reflective Prompt Evolution Can Outperform Reinforcement Learning* (arXiv 2507.19457). Each turn
is one run of the optimizer through its public adapter interface: the current prompt is the seed candidate, the batch is
both training and validation set. Half of a loop's episodes belong to the reflector and pay for one candidate per turn,
which is accepted if it solves more tasks of the batch than the seed.
"""

from __future__ import annotations

import logging
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast

from ictbench.errors import MissingExtraError, PluginError
from ictbench.models.reasoning import has_reasoning
from ictbench.models.replies import read_answer
from ictbench.records import Reflection, Usage
from ictbench.reflectors.llm.llm_reflector import EPISODE_DESCRIPTION, LLMReflector, UnusableReplyError
from ictbench.reflectors.llm.thread_bridge import run_with_loop_calls
from ictbench.reflectors.trajectory_text import format_trajectory

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pydantic import JsonValue

    from ictbench.models import ChatModel, Completion
    from ictbench.records import Trajectory
    from ictbench.reflectors.llm.thread_bridge import CallOnLoop
    from ictbench.reflectors.reflector import Context

INSTRUCTIONS = f"""\
You improve the system prompt of an agent that acts in a text environment. You are given this prompt and complete \
episodes that the agent played under it. {EPISODE_DESCRIPTION}
Find out what decided between success and failure, and what the prompt should have said. Your prompt will be tried on \
the same tasks and used in others of their kind, whose details differ. The agent is told separately how to format its \
answers."""
REQUEST = """\
System prompt:
<curr_param>

Episodes:
<side_info>

Give the complete new system prompt, at most {cap} bytes, between lines of three backticks, and nothing else."""
COMPONENT = "prompt"
"""Name of the only text of a candidate."""

log = logging.getLogger(__name__)


class GepaReflector(LLMReflector):
    """Proposes one candidate prompt per turn and keeps it if it solves more tasks of the batch. Keeps no state."""

    control = "it plays tasks of its batches again, to try its prompts out"
    experience = "halved"
    formats = ("full",)
    system = INSTRUCTIONS
    instruction = f"{INSTRUCTIONS}\n\n{REQUEST}"

    def __init__(self, model: ChatModel | None = None, **options: Any) -> None:
        """Store the model; see `LLMReflector`.

        Raises:
            UsageError: The model is missing, or the package is not installed.
        """
        super().__init__(model, **options)
        require_package("gepa")

    async def revise(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Run the optimizer; see `LLMReflector.revise`."""
        if (play := context.play) is None:
            raise PluginError("reflector gepa needs Context.play, with which it plays its candidate prompts")
        replies: list[Completion] = []
        played = {prompt: list(trajectories)}

        async def ask(request: str) -> str:
            replies.append(await self.ask(self._system, request, context))
            answer = read_answer(replies[-1].text).text
            if has_reasoning(answer):
                raise UnusableReplyError(replies[-1], "unparseable")
            return answer

        async def play_candidate(candidate: str) -> list[Trajectory]:
            if not candidate.strip():
                raise UnusableReplyError(replies[-1], "unparseable")
            if len(candidate.encode()) > context.prompt_cap:
                raise UnusableReplyError(replies[-1], "too_long")
            return await play(candidate, range(len(trajectories)))

        def work(call: CallOnLoop) -> str:
            adapter = BatchAdapter(played, partial(call, play_candidate))
            request = REQUEST.replace("{cap}", str(context.prompt_cap))
            return optimize(prompt, adapter, partial(call, ask), request, context.seed)

        best = await run_with_loop_calls(work)
        usage = sum((reply.usage for reply in replies), Usage())
        return Reflection(prompt=best, analysis=_summary(prompt, best, played), state=state, usage=usage)


def require_package(reflector: str) -> None:
    """Check that the package is installed.

    Raises:
        MissingExtraError: It is not.
    """
    if find_spec("gepa") is None:
        raise MissingExtraError(f"reflector {reflector}", "gepa", "No module named 'gepa'")


class BatchAdapter:
    """The optimizer's view of the batch: a task is its position in it, a candidate is a dictionary of one prompt."""

    propose_new_texts = None
    """None lets the optimizer propose candidates itself."""

    def __init__(self, played: dict[str, list[Trajectory]], play: Callable[[str], list[Trajectory]]) -> None:
        """Store the trajectories of the batch by prompt, to which new ones are added, and how to play the batch."""
        self.played, self._play = played, play

    def evaluate(self, batch: list[int], candidate: dict[str, str], capture_traces: bool = False) -> Any:
        """Return the trajectories and scores of tasks under a candidate."""
        from gepa.core.adapter import EvaluationBatch

        prompt = candidate[COMPONENT]
        if prompt not in self.played:
            self.played[prompt] = self._play(prompt)
        trajectories = [self.played[prompt][index] for index in batch]
        scores = [float(trajectory.solved) for trajectory in trajectories]
        return EvaluationBatch([None] * len(trajectories), scores, trajectories)

    def make_reflective_dataset(
        self, candidate: dict[str, str], eval_batch: Any, components_to_update: list[str]
    ) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return the episodes as text."""
        return {COMPONENT: [{"Episode": format_trajectory(trajectory)} for trajectory in eval_batch.trajectories]}


class DebugLogger:
    """Logger of the optimizer: writes its messages to the run's log at level `debug`."""

    def log(self, message: str) -> None:
        """Write a message."""
        log.debug("%s", message)


def optimize(prompt: str, adapter: BatchAdapter, ask: Callable[[str], str], request: str, seed: int) -> str:
    """Run the optimizer for one candidate and return the prompt that solves more tasks of the batch.

    Args:
        prompt: The current prompt, which wins ties.
        adapter: The batch.
        ask: Returns the model's reply to a request.
        request: Template of the request for a candidate.
        seed: Seed of the optimizer.
    """
    from gepa.api import optimize as run_gepa  # 0.2 s

    size = len(adapter.played[prompt])
    result: Any = run_gepa(
        {COMPONENT: prompt},
        trainset=list(range(size)),
        adapter=cast("Any", adapter),
        reflection_lm=cast("Any", ask),
        reflection_minibatch_size=size,
        reflection_prompt_template=request,
        # More than the episodes of the seed, so that it proposes a candidate, but not enough for a second one.
        max_metric_calls=size + 1,
        logger=cast("Any", DebugLogger()),
        seed=seed,
    )
    return str(result.best_candidate[COMPONENT])


def _summary(prompt: str, best: str, played: Mapping[str, Sequence[Trajectory]]) -> str:
    """Return the candidate and its score as a sentence."""
    solved = {text: sum(trajectory.solved for trajectory in episodes) for text, episodes in played.items()}
    candidate = next((text for text in played if text != prompt), None)
    if candidate is None:
        return f"{solved[prompt]} of {len(played[prompt])} solved, and no other prompt was proposed."
    verdict = "accepted" if best == candidate else "dropped"
    return f"{solved[prompt]} solved before, {solved[candidate]} with this prompt, which was {verdict}:\n\n{candidate}"
