"""Addresses of models behind an API: the spec's, else the environment's, else the provider's own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ictbench.records import ModelSpec


@dataclass(frozen=True, slots=True)
class Api:
    """Address of a provider's API."""

    own: str
    """The provider's own base URL."""
    variable: str
    """Variable of the environment with another base URL."""

    def base_url(self, spec: ModelSpec) -> str:
        """Return the base URL of a model."""
        return (spec.base_url or os.environ.get(self.variable) or self.own).strip()

    def is_own(self, base_url: str) -> bool:
        """Return whether a base URL, with or without its version, is the provider's own."""
        return _without_version(base_url) == _without_version(self.own)


APIS = {
    "openai": Api("https://api.openai.com/v1", "OPENAI_BASE_URL"),
    "anthropic": Api("https://api.anthropic.com", "ANTHROPIC_BASE_URL"),
}
"""By name of the provider."""
LITELLM_SUFFIXES = ("_API_BASE", "_BASE_URL")
"""Ends of the variables in which litellm looks for the base URL of a provider, e.g. MISTRAL_API_BASE."""
WITHOUT_OWN_ADDRESS = ("azure", "azure_ai")
"""litellm's providers that have no common address: the variable with the address is required."""


def is_own_address(spec: ModelSpec, litellm_providers: tuple[str, ...] = ()) -> bool:
    """Return whether requests go to the provider itself, and not to a gateway or a server of the user's own.

    Args:
        spec: The model.
        litellm_providers: Providers that may serve a `litellm/…` model that names none.
    """
    if api := APIS.get(spec.provider):
        return api.is_own(api.base_url(spec))
    if spec.provider != "litellm" or spec.base_url is not None:
        return False
    named, has_name, _ = spec.model.partition("/")
    providers = (named,) if has_name else litellm_providers
    return not any(_litellm_variables(provider) for provider in providers if provider not in WITHOUT_OWN_ADDRESS)


def _litellm_variables(provider: str) -> list[str]:
    """Return the variables of the environment that give litellm another address for a provider."""
    prefix = f"{provider.upper().replace('-', '_')}_"
    return [
        name
        for name, value in os.environ.items()
        if value.strip()
        and name.startswith(prefix)
        and name.endswith(LITELLM_SUFFIXES)
        and not (provider in APIS and APIS[provider].is_own(value))
    ]


def _without_version(base_url: str) -> str:
    return base_url.strip().rstrip("/").removesuffix("/v1")
