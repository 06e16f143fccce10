"""Models of submissions: which names, sampling parameters and options a board accepts and uses.

A name may become an address, a folder or an argument of a program, and an option may do anything. So a rerun uses only
names of known shapes, per provider, and options on a list; the verifier can replace both.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ictbench.submissions.own_classes import own_class_problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import JsonValue

    from ictbench.records import ModelSpec

MAX_NAME = 300
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@-]*(?:(?:/|::?)[A-Za-z0-9][A-Za-z0-9._+@-]*)*")
"""Name that a provider's own server is asked for."""
HUB = re.compile(r"smollm2|[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")
"""Model on the Hugging Face Hub, `owner/name`, or the one that a package holds."""
HOSTED = (
    "ai21",
    "anthropic",
    "azure",
    "azure_ai",
    "cerebras",
    "cohere",
    "cohere_chat",
    "deepinfra",
    "deepseek",
    "fireworks_ai",
    "gemini",
    "groq",
    "mistral",
    "moonshot",
    "nvidia_nim",
    "openai",
    "openrouter",
    "perplexity",
    "together_ai",
    "vertex_ai",
    "watsonx",
    "xai",
)
"""Providers of litellm whose address comes from litellm or from the verifier's environment, never from the name."""
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max", "disable", "default")
DTYPES = ("auto", "float32", "float16", "bfloat16")
MAX_TOKENS = 1_000_000
MAX_STOPS = 16
MAX_STOP = 200


@dataclass(frozen=True, slots=True)
class KnownProvider:
    """What a rerun uses of a provider's models without the verifier's word."""

    shape: re.Pattern[str]
    """Shape of the names of its models."""
    shape_in_words: str
    options: Mapping[str, range | tuple[str, ...]] = field(default_factory=dict)
    """Harmless options, each with its range or its values."""


_HUB_IN_WORDS = "smollm2 or OWNER/NAME"
PROVIDERS: Mapping[str, KnownProvider] = {
    "anthropic": KnownProvider(NAME, "NAME"),
    "hf": KnownProvider(HUB, _HUB_IN_WORDS, {"batch": range(1, 1025), "dtype": DTYPES}),
    "litellm": KnownProvider(
        re.compile(rf"(?:{'|'.join(HOSTED)})/{NAME.pattern}"), f"PROVIDER/NAME of {', '.join(HOSTED)}"
    ),
    "llama-cpp": KnownProvider(
        re.compile("smollm2"), "smollm2", {"n_ctx": range(1, 1_048_577), "n_ubatch": range(1, 65_537)}
    ),
    "openai": KnownProvider(NAME, "NAME"),
    "vllm": KnownProvider(HUB, "OWNER/NAME", {"tensor_parallel": range(1, 65)}),
}
"""Built-in providers by name."""


def model_problems(model: ModelSpec) -> Iterator[str]:
    """Yield what makes a model unacceptable on a board, each with its remedy."""
    name = model.model
    if model.provider not in PROVIDERS and (problem := own_class_problem(model.provider, PROVIDERS)):
        yield f"its provider {model.provider!a:.80} {problem}"
    if (
        len(name) > MAX_NAME
        or not name.isprintable()
        or name.startswith("-")
        or "://" in name
        or name != name.strip()
        or (model.provider in PROVIDERS and not name)
    ):
        yield (
            f"{name!a:.120} is not the name of a model: at most {MAX_NAME} visible characters, without an address and "
            "without a leading hyphen; run under the model's name"
        )
    if model.temperature is not None and not 0 <= model.temperature <= 2:
        yield f"its temperature is {model.temperature}, not between 0 and 2"
    if model.top_p is not None and not 0 <= model.top_p <= 1:
        yield f"its top_p is {model.top_p}, not between 0 and 1"
    if not 1 <= model.max_tokens <= MAX_TOKENS:
        yield f"its max_tokens is {model.max_tokens}, not between 1 and {MAX_TOKENS:,}"
    if not (math.isfinite(model.timeout) and model.timeout > 0):
        yield f"its timeout is {model.timeout} seconds"
    if model.reasoning_effort is not None and model.reasoning_effort not in EFFORTS:
        yield f"its reasoning_effort {model.reasoning_effort!r:.40} is not one of {', '.join(EFFORTS)}"
    if len(model.stop) > MAX_STOPS or any(len(text) > MAX_STOP for text in model.stop):
        yield f"it has more than {MAX_STOPS} stop texts, or one of more than {MAX_STOP} characters"


def unlisted_name(model: ModelSpec, base_url: str | None) -> str | None:
    """Return why a rerun does not use the model that a result names; None if it does.

    Args:
        model: The model of the result.
        base_url: The verifier's own server for it; then the name is only a text in requests to that server.
    """
    known = PROVIDERS.get(model.provider)
    if known is None:
        return f"would import {model.provider!r:.80}"
    own_server = bool(base_url) and model.provider != "litellm"
    shape, in_words = (NAME, "NAME") if own_server else (known.shape, known.shape_in_words)
    if len(model.model) > MAX_NAME or not shape.fullmatch(model.model) or ".." in model.model.split("/"):
        return f"has the model {model.model!a:.120}, and for {model.provider} a rerun uses only {in_words}"
    return None


def unlisted_options(model: ModelSpec) -> list[str]:
    """Return the options of a result's model that a rerun does not use without the verifier's word."""
    known = PROVIDERS[model.provider].options if model.provider in PROVIDERS else {}
    return [name for name, value in model.options.items() if not _allowed(value, known.get(name, ()))]


def _allowed(value: JsonValue, allowed: range | tuple[str, ...]) -> bool:
    if isinstance(allowed, range):
        return type(value) is int and value in allowed
    return isinstance(value, str) and value in allowed
