"""The open models of one process: one instance per spec, all with the same limits and cache."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ictbench.errors import EndpointRefusedError, ModelFailure
from ictbench.models.client import ModelClient, Retry
from ictbench.models.prices import find_price
from ictbench.models.providers.custom import open_model
from ictbench.models.usage_meter import UsageMeter
from ictbench.plugins import resolve

if TYPE_CHECKING:
    from ictbench.models.response_cache import ResponseCache
    from ictbench.models.usage_meter import RequestGate
    from ictbench.records import ModelSpec


class ModelPool:
    """Opens models from their specs. Use it from one event loop, and close it at the end."""

    def __init__(
        self, meter: RequestGate | None = None, cache: ResponseCache | None = None, retry: Retry | None = None
    ) -> None:
        self._meter = meter or UsageMeter()
        self._cache = cache
        self._retry = retry
        self._models: dict[str, ModelClient] = {}

    def open(self, spec: ModelSpec) -> ModelClient:
        """Return the model of a spec, always the same instance.

        Raises:
            UnknownNameError: The provider does not exist.
            UsageError: The spec cannot work, e.g. an API key is missing.
        """
        key = spec.model_dump_json()
        if key not in self._models:
            adapter = open_model(resolve("model", spec.provider), spec)
            self._models[key] = ModelClient(
                adapter, self._meter, retry=self._retry, cache=self._cache, price=find_price(spec)
            )
        return self._models[key]

    async def check(self) -> None:
        """Request one uncached completion from every open model, to check that it answers.

        Raises:
            EndpointRefusedError: An endpoint refuses the key, the model or the request.
            ModelUnavailableError: An endpoint does not answer.
            LimitReachedError: A limit of the whole run is reached.
        """
        await asyncio.gather(*map(_check, self._models.values()))

    async def aclose(self) -> None:
        """Close all models."""
        for model in self._models.values():
            await model.aclose()
        self._models.clear()


async def _check(model: ModelClient) -> None:
    try:
        await model.complete_uncached([{"role": "user", "content": "Reply with the word OK."}])
    except ModelFailure as failure:
        if failure.kind == "bad_request":
            raise EndpointRefusedError(f"{model.spec.name} rejects our requests: {failure}") from failure
