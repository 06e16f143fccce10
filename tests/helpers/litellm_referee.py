"""A program that reads replies and streams of the zoo's servers with litellm, in a process of its own.

litellm's streams fail in some processes that have imported other parts of litellm before.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import litellm

from ictbench.testing import serve


def read(name: str, model: str, answer: str) -> dict[str, Any]:
    """Return text and reasoning of a reply, and the text of the same reply as a stream."""
    with serve(name, [answer]) as url:
        request: dict[str, Any] = {
            "model": model,
            "api_base": url.removesuffix("/openai/v1") if name.startswith("azure") else url,
            "api_version": "2024-10-21" if name.startswith("azure") else None,
            "api_key": "none",
            "messages": [{"role": "user", "content": "three little words"}],
            "max_retries": 0,
        }
        message: Any = litellm.completion(**request).choices[0].message
        chunks: Any = list(litellm.completion(**request, stream=True))
    return {
        "text": message.content,
        "reasoning": getattr(message, "reasoning_content", None),
        "streamed": "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices),
    }


if __name__ == "__main__":
    given = json.load(sys.stdin)
    print(json.dumps({name: read(name, model, given["answer"]) for name, model in given["models"].items()}))
