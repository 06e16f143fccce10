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

import ictbench
from ictbench.errors import RunError
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
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelSpec]:
    """Run one server for all tests; return its model."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("transformers")
    log = folder / "log"
    model = folder / "smollm2"
    model.mkdir()
    for file in smollm2_folder().iterdir():
        (model / file.name).symlink_to(file)
    # The server samples only if the model's own configuration says so, whatever the temperature.
    (model / "generation_config.json").unlink()
    (model / "generation_config.json").write_text('{"do_sample": true, "bos_token_id": 1, "eos_token_id": 2}')
    program = str(Path(sys.executable).parent / "transformers")
    command = [sys.executable, program, "serve", str(model), "--host", "127.0.0.1", "--port", str(port)]
    # One thread: several would wait for each other where other programs run.
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with log.open("wb") as output:
        server = subprocess.Popen([*command, "--device", "cpu"], stdout=output, stderr=output, env=environment)
    end = time.monotonic() + START_SECONDS
    while not answers(f"http://127.0.0.1:{port}/health"):
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.2)
    yield ModelSpec(provider="openai", model=str(model), base_url=f"http://127.0.0.1:{port}/v1", max_tokens=12)
    server.terminate()
    server.wait()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def ask(
    served: ModelSpec, messages: list[Message], constraint: Constraint | None = None, **fields: Any
) -> list[Completion]:
    """Ask once for each of the seeds in `fields`, by default once without a seed."""
    seeds = fields.pop("seeds", (None,))
    spec = served.model_copy(update=fields)

    async def request() -> list[Completion]:
        model = OpenAIModel(spec)
        try:
            return [await model.complete(messages, seed=seed, constraint=constraint) for seed in seeds]
        finally:
            await model.aclose()

    return asyncio.run(request())


def test_a_conversation_is_answered_and_counted(served: ModelSpec) -> None:
    (completion,) = ask(served, TURNS)
    assert completion.text.strip()
    assert completion.usage.input_tokens > 20
    assert 0 < completion.usage.output_tokens <= 12


def test_replies_repeat_at_temperature_zero_and_with_a_seed_above(served: ModelSpec) -> None:
    first, repeated = ask(served, COLOUR, seeds=(1, 2))
    assert first.text == repeated.text
    one, two, again = ask(served, COLOUR, seeds=(1, 2, 1), temperature=1.0)
    assert one.text == again.text
    assert one.text != two.text


def test_the_server_ignores_constraints(served: ModelSpec) -> None:
    """An actor gets text without a decision; docs/models.md says to use the decoding `free`."""
    choices = ("red", "green")
    (imposed,) = ask(served, COLOUR, Constraint(ConstraintStyle.JSON, choices))
    assert imposed.text.strip()
    assert not imposed.text.startswith("{")
    (called,) = ask(served, COLOUR, Constraint(ConstraintStyle.TOOLS, choices))
    assert not called.calls


def test_a_run_with_a_decoding_that_the_server_ignores_has_no_result(served: ModelSpec, tmp_path: Path) -> None:
    """A reply that ends without JSON stops the rehearsal; replies that are cut off stop the run after 8 episodes."""
    with pytest.raises(RunError, match=r"does not keep to the decoding json|fails: truncated 8 of 8 episodes"):
        ictbench.run(
            families="eat",
            loops=1,
            actor=f"openai/{served.model}",
            actor_base_url=served.base_url,
            actor_decoding="json",
            actor_max_tokens=30,
            reflector="none",
            executor="inline",
            request_timeout=600,
            out=tmp_path / "run",
        )
    assert not (tmp_path / "run" / "result.json").exists()
