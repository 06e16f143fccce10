"""Tests with a real vLLM on the CPU, launched by `vllm/…`, and SmolLM2-135M."""

from __future__ import annotations

import asyncio
import json
import struct
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from models_real.vllm_server import SERVER_ARGS, alive, descendants, missing_instructions, model, set_environment, spec

import ictbench
from ictbench.actors.actor import History
from ictbench.actors.react import ReActActor
from ictbench.errors import EndpointRefusedError, ModelFailure
from ictbench.models.providers.vllm import VLLMModel
from ictbench.models.servers import launch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from ictbench.models import Message
    from ictbench.models.servers.launch import ServerProcess

pytestmark = pytest.mark.skipif(missing_instructions() is not None, reason=str(missing_instructions()))

ACTIONS = ("step n", "step ne", "step e", "run n", "zap", 'say "hé\\"')
SCREENS = (
    "You see here a wand.\n\n       -----\n       |.@.|\n       |..>|\n       -----",
    "There is a closed door to the north.\n\n       --+--\n       |...|\n       |.@.|\n       -----",
    "It is dark.",
)
PROMPT = "You play a game in a small room. Reach the stairs, shown as >."
COLOUR: list[Message] = [{"role": "user", "content": "Name a colour."}]


@pytest.fixture(scope="module", autouse=True)
def server() -> Iterator[ServerProcess]:
    """Keep one server running for all tests; at the end none of its processes is left."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        set_environment(monkeypatch)
        first = model()
        asyncio.run(first.start())
        assert first._server
        processes = descendants(first._server._supervisor.pid)
        assert len(processes) >= 3, processes
        yield first._server
        asyncio.run(first.aclose())
        assert not alive(processes)


@asynccontextmanager
async def opened(**fields: Any) -> AsyncIterator[VLLMModel]:
    opened_model = model(**fields)
    try:
        yield opened_model
    finally:
        await opened_model.aclose()


def test_a_cancelled_request_leaves_the_others_alone() -> None:
    async def request() -> list[str]:
        async with opened(max_tokens=3) as speaker:
            system: Message = {"role": "system", "content": "You name colours."}
            tasks = [asyncio.create_task(speaker.complete([system, *COLOUR], seed=seed)) for seed in range(8)]
            await asyncio.sleep(0.05)
            tasks.pop().cancel()
            return [completion.text for completion in await asyncio.gather(*tasks)]

    replies = asyncio.run(request())
    assert len(replies) == 7
    assert all(replies)


@pytest.mark.parametrize("decoding", ["grammar", "json", "tools"])
def test_a_constrained_decision_is_always_an_available_action(decoding: Any) -> None:
    async def decide() -> list[str | None]:
        # A high temperature, so that only the constraint keeps the replies in the format.
        async with opened(temperature=1.5) as player:
            actor = ReActActor(player, decoding=decoding)
            decisions = await asyncio.gather(
                *(actor.act(PROMPT, History([], screen, ACTIONS, 5), seed) for seed in range(2) for screen in SCREENS)
            )
        assert all(decision.thought for decision in decisions)
        assert all(decision.usage.input_tokens > 50 and decision.usage.output_tokens for decision in decisions)
        return [decision.action for decision in decisions]

    actions = asyncio.run(decide())
    assert set(actions) <= set(ACTIONS)
    assert len(set(actions)) > 1


def test_the_seed_determines_the_reply_above_temperature_zero() -> None:
    async def replies() -> list[str]:
        async with opened(temperature=1.0, max_tokens=20) as speaker:
            return [(await speaker.complete(COLOUR, seed=seed)).text for seed in (1, 2, 1)]

    first, second, repeated = asyncio.run(replies())
    assert first == repeated
    assert first != second


def test_a_begun_reply_is_continued() -> None:
    async def request() -> str:
        async with opened(max_tokens=6) as speaker:
            begun: Message = {"role": "assistant", "content": "1, 2, 3, 4,"}
            return (await speaker.complete([{"role": "user", "content": "Count to nine."}, begun])).text

    assert asyncio.run(request()).startswith(" 5, 6")


def test_cached_prompt_tokens_are_counted() -> None:
    async def request() -> list[int]:
        async with opened(max_tokens=2) as speaker:
            question: Message = {"role": "user", "content": "Look around you. " * 80}
            usages = [(await speaker.complete([question])).usage for _ in range(2)]
        assert usages[0].input_tokens == usages[1].input_tokens
        return [usage.cached_tokens for usage in usages]

    first, second = asyncio.run(request())
    assert first < 128
    assert second >= 256


def test_a_conversation_that_is_too_long_is_a_context_overflow() -> None:
    async def request() -> None:
        async with opened(max_tokens=5) as speaker:
            with pytest.raises(ModelFailure, match="8192") as caught:
                await speaker.complete([{"role": "user", "content": "word " * 9000}])
            assert caught.value.kind == "context_overflow"
            assert (await speaker.complete(COLOUR)).finish_reason == "length"

    asyncio.run(request())


def test_a_running_server_is_used_with_its_key(server: ServerProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    attached_spec = spec(max_tokens=5).model_copy(update={"base_url": server.url, "options": {}})

    async def request() -> str | None:
        attached = VLLMModel(attached_spec)
        try:
            await attached.complete(COLOUR)
        finally:
            await attached.aclose()
        return attached.fingerprint

    with pytest.raises(EndpointRefusedError, match="check VLLM_API_KEY"):
        asyncio.run(request())
    monkeypatch.setenv("VLLM_API_KEY", server.key)
    assert str(asyncio.run(request())).startswith(f"{attached_spec.model}@vllm-")


def write_lora(folder: Path, config: dict[str, Any], rank: int = 4) -> None:
    """Write an adapter that changes the first layer's queries."""
    width = config["hidden_size"]
    tensors, data = {}, b""
    for part, rows, columns in (("lora_A", rank, width), ("lora_B", width, rank)):
        values = struct.pack(f"<{rows * columns}f", *(((7 * i) % 13 - 6) / 10 for i in range(rows * columns)))
        name = f"base_model.model.model.layers.0.self_attn.q_proj.{part}.weight"
        tensors[name] = {"dtype": "F32", "shape": [rows, columns], "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    header = json.dumps(tensors).encode()
    folder.mkdir()
    (folder / "adapter_model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + data)
    settings = {"peft_type": "LORA", "r": rank, "lora_alpha": 32, "target_modules": ["q_proj"]}
    (folder / "adapter_config.json").write_text(json.dumps(settings))


def test_a_lora_adapter_changes_the_replies(tmp_path: Path) -> None:
    lora = tmp_path / "lora"
    write_lora(lora, json.loads((Path(spec().model) / "config.json").read_text()))

    async def reply(**fields: Any) -> tuple[str, str | None]:
        async with opened(max_tokens=8, **fields) as speaker:
            return (await speaker.complete(COLOUR)).text, speaker.fingerprint

    base, weights = asyncio.run(reply())
    adapted, weights_and_adapter = asyncio.run(reply(options={"lora": str(lora)}))
    assert adapted != base
    assert str(weights_and_adapter).startswith(f"{weights}+sha256:")


def test_the_model_plays_and_reflects_in_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Actor and reflector share the server that runs already.
    monkeypatch.setattr(launch, "_start", lambda spec: pytest.fail(f"another server of {spec.name} is started"))
    started = time.monotonic()
    folder = model().spec.model
    run = ictbench.run(
        out=tmp_path / "run",
        env="minihack",
        actor=f"vllm/{folder}",
        actor_model_options={"server_args": SERVER_ARGS},
        actor_decoding="grammar",
        actor_max_tokens=200,
        reflector=f"lessons:vllm/{folder}",
        reflector_model_options={"server_args": SERVER_ARGS},
        families="read",
        turns=2,
        batch_size=2,
        loops=1,
        selection_size=2,
        test_size=2,
        max_steps=5,
        executor="inline",
    )
    result = run.result
    assert result.complete
    assert result.actor.options["decoding"] == "grammar"
    assert str(result.actor.fingerprint).startswith("sha256:")
    assert result.reflector.fingerprint == result.actor.fingerprint
    steps = [step for key in run.episode_keys() for step in run.episode(key).trajectory.steps]
    assert all(step.executed is not None and step.thought for step in steps)
    used = [cost for cost in result.cost.values() if cost.calls]
    calls, tokens, cached = (
        sum(getattr(cost, name) for cost in used) for name in ("calls", "input_tokens", "cached_tokens")
    )
    seconds = time.monotonic() - started
    print(f"{calls} calls in {seconds:.0f} s, {tokens} prompt tokens, {cached / tokens:.0%} from the prefix cache")
    assert cached > 0.5 * tokens
