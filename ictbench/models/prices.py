"""What tokens cost: litellm's table, read from its file where litellm is installed, without importing it."""

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
    """US dollars a token."""

    input: float
    output: float
    cached: float

    def of(self, usage: Usage) -> float:
        """What a usage costs; cached tokens are among the input tokens."""
        fresh = usage.input_tokens - usage.cached_tokens
        return fresh * self.input + usage.cached_tokens * self.cached + usage.output_tokens * self.output


def find_price(spec: ModelSpec) -> Price | None:
    """The price of a model, None where it is unknown. A server of one's own has none in any table."""
    if spec.base_url is not None:
        return None
    entry = _table().get(spec.model) or _table().get(spec.name)
    if entry is None or "input_cost_per_token" not in entry or "output_cost_per_token" not in entry:
        return None
    fresh = float(entry["input_cost_per_token"])
    return Price(fresh, float(entry["output_cost_per_token"]), float(entry.get("cache_read_input_token_cost", fresh)))


@functools.cache
def _table() -> dict[str, dict[str, Any]]:
    found = find_spec("litellm")
    if found is None or found.origin is None:
        return {}
    path = Path(found.origin).with_name(TABLE)
    if not path.exists():
        return {}
    table: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return table
