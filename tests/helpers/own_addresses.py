"""Test servers in place of a provider's own API, so that its prices apply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.models import addresses

if TYPE_CHECKING:
    import pytest


def serve_as(provider: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a provider's own address be that of a test server, in this process."""
    api = addresses.APIS[provider]
    monkeypatch.setenv(api.variable, url)
    monkeypatch.setitem(addresses.APIS, provider, addresses.Api(url, api.variable))
