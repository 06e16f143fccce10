"""A model with response cache, limits, retries and prices around it."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from ictbench.errors import EndpointRefusedError, ModelFailure, ModelUnavailableError, TransientModelError
from ictbench.models.adaptation import adapt_messages
from ictbench.models.chat_model import ChatModel, Completion, Embeddings
from ictbench.models.dropped_messages import DroppedMessages
from ictbench.models.embeddings import embedding_model, no_vectors
from ictbench.models.prices import find_price
from ictbench.models.replies import finish_reply
from ictbench.models.single_refusals import judge_refusal
from ictbench.models.token_counts import input_tokens_at_most, plausible
from ictbench.records import UNREPORTED, Usage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from ictbench.models.chat_model import Constraint, Message
    from ictbench.models.prices import Price
    from ictbench.models.response_cache import ResponseCache
    from ictbench.models.usage_meter import RequestGate

Answer = TypeVar("Answer", Completion, Embeddings)

CHARACTERS_PER_TOKEN = 4
"""A rough estimate, used only to spread requests under --tokens-per-minute."""
UNANSWERED = Usage(unreported=1, cost=None)
"""One request without an answer, which may have been billed all the same."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Retry policy: exponential backoff with jitter; Retry-After is honoured."""

    attempts: int = 5
    base_wait: float = 1.0
    """Seconds to wait after the first failure, ± 50 %; doubled after each further one."""
    max_wait: float = 60.0
    """Seconds of waiting for one request, all waits together."""

    def wait(self, failures: int, retry_after: float | None, waited: float) -> float | None:
        """Return the seconds to wait before the next attempt; None to give up.

        Args:
            failures: Failed attempts so far.
            retry_after: Seconds that the server asked to wait, if it did.
            waited: Seconds waited so far.
        """
        wait = self.base_wait * 2 ** (failures - 1) * random.uniform(0.5, 1.5) if retry_after is None else retry_after
        left = self.max_wait - waited
        if failures >= self.attempts or wait > left:
            return None
        # A server may send many clients the same Retry-After: jitter spreads their next attempts.
        return min(wait * random.uniform(1.0, 1.1), left)


