"""Every provider that litellm knows, through litellm."""

from __future__ import annotations

import asyncio
import functools
import importlib
import logging
import os
import re
from typing import TYPE_CHECKING, Any

from ictbench.errors import EndpointRefusedError, MissingExtraError, ModelFailure, TransientModelError, UsageError
from ictbench.models.chat_model import ChatModel, Completion, Constraint, ConstraintStyle, FinishReason, Message
from ictbench.models.http_errors import blame, excerpt, retry_after
from ictbench.models.providers.openai import parse_usage
from ictbench.models.providers.openai_messages import openai_calls, openai_messages, openai_tool
from ictbench.models.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.errors import IctbenchError, TransientKind
    from ictbench.records import ModelSpec

FINISH_REASONS: dict[str | None, FinishReason] = {"stop": "stop", "tool_calls": "stop", "length": "length"}
PREPARATION_SECONDS = 3.0
"""Ample for what litellm does before it sends a request, in a process that has just started."""
LOGGERS = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy")

# How litellm words a reply that it cannot read; it gives these no class of their own.
MALFORMED = re.compile(r"json|delimiter|expecting|unterminated|invalid response|traceback|nonetype", re.IGNORECASE)

_open_models = 0
"""litellm's connections belong to the process: they are closed with the last model that is open."""


