"""Token prices from litellm's table, which is read as a file if litellm is installed, without importing it."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ictbench.records import ModelSpec, Usage

TABLE = "model_prices_and_context_window_backup.json"


@dataclass(frozen=True, slots=True)
class Price:
    """Prices in US dollars per token."""

    input: float
    output: float
    cached: float

    def cost(self, usage: Usage) -> float:
        """Return the cost of a usage in US dollars; its cached tokens are among its input tokens."""
        uncached = usage.input_tokens - usage.cached_tokens
        return uncached * self.input + usage.cached_tokens * self.cached + usage.output_tokens * self.output


def find_price(spec: ModelSpec) -> Price | None:
    """Return the price of a model; None if it is unknown, as it always is for a server of your own."""
    if spec.base_url is not None:
        return None
    entry = _table().get(spec.model) or _table().get(spec.name)
    if entry is None or "input_cost_per_token" not in entry or "output_cost_per_token" not in entry:
        return None
    price = float(entry["input_cost_per_token"])
    return Price(price, float(entry["output_cost_per_token"]), float(entry.get("cache_read_input_token_cost", price)))


@functools.cache
def _table() -> dict[str, dict[str, Any]]:
    package = find_spec("litellm")
    if package is None or package.origin is None:
        return {}
    path = Path(package.origin).with_name(TABLE)
    if not path.exists():
        return {}
    table: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return table
