"""Learner that keeps workflows, which its model derives from solved episodes, and recalls those that fit a task.

Wang et al., *Agent Workflow Memory* (arXiv 2409.07429), online variant. As there, a workflow is a short description and
the steps that solved tasks of its kind, in which what differs between tasks is replaced by a placeholder, and the
prompt itself is never rewritten.

What differs: The environment says which episodes were solved; in the paper, a model judges that. Workflows are derived
from all solved episodes of a batch at once; a workflow of the same name replaces the earlier one. The paper shows an
agent all workflows of a website; here each task gets those that fit into what a memory may add, in the order of BM25
over their texts and over the first observations of the episodes they were derived from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.records import Record, Reflection
from ictbench.reflectors.event_digest import texts_of
from ictbench.reflectors.llm.llm_reflector import (
    EPISODE_DESCRIPTION,
    LLMReflector,
    UnusableReplyError,
    heading_pattern,
    section_lines,
)
from ictbench.reflectors.memory.added_text import fitting
from ictbench.reflectors.memory.memory_size import beginnings, newest_items
from ictbench.reflectors.memory.retrieval import rank

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pydantic import JsonValue

    from ictbench.records import Trajectory
    from ictbench.reflectors.reflector import Context

MAX_WORKFLOWS = 3
"""New workflows per turn."""
MAX_STEPS, WORKFLOW_BYTES = 12, 1_800
"""Steps of a workflow, and its maximum size: a longer one fits into no episode and is not kept."""

ADDED_TITLE = "Workflows that solved tasks of this kind, the most fitting first:"
INSTRUCTIONS = f"""\
You derive workflows from episodes in which an agent solved its task in a text environment. A workflow is the part of \
such an episode that can be used again: what it is for, and the steps that lead there.
You are given the agent's prompt, the workflows so far, and complete episodes that were solved. {EPISODE_DESCRIPTION}
Find the steps that the solved episodes share, or that other tasks of the same kind will need. Leave out detours. \
Where a name, a place or a direction differs from task to task, write a word in braces, such as {{object}}. Say what \
the agent sees when a step is due. Write a workflow of a known name again to replace it, and none that is already \
there."""
REQUEST = f"""\
Answer with exactly this section, at most {MAX_WORKFLOWS} workflows of at most {MAX_STEPS} steps, or the one word none:
WORKFLOWS:
Workflow: what it is for
- the first step
- the next step"""
WORKFLOWS, WORKFLOW = heading_pattern("workflows"), heading_pattern("workflow")


class Workflow(Record):
    """Workflow with the first observations of the episodes that it was derived from."""

    name: str
    """What it is for."""
    steps: tuple[str, ...]
    starts: tuple[str, ...]
    """See `beginnings`."""

    @property
    def text(self) -> str:
        """The workflow as the actor sees it."""
        return "\n".join(
            [f"Workflow: {self.name}", *(f"{number}. {step}" for number, step in enumerate(self.steps, 1))]
        )


class Workflows(Record):
    """Memory of the learner."""

    workflows: tuple[Workflow, ...] = ()
    """Oldest first."""


class WorkflowsReflector(LLMReflector):
    """Asks a language model for workflows of the solved episodes. It does not ask if no episode was solved."""

    division = "memory"
    system = INSTRUCTIONS
    instruction = f"{INSTRUCTIONS}\n\n{REQUEST}"

    async def revise(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Ask the model and add its workflows; see `LLMReflector.revise`."""
        known = context.memory.value
        solved = [trajectory for trajectory in trajectories if trajectory.solved]
        if not solved:
            return Reflection(prompt=prompt, analysis="No episode was solved.", memory=known)
        before = Workflows.model_validate(known or {})
        texts = "\n\n".join(workflow.text for workflow in before.workflows) or "(none)"
        episodes = self.experience_text(prompt, solved, context)
        request = f"PROMPT:\n{prompt}\n\nWORKFLOWS:\n{texts}\n\nEPISODES:\n{episodes}\n\n{REQUEST}"
        completion = await self.ask(self._system, request, context)
        lines = section_lines(WORKFLOWS, completion.text) or []
        starts = beginnings([texts_of(trajectory)[0] for trajectory in solved])
        found = list(read_workflows(lines, starts))[:MAX_WORKFLOWS]
        new = [workflow for workflow in found if len(workflow.text.encode(errors="replace")) <= WORKFLOW_BYTES]
        if not new and [line.casefold().rstrip(".") for line in lines] != ["none"]:
            raise UnusableReplyError(completion, "too_long" if found else "unparseable")
        names = {workflow.name.casefold() for workflow in new}
        kept = [workflow for workflow in before.workflows if workflow.name.casefold() not in names]
        after = Workflows(workflows=newest_items([*kept, *new]))
        return Reflection(
            prompt=prompt,
            analysis="\n\n".join(workflow.text for workflow in new) or "Nothing new.",
            memory=after.model_dump(mode="json") if after.workflows else None,
            usage=completion.usage,
        )

    def recall(self, memory: JsonValue, observation: str, actions: tuple[str, ...]) -> str:
        """Return the workflows that fit the first observation and the available actions; of equals, the newest."""
        newest_first = Workflows.model_validate(memory).workflows[::-1]
        described = ["\n".join([workflow.text, *workflow.starts]) for workflow in newest_first]
        order = rank("\n".join([observation, *actions]), described)
        return fitting(ADDED_TITLE, [newest_first[position].text for position in order])


def read_workflows(lines: Iterable[str], starts: tuple[str, ...]) -> Iterator[Workflow]:
    """Yield the workflows of a reply that have a name and steps; of the same name, the last.

    Args:
        lines: Lines of the section, without list marks.
        starts: First observations of the episodes that were shown.
    """
    found: dict[str, tuple[str, list[str]]] = {}
    steps: list[str] = []
    for line in lines:
        if match := WORKFLOW.match(line):
            name, steps = line[match.end() :].strip(" *_"), []
            found.pop(name.casefold(), None)
            found[name.casefold()] = name, steps
        else:
            steps.append(line)
    for name, steps in found.values():
        if name and steps:
            yield Workflow(name=name, steps=tuple(steps[:MAX_STEPS]), starts=starts)
