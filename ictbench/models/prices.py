"""Token prices: litellm's table if litellm is installed, otherwise the small dated table of this package.

litellm's table is read as a file, without importing litellm. `ictbench models prices --refresh` makes the package's
table from it.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ictbench.errors import ConfigError
from ictbench.models.addresses import is_own_address
from ictbench.models.model_options import EXTRA_BODY
from ictbench.plugins import installed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ictbench.records import ModelSpec, Usage

LITELLM_TABLE = "model_prices_and_context_window_backup.json"
PACKAGE_TABLE = Path(__file__).with_name("prices.json")
MILLION = 1_000_000

PROVIDERS = ("anthropic", "deepseek", "gemini", "mistral", "openai", "xai")
"""Providers whose models the package's table lists."""
SPECIAL_MODEL = re.compile(
    r"^ft:|audio|search|research|tts|robotics|computer|vibe|vision|beta|experimental|omni|cyber|voxtral|code|daybreak"
)
"""Names of models that the package's table leaves out, as they are not made to play or to reflect."""

RATES = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cached": "cache_read_input_token_cost",
    "cache_written": "cache_creation_input_token_cost",
    "reasoning": "output_cost_per_reasoning_token",
}
"""litellm's names of the rates."""
LONG_INPUT = re.compile(r"input_cost_per_token_above_(\d+)k_tokens")
SELECTION_KEYS = ("mode", "until")
"""Keys of an entry that only the selection for the package's table needs."""
PRICE_OPTIONS = frozenset({"service_tier", "speed", "inference_geo"})
"""Request parameters that change the price of a model."""


@dataclass(frozen=True, slots=True)
class Price:
    """Prices in US dollars per token."""

    input: float
    output: float
    cached: float | None = None
    """Of input tokens read from the provider's cache; None for the price of input."""
    cache_written: float | None = None
    """Of input tokens written into the provider's cache; None for the price of input."""
    reasoning: float | None = None
    """Of reasoning tokens; None for the price of output."""
    longer: tuple[tuple[int, Price], ...] = ()
    """Prices of requests with more input tokens than a number, in ascending order."""

    def cost(self, usage: Usage) -> float:
        """Return the cost of one call in US dollars; cached and written tokens are input, reasoning is output."""
        price = self._at(usage.input_tokens)
        parts = (
            (usage.cached_tokens, price.cached, price.input),
            (usage.cache_written_tokens, price.cache_written, price.input),
            (usage.input_tokens - usage.cached_tokens - usage.cache_written_tokens, None, price.input),
            (usage.reasoning_tokens, price.reasoning, price.output),
            (usage.output_tokens - usage.reasoning_tokens, None, price.output),
        )
        return sum(tokens * (usual if rate is None else rate) for tokens, rate, usual in parts)

    def cost_at_most(self, input_tokens: int, output_tokens: int) -> float:
        """Return an upper bound of the cost of one call with at most so many tokens."""
        price = self._at(input_tokens)
        return input_tokens * max(price.input, price.cached or 0, price.cache_written or 0) + output_tokens * max(
            price.output, price.reasoning or 0
        )

    def _at(self, input_tokens: int) -> Price:
        return next((price for above, price in reversed(self.longer) if input_tokens > above), self)


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Prices of many models, in US dollars per million tokens."""

    source: str
    date: str
    """Day on which the prices were read from their source; empty for litellm's own table."""
    models: Mapping[str, Mapping[str, Any]]

    def price(self, spec: ModelSpec) -> Price | None:
        """Return the price of a model; None if it is not in the table."""
        provider, name = spec.provider, spec.model
        if provider == "litellm":
            provider, _, name = spec.model.partition("/") if "/" in spec.model else ("", "", spec.model)
        for key in (spec.model, f"{provider}/{name}", name):
            entry = self.models.get(key)
            # A provider in litellm's table may have a longer name, e.g. bedrock_converse.
            if entry and str(entry["provider"]).startswith(provider):
                return _price(entry)
        return None


def find_price(spec: ModelSpec) -> Price | None:
    """Return the price of a model; None if it is unknown, as it always is at another address than the provider's."""
    if not is_own_address(spec, PROVIDERS):
        return None
    extra = spec.options.get(EXTRA_BODY)
    chosen = {*spec.options, *(extra if isinstance(extra, dict) else ())}
    return None if PRICE_OPTIONS & chosen else price_table().price(spec)


