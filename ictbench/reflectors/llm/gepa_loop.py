"""Optimiser: runs the optimizer of the `gepa` package over all experience tasks of a loop.

Agrawal et al., *GEPA: Reflective Prompt Evolution Can Outperform Reinforcement Learning* (arXiv 2507.19457). In each
iteration the optimizer draws a parent from the Pareto front, plays it on a minibatch, asks the model for a better
prompt, and plays this one on the same tasks. If it solves more of them, it is kept and played on the Pareto set.

The N·k episodes of the loop are the budget of rollouts. With so few, some choices differ from those of the package:
the minibatches are the batches of the protocol in their order, not random ones; the Pareto set is the first batch; no
episode is played twice; there is no merge of candidates.

The optimizer cannot be continued in another process. So each turn runs it again from the start, with the same seed, the
recorded episodes and the recorded proposals, until k more episodes are played. prompt[i] is then the prompt with the
highest success rate on the Pareto set among those that were kept, on ties the one that was first proposed latest;
prompt[0] comes first, even if the model proposes it again.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING, Any, cast

from ictbench.errors import ModelFailure, PluginError
from ictbench.models.failure_detail import failure_detail
from ictbench.models.reasoning import has_reasoning
from ictbench.models.replies import read_answer
from ictbench.records import UNREPORTED, Candidate, Reflection, Usage
from ictbench.reflectors.llm.gepa import COMPONENT, INSTRUCTIONS, REQUEST, DebugLogger, require_package
from ictbench.reflectors.llm.llm_reflector import LLMReflector, UnusableReplyError
from ictbench.reflectors.llm.thread_bridge import run_with_loop_calls
from ictbench.visible_text import is_encodable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pydantic import JsonValue

    from ictbench.models import ChatModel, Completion
    from ictbench.records import ReflectionFailure, Trajectory
    from ictbench.reflectors.llm.thread_bridge import CallOnLoop
    from ictbench.reflectors.reflector import BatchPlayer, Context


class GepaLoopReflector(LLMReflector):
    """Searches for a prompt that solves more experience tasks. Its state is what the model has proposed."""

    division = "optimiser"
    experience = "pooled"
    system = INSTRUCTIONS
    instruction = f"{INSTRUCTIONS}\n\n{REQUEST}"

    def __init__(self, model: ChatModel | None = None, **options: Any) -> None:
        """Store the model; see `LLMReflector`.

        Raises:
            UsageError: The model is missing, or the package is not installed.
        """
        super().__init__(model, **options)
        require_package("gepa-loop")

    async def revise(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Run the optimizer until the episodes of the turn are played; see `LLMReflector.revise`."""
        if (play := context.play) is None:
            raise PluginError("reflector gepa-loop needs Context.play, with which it plays its candidate prompts")
        known = cast("dict[str, Any]", state or {"seed": prompt, "batch": min(play.left, play.size), "proposals": []})
        proposals = Proposals(list(known["proposals"]))

        async def ask(parent: str, episodes: Sequence[Trajectory]) -> None:
            try:
                shown = self.experience_text(parent, episodes, context)
                reply = await self.ask(self._system, _request(parent, shown, context.prompt_cap), context)
                proposals.add(_prompt_in(reply, context.prompt_cap), reply.usage)
            except UnusableReplyError as error:
                proposals.fail(error.failure, error.completion.text, error.completion.usage)
            except ModelFailure as error:
                proposals.fail(error.kind, "", error.usage or UNREPORTED, failure_detail(error))

        def work(call: CallOnLoop) -> Search:
            search = Search(known["batch"], play, proposals, partial(call, play), partial(call, ask))
            search.run(known["seed"], context.loop_seed)
            return search

        search = await run_with_loop_calls(work)
        failure = proposals.failure
        return Reflection(
            prompt=None if failure else search.best,
            analysis=proposals.unusable if failure else search.summary(),
            failure=failure,
            failure_detail=proposals.detail,
            state={**known, "proposals": proposals.texts},
            usage=proposals.usage,
            candidates=tuple(search.candidates()),
        )


@dataclass
class Proposals:
    """What the model proposed: in earlier turns, which is not asked for again, and in this turn."""

    texts: list[str | None]
    """None stands for a reply that could not be used."""
    usage: Usage = field(default_factory=Usage)
    """Usage of this turn."""
    failure: ReflectionFailure | None = None
    """Why the last unusable reply of this turn was not used."""
    unusable: str = ""
    """Text of that reply."""
    detail: str = ""
    """What the endpoint said about it."""

    def add(self, prompt: str, usage: Usage) -> None:
        """Add a prompt."""
        self.texts.append(prompt)
        self.usage += usage

    def fail(self, failure: ReflectionFailure, reply: str, usage: Usage, detail: str = "") -> None:
        """Add a reply that cannot be used."""
        self.texts.append(None)
        self.usage += usage
        self.failure, self.unusable, self.detail = failure, reply, detail


class TurnOverError(BaseException):
    """The episodes of the turn are played. The optimizer would catch an `Exception` and go on."""


