"""CPU time per request of ictbench's model clients and of other common clients.

    python benchmarks/client_cpu.py [--requests 400] [--messages 2 50] [--in-flight 8 64]

The server runs in another process (ictbench.testing.scripted_server), so only the client's CPU time counts. Clients are
measured in turn, in several rounds; the median is printed in milliseconds per request.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tabulate import tabulate

from ictbench.models import Message, ModelPool
from ictbench.models.usage_meter import Limits, UsageMeter
from ictbench.records import ModelSpec

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    Ask = Callable[[list[Message]], Awaitable[Any]]

CHARACTERS = 1500
"""Length of a message: about one screen of NetHack with its actions."""

os.environ.update(OPENAI_API_KEY="benchmark", ANTHROPIC_API_KEY="benchmark", LITELLM_LOCAL_MODEL_COST_MAP="True")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--messages", type=int, nargs="+", default=[2, 50])
    parser.add_argument("--in-flight", type=int, nargs="+", default=[8, 64])
    arguments = parser.parse_args()
    cases = [(messages, flight) for messages in arguments.messages for flight in arguments.in_flight]
    with server() as url:
        figures = asyncio.run(measure(url, cases, arguments.requests, arguments.rounds))
    titles = [f"{messages} messages, {flight} in flight" for messages, flight in cases]
    rows = [[name, *(f"{statistics.median(row[case]):.2f} ms" for case in cases)] for name, row in figures.items()]
    print(tabulate(rows, headers=["client", *titles], tablefmt="github"))


@contextmanager
def server() -> Iterator[str]:
    """Start a scripted server in another process and yield its base URL."""
    command = [sys.executable, "-m", "ictbench.testing.scripted_server", "--answer", "Thought: go on.\nAction: step n"]
    with subprocess.Popen([*command, "--latency", "constant:0.02"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


async def measure(
    url: str, cases: list[tuple[int, int]], requests: int, rounds: int
) -> dict[str, dict[tuple[int, int], list[float]]]:
    """Return CPU milliseconds per request, by client and case, one value per round."""
    pool = ModelPool(UsageMeter(Limits(max_connections=max(flight for _, flight in cases))))
    calls = clients(url, pool)
    figures: dict[str, dict[tuple[int, int], list[float]]] = {name: {case: [] for case in cases} for name in calls}
    for _ in range(rounds):
        for case in cases:
            for name, ask in calls.items():
                figures[name][case].append(await cpu_per_request(ask, *case, requests))
    await pool.aclose()
    return figures


async def cpu_per_request(ask: Ask, messages: int, in_flight: int, requests: int) -> float:
    """Return this process's CPU milliseconds per request, with `in_flight` concurrent requests."""
    conversation = make_messages(messages)
    slots = asyncio.Semaphore(in_flight)

    async def one() -> None:
        async with slots:
            await ask(conversation)

    await asyncio.gather(*(one() for _ in range(in_flight)))  # opens connections before the measurement
    started = time.process_time()
    await asyncio.gather(*(one() for _ in range(requests)))
    return (time.process_time() - started) / requests * 1000


def make_messages(count: int) -> list[Message]:
    """Return a conversation of `count` messages that starts with a system prompt."""
    text = "x. " * (CHARACTERS // 3)
    turns: list[Message] = [{"role": "user" if i % 2 == 0 else "assistant", "content": text} for i in range(count - 1)]
    return [{"role": "system", "content": text}, *turns]


def clients(url: str, pool: ModelPool) -> dict[str, Ask]:
    """Return the functions that send a request, by name of the client."""
    import anthropic
    import httpx
    import litellm
    import openai

    root = url.removesuffix("/v1")
    managed = pool.open(ModelSpec(provider="openai", model="scripted", base_url=url))
    ours_anthropic = pool.open(ModelSpec(provider="anthropic", model="scripted", base_url=root))
    ours_litellm = pool.open(ModelSpec(provider="litellm", model="openai/scripted", base_url=url))
    official = openai.AsyncOpenAI(base_url=url, api_key="benchmark", max_retries=0)
    bare = httpx.AsyncClient(limits=httpx.Limits(max_connections=None))
    claude = anthropic.AsyncAnthropic(base_url=root, api_key="benchmark", max_retries=0)

    async def with_httpx(messages: list[Message]) -> None:
        body = {"model": "scripted", "messages": messages, "max_tokens": 500, "temperature": 0.0}
        reply = await bare.post(f"{url}/chat/completions", json=body)
        reply.json()["choices"][0]["message"]["content"]

    def official_client(messages: list[Message]) -> Any:
        turns: Any = messages
        return official.chat.completions.create(model="scripted", messages=turns, max_tokens=500)

    def anthropic_client(messages: list[Message]) -> Any:
        turns: Any = messages[1:]
        return claude.messages.create(model="scripted", system=messages[0]["content"], messages=turns, max_tokens=500)

    def litellm_client(messages: list[Message]) -> Any:
        return litellm.acompletion(
            model="openai/scripted", messages=list(messages), api_base=url, api_key="benchmark", max_tokens=500
        )

    return {
        "ictbench openai/ (aiohttp, with retries and limits)": managed.complete,
        "httpx": with_httpx,
        "openai client": official_client,
        "ictbench anthropic/": ours_anthropic.complete,
        "anthropic client": anthropic_client,
        "ictbench litellm/": ours_litellm.complete,
        "litellm": litellm_client,
    }


if __name__ == "__main__":
    main()
