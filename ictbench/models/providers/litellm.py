"""Every provider that litellm supports, through litellm."""

from __future__ import annotations

import asyncio
import functools
import importlib
import logging
import os
import re
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from ictbench.errors import (
    ConfigError,
    EndpointRefusedError,
    MissingExtraError,
    ModelFailure,
    TransientModelError,
    UsageError,
)
from ictbench.models.adaptation import adapt_parameters
from ictbench.models.addresses import is_own_address
from ictbench.models.chat_model import Completion, Constraint, ConstraintStyle, Message
from ictbench.models.http import ReplyError, classify_response, parse_base_url, reported_response
from ictbench.models.http_errors import api_hints, classify_http_error, excerpt, never_connected
from ictbench.models.model_options import SAMPLING, request_parameters
from ictbench.models.prices import PROVIDERS
from ictbench.models.providers.anthropic_messages import parse_usage as anthropic_usage
from ictbench.models.providers.api_model import ApiModel
from ictbench.models.providers.openai_messages import (
    openai_constraint,
    openai_messages,
    parse_usage,
    read_choice,
)
from ictbench.models.redact import Redactor
from ictbench.models.replies import clean_name
from ictbench.models.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ictbench.errors import IctbenchError, TransientKind
    from ictbench.models.transport import Response
    from ictbench.records import ModelSpec, Usage

CONSTRAINT_PARAMETERS = {ConstraintStyle.JSON: "response_format", ConstraintStyle.TOOLS: "tool_choice"}
"""The parameter that a model must support for each constraint style."""
PREPARATION_SECONDS = 3.0
"""Upper bound of what litellm needs to prepare a request, in a process that has just started."""
ANY_PROVIDER = "https://provider.invalid"
"""Address that stands for those that litellm knows, for the check of the environment's proxies and certificates."""
EXAMPLES: dict[str, Any] = {"top_p": 0.5, "reasoning_effort": "low", "stop": ["."], "temperature": 0.0}
"""Values with which litellm is asked whether it can send a parameter that is not set."""
LOGGERS = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy")

# litellm's wording for a reply that it cannot parse; it has no exception class for that.
MALFORMED = re.compile(r"json|delimiter|expecting|unterminated|invalid response|traceback|nonetype", re.IGNORECASE)

_open_models = 0
"""Open models of this class. litellm's connections belong to the process: the last model to close closes them."""


