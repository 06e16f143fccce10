"""Names of classes that are not part of ictbench, which a board shows and must not take for anything else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ictbench.submissions.spelling import name_key

if TYPE_CHECKING:
    from collections.abc import Collection

MAX_NAME = 200
OWN_CLASS = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_]*")
"""`package.module:Class`."""
OWN_PACKAGE = "ictbench"

MAKERS = (
    "ai21",
    "alibaba",
    "amazon",
    "anthropic",
    "azure",
    "bedrock",
    "cerebras",
    "cohere",
    "deepinfra",
    "deepmind",
    "deepseek",
    "fireworks",
    "google",
    "groq",
    "huggingface",
    "litellm",
    "llamacpp",
    "microsoft",
    "minimax",
    "mistral",
    "moonshot",
    "nvidia",
    "openai",
    "openrouter",
    "perplexity",
    "together",
    "vertex",
    "vllm",
    "watsonx",
)
"""Makers and providers of language models, as their names begin."""

MODELS = (
    "bert",
    "chatgpt",
    "claude",
    "gemini",
    "gemma",
    "glm",
    "gpt",
    "grok",
    "hf",
    "kimi",
    "llama",
    "mixtral",
    "nova",
    "olmo",
    "phi",
    "qwen",
    "smollm",
    "xai",
)
"""Families of language models, and short names of makers and providers, as the first word of a package's name."""

WHOLE = ("meta", OWN_PACKAGE)
"""Further names that a package may begin with but not have."""


def own_class_problem(name: str, built_in: Collection[str]) -> str | None:
    """Return why a board does not accept the name of a class of the submitter's own; None if it does.

    Args:
        name: The name.
        built_in: Names of the built-in players or providers.
    """
    if len(name) > MAX_NAME or not OWN_CLASS.fullmatch(name):
        return f"is not a built-in one ({', '.join(built_in)}); name a class of your own as package.module:Class"
    package = name.replace(":", ".").split(".")[0]
    if package.casefold() == OWN_PACKAGE:
        return "is a class of ictbench under another name; run it under its own name"
    if taken := _taken(package, built_in):
        return f"looks like {taken!r}, which it is not; run it from a package with a name of its own"
    return None


def _taken(package: str, built_in: Collection[str]) -> str | None:
    """Return the known name for which a reader may take that of a package; None if there is none."""
    whole, first_word = name_key(package), name_key(re.split("[_0-9]", package.lstrip("_"))[0])
    taken = [maker for maker in MAKERS if whole.startswith(name_key(maker))]
    taken += [model for model in MODELS if name_key(model) in (whole, first_word)]
    taken += [name for name in (*built_in, *WHOLE) if name_key(name) == whole]
    return next(iter(taken), None)
