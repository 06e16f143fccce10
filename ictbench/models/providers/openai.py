"""OpenAI's chat completions API, and every server that is compatible with it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ictbench.errors import UsageError
from ictbench.models.adaptation import adapt_parameters
from ictbench.models.addresses import APIS
from ictbench.models.chat_model import Completion, Constraint, ConstraintStyle, Embeddings, Message
from ictbench.models.embeddings import OPTION, embedding_model, read_embeddings
from ictbench.models.http import JsonClient, MalformedReplyError
from ictbench.models.http_errors import api_hints
from ictbench.models.model_options import request_parameters
from ictbench.models.providers.api_model import ApiModel
from ictbench.models.providers.openai_messages import (
    openai_constraint,
    openai_messages,
    parse_usage,
    read_choice,
)
from ictbench.models.redact import read_header
from ictbench.models.replies import clean_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.records import ModelSpec

API = APIS["openai"]

# gpt-5-chat is not a reasoning model and takes the usual parameters.
REASONING_MODEL = re.compile(r"(?:.*/)?(?:o[134]|gpt-5(?!-chat))(?:$|[-.:])")


class OpenAIModel(ApiModel):
    """A model behind an OpenAI-compatible endpoint.

    The base URL is the spec's, else OPENAI_BASE_URL, else OpenAI's own. OPENAI_API_KEY, OPENAI_ORG_ID and
    OPENAI_PROJECT_ID have the same meaning as for OpenAI's client; a server of your own may need no key.
    Reasoning models (o1, o3, o4, gpt-5) take neither temperature nor seed, so these are not sent to them. The spec's
    options are parameters of each request, except `embedding_model`, which names the model that embeds texts.
    """

    capabilities = frozenset({ConstraintStyle.JSON, ConstraintStyle.TOOLS})
    _embedding_model: str = ""
    _system_fingerprint: str | None = None
    _reported: tuple[Any, Any] | None = None
    """Model and system fingerprint of the last reply, as reported."""

    def __init__(self, spec: ModelSpec) -> None:
        """Check API key and base URL; send nothing.

        Raises:
            UsageError: OPENAI_API_KEY is required and not set, or the base URL is invalid.
        """
        super().__init__(spec)
        base_url = API.base_url(spec)
        key = read_header("OPENAI_API_KEY")
        if not key and API.is_own(base_url):
            raise UsageError(f"{spec.name} needs a key: set OPENAI_API_KEY, or give the base URL of another server")
        self._base_url = base_url
        self._is_reasoning_model = REASONING_MODEL.match(spec.model) is not None
        self._embedding_model = embedding_model(spec)
        self._parameters = request_parameters(spec, {k: v for k, v in spec.options.items() if k != OPTION})
        if self._is_reasoning_model:
            self.unsupported = frozenset({"temperature"})
        self._client = JsonClient(
            base_url,
            headers=_headers(key),
            timeout=spec.timeout,
            hints=api_hints("OPENAI_API_KEY", spec.model),
            secrets=(key,),
        )

    async def complete(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        """See `ChatModel.complete`."""
        body = {"model": self.spec.model, "messages": openai_messages(messages), **self._sampling(seed)}
        if constraint:
            body |= openai_constraint(constraint)
        body = adapt_parameters(body, self.spec.adaptation)
        return await self._client.post("chat/completions", body, self._read)

    @property
    def embeds(self) -> bool:
        """Whether the option `embedding_model` is given."""
        return bool(self._embedding_model)

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """See `ChatModel.embed`."""
        if not self._embedding_model:
            raise NotImplementedError(f"{self.spec.name} embeds no texts without the option {OPTION!r}")
        body = {"model": self._embedding_model, "input": list(texts), "encoding_format": "float"}
        return await self._client.post("embeddings", body, lambda reply: read_embeddings(reply, len(texts)))

    async def aclose(self) -> None:
        """Close connections."""
        await self._client.aclose()

    def _sampling(self, seed: int | None) -> dict[str, Any]:
        spec = self.spec
        sampling: dict[str, Any] = {
            "top_p": spec.top_p,
            "reasoning_effort": spec.reasoning_effort,
            "stop": list(spec.stop) or None,
        }
        if self._is_reasoning_model:
            sampling["max_completion_tokens"] = spec.max_tokens
        else:
            sampling |= {"max_tokens": spec.max_tokens, "temperature": spec.temperature, "seed": seed}
        return {**self._parameters, **{name: value for name, value in sampling.items() if value is not None}}

    def _read(self, reply: dict[str, Any]) -> Completion:
        usage = parse_usage(reply.get("usage"))
        try:
            completion = read_choice(reply["choices"][0], usage)
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError):
            raise MalformedReplyError("the reply is not a chat completion") from None
        reported = reply.get("model"), reply.get("system_fingerprint")
        if reported != self._reported:
            self._reported = reported
            self._set_fingerprint(*reported)
        return completion

    def _set_fingerprint(self, model: Any, system_fingerprint: Any) -> None:
        # Some servers leave it out of some replies: the last one is kept.
        self._system_fingerprint = clean_name(system_fingerprint) or self._system_fingerprint
        name = clean_name(model, self.spec.model)
        self._fingerprint = f"{name}@{self._system_fingerprint}" if self._system_fingerprint else name


def _headers(key: str) -> dict[str, str]:
    headers = {
        "Authorization": f"Bearer {key}" if key else None,
        "OpenAI-Organization": read_header("OPENAI_ORG_ID"),
        "OpenAI-Project": read_header("OPENAI_PROJECT_ID"),
    }
    return {name: value for name, value in headers.items() if value}