class Call(Protocol):
    """Method of an adapter that makes one request."""

    async def __call__(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        """See `ChatModel.complete`."""


class ModelClient(ChatModel):
    """A provider's model with cache, limits, retries and prices around it."""

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
        self.unsupported = adapter.unsupported
        self.supports_prefill = adapter.supports_prefill
        self.adapter = adapter
        self._meter = meter
        self._retry = retry or Retry()
        self._cache = cache
        self._price = price
        self._dropped = DroppedMessages()
        self._fingerprint: str | None = None

    async def complete(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        """Return the cached completion, or call the provider with limits and retries.

        Raises:
            ModelFailure: The model caused the failure.
            ModelUnavailableError: No usable reply after all retries.
            EndpointRefusedError: No request to this endpoint can succeed.
            LimitReachedError: A limit of the whole run is reached.
        """
        key = self._cache.key(self, messages, seed, constraint) if self._cache else None
        if self._cache and key and (cached := self._cache.get(key)):
            return finish_reply(cached, self.spec)
        try:
            completion = await self._complete(self.adapter.complete, messages, seed, constraint)
        except EndpointRefusedError as error:
            raise await judge_refusal(error, self.complete_uncached) from error
        if self._cache and key:
            self._cache.put(key, completion)
        return completion

    async def complete_uncached(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        """Call the provider with limits and retries, bypassing all caches; raises what `complete` raises."""
        return await self._complete(self.adapter.complete_uncached, messages, seed, constraint)

    async def _complete(
        self, call: Call, messages: Sequence[Message], seed: int | None, constraint: Constraint | None
    ) -> Completion:
        """Call the provider with limits and retries."""
        messages = adapt_messages(messages, self.spec.adaptation)
        seed = None if "seed" in self.spec.adaptation.omit else seed

        characters = sum(len(message["content"]) for message in messages)

        async def request() -> Completion:
            completion = finish_reply(await call(messages, seed=seed, constraint=constraint), self.spec)
            usage = plausible(completion.usage, characters, at_most)
            if usage is not completion.usage:
                completion = replace(completion, usage=usage)
            self._dropped.check(self.adapter.fingerprint, messages, completion.usage)
            return completion

        def at_most() -> tuple[int, int]:
            return input_tokens_at_most(messages, constraint), self.spec.max_tokens

        priced = partial(_priced, price=self._price, tokens_at_most=at_most)
        tokens = characters // CHARACTERS_PER_TOKEN + self.spec.max_tokens
        return await self._with_retries(request, tokens, priced)

    @property
    def embeds(self) -> bool:
        """See `ChatModel.embeds`."""
        return self.adapter.embeds

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """Request embeddings with limits and retries, at the price of the model that makes them.

        Raises:
            ModelFailure: The model caused the failure.
            ModelUnavailableError: No reply after all retries.
            EndpointDownError: The endpoint refuses, or its vectors cannot be used after all retries. The run must stop:
                a probe of completions would not show that embeddings fail.
            LimitReachedError: A limit of the whole run is reached.
        """
        price = find_price(self.spec.model_copy(update={"model": embedding_model(self.spec)}))
        size = sum(len(text.encode(errors="replace")) for text in texts)
        priced = partial(_priced, price=price, tokens_at_most=lambda: (size, 0))
        request = partial(self.adapter.embed, texts)
        try:
            return await self._with_retries(request, size // CHARACTERS_PER_TOKEN, priced)
        except EndpointRefusedError as error:
            # The words alone: a hint at the model's name would be about the one that completes.
            raise no_vectors(self, error.words or str(error)) from error
        except ModelUnavailableError as error:
            cause = error.__cause__
            if isinstance(cause, TransientModelError) and cause.kind == "malformed":
                raise no_vectors(self, str(cause)) from error
            raise

    async def _with_retries(
        self, request: Callable[[], Awaitable[Answer]], tokens: int, priced: Callable[[Usage], Usage]
    ) -> Answer:
        """Make a request until it is answered, within the limits of the run.

        Args:
            request: Makes one attempt.
            tokens: Estimated tokens of an attempt.
            priced: Returns a usage with its cost.
        """
        failures, waited = 0, 0.0
        while True:
            try:
                async with self._meter.request(tokens, lambda: priced(UNANSWERED)):
                    return await self._attempt(request, priced)
            except TransientModelError as error:
                failures += 1
                reason = f"{self.spec.name}: {error}"
                wait = self._retry.wait(failures, error.retry_after, waited)
                if wait is None:
                    attempts = f"{failures} attempts" if failures > 1 else "1 attempt"
                    raise ModelUnavailableError(f"{reason} ({attempts}, {waited:.0f} s of waiting)") from error
            await self._meter.wait(wait, reason)
            waited += wait

    @property
    def is_remote(self) -> bool:
        """See `ChatModel.is_remote`."""
        return self.adapter.is_remote

    @property
    def fingerprint(self) -> str | None:
        """The fingerprint last reported by a worker that uses the same model, else the provider's."""
        return self._fingerprint or self.adapter.fingerprint

    def set_fingerprint(self, fingerprint: str) -> None:
        """Store the fingerprint that a worker reports."""
        self._fingerprint = fingerprint

    @property
    def known_fingerprint(self) -> str | None:
        """See `ChatModel.known_fingerprint`."""
        return self.adapter.known_fingerprint

    @property
    def address(self) -> str:
        """See `ChatModel.address`."""
        return self.adapter.address

    async def aclose(self) -> None:
        """Close the provider's model."""
        await self.adapter.aclose()

    async def _attempt(self, request: Callable[[], Awaitable[Answer]], priced: Callable[[Usage], Usage]) -> Answer:
        """Call the provider once, and count what the attempt cost or may have cost."""

        def count(usage: Usage, unreported_by: str = "") -> Usage:
            counted = priced(usage)
            self._meter.count(counted, unreported_by)
            return counted

        try:
            answer = await request()
        except ModelFailure as failure:
            # A request that is rejected as invalid is not billed; of other failures that is not known.
            failure.usage = count(failure.usage or (Usage(calls=1) if failure.kind == "bad_request" else UNREPORTED))
            raise
        except TransientModelError as error:
            if error.may_be_billed:
                count(UNANSWERED)
            raise
        except asyncio.CancelledError:
            count(UNANSWERED)
            raise
        usage = answer.usage
        counted = count(usage, self.spec.name if usage.unreported else "")
        return answer if counted is usage else replace(answer, usage=counted)


def _priced(usage: Usage, *, price: Price | None, tokens_at_most: Callable[[], tuple[int, int]]) -> Usage:
    """Return a usage with its cost, from the price if the provider reports none; bounds if it is unknown.

    Args:
        usage: The usage.
        price: Price of the model; None if it is unknown.
        tokens_at_most: Returns an upper estimate of input and output tokens.
    """
    update: dict[str, float | None] = {}
    if price is None and usage.cost is None and not usage.unreported:
        return usage
    if not usage.cost:
        update["cost"] = price.cost(usage) if price and not usage.unreported else None
    if usage.unreported:
        tokens = tokens_at_most()
        update["unreported_tokens"] = sum(tokens)
        update["cost_at_most"] = price.cost_at_most(*tokens) if price and not usage.cost else None
    return usage.model_copy(update=update)
