"""Weights in memory, and the thread that computes with them: requests that wait are answered side by side."""

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
from ictbench.models.providers.chat_template import render_chat
from ictbench.records import Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models.chat_model import Message
    from ictbench.records import ModelSpec

REMEMBERED = 1000
"""Replies at temperature 0 that are kept, to be given again to the same question."""
TINY = 1e-20
"""Stands for a uniform number that came out as 0, whose logarithm there is not."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked, until it is answered."""

    spec: ModelSpec
    ids: tuple[int, ...]
    most: int
    """Tokens that the reply may have: what the spec says, or what the context has room for."""
    seed: int | None
    answer: Future[Completion] = field(default_factory=Future)

    @property
    def temperature(self) -> float:
        """Its temperature; models that say none sample from what they are trained to."""
        return 1.0 if self.spec.temperature is None else self.spec.temperature

    @property
    def asked(self) -> tuple[tuple[int, ...], int]:
        """What decides a reply at temperature 0."""
        return self.ids, self.most


class Weights:
    """A model and its tokenizer in memory."""

    def __init__(self, model: Any, tokenizer: Any, version: str) -> None:
        self._model, self._tokenizer, self.version = model, tokenizer, version
        self._padding = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
        self._ends = _end_tokens(model, tokenizer)
        self._waiting: deque[Request] = deque()
        self._guard = threading.Lock()
        # Temperature 0 repeats exactly; a reflector that is shown nothing asks the same again and again.
        self._greedy: OrderedDict[tuple[tuple[int, ...], int], Completion] = OrderedDict()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hf-model")

    async def complete(self, spec: ModelSpec, messages: Sequence[Message], seed: int | None, batch: int) -> Completion:
        """A reply, computed off the event loop, up to `batch` of them side by side.

        Raises:
            ModelFailure: bad_request, context_overflow or empty.
            EndpointRefusedError: memory does not suffice.
        """
        request = self._request(spec, messages, seed)
        with self._guard:
            self._waiting.append(request)
        self._thread.submit(self._serve, batch)
        return await asyncio.wrap_future(request.answer)

    def _request(self, spec: ModelSpec, messages: Sequence[Message], seed: int | None) -> Request:
        import jinja2

        try:
            text = render_chat(self._tokenizer, messages)
        except jinja2.TemplateError as error:
            raise ModelFailure("bad_request", f"its chat template: {error}") from error
        ids = self._tokenizer(text)["input_ids"]
        room = getattr(self._model.config, "max_position_embeddings", len(ids) + spec.max_tokens) - len(ids)
        if room < 1:
            raise ModelFailure("context_overflow", f"{len(ids)} tokens are more than it can read")
        return Request(spec, tuple(ids), min(room, spec.max_tokens), seed)

    def _serve(self, batch: int) -> None:
        """Answer the request that has waited longest, and others with it."""
        requests = self._next(batch)
        if not requests:
            return
        try:
            said = self._generate(requests)
            for request, reply in zip(requests, said, strict=True):
                self._answer(request, reply)
        except Exception as error:
            for request in requests:
                if not request.answer.done():
                    request.answer.set_exception(error)

    def _next(self, batch: int) -> list[Request]:
        """Some that wait, not those that were cancelled; what is known already is answered on the way."""
        chosen: list[Request] = []
        rest: deque[Request] = deque()
        with self._guard:
            for request in self._waiting:
                fits = len(chosen) < batch and (not chosen or request.most == chosen[0].most)
                known = None if request.temperature else self._greedy.get(request.asked)
                if not fits and not known:
                    rest.append(request)
                elif not request.answer.set_running_or_notify_cancel():
                    continue
                elif known:
                    request.answer.set_result(known)
                else:
                    chosen.append(request)
            self._waiting = rest
        return chosen

    def _generate(self, requests: Sequence[Request]) -> list[list[int]]:
        """Their replies as tokens, each up to the one that ends it."""
        import torch
        from transformers import GenerationConfig, LogitsProcessorList

        longest = max(len(request.ids) for request in requests)
        before = [longest - len(request.ids) for request in requests]
        ids = [[self._padding] * pad + [*request.ids] for pad, request in zip(before, requests, strict=True)]
        mask = [[0] * pad + [1] * (longest - pad) for pad in before]
        # Chosen is always what is likeliest, once each request's own noise is added: none depends on its neighbours.
        config = GenerationConfig(
            max_new_tokens=requests[0].most,
            do_sample=False,
            # Training has none, whatever the model's own settings say.
            repetition_penalty=1.0,
            eos_token_id=self._ends,
            pad_token_id=self._padding,
        )
        try:
            with torch.inference_mode():
                found = self._model.generate(
                    input_ids=torch.tensor(ids, device=self._model.device),
                    attention_mask=torch.tensor(mask, device=self._model.device),
                    generation_config=config,
                    logits_processor=LogitsProcessorList([GumbelNoise(requests, self._model.device)]),
                )
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise EndpointRefusedError(
                f"{requests[0].spec.name}: memory does not suffice for {len(ids)} x {longest} tokens; use a smaller "
                "model, dtype=bfloat16, a smaller batch, or --reflector-experience events"
            ) from error
        return [cut_after_end_token(reply, self._ends) for reply in found[:, longest:].tolist()]

    def _answer(self, request: Request, said: list[int]) -> None:
        usage = Usage(calls=1, input_tokens=len(request.ids), output_tokens=len(said), cost=None)
        text = self._tokenizer.decode(said, skip_special_tokens=True)
        ended = bool(said) and said[-1] in self._ends
        if ended and not text.strip():
            request.answer.set_exception(ModelFailure("empty", usage=usage))
            return
        completion = Completion(text, usage, "stop" if ended else "length")
        if not request.temperature:
            self._greedy[request.asked] = completion
            if len(self._greedy) > REMEMBERED:
                self._greedy.popitem(last=False)
        request.answer.set_result(completion)


class GumbelNoise:
    """Gumbel noise on the logits: the likeliest token with it is a sample without it (Gumbel 1954; Maddison 2014).

    Each row has a generator of its own, so its seed decides its reply, whoever is answered beside it.
    """

    def __init__(self, requests: Sequence[Request], device: Any) -> None:
        """Take whom the rows belong to."""
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
        """The scores of the next token, rows × vocabulary, with the noise."""
        import torch

        scores = scores.clone()
        for row, temperature, generator in self._rows:
            uniform = torch.rand(scores.shape[1:], generator=generator, device=scores.device)
            scores[row] = scores[row] / temperature - (-uniform.clamp_min(TINY).log()).log()
        return scores


def cut_after_end_token(reply: list[int], ends: list[int]) -> list[int]:
    """Up to the first token that ends it, that token included."""
    return next((reply[: place + 1] for place, token in enumerate(reply) if token in ends), reply)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory, of a GPU or of the machine, did not suffice."""
    import torch

    said = str(error).casefold()
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and ("not enough memory" in said or "allocate memory" in said)
    )


def _end_tokens(model: Any, tokenizer: Any) -> list[int]:
    """Every token that ends a reply."""
    declared = model.generation_config.eos_token_id
    known = declared if isinstance(declared, list) else [declared]
    return sorted({token for token in [*known, tokenizer.eos_token_id] if token is not None})