class LiteLLMModel(ApiModel):
    """A model by its litellm name, `provider/model`, with the API keys that litellm reads from the environment.

    Seed and temperature are left out where litellm knows that a model does not take them; any other parameter that it
    cannot send is refused. The spec's options are litellm parameters.
    """

    def __init__(self, spec: ModelSpec) -> None:
        """Check name and API keys; send nothing.

        Raises:
            MissingExtraError: litellm is not installed.
            UsageError: litellm does not know the provider, its API key is required and not set, or the base URL, a
                proxy or a certificate cannot be used.
        """
        super().__init__(spec)
        self._base_url = (spec.base_url or "").strip()
        proxy = Transport().proxy(parse_base_url(self._base_url or ANY_PROVIDER))
        self._endpoint = f"{spec.name} through {proxy}" if proxy else spec.name
        self._litellm = _import_litellm(spec.name)
        try:
            self._litellm.get_llm_provider(spec.model, api_base=self._base_url or None)
        except self._litellm.BadRequestError:
            raise UsageError(
                f"litellm does not know the provider of {spec.model!r}: write litellm/PROVIDER/MODEL"
            ) from None
        missing = self._litellm.validate_environment(spec.model)["missing_keys"]
        if missing and spec.base_url is None:
            raise UsageError(f"{spec.name} needs a key: set {' and '.join(missing)}")
        self._defaults = {**({"api_key": "none"} if missing else {}), **request_parameters(spec)}
        self._check_parameters()
        # Only litellm knows which variables it takes keys from.
        self._redact = Redactor.from_environment()
        parameters = self._litellm.get_supported_openai_params(spec.model) or []
        self.capabilities = frozenset(
            style for style, parameter in CONSTRAINT_PARAMETERS.items() if parameter in parameters
        )
        self._abandoned: set[asyncio.Future[Any]] = set()
        self._closed = False
        global _open_models
        _open_models += 1

    async def complete(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        """See `ChatModel.complete`."""
        from ictbench.models.providers.litellm_transport import received

        parameters = self._parameters(messages, seed, constraint)
        responses: list[Response] = []
        token = received.set(responses)
        # The task has a copy of the context.
        request = asyncio.ensure_future(self._litellm.acompletion(**self._defaults, **parameters))
        received.reset(token)
        try:
            # litellm's own timeout restarts with every byte received.
            done, _ = await asyncio.wait({request}, timeout=self.spec.timeout)
        finally:
            self._abandon(request)
        if not done:
            raise self._transient("timeout", f"no answer within {self.spec.timeout:g} s")
        try:
            reply = request.result()
        except Exception as error:  # litellm's errors have no common base class
            raise self._classify(error, responses[-1] if responses else None) from None
        return self._read(reply, responses[-1] if responses else None)

    async def aclose(self) -> None:
        """Close connections, unless another model of this class is open."""
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

    def _parameters(
        self, messages: Sequence[Message], seed: int | None, constraint: Constraint | None
    ) -> dict[str, Any]:
        optional: dict[str, Any] = {
            "max_tokens": self.spec.max_tokens,
            "temperature": self.spec.temperature,
            "seed": seed,
            "top_p": self.spec.top_p,
            "reasoning_effort": self.spec.reasoning_effort,
            "stop": list(self.spec.stop) or None,
        }
        parameters = {
            "model": self.spec.model,
            "messages": openai_messages(messages),
            **{name: value for name, value in optional.items() if value is not None and name not in self.unsupported},
            **({"api_base": self._base_url} if self._base_url else {}),
            # What litellm cannot send is an error, never left out in silence.
            "drop_params": False,
            "num_retries": 0,
            "max_retries": 0,
            "timeout": self.spec.timeout,
        }
        if constraint:
            parameters |= openai_constraint(constraint)
            if not self._has_parallel_calls:
                parameters.pop("parallel_tool_calls", None)
        if constraint and constraint.style is ConstraintStyle.TOOLS:
            # Otherwise litellm imports, for any tool, modules that only its extra `mcp` installs.
            parameters["_skip_mcp_handler"] = True
        return adapt_parameters(parameters, self.spec.adaptation)

    def _check_parameters(self) -> None:
        """Find out, without sending anything, which parameters litellm would refuse to send to this model.

        Raises:
            ConfigError: It refuses an option of the spec.
        """
        unsupported = {"seed"} if self._refuses("seed", 1) else set()
        for name in SAMPLING:
            value = getattr(self.spec, name) or EXAMPLES.get(name)
            if value is not None and name != "max_tokens" and self._refuses(name, value):
                unsupported.add(name)
        self.unsupported = frozenset(unsupported)
        self._has_parallel_calls = not self._refuses("parallel_tool_calls", False)
        for name, value in self.spec.options.items():
            if self._refuses(name, value):
                raise ConfigError(f"{self.spec.name}: litellm cannot send the option {name!r} to this model; remove it")

    def _refuses(self, name: str, value: Any) -> bool:
        litellm = self._litellm
        model, provider, *_ = litellm.get_llm_provider(self.spec.model, api_base=self._base_url or None)
        try:
            litellm.utils.get_optional_params(
                model=model, custom_llm_provider=provider, drop_params=False, **{name: value}
            )
        except litellm.UnsupportedParamsError:
            return True
        except Exception:
            return False  # not a parameter of requests, e.g. `api_version`
        return False

    def _abandon(self, request: asyncio.Future[Any]) -> None:
        """Cancel an unfinished request, but not at once.

        litellm prepares a request in a thread; cancelled meanwhile, it would leave a coroutine that is never awaited.
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

    def _read(self, reply: Any, response: Response | None) -> Completion:
        """Return the completion in litellm's reply.

        litellm replaces finish reasons that it does not know, drops errors and refusals of a choice, and writes zero
        for a missing count: these are read from the server's own response.
        """
        sent = _sent(response)
        try:
            if response and sent.get("error"):
                raise ReplyError(sent["error"])
            usage = _usage(sent, reply)
            if not usage.unreported and usage.cost is None:
                usage = usage.model_copy(update={"cost": self._cost(reply)})
            completion = read_choice(_choice(sent, reply), usage)
        except ReplyError as error:
            raise self._reported(error, response) from None
        except (LookupError, AttributeError, TypeError, ValueError, RecursionError):
            raise self._malformed(str(reply)) from None
        name = clean_name(getattr(reply, "model", None), self.spec.model)
        system_fingerprint = clean_name(getattr(reply, "system_fingerprint", None))
        self._fingerprint = f"{name}@{system_fingerprint}" if system_fingerprint else name
        return completion

    def _reported(self, error: ReplyError, response: Response | None) -> IctbenchError:
        if response is None:
            return self._transient("overloaded", excerpt(self._redact(str(error.error))))
        return classify_response(reported_response(error, response), self._redact, self._hints)

    def _malformed(self, text: str) -> TransientModelError:
        return self._transient("malformed", f"the reply is not a chat completion: {excerpt(self._redact(text))}")

    def _cost(self, reply: Any) -> float | None:
        """Return the cost in US dollars by litellm's prices; None if it is unknown, as it is at another address."""
        if not is_own_address(self.spec, PROVIDERS):
            return None
        try:
            cost = float(self._litellm.completion_cost(completion_response=reply, model=self.spec.model))
        except Exception:  # litellm raises a bare Exception for a model that is not in its table
            return None
        return cost or None

    def _classify(self, error: Exception, response: Response | None) -> IctbenchError:
        from ictbench.models.providers.litellm_transport import find_own_error

        if own := find_own_error(error):
            return own
        classes = self._litellm
        message = excerpt(self._redact(str(getattr(error, "message", None) or error)))
        if isinstance(error, classes.ContextWindowExceededError):
            return ModelFailure("context_overflow", message)
        if isinstance(error, classes.ContentPolicyViolationError):
            return ModelFailure("refused", message)
        if response:
            # litellm's own text is often the traceback of its parser.
            return self._classify_response(response)
        if isinstance(error, classes.Timeout):
            return self._transient("timeout", message, may_be_billed=not never_connected(error))
        if isinstance(error, classes.APIConnectionError | classes.InternalServerError):
            kind: TransientKind = "malformed" if MALFORMED.search(message) else "connection"
            return self._transient(kind, message, may_be_billed=not never_connected(error))
        status = getattr(error, "status_code", None)
        if not isinstance(status, int):
            return EndpointRefusedError(f"{self.spec.name}: litellm raised {type(error).__name__}: {message}")
        return classify_http_error(status, "", message, endpoint=self._endpoint, hints=self._hints)

    def _classify_response(self, response: Response) -> IctbenchError:
        """Return the exception for a response that litellm could not use."""
        if not 200 <= response.status < 300:
            return classify_response(response, self._redact, self._hints)
        if error := _sent(response).get("error"):
            return self._reported(ReplyError(error), response)
        return self._malformed(response.content.decode(errors="replace"))

    @property
    def _hints(self) -> dict[int, str]:
        return api_hints("the provider's key", self.spec.model)

    def _transient(self, kind: TransientKind, message: str, *, may_be_billed: bool = True) -> TransientModelError:
        return TransientModelError(kind, f"{self._endpoint}: {message}", may_be_billed=may_be_billed)


def _sent(response: Response | None) -> dict[str, Any]:
    """Return the JSON object that a server sent; empty if it sent something else."""
    try:
        sent = from_json(response.content) if response else {}
    except ValueError:
        return {}
    return sent if isinstance(sent, dict) else {}


def _usage(sent: Mapping[str, Any], reply: Any) -> Usage:
    """Return the usage that the server sent in OpenAI's or Anthropic's format, else what litellm made of it."""
    usage = sent.get("usage")
    if "choices" in sent:
        return parse_usage(usage)
    if isinstance(usage, dict) and "input_tokens" in usage and "content" in sent:
        return anthropic_usage(usage)
    reported = getattr(reply, "usage", None)
    return parse_usage(reported.model_dump() if reported else None)


def _choice(sent: Mapping[str, Any], reply: Any) -> dict[str, Any]:
    """Return the first choice of a reply, with the server's own finish reason, error and refusal."""
    choice: dict[str, Any] = reply.choices[0].model_dump()
    if "choices" not in sent:
        return choice
    own = sent["choices"][0]
    said = own.get("message") or {}
    message = {name: said[name] for name in ("refusal", "error") if name in said}
    ends = {name: own[name] for name in ("finish_reason", "error") if name in own}
    return {**choice, **ends, "message": {**choice["message"], **message}}


@functools.cache
def _import_litellm(name: str) -> Any:
    """Import litellm without its side effects: it fetches no price list, sends no telemetry and prints nothing."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    try:
        litellm = importlib.import_module("litellm")
        # litellm would import this during the first call, which blocks all other requests for seconds.
        importlib.import_module("openai.resources.chat")
        from ictbench.models.providers.litellm_transport import use_shared_transport
    except ImportError as error:
        raise MissingExtraError(name, "litellm", str(error)) from error
    use_shared_transport()
    litellm.telemetry = False  # type: ignore[attr-defined]
    litellm.suppress_debug_info = True  # type: ignore[attr-defined]
    for logger in LOGGERS:
        logging.getLogger(logger).setLevel(logging.CRITICAL + 1)
    return litellm