class LiteLLMModel(ChatModel):
    """A model by litellm's name for it, `provider/model`, with the keys that litellm reads from the environment.

    Sampling parameters that a model does not know are left out. The spec's options are litellm's own parameters.
    """

    def __init__(self, spec: ModelSpec) -> None:
        """Check name and keys; nothing is sent yet.

        Raises:
            MissingExtraError: litellm is not installed.
            UsageError: litellm does not know the provider, or its key is needed and not set.
        """
        super().__init__(spec)
        self._litellm = _litellm(spec.name)
        try:
            self._litellm.get_llm_provider(spec.model, api_base=spec.base_url)
        except self._litellm.BadRequestError:
            raise UsageError(
                f"litellm does not know the provider of {spec.model!r}: write litellm/PROVIDER/MODEL"
            ) from None
        missing = self._litellm.validate_environment(spec.model)["missing_keys"]
        if missing and spec.base_url is None:
            raise UsageError(f"{spec.name} needs a key: set {' and '.join(missing)}")
        self._defaults = {**({"api_key": "none"} if missing else {}), **spec.options}
        # Which variables hold keys is litellm's business.
        self._conceal = Redactor.from_environment()
        known = self._litellm.get_supported_openai_params(spec.model) or []
        able = {ConstraintStyle.JSON: "response_format", ConstraintStyle.TOOLS: "tool_choice"}
        self.capabilities = frozenset(style for style, parameter in able.items() if parameter in known)
        self._fingerprint: str | None = None
        self._abandoned: set[asyncio.Future[Any]] = set()
        self._closed = False
        global _open_models
        _open_models += 1

    async def complete(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        """Answer `messages`, in one try.

        Raises:
            ModelFailure: bad_request, context_overflow, refused or empty.
            TransientModelError: another try may succeed.
            EndpointRefusedError: the endpoint refuses this key or model.
        """
        body: dict[str, Any] = {
            "model": self.spec.model,
            "messages": openai_messages(messages),
            "max_tokens": self.spec.max_tokens,
            "temperature": self.spec.temperature,
            "seed": seed,
            "api_base": self.spec.base_url,
        }
        if constraint and constraint.style is ConstraintStyle.TOOLS:
            # Else litellm imports, for any tool, what only its extra `mcp` installs.
            body |= {**openai_tool(constraint), "_skip_mcp_handler": True}
        elif constraint:
            schema = {"name": "decision", "strict": True, "schema": constraint.json_schema()}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        given = {name: value for name, value in body.items() if value is not None}
        request = asyncio.ensure_future(
            self._litellm.acompletion(
                **self._defaults, **given, drop_params=True, num_retries=0, max_retries=0, timeout=self.spec.timeout
            )
        )
        try:
            # litellm's own timeout starts anew with every byte.
            answered, _ = await asyncio.wait({request}, timeout=self.spec.timeout)
        finally:
            self._abandon(request)
        if not answered:
            raise self._transient("timeout", f"no answer within {self.spec.timeout:g} s")
        try:
            reply = request.result()
        except Exception as error:  # litellm's errors have no base of their own
            raise self._blame(error) from None
        return self._read(reply)

    @property
    def is_remote(self) -> bool:
        """True: it is an address and a key."""
        return True

    @property
    def fingerprint(self) -> str | None:
        """The model that the last reply named, with its system fingerprint where it had one."""
        return self._fingerprint

    async def aclose(self) -> None:
        """Close connections, once no other model of litellm's is open."""
        global _open_models
        if self._closed:
            return
        self._closed = True
        if self._abandoned:
            await asyncio.wait(self._abandoned)
        _open_models -= 1
        if _open_models == 0:
            await self._litellm.close_litellm_async_clients()
            self._litellm.in_memory_llm_clients_cache.flush_cache()

    def _abandon(self, request: asyncio.Future[Any]) -> None:
        """Let go of a request that nobody waits for any more.

        litellm prepares it in a thread, and would lose a coroutine if it were cancelled meanwhile.
        """
        if request.done():
            return
        self._abandoned.add(request)
        request.add_done_callback(self._forget)
        asyncio.get_running_loop().call_later(PREPARATION_SECONDS, request.cancel)

    def _forget(self, request: asyncio.Future[Any]) -> None:
        self._abandoned.discard(request)
        if not request.cancelled():
            request.exception()

    def _read(self, reply: Any) -> Completion:
        try:
            choice = reply.choices[0]
            # JSON can carry half a surrogate pair, which no file or digest downstream could encode.
            text = str(choice.message.content or "").encode("utf-8", "replace").decode()
            calls = openai_calls(choice.message.model_dump())
        except (LookupError, AttributeError, TypeError, ValueError):
            raise self._transient("malformed", f"the answer is not a chat completion: {excerpt(str(reply))}") from None
        named, version = reply.model or self.spec.model, getattr(reply, "system_fingerprint", None)
        self._fingerprint = f"{named}@{version}" if version else str(named)
        reported = getattr(reply, "usage", None)
        usage = parse_usage(reported.model_dump() if reported else None, self._cost(reply))
        refusal = getattr(choice.message, "refusal", None)
        if choice.finish_reason == "content_filter" or refusal:
            raise ModelFailure("refused", str(refusal or "stopped by the provider's content filter"), usage)
        if not text.strip() and not calls and choice.finish_reason != "length":
            raise ModelFailure("empty", usage=usage)
        return Completion(text, usage, FINISH_REASONS.get(choice.finish_reason, "other"), calls)

    def _cost(self, reply: Any) -> float | None:
        """US dollars; None where the price is unknown, as it is of every server of one's own."""
        if self.spec.base_url is not None:
            return None
        try:
            cost = float(self._litellm.completion_cost(completion_response=reply, model=self.spec.model))
        except Exception:  # for a model that is in no table, litellm raises a bare one
            return None
        return cost or None

    def _blame(self, error: Exception) -> IctbenchError:
        kinds = self._litellm
        said = excerpt(self._conceal(str(getattr(error, "message", None) or error)))
        headers = getattr(error, "litellm_response_headers", None)
        status = getattr(error, "status_code", None)
        if isinstance(error, kinds.ContextWindowExceededError):
            return ModelFailure("context_overflow", said)
        if isinstance(error, kinds.ContentPolicyViolationError):
            return ModelFailure("refused", said)
        if isinstance(error, kinds.Timeout):
            return self._transient("timeout", said)
        if isinstance(error, kinds.APIConnectionError) or (
            isinstance(error, kinds.InternalServerError) and not headers
        ):
            # The status is litellm's invention here: nothing came back, or nothing that could be read.
            return self._transient("malformed" if MALFORMED.search(said) else "connection", said)
        if not isinstance(status, int):
            return EndpointRefusedError(f"{self.spec.name}: litellm raised {type(error).__name__}: {said}")
        hints = {
            401: "check the provider's key",
            403: "check that the key may use this model",
            404: f"check the model name {self.spec.model!r}",
        }
        return blame(status, "", said, endpoint=self.spec.name, hints=hints, asked=retry_after(headers or {}))

    def _transient(self, kind: TransientKind, said: str) -> TransientModelError:
        return TransientModelError(kind, f"{self.spec.name}: {said}")


@functools.cache
def _litellm(name: str) -> Any:
    """litellm, which keeps to itself: it fetches no price list, reports to nobody and prints nothing."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    try:
        litellm = importlib.import_module("litellm")
        # It would import this in the first call, for seconds in which no other request gets on.
        importlib.import_module("openai.resources.chat")
    except ImportError as error:
        raise MissingExtraError(name, "litellm", str(error)) from error
    litellm.telemetry = False  # type: ignore[attr-defined]
    litellm.suppress_debug_info = True  # type: ignore[attr-defined]
    for logger in LOGGERS:
        logging.getLogger(logger).setLevel(logging.CRITICAL + 1)
    return litellm
