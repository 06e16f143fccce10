"""The open models of one process: one instance per spec, all with the same limits and cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.models.client import ModelClient, Retry
from ictbench.models.model_options import check_sampling
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
            check_sampling(spec, adapter.unsupported)
            self._models[key] = ModelClient(
                adapter, self._meter, retry=self._retry, cache=self._cache, price=find_price(spec)
            )
        return self._models[key]

    async def aclose(self) -> None:
        """Close all models."""
        for model in self._models.values():
            await model.aclose()
        self._models.clear()