@dataclass
class Search:
    """One run of the optimizer, and its view of the loop: a task is its position, a candidate a dictionary of a prompt.

    It is also the optimizer's sampler of minibatches and one of its callbacks.
    """

    batch: int
    """Number of tasks of a batch."""
    play: BatchPlayer
    proposals: Proposals
    play_tasks: Callable[[str, Sequence[int]], list[Trajectory]]
    ask: Callable[[str, Sequence[Trajectory]], None]
    """Asks the model for a prompt that is better than this parent, of which these are episodes."""
    parents: dict[str, str] = field(default_factory=dict)
    """First parent of each proposal, in the order of the proposals; prompt[0] has none."""
    used: int = 0
    """Number of proposals that the optimizer has had."""
    state: Any = None
    """State of the optimizer, which it updates as it runs."""

    def run(self, prompt: str, seed: int) -> None:
        """Run the optimizer until the episodes of the turn, or all those of the loop, are played."""
        from gepa.api import optimize  # 0.2 s

        with suppress(TurnOverError):
            optimize(
                {COMPONENT: prompt},
                trainset=list(range(self.play.size)),
                valset=list(range(self.batch)),
                adapter=cast("Any", self),
                batch_sampler=cast("Any", self),
                stop_callbacks=lambda state: not self.play.left,
                callbacks=[cast("Any", self)],
                logger=cast("Any", DebugLogger()),
                seed=seed,
            )

    def evaluate(self, batch: list[int], candidate: dict[str, str], capture_traces: bool = False) -> Any:
        """Return the trajectories and scores of tasks under a candidate."""
        from gepa.core.adapter import EvaluationBatch

        prompt = candidate[COMPONENT]
        if self.play.new_episodes(prompt, batch) > self.play.left:
            raise TurnOverError
        trajectories = self.play_tasks(prompt, batch)
        return EvaluationBatch([None] * len(batch), [float(one.solved) for one in trajectories], trajectories)

    def make_reflective_dataset(
        self, candidate: dict[str, str], eval_batch: Any, components_to_update: list[str]
    ) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return the episodes of a candidate."""
        return {COMPONENT: [{"episode": trajectory} for trajectory in eval_batch.trajectories]}

    def propose_new_texts(
        self, candidate: dict[str, str], reflective_dataset: Mapping[str, Any], components_to_update: list[str]
    ) -> dict[str, str]:
        """Return the proposal for a better prompt than that of a candidate; nothing if the reply cannot be used."""
        texts, parent = self.proposals.texts, candidate[COMPONENT]
        if self.used == len(texts):
            if not self.play.left:
                # It could not be played in this turn; the next one asks for it, if there is one.
                raise TurnOverError
            self.ask(parent, [one["episode"] for one in reflective_dataset[COMPONENT]])
        self.used += 1
        if (text := texts[self.used - 1]) is None:
            return {}
        if text != self.kept[0]:
            self.parents.setdefault(text, parent)
        return {COMPONENT: text}

    def next_minibatch_ids(self, loader: Any, state: Any) -> list[int]:
        """Return the tasks of the next batch of the protocol; the first one follows the last."""
        start = state.i * self.batch % self.play.size
        return list(range(start, start + self.batch))

    def on_iteration_start(self, event: Mapping[str, Any]) -> None:
        """Keep the state."""
        self.state = event["state"]

    def on_optimization_end(self, event: Mapping[str, Any]) -> None:
        """Keep the state of a run without iterations."""
        self.state = event["final_state"]

    @property
    def kept(self) -> list[str]:
        """Prompts that the optimizer works with, in the order in which it kept them."""
        return [candidate[COMPONENT] for candidate in self.state.program_candidates]

    @property
    def best(self) -> str:
        """Prompt with the highest success rate on the Pareto set, on ties the one that was first proposed latest."""
        kept, proposed = self.kept, list(self.parents)
        scores = [fmean(scores.values()) for scores in self.state.prog_candidate_val_subscores]
        order = [proposed.index(text) if text in self.parents else -1 for text in kept]
        return kept[max(range(len(kept)), key=lambda index: (scores[index], order[index]))]

    def candidates(self) -> Iterator[Candidate]:
        """Yield the prompts that were tried."""
        kept, fronts = self.kept, self.state.get_pareto_front_mapping()
        for text in dict.fromkeys([kept[0], *self.parents]):
            indices = {index for index, prompt in enumerate(kept) if prompt == text}
            yield Candidate(
                text=text,
                parents=(self.parents[text],) if text in self.parents else (),
                kept=bool(indices),
                front=tuple(sorted(task for task, front in fronts.items() if indices & front)),
            )

    def summary(self) -> str:
        """Return what was tried so far as a sentence."""
        scores = self.state.prog_candidate_val_subscores
        solved = ", ".join(f"{sum(one.values()):.0f}" for one in scores)
        return (
            f"Prompts proposed: {len(self.parents)}, kept: {len(scores) - 1}. Solved of the {self.batch} tasks of the "
            f"Pareto set, under the first prompt and those kept: {solved}."
        )


def _request(prompt: str, episodes: str, cap: int) -> str:
    """Return the request for a better prompt; in one pass, as prompt and episodes may hold a placeholder."""
    values = {"<curr_param>": prompt, "<side_info>": episodes, "{cap}": str(cap)}
    return re.sub("|".join(map(re.escape, values)), lambda match: values[match[0]], REQUEST)


def _prompt_in(reply: Completion, cap: int) -> str:
    """Return the prompt in a reply, as the package reads it.

    Raises:
        UnusableReplyError: There is none, or it is too long.
    """
    from gepa.strategies.instruction_proposal import InstructionProposalSignature

    answer = read_answer(reply.text).text
    prompt = InstructionProposalSignature.output_extractor(answer)["new_instruction"]
    if has_reasoning(answer) or not prompt.strip() or not is_encodable(prompt):
        raise UnusableReplyError(reply, "unparseable")
    if len(prompt.encode()) > cap:
        raise UnusableReplyError(reply, "too_long")
    return prompt
