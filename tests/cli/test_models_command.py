from __future__ import annotations

import json
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from ictbench.cli.app import app
from ictbench.models import prices
from ictbench.models.prices import price_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _fresh_table() -> Iterator[None]:
    price_table.cache_clear()
    yield
    price_table.cache_clear()


def test_prices_are_listed_with_their_source_and_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prices, "find_spec", lambda name: None if name == "litellm" else find_spec(name))
    result = CliRunner().invoke(app, ["models", "prices", "gpt-4.1-mini"])
    assert result.exit_code == 0
    row = next(line for line in result.output.splitlines() if line.startswith("gpt-4.1-mini "))
    assert row.split() == ["gpt-4.1-mini", "0.4", "1.6", "0.1"]
    assert f"from the package's table of {price_table().date} (litellm " in result.output


def test_litellms_table_takes_precedence() -> None:
    result = CliRunner().invoke(app, ["models", "prices", "gemini-2.5-pro"])
    assert "200,000" in result.output, "the price of long requests"
    assert "from the table of litellm " in result.output


def test_a_refresh_writes_the_table_of_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prices, "PACKAGE_TABLE", tmp_path / "prices.json")
    result = CliRunner().invoke(app, ["models", "prices", "gpt-4.1-mini", "--refresh"])
    written = json.loads((tmp_path / "prices.json").read_text())["models"]
    assert f"{len(written)} prices are written to {tmp_path / 'prices.json'}" in result.output.replace("\n", "")
