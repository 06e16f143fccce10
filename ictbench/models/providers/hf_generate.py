"""Text generation with weights in memory: one thread computes the waiting requests in batches."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections import OrderedDict, deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ictbench.errors import EndpointRefusedError, ModelFailure
from ictbench.models.chat_model import Completion
from ictbench.models.providers.chat_template import hidden_tokens, render_chat
from ictbench.records import Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models.chat_model import Message
    from ictbench.records import ModelSpec

CACHED_REPLIES = 1000
"""Replies at temperature 0 that are kept, because computing them again would give the same."""
TINY = 1e-20
"""Replaces a uniform random number of 0, which has no logarithm."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request that waits for its reply."""

    spec: ModelSpec
    ids: tuple[int, ...]
    """Tokens of the conversation."""
    max_tokens: int
    """Maximum length of the reply: the spec's limit, or what is left of the context."""
    seed: int | None
    cached: bool = True
    """Whether a reply that is kept from before will do."""
    reply: Future[Completion] = field(default_factory=Future)

    @property
    def temperature(self) -> float:
        """The spec's temperature; 1 if it has none, which samples from the model's own distribution."""
        return 1.0 if self.spec.temperature is None else self.spec.temperature

    @property
    def greedy_key(self) -> tuple[tuple[int, ...], int]:
        """Everything that determines the reply at temperature 0."""
        return self.ids, self.max_tokens


class Weights:
    """A model and its tokenizer in memory, with the queue of requests to them."""

    def __init__(self, model: Any, tokenizer: Any, version: str) -> None:
        self._model, self._tokenizer, self.version = model, tokenizer, version
        self._padding = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
        self._end_tokens = _end_tokens(model, tokenizer)
        self._hidden_tokens = hidden_tokens(tokenizer)
        self._queue: deque[Request] = deque()
        self._queue_lock = threading.Lock()
        # A reflector that is shown no trajectories asks the same question again and again.
        self._greedy_replies: OrderedDict[tuple[tuple[int, ...], int], Completion] = OrderedDict()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hf-model")

    async def complete(
        self, spec: ModelSpec, messages: Sequence[Message], seed: int | None, batch: int, *, cached: bool = True
    ) -> Completion:
        """Generate a reply outside the event loop, up to `batch` replies at once.

        Args:
            spec: Name and sampling.
            messages: The conversation.
            seed: Seed of the sampling.
            batch: Maximum number of replies that are computed at once.
            cached: Whether a reply at temperature 0 may be one that is kept from before.

        Raises:
            ModelFailure: bad_request or context_overflow.
            EndpointRefusedError: Memory is insufficient.
        """
        request = self._request(spec, messages, seed, cached=cached)
        with self._queue_lock:
            self._queue.append(request)
        self._thread.submit(self._serve, batch)
        return await asyncio.wrap_future(request.reply)

    def _request(self, spec: ModelSpec, messages: Sequence[Message], seed: int | None, *, cached: bool) -> Request:
        import jinja2

        try:
            text = render_chat(self._tokenizer, messages)
        except jinja2.TemplateError as error:
            raise ModelFailure("bad_request", f"the model's chat template: {error}") from error
        ids = self._tokenizer(text)["input_ids"]
        left = getattr(self._model.config, "max_position_embeddings", len(ids) + spec.max_tokens) - len(ids)
        if left < 1:
            raise ModelFailure("context_overflow", f"{len(ids)} tokens are more than the model's context")
        return Request(spec, tuple(ids), min(left, spec.max_tokens), seed, cached)

    def _serve(self, batch: int) -> None:
        """Answer the request that has waited longest, and others in the same batch."""
        requests = self._next_batch(batch)
        if not requests:
            return
        try:
            replies = self._generate(requests)
            for request, reply in zip(requests, replies, strict=True):
                self._answer(request, reply)
        except Exception as error:
            for request in requests:
                if not request.reply.done():
                    request.reply.set_exception(error)

    def _next_batch(self, batch: int) -> list[Request]:
        """Take up to `batch` requests from the queue; drop cancelled ones, and answer those whose reply is cached."""
        chosen: list[Request] = []
        rest: deque[Request] = deque()
        with self._queue_lock:
            for request in self._queue:
                fits = len(chosen) < batch and (not chosen or request.max_tokens == chosen[0].max_tokens)
                may_repeat = request.cached and not request.temperature
                cached = self._greedy_replies.get(request.greedy_key) if may_repeat else None
                if not fits and not cached:
                    rest.append(request)
                elif not request.reply.set_running_or_notify_cancel():
                    continue
                elif cached:
                    request.reply.set_result(cached)
                else:
                    chosen.append(request)
            self._queue = rest
        return chosen

    def _generate(self, requests: Sequence[Request]) -> list[list[int]]:
        """Return the tokens of each reply, up to its end token."""
        import torch
        from transformers import GenerationConfig, LogitsProcessorList

        longest = max(len(request.ids) for request in requests)
        paddings = [longest - len(request.ids) for request in requests]
        ids = [[self._padding] * padding + [*request.ids] for padding, request in zip(paddings, requests, strict=True)]
        mask = [[0] * padding + [1] * (longest - padding) for padding in paddings]
        config = GenerationConfig(
            max_new_tokens=requests[0].max_tokens,
            # Sampling is done by GumbelNoise, so that no request depends on the others in its batch.
            do_sample=False,
            # Whatever the model's own settings say: training samples without a penalty.
            repetition_penalty=1.0,
            eos_token_id=self._end_tokens,
            pad_token_id=self._padding,
        )
        try:
            with torch.inference_mode():
                output = self._model.generate(
                    input_ids=torch.tensor(ids, device=self._model.device),
                    attention_mask=torch.tensor(mask, device=self._model.device),
                    generation_config=config,
                    logits_processor=LogitsProcessorList([GumbelNoise(requests, self._model.device)]),
                )
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise EndpointRefusedError(
                f"{requests[0].spec.name}: not enough memory for {len(ids)} x {longest} tokens; use a smaller "
                "model, dtype=bfloat16, a smaller batch, or --reflector-experience events"
            ) from error
        return [cut_after_end_token(reply, self._end_tokens) for reply in output[:, longest:].tolist()]

    def _answer(self, request: Request, tokens: list[int]) -> None:
        usage = Usage(calls=1, input_tokens=len(request.ids), output_tokens=len(tokens), cost=None)
        text = self._tokenizer.decode([token for token in tokens if token not in self._hidden_tokens])
        ended = bool(tokens) and tokens[-1] in self._end_tokens
        completion = Completion(text, usage, "stop" if ended else "length")
        if not request.temperature:
            self._greedy_replies[request.greedy_key] = completion
            if len(self._greedy_replies) > CACHED_REPLIES:
                self._greedy_replies.popitem(last=False)
        request.reply.set_result(completion)


