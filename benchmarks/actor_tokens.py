"""Tokens of a `lite` result under the standard actor, and what lists of actions in past turns cost.

    python benchmarks/actor_tokens.py

A random player plays the first batch of each held-out family: 25 decisions an episode, with replies that hold only an
action. For each presentation of past turns, the table gives the input tokens of an episode, the share that repeats the
beginning of the request before (which a provider's prefix cache can serve), and the input tokens of a whole `lite` run.
The second table gives characters per token for four tokenizers. Needs ictbench[minihack,alfworld,hf,litellm].
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from os.path import commonprefix
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from tabulate import tabulate

from ictbench.actors import History
from ictbench.actors.react import render_messages
from ictbench.models.providers.smollm2 import smollm2_folder
from ictbench.runs import EpisodePlayer
from ictbench.runs.cost_sample import RANDOM
from ictbench.runs.options import Options
from ictbench.runs.plan import make_plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from ictbench.choices import PastActions
    from ictbench.records import Trajectory

SUITES = ("minihack-v1", "alfworld-procgen-v1")
PRESENTATIONS: tuple[PastActions, ...] = ("changed", "none")


def main() -> None:
    """Print both tables."""
    counters = tokenizers()
    count = counters["SmolLM2"]
    rows: list[list[Any]] = []
    ratios: list[list[Any]] = []
    for suite in SUITES:
        plan = make_plan(Options.parse({"suite": suite, "profile": "lite", "reflector": "none", "actor": "rules"}))
        texts: dict[PastActions, list[list[str]]] = {presentation: [] for presentation in PRESENTATIONS}
        with EpisodePlayer(plan) as player:
            for family in plan.families:
                specs = [plan.episode(task, plan.suite.prompt) for task in plan.batches(family, 0)[0]]
                for episode in player.play([spec.model_copy(update={"actor": RANDOM}) for spec in specs]):
                    for presentation in PRESENTATIONS:
                        texts[presentation].append(requests(plan.suite.prompt, episode.trajectory, presentation))
        episodes = plan.episode_bounds()["episodes"]
        for presentation in PRESENTATIONS:
            tokens = fmean(sum(map(count, texts_of_episode)) for texts_of_episode in texts[presentation])
            calls = fmean(map(len, texts[presentation]))
            rows.append(
                [
                    suite,
                    presentation,
                    f"{tokens:,.0f}",
                    f"{tokens / calls:,.0f}",
                    f"{repeated_share(texts[presentation]):.0%}",
                    f"{episodes:,}",
                    f"{episodes * tokens / 1e6:,.0f} M",
                ]
            )
        everything = [text for texts_of_episode in texts["changed"] for text in texts_of_episode]
        ratios.append([suite, *(sum(map(len, everything)) / sum(map(c, everything)) for c in counters.values())])
    head = ["suite", "past actions", "an episode", "a call", "repeated", "episodes of lite", "lite"]
    print(tabulate(rows, headers=head))
    print()
    print(tabulate(ratios, headers=["characters per token", *counters], floatfmt=".2f"))


def tokenizers() -> dict[str, Callable[[str], int]]:
    """Return functions that count tokens, by the name of the tokenizer; those of litellm are files of its package."""
    from tokenizers import Tokenizer

    package = find_spec("litellm")
    assert package is not None
    assert package.origin is not None
    folder = Path(package.origin).parent / "litellm_core_utils" / "tokenizers"
    os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
    import tiktoken

    smollm2 = Tokenizer.from_file(str(Path(smollm2_folder()) / "tokenizer.json"))
    anthropic = Tokenizer.from_file(str(folder / "anthropic_tokenizer.json"))
    counters: dict[str, Callable[[str], int]] = {
        "SmolLM2": lambda text: len(smollm2.encode(text).ids),
        "Anthropic (2023)": lambda text: len(anthropic.encode(text).ids),
    }
    for name in ("cl100k_base", "o200k_base"):
        encoding = tiktoken.get_encoding(name)
        counters[name] = lambda text, encoding=encoding: len(encoding.encode_ordinary(text))  # type: ignore[misc]
    return counters


def requests(prompt: str, trajectory: Trajectory, presentation: PastActions) -> list[str]:
    """Return the text of each request of an episode."""
    steps = trajectory.steps
    texts = []
    for past, step in enumerate(steps):
        history = History(steps[:past], step.observation, step.actions, len(steps))
        messages = render_messages(prompt, history, past_actions=presentation)
        texts.append("\n".join(message["content"] for message in messages))
    return texts


def repeated_share(episodes: list[list[str]]) -> float:
    """Return the share of all characters that repeat the beginning of the request before."""
    pairs = [(before, after) for texts in episodes for before, after in zip(["", *texts], texts, strict=False)]
    repeated = sum(len(commonprefix([before, after])) for before, after in pairs)  # noqa: RUF071 - characters
    return repeated / sum(len(after) for _, after in pairs)


if __name__ == "__main__":
    main()