def named_models() -> dict[str, str]:
    """Return the models of the package's table without their provider, each with its name here, as provider/model."""
    models: dict[str, Any] = json.loads(PACKAGE_TABLE.read_text(encoding="utf-8"))["models"]
    known = installed("model")
    return {
        name: f"{entry['provider']}/{name}" if entry["provider"] in known else f"litellm/{entry['provider']}/{name}"
        for name, entry in models.items()
        if "/" not in name
    }


def may_state_cost(spec: ModelSpec) -> bool:
    """Return whether replies of a model may state their cost, as those of some gateways do."""
    return spec.provider in {"openai", "litellm"} and (spec.provider == "litellm" or not is_own_address(spec))


@functools.cache
def price_table() -> PriceTable:
    """Return litellm's table if litellm is installed, otherwise the package's."""
    return read_litellm_table() or PriceTable(**json.loads(PACKAGE_TABLE.read_text(encoding="utf-8")))


def refresh_table() -> PriceTable:
    """Replace the package's table by one made from litellm's, and return it.

    Raises:
        ConfigError: litellm is not installed, or the file cannot be written.
    """
    table = read_litellm_table()
    if table is None:
        raise ConfigError("prices are read from litellm's table, which is not installed: pip install litellm")
    today = datetime.now(UTC).date()
    chosen = {name: entry for name, entry in sorted(table.models.items()) if _is_common(name, entry, today)}
    models = {name: {key: entry[key] for key in entry if key not in SELECTION_KEYS} for name, entry in chosen.items()}
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in models.items())
    head = f'{{\n "source": {json.dumps(table.source)},\n "date": "{today.isoformat()}",\n "models": {{\n'
    try:
        PACKAGE_TABLE.write_text(f"{head}{lines}\n }}\n}}\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{PACKAGE_TABLE} cannot be written: {error.strerror}") from error
    return PriceTable(table.source, today.isoformat(), models)


def read_litellm_table() -> PriceTable | None:
    """Return litellm's table; None if litellm is not installed."""
    package = find_spec("litellm")
    if package is None or package.origin is None:
        return None
    path = Path(package.origin).with_name(LITELLM_TABLE)
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        source = f"litellm {version('litellm')}"
    except (OSError, ValueError, PackageNotFoundError):
        return None
    return PriceTable(source, "", {name: entry for name, raw in entries.items() if (entry := _read_entry(raw))})


def _read_entry(raw: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return an entry of litellm's table; None if it has no price per token, or a price of zero."""
    base = _rates(raw, "")
    if not base.get("input") or not base.get("output"):
        return None
    limits = sorted(int(match[1]) for name in raw if (match := LONG_INPUT.fullmatch(name)))
    longer = [{"above": limit * 1000, **base, **_rates(raw, f"_above_{limit}k_tokens")} for limit in limits]
    return {
        "provider": raw.get("litellm_provider", ""),
        **base,
        **({"longer": longer} if longer else {}),
        "mode": raw.get("mode"),
        "until": raw.get("deprecation_date"),
    }


def _rates(raw: Mapping[str, Any], suffix: str) -> dict[str, float]:
    rates = {name: raw.get(f"{key}{suffix}") for name, key in RATES.items()}
    # A rate of zero says only that it is no extra charge.
    return {name: round(rate * MILLION, 6) for name, rate in rates.items() if isinstance(rate, int | float) and rate}


def _price(entry: Mapping[str, Any]) -> Price:
    rates = {name: entry[name] / MILLION for name in RATES if name in entry}
    return Price(**rates, longer=tuple((tier["above"], _price(tier)) for tier in entry.get("longer", ())))


def _is_common(name: str, entry: Mapping[str, Any], today: date) -> bool:
    """Return whether the package's table lists a model: of a large provider, for conversations, and still served."""
    return (
        entry["provider"] in PROVIDERS
        and entry["mode"] == "chat"
        and (entry["until"] or "9999") > today.isoformat()
        and not SPECIAL_MODEL.search(name)
    )
