"""Figures of the paper (arXiv 2605.20477), as its readers report them; cells that they do not report are absent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Training = Literal["untrained", "trained"]
"""Whether the paper's reflector was trained, on the meta-train families of the same environment."""

SUITES = ("alfworld-paper-v1", "minihack-paper-v1")
"""Suites with the paper's sizes."""

MODEL = "Qwen2.5-7B-Instruct"
"""Actor and untrained reflector of the paper."""

VALIDATION: Mapping[tuple[str, str, int], Mapping[Training, float]] = {
    ("alfworld-paper-v1", "cool", 3): {"untrained": 42.4, "trained": 49.2},
    ("alfworld-paper-v1", "pick-two", 3): {"untrained": 34.6, "trained": 42.5},
    ("alfworld-paper-v1", "pick-two", 5): {"untrained": 28.3, "trained": 41.2},
    ("minihack-paper-v1", "zap", 3): {"untrained": 18.8, "trained": 14.1},
}
"""Validation success of the best prompt in percent, mean over 10 loops, by suite, family and batch size."""

LATE_SHARE = 0.25
"""Share of the paper's loops on ALFWorld with k = 3 whose best prompt is that of the last turn."""

CROSS_WINS = (4, 6)
"""Families of ALFWorld, k = 5, in which training on MiniHack beats no training, and number of families."""
