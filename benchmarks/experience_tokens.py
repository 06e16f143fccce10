"""Number of tokens in a batch of experience, with full observations, as events, and as a tally.

    python benchmarks/experience_tokens.py

A batch is three real episodes of the scripted actor under `prompt[0]`, as a reflector reads them in turn 1, in MiniHack
and in ALFWorld with generated games. SmolLM2's tokenizer counts. Needs ictbench[hf], [minihack] and [alfworld].
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
"""Batches per family."""
FORMATS: tuple[ExperienceFormat, ...] = ("full", "events", "tally")


def main() -> None:
    """Print one row per family."""
    tokenizer: Any = AutoTokenizer.from_pretrained(smollm2_folder(), trust_remote_code=False)
    rows: list[list[Any]] = []
    for suite in SUITES:
        options = {"suite": suite, "reflector": "none", "actor": "rules", "loops": LOOPS, "turns": 1}
        plan = make_plan(Options.parse(options))
        with EpisodePlayer(plan) as player:
            for family in plan.families:
                counts: dict[ExperienceFormat, list[int]] = {form: [] for form in FORMATS}
                for loop in range(LOOPS):
                    (batch,) = plan.batches(family, loop)
                    episodes = player.play([plan.episode(task, plan.suite.prompt) for task in batch])
                    trajectories = [episode.trajectory for episode in episodes]
                    for form in FORMATS:
                        counts[form].append(count_tokens(tokenizer, form, plan.suite.prompt, trajectories))
                rows.append(
                    [suite, family, *(f"{mean(counts[form]):,.0f} ({max(counts[form]):,})" for form in FORMATS)]
                )
    print(tabulate(rows, headers=["suite", "family", *(f"{form}: mean (max)" for form in FORMATS)]))


def count_tokens(tokenizer: Any, form: ExperienceFormat, prompt: str, batch: list[Trajectory]) -> int:
    """Return the number of tokens of a batch as text."""
    return len(tokenizer(format_experience(form, prompt, batch))["input_ids"])


if __name__ == "__main__":
    main()
