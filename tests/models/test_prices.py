"""Prices of models, their table, and the cost of a usage."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import ConfigError
from ictbench.models import prices
from ictbench.models.prices import Price, PriceTable, find_price, price_table, read_litellm_table, refresh_table
from ictbench.records import ModelSpec, Usage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUICK_START_MODEL = ModelSpec(provider="openai", model="gpt-4.1-mini")


@pytest.fixture(autouse=True)
def _fresh_table() -> Iterator[None]:
    price_table.cache_clear()
    yield
    price_table.cache_clear()


@pytest.fixture
def without_litellm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prices, "find_spec", lambda name: None if name == "litellm" else find_spec(name))


@pytest.mark.usefixtures("without_litellm")
def test_the_model_of_the_quick_start_has_a_price_without_litellm() -> None:
    price = find_price(QUICK_START_MODEL)
    assert price
    assert [price.input, price.output, price.cached] == pytest.approx([0.4e-6, 1.6e-6, 0.1e-6])
    assert price_table().date >= "2026-11-01"


def test_the_tables_agree_on_the_models_of_the_package() -> None:
    litellm = read_litellm_table()
    assert litellm
    package = PriceTable(**json.loads(prices.PACKAGE_TABLE.read_text()))
    assert package.source == litellm.source, "refresh the table with `ictbench models prices --refresh`"
    for name in package.models:
        spec = ModelSpec(provider="litellm", model=name)
        assert package.price(spec) == litellm.price(spec), name
    assert {entry["provider"] for entry in package.models.values()} == set(prices.PROVIDERS)


@pytest.mark.parametrize("table", ["litellm", "package"])
@pytest.mark.parametrize(
    ("provider", "model", "is_known"),
    [
        ("openai", "gpt-4.1-mini", True),
        ("anthropic", "claude-sonnet-5", True),
        ("litellm", "openai/gpt-4.1-mini", True),
        ("litellm", "anthropic/claude-sonnet-5", True),
        ("litellm", "gemini/gemini-2.5-pro", True),
        ("litellm", "mistral/mistral-large-latest", True),
        ("litellm", "azure/my-deployment", False),
        # The same name at another provider is another model.
        ("openai", "claude-sonnet-5", False),
        ("anthropic", "gpt-4.1-mini", False),
        ("vllm", "gpt-4.1-mini", False),
        ("hf", "gpt-4.1-mini", False),
        ("openai", "gpt-4.1-mini-of-my-own", False),
    ],
)
def test_a_price_is_found_by_provider_and_model(
    provider: str, model: str, is_known: bool, table: str, request: pytest.FixtureRequest
) -> None:
    if table == "package":
        request.getfixturevalue("without_litellm")
    assert (find_price(ModelSpec(provider=provider, model=model)) is not None) is is_known


@pytest.mark.parametrize(
    "fields",
    [
        {"base_url": "http://mine"},
        {"options": {"service_tier": "priority"}},
        {"options": {"extra_body": {"service_tier": "priority"}}},
    ],
)
def test_the_price_is_unknown_at_another_address_or_service_tier(fields: dict[str, Any]) -> None:
    assert find_price(QUICK_START_MODEL)
    assert find_price(QUICK_START_MODEL.model_copy(update=fields)) is None


@pytest.mark.parametrize(
    ("provider", "model", "variable", "address", "is_known"),
    [
        ("openai", "gpt-4.1-mini", "OPENAI_BASE_URL", "https://openrouter.ai/api/v1", False),
        ("openai", "gpt-4.1-mini", "OPENAI_BASE_URL", "https://api.openai.com/v1/ ", True),
        ("openai", "gpt-4.1-mini", "OPENAI_BASE_URL", "", True),
        ("openai", "gpt-4.1-mini", "OPENAI_BASE_URL", "https://eu.api.openai.com/v1", False),
        ("openai", "gpt-4.1-mini", "ANTHROPIC_BASE_URL", "https://gateway", True),
        ("anthropic", "claude-sonnet-5", "ANTHROPIC_BASE_URL", "https://gateway", False),
        ("anthropic", "claude-sonnet-5", "ANTHROPIC_BASE_URL", "https://api.anthropic.com/v1", True),
        ("litellm", "openai/gpt-4.1-mini", "OPENAI_BASE_URL", "https://gateway", False),
        ("litellm", "openai/gpt-4.1-mini", "OPENAI_API_BASE", "https://gateway", False),
        ("litellm", "openai/gpt-4.1-mini", "OPENAI_API_BASE", "https://api.openai.com/v1", True),
        ("litellm", "openai/gpt-4.1-mini", "MISTRAL_API_BASE", "https://gateway", True),
        ("litellm", "mistral/mistral-large-latest", "MISTRAL_API_BASE", "https://gateway", False),
        ("litellm", "anthropic/claude-sonnet-5", "ANTHROPIC_API_BASE", "https://gateway", False),
        ("litellm", "gpt-4.1-mini", "OPENAI_BASE_URL", "https://gateway", False),
        ("litellm", "gpt-4.1-mini", "OPENAI_BASE_URL", "", True),
    ],
)
def test_the_price_is_unknown_at_a_gateway_that_the_environment_names(
    provider: str, model: str, variable: str, address: str, is_known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, address)
    assert (find_price(ModelSpec(provider=provider, model=model)) is not None) is is_known


def test_cached_written_and_reasoning_tokens_have_their_own_prices() -> None:
    usage = Usage(
        calls=1,
        input_tokens=1000,
        cached_tokens=600,
        cache_written_tokens=300,
        output_tokens=50,
        reasoning_tokens=20,
        cost=None,
    )
    plain = Price(input=1.0, output=10.0)
    assert plain.cost(usage) == pytest.approx(1000 + 500)
    split = Price(input=1.0, output=10.0, cached=0.1, cache_written=1.25, reasoning=30.0)
    assert split.cost(usage) == pytest.approx(100 * 1 + 600 * 0.1 + 300 * 1.25 + 30 * 10 + 20 * 30)
    assert split.cost_at_most(1000, 50) == pytest.approx(1250 + 1500)


def test_long_requests_have_the_price_of_their_tier() -> None:
    entry = {"provider": "gemini", "input": 1.25, "output": 10.0, "cached": 0.1}
    tiers = [{**entry, "above": 200_000, "input": 2.5, "output": 15.0}, {**entry, "above": 500_000, "input": 4.0}]
    table = PriceTable("test", "", {"m": {**entry, "longer": tiers}})
    price = table.price(ModelSpec(provider="litellm", model="gemini/m"))
    assert price
    for tokens, rate in ((200_000, 1.25), (200_001, 2.5), (500_001, 4.0)):
        assert price.cost(Usage(calls=1, input_tokens=tokens, cost=None)) == pytest.approx(tokens * rate / 1e6)
    assert price.cost_at_most(300_000, 0) == pytest.approx(300_000 * 2.5 / 1e6)


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"input_cost_per_token": 1e-6},
        {"input_cost_per_token": 0.0, "output_cost_per_token": 0.0},
        {"input_cost_per_token": "1e-6", "output_cost_per_token": "1e-6"},
    ],
)
def test_an_entry_without_prices_is_an_unknown_price_and_not_a_free_model(raw: dict[str, Any]) -> None:
    assert prices._read_entry(raw) is None


def test_the_table_of_the_package_is_refreshed_from_litellms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prices, "PACKAGE_TABLE", tmp_path / "prices.json")
    written = refresh_table()
    assert PriceTable(**json.loads((tmp_path / "prices.json").read_text())) == written
    assert len(written.models) >= 50
    assert "gpt-4.1-mini" in written.models


def test_a_refresh_that_cannot_work_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prices, "PACKAGE_TABLE", tmp_path / "missing" / "prices.json")
    with pytest.raises(ConfigError, match="cannot be written: No such file"):
        refresh_table()
    monkeypatch.setattr(prices, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match="pip install litellm"):
        refresh_table()
