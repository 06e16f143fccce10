"""Control: puts the raw trajectories into the prompt, without reflection.

In-context learning from examples (Brown et al., *Language Models are Few-Shot Learners*, arXiv 2005.14165). The
examples are the agent's own episodes, successful or not, as in Monea et al., *LLMs Are In-Context Bandit Reinforcement
Learners* (arXiv 2410.05362).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.records import Record, Reflection
from ictbench.reflectors.llm.prompt_sections import append_section, newest_that_fit
from ictbench.reflectors.reflector import Context, Reflector
from ictbench.reflectors.trajectory_text import format_trajectory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.records import Trajectory

PROMPT_CAP = 64_000
"""UTF-8 bytes, about 20,000 tokens. A full-screen episode of 25 steps has about 10,000 bytes."""

TITLE = "Episodes that were played here before, the newest last:"


class Memory(Record):
    """Reflector state carried from one turn to the next."""

    own: str
    """`prompt[0]`."""
    episodes: tuple[str, ...] = ()
    """Formatted episodes in the prompt, oldest first."""


class IclReflector(Reflector):
    """Appends the newest trajectories that fit to `prompt[0]`. No model reads them first."""

    trained_on = ()
    prompt_cap = PROMPT_CAP
    control = "its prompts may hold 64,000 bytes, of raw trajectories"

    def accepts(self, trajectory: Trajectory) -> bool:
        """Return whether a trajectory may be put into the prompt."""
        return True

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Return the prompt with the trajectories of this batch added."""
        memory = Memory(own=prompt) if state is None else Memory.model_validate(state)
        new = [f"\n{format_trajectory(trajectory)}" for trajectory in trajectories if self.accepts(trajectory)]
        kept = newest_that_fit(memory.own, TITLE, [*memory.episodes, *new], context.prompt_cap)
        return Reflection(
            prompt=append_section(memory.own, TITLE, kept),
            analysis=f"{len(new)} of {len(trajectories)} episodes are worth showing; {len(kept)} are in the prompt.",
            state=Memory(own=memory.own, episodes=tuple(kept)).model_dump(mode="json"),
        )