class GumbelNoise:
    """Logits processor for sampling: the most likely token after Gumbel noise is a sample (Gumbel 1954; Maddison 2014).

    Each row of the batch has its own random generator, so a request's seed determines its reply, whatever else is in
    the batch.
    """

    def __init__(self, requests: Sequence[Request], device: Any) -> None:
        """Seed the generators; row i of the batch belongs to request i."""
        import torch

        self._rows = [
            (row, request.temperature, torch.Generator(device))
            for row, request in enumerate(requests)
            if request.temperature
        ]
        for row, _, generator in self._rows:
            seed = requests[row].seed
            generator.manual_seed(secrets.randbits(63) if seed is None else seed)

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Return the next token's scores (batch × vocabulary), divided by the temperature, with noise."""
        import torch

        scores = scores.clone()
        for row, temperature, generator in self._rows:
            uniform = torch.rand(scores.shape[1:], generator=generator, device=scores.device)
            scores[row] = scores[row] / temperature - (-uniform.clamp_min(TINY).log()).log()
        return scores


def cut_after_end_token(tokens: list[int], end_tokens: list[int]) -> list[int]:
    """Return the tokens up to the first end token, including it."""
    return next((tokens[: position + 1] for position, token in enumerate(tokens) if token in end_tokens), tokens)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether the GPU's or the machine's memory was insufficient."""
    import torch

    message = str(error).casefold()
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and ("not enough memory" in message or "allocate memory" in message)
    )


def _end_tokens(model: Any, tokenizer: Any) -> list[int]:
    declared = model.generation_config.eos_token_id
    tokens = declared if isinstance(declared, list) else [declared]
    return sorted({token for token in [*tokens, tokenizer.eos_token_id] if token is not None})
