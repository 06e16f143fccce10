"""Tests with a real `transformers serve`, an OpenAI-compatible server that the user starts, and SmolLM2-135M."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import IctbenchError, ModelFailure
from ictbench.models.chat_model import Constraint, ConstraintStyle
from ictbench.models.providers.openai import OpenAIModel
from ictbench.models.providers.smollm2 import smollm2_folder
from ictbench.records import ModelSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.models import Completion, Message

START_SECONDS = 300.0
COLOUR: list[Message] = [{"role": "system", "content": "You name colours."}, {"role": "user", "content": "Name one."}]
TURNS: list[Message] = [*COLOUR, {"role": "assistant", "content": "Red."}, {"role": "user", "content": "Another."}]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run one server for all tests; return its base URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("transformers") / "log"
    program = str(Path(sys.executable).parent / "transformers")
    command = [sys.executable, program, "serve", str(smollm2_folder()), "--host", "127.0.0.1", "--port", str(port)]
    # One thread: several would wait for each other where other programs run.
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with log.open("wb") as output:
        server = subprocess.Popen([*command, "--device", "cpu"], stdout=output, stderr=output, env=environment)
    end = time.monotonic() + START_SECONDS
    while not answers(f"http://127.0.0.1:{port}/health"):
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.2)
    yield f"http://127.0.0.1:{port}/v1"
    server.terminate()
    server.wait()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def ask(url: str, messages: list[Message], constraint: Constraint | None = None, **fields: Any) -> list[Completion]:
    """Ask once for each of the seeds in `fields`, by default once without a seed."""
    seeds = fields.pop("seeds", (None,))
    spec = ModelSpec(provider="openai", model=str(smollm2_folder()), base_url=url, **{"max_tokens": 12, **fields})

    async def request() -> list[Completion]:
        model = OpenAIModel(spec)
        try:
            return [await model.complete(messages, seed=seed, constraint=constraint) for seed in seeds]
        finally:
            await model.aclose()

    return asyncio.run(request())


def test_a_conversation_is_answered_and_counted(url: str) -> None:
    (completion,) = ask(url, TURNS)
    assert completion.text.strip()
    assert completion.usage.input_tokens > 20
    assert 0 < completion.usage.output_tokens <= 12


def test_replies_repeat_at_temperature_zero_and_with_a_seed_above(url: str) -> None:
    first, repeated = ask(url, COLOUR, seeds=(1, 2))
    assert first.text == repeated.text
    one, two, again = ask(url, COLOUR, seeds=(1, 2, 1), temperature=1.0)
    assert one.text == again.text
    assert one.text != two.text


def test_what_the_server_cannot_do_is_an_error_or_visible_in_the_reply(url: str) -> None:
    choices = ("red", "green")
    with pytest.raises(IctbenchError) as caught:
        ask(url, COLOUR, Constraint(ConstraintStyle.JSON, choices))
    assert isinstance(caught.value, ModelFailure)
    assert caught.value.kind == "bad_request"
    # The server ignores `tool_choice`, so that a model which does not know tools answers in text.
    (completion,) = ask(url, COLOUR, Constraint(ConstraintStyle.TOOLS, choices))
    assert not completion.calls
