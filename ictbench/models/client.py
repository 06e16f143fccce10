"""What every model gets around its adapter: cache, limits, retries, prices."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ictbench.errors import ModelFailure, ModelUnavailableError, TransientModelError
from ictbench.models.chat_model import ChatModel, Completion
from ictbench.records import Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models.chat_model import Constraint, Message
    from ictbench.models.prices import Price
    from ictbench.models.response_cache import ResponseCache
    from ictbench.models.usage_meter import RequestGate

CHARACTERS_PER_TOKEN = 4
"""Rough, and only used to spread requests under --tokens-per-minute."""


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and how patiently a request is tried: exponential backoff with jitter, Retry-After honoured."""

    tries: int = 5
    base: float = 1.0
    """Seconds to wait after the first try, give or take a half; doubled after each further one."""
    longest: float = 60.0
    """Seconds of waiting between tries, all together."""

    def wait(self, failed: int, asked: float | None, waited: float) -> float | None:
        """Seconds to wait after the `failed`-th try, or None to give up.

        Args:
            failed: tries so far, all failed.
            asked: seconds the server asked to wait, if it did.
            waited: seconds waited so far.
        """
        wait = self.base * 2 ** (failed - 1) * random.uniform(0.5, 1.5) if asked is None else asked
        left = self.longest - waited
        if failed >= self.tries or wait > left:
            return None
        # Many requests are told the same second to come back: spread them a little.
        return min(wait * random.uniform(1.0, 1.1), left)


class ModelClient(ChatModel):
    """An adapter with everything around it. `complete` raises `ModelUnavailableError` only after all retries."""

    def __init__(
        self,
        adapter: ChatModel,
        meter: RequestGate,
        *,
        retry: Retry | None = None,
        cache: ResponseCache | None = None,
        price: Price | None = None,
    ) -> None:
        super().__init__(adapter.spec)
        self.capabilities = adapter.capabilities
        self.supports_prefill = adapter.supports_prefill
        self.adapter = adapter
        self._meter = meter
        self._retry = retry or Retry()
        self._cache = cache
        self._price = price
        self._fingerprint: str | None = None

    async def complete(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        """Answer from the cache, or from the adapter within limits and after as many tries as help.

        Raises:
            ModelFailure: the model caused it.
            ModelUnavailableError: nothing usable came back, after all retries.
            EndpointRefusedError: no request would fare better.
            LimitReachedError: a limit of the whole run is reached.
        """
        key = self._cache.key(self, messages, seed, constraint) if self._cache else None
        if self._cache and key and (cached := self._cache.get(key)):
            return cached
        completion = await self.complete_uncached(messages, seed=seed, constraint=constraint)
        if self._cache and key:
            self._cache.put(key, completion)
        return completion

    async def complete_uncached(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        """As `complete`, past the cache."""
        tokens = sum(len(message["content"]) for message in messages) // CHARACTERS_PER_TOKEN + self.spec.max_tokens
        failed, waited = 0, 0.0
        while True:
            try:
                async with self._meter.request(tokens):
                    completion = await self.adapter.complete(messages, seed=seed, constraint=constraint)
                return replace(completion, usage=self._count(completion.usage))
            except ModelFailure as failure:
                failure.usage = self._count(failure.usage or Usage(calls=1))
                raise
            except TransientModelError as trouble:
                failed += 1
                why = f"{self.spec.name}: {trouble}"
                wait = self._retry.wait(failed, trouble.retry_after, waited)
                if wait is None:
                    tries = f"{failed} tries" if failed > 1 else "1 try"
                    detail = f"{self.spec.name}: {trouble} ({tries}, {waited:.0f} s of waiting)"
                    raise ModelUnavailableError(detail) from trouble
            await self._meter.wait(wait, why)
            waited += wait

    @property
    def is_remote(self) -> bool:
        """The adapter's."""
        return self.adapter.is_remote

    @property
    def fingerprint(self) -> str | None:
        """What was last seen, here or by a worker that opened the same model."""
        return self._fingerprint or self.adapter.fingerprint

    def set_fingerprint(self, fingerprint: str) -> None:
        """Note the fingerprint that a worker saw."""
        self._fingerprint = fingerprint

    @property
    def known_fingerprint(self) -> str | None:
        """The adapter's."""
        return self.adapter.known_fingerprint

    @property
    def address(self) -> str:
        """The adapter's."""
        return self.adapter.address

    async def aclose(self) -> None:
        """Close the adapter."""
        await self.adapter.aclose()

    def _count(self, usage: Usage) -> Usage:
        """The usage with its price, where that is known and the provider did not say."""
        cost = usage.cost
        if cost is None or not cost:
            cost = self._price.of(usage) if self._price else None
        priced = usage.model_copy(update={"cost": cost})
        self._meter.count(priced)
        return priced
