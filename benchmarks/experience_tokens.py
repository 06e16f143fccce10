"""How many tokens a batch of experience takes, as full observations and as events.

    python benchmarks/experience_tokens.py

Batches of three real episodes under prompt[0], as a reflector gets them in turn 1, counted by SmolLM2's tokenizer: of
MiniHack by the scripted actor, of ALFWorld (generated games) too. Needs ictbench[hf], [minihack] and [alfworld].
"""

from __future__ import annotations

from statistics import mean
from typing import TYPE_CHECKING, Any

from tabulate import tabulate
from transformers import AutoTokenizer

from ictbench.models.providers.smollm2 import smollm2_folder
from ictbench.reflectors.llm.llm_reflector import format_experience
from ictbench.runs import EpisodePlayer
from ictbench.runs.options import Options
from ictbench.runs.plan import make_plan

if TYPE_CHECKING:
    from ictbench.choices import ExperienceFormat
    from ictbench.records import Trajectory

SUITES = ("minihack-v1", "alfworld-procgen-v1")
LOOPS = 10
"""Batches a family."""
FORMATS: tuple[ExperienceFormat, ...] = ("full", "events")


def main() -> None:
    """Print a row a family."""
    tokenizer: Any = AutoTokenizer.from_pretrained(smollm2_folder())
    rows: list[list[Any]] = []
    for suite in SUITES:
        options = {"suite": suite, "reflector": "none", "actor": "rules", "loops": LOOPS, "turns": 1}
        plan = make_plan(Options.parse(options))
        with EpisodePlayer(plan) as player:
            for family in plan.families:
                counts: dict[ExperienceFormat, list[int]] = {form: [] for form in FORMATS}
                for loop in range(LOOPS):
                    (batch,) = plan.batches(family, loop)
                    played = player.play([plan.episode(task, plan.suite.prompt) for task in batch])
                    shown = [episode.trajectory for episode in played]
                    for form in FORMATS:
                        counts[form].append(tokens(tokenizer, form, plan.suite.prompt, shown))
                rows.append(
                    [suite, family, *(f"{mean(counts[form]):,.0f} ({max(counts[form]):,})" for form in FORMATS)]
                )
    print(tabulate(rows, headers=["suite", "family", *(f"{form}: mean (most)" for form in FORMATS)]))


def tokens(tokenizer: Any, form: ExperienceFormat, prompt: str, batch: list[Trajectory]) -> int:
    """Of a batch as text."""
    return len(tokenizer(format_experience(form, prompt, batch))["input_ids"])


if __name__ == "__main__":
    main()
