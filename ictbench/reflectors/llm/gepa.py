"""The control that tries its prompts out: the `gepa` package's optimiser, behind its public adapter.

Agrawal et al., *GEPA: Reflective Prompt Evolution Can Outperform Reinforcement Learning* (arXiv 2507.19457). A turn is
one run of the optimiser: the current prompt is its seed, the batch its training and its validation set. As half of a
loop's episodes are the reflector's own, they pay for one candidate a turn, played on the tasks of the batch. It is
accepted if it solves more of them than the seed did.
"""

from __future__ import annotations

import logging
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast

from ictbench.errors import MissingExtraError, PluginError
from ictbench.records import Reflection, Usage
from ictbench.reflectors.llm.llm_reflector import EPISODES, LLMReflector, unusable, without_reasoning
from ictbench.reflectors.llm.thread_bridge import run_with_loop_calls
from ictbench.reflectors.trajectory_text import format_trajectory

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pydantic import JsonValue

    from ictbench.models import ChatModel, Completion
    from ictbench.records import ReflectionFailure, Trajectory
    from ictbench.reflectors.llm.thread_bridge import CallOnLoop
    from ictbench.reflectors.reflector import Context

INSTRUCTIONS = f"""\
You improve the system prompt of an agent that acts in a text environment. You are given this prompt and complete \
episodes that the agent played under it. {EPISODES}
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
"""The one text of a candidate."""

log = logging.getLogger(__name__)


class UnusableError(Exception):
    """The model's reply cannot be used."""

    def __init__(self, problem: ReflectionFailure) -> None:
        super().__init__(problem)
        self.problem: ReflectionFailure = problem


class GepaReflector(LLMReflector):
    """Proposes one candidate a turn, and keeps it if it does better on the batch. It keeps no state of its own."""

    control = "it plays tasks of its batches again, to try its prompts out"
    experience = "halved"
    formats = ("full",)
    instruction = f"{INSTRUCTIONS}\n\n{REQUEST}"

    def __init__(self, model: ChatModel | None = None, **options: Any) -> None:
        """Take the model.

        Raises:
            UsageError: there is none, or the package is not installed.
        """
        super().__init__(model, **options)
        if find_spec("gepa") is None:
            raise MissingExtraError("reflector gepa", "gepa", "No module named 'gepa'")

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Run the optimiser; see `Reflector.reflect`."""
        if (play := context.play) is None:
            raise PluginError("reflector gepa needs Context.play: it tries its prompts out")
        replies: list[Completion] = []
        played = {prompt: list(trajectories)}

        async def ask(request: str) -> str:
            replies.append(await self.ask(INSTRUCTIONS, request, context))
            if replies[-1].finish_reason == "length":
                raise UnusableError("truncated")
            return without_reasoning(replies[-1].text)

        async def try_out(candidate: str) -> list[Trajectory]:
            if not candidate.strip():
                raise UnusableError("unparseable")
            if len(candidate.encode()) > context.prompt_cap:
                raise UnusableError("too_long")
            return await play(candidate, range(len(trajectories)))

        def work(call: CallOnLoop) -> str:
            adapter = Adapter(played, partial(call, try_out))
            request = REQUEST.replace("{cap}", str(context.prompt_cap))
            return optimize(prompt, adapter, partial(call, ask), request, context.seed)

        try:
            best = await run_with_loop_calls(work)
        except UnusableError as error:
            return unusable(replies[-1], error.problem, state)
        usage = sum((reply.usage for reply in replies), Usage())
        return Reflection(prompt=best, analysis=_in_words(prompt, best, played), state=state, usage=usage)


class Adapter:
    """The batch, as the optimiser asks for it: tasks are their places in it."""

    propose_new_texts = None
    """It leaves proposing to the optimiser."""

    def __init__(self, played: dict[str, list[Trajectory]], play: Callable[[str], list[Trajectory]]) -> None:
        """Take the batch's trajectories by prompt, to be added to, and how to play it under another prompt."""
        self.played, self._play = played, play

    def evaluate(self, batch: list[int], candidate: dict[str, str], capture_traces: bool = False) -> Any:
        """How tasks of the batch went under a candidate."""
        from gepa.core.adapter import EvaluationBatch

        prompt = candidate[COMPONENT]
        if prompt not in self.played:
            self.played[prompt] = self._play(prompt)
        found = [self.played[prompt][place] for place in batch]
        return EvaluationBatch([None] * len(found), [float(one.solved) for one in found], found)

    def make_reflective_dataset(
        self, candidate: dict[str, str], eval_batch: Any, components_to_update: list[str]
    ) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """The episodes as text."""
        return {COMPONENT: [{"Episode": format_trajectory(trajectory)} for trajectory in eval_batch.trajectories]}


def optimize(prompt: str, adapter: Adapter, ask: Callable[[str], str], request: str, seed: int) -> str:
    """The better prompt on the batch: the one given, or the one candidate that there are episodes for."""
    from gepa.api import optimize as run_gepa  # 0.2 s

    size = len(adapter.played[prompt])
    found: Any = run_gepa(
        {COMPONENT: prompt},
        trainset=list(range(size)),
        adapter=cast("Any", adapter),
        reflection_lm=cast("Any", ask),
        reflection_minibatch_size=size,
        reflection_prompt_template=request,
        # More than the seed's episodes, and not more than those with which its first candidate is compared.
        max_metric_calls=size + 1,
        logger=cast("Any", Log()),
        seed=seed,
    )
    return str(found.best_candidate[COMPONENT])


class Log:
    """Where the optimiser says what it does."""

    def log(self, message: str) -> None:
        """Into the run's log, for those who look closely."""
        log.debug("%s", message)


def _in_words(prompt: str, best: str, played: Mapping[str, Sequence[Trajectory]]) -> str:
    """The candidate, and how it did."""
    solved = {tried: sum(one.solved for one in episodes) for tried, episodes in played.items()}
    candidate = next((tried for tried in played if tried != prompt), None)
    if candidate is None:
        return f"{solved[prompt]} of {len(played[prompt])} solved, and no other prompt was proposed."
    verdict = "accepted" if best == candidate else "dropped"
    return f"{solved[prompt]} solved before, {solved[candidate]} with this prompt, which was {verdict}:\n\n{candidate}"
