"""Models of transformers in this process: the contract on a tiny one, replies of the real one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import ModelFailure
from ictbench.models.providers.chat_template import render_chat
from ictbench.models.providers.hf import HfModel
from ictbench.models.providers.hf_generate import GumbelNoise, Request
from ictbench.records import ModelSpec, Trajectory
from ictbench.reflectors import Context
from ictbench.reflectors.llm.lessons import LessonsReflector
from ictbench.testing import check_model
from ictbench.testing.sample_episodes import TRAJECTORIES
from ictbench.train.reflection_task import ReplyTask
from ictbench.train.settings import Settings
from ictbench.train.states import State

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.models import Message

ASKED: list[Message] = [{"role": "user", "content": "Name a colour."}]
BEGUN: list[Message] = [*ASKED, {"role": "assistant", "content": "My favourite colour is"}]


def spec(model: object, **fields: Any) -> ModelSpec:
    return ModelSpec(provider="hf", model=str(model), **{"max_tokens": 8, **fields})


def complete(model: ModelSpec, messages: list[Message], *seeds: int | None) -> list[Any]:
    async def ask() -> list[Any]:
        opened = HfModel(model)
        try:
            return [await opened.complete(messages, seed=seed) for seed in seeds]
        finally:
            await opened.aclose()

    return asyncio.run(ask())


def test_it_keeps_the_contract(tiny: Path) -> None:
    check_model(lambda: HfModel(spec(tiny, max_tokens=4)))


def test_the_seed_decides_above_temperature_zero_and_nothing_else_does(tiny: Path) -> None:
    one, other, again = (found.text for found in complete(spec(tiny, temperature=1.0), ASKED, 1, 2, 1))
    assert one == again != other
    assert len({found.text for found in complete(spec(tiny), ASKED, 1, 2, None)}) == 1


def test_at_temperature_zero_the_same_question_is_answered_from_memory(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Message] = [{"role": "user", "content": "Asked nowhere else."}]
    (first,) = complete(spec(tiny), asked, 1)
    longer = complete(spec(tiny, max_tokens=9), asked, 1)

    async def ask_again() -> list[Any]:
        one, other = HfModel(spec(tiny)), HfModel(spec(tiny, temperature=1.0))
        await one.complete(asked)
        monkeypatch.setattr("transformers.LlamaForCausalLM.generate", None)
        with pytest.raises(TypeError):
            await other.complete(asked)
        return [await one.complete(asked, seed=seed) for seed in (1, 2)]

    assert asyncio.run(ask_again()) == [first, first]
    assert longer[0].usage.output_tokens >= first.usage.output_tokens


def test_side_by_side_each_has_the_reply_that_it_has_alone(tiny: Path) -> None:
    asked: list[list[Message]] = [[{"role": "user", "content": f"Name {count} colours."}] for count in range(7)]

    async def ask(batch: int, temperature: float) -> list[str]:
        model = HfModel(spec(tiny, temperature=temperature, options={"batch": batch}))
        replies = await asyncio.gather(*(model.complete(one, seed=seed) for seed, one in enumerate(asked)))
        return [reply.text for reply in replies]

    for temperature in (0.0, 0.8):
        alone = asyncio.run(ask(1, temperature))
        assert asyncio.run(ask(4, temperature)) == alone
        assert len(set(alone)) > 1


def test_noise_on_the_logits_samples_from_the_distribution() -> None:
    import torch

    rows, temperature = 4000, 0.7
    logits = torch.tensor([1.0, 0.0, -1.0, 0.5])
    asked = spec("smollm2", temperature=temperature)
    requests = [Request(asked, (), 1, seed) for seed in range(rows)]
    noisy = GumbelNoise(requests, "cpu")(None, logits.expand(rows, -1))
    shares = noisy.argmax(-1).bincount(minlength=4) / rows
    assert torch.allclose(shares, (logits / temperature).softmax(-1), atol=0.03)
    still = GumbelNoise([Request(spec("smollm2"), (), 1, 5)], "cpu")(None, logits[None])
    assert torch.equal(still[0], logits)


def test_usage_and_finish_are_counted_in_tokens(tiny: Path, tokenizer: Any) -> None:
    (found,) = complete(spec(tiny, max_tokens=5, temperature=1.0), ASKED, 1)
    assert found.finish_reason == "length"
    assert found.usage.output_tokens == 5
    assert found.usage.input_tokens == len(tokenizer(render_chat(tokenizer, ASKED))["input_ids"])


def test_a_conversation_too_long_overflows_the_context(tiny: Path) -> None:
    with pytest.raises(ModelFailure, match="are more than it can read") as failure:
        complete(spec(tiny), [{"role": "user", "content": "word " * 1500}], 1)
    assert failure.value.kind == "context_overflow"


def test_specs_that_differ_in_sampling_share_the_weights(tiny: Path) -> None:
    async def weights() -> list[Any]:
        models = [HfModel(spec(tiny, temperature=temperature)) for temperature in (0.0, 1.0)]
        for model in models:
            await model.complete(ASKED)
        return [model._weights for model in models]

    one, other = asyncio.run(weights())
    assert one is other


def test_the_real_model_goes_on_from_a_begun_reply(tokenizer: Any) -> None:
    assert render_chat(tokenizer, BEGUN).endswith("<|im_start|>assistant\nMy favourite colour is")
    (found,) = complete(spec("smollm2"), BEGUN, 1)
    assert not found.text.startswith("My favourite")
    assert found.text.strip()


def test_training_and_use_read_the_same_tokens(tiny: Path, tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.model_validate(
        {"model": str(tiny), "states": "s", "out": "o", "steps": 1, "reflector": "lessons", "max_tokens": 8}
    )
    batch: list[Trajectory] = list(TRAJECTORIES)
    prompt = 'You are the "@".'
    state = State(
        family="eat",
        loop=0,
        turn=1,
        prompt=prompt,
        task_ids=(),
        solved=(),
        trajectories=tuple(trajectory.model_dump_json() for trajectory in batch),
    )
    rows = ReplyTask.of(settings, 8000).rows([state], tokenizer, 4096)
    read: list[list[int]] = []

    def noted(self: Any, input_ids: Any, **_: Any) -> Any:
        read.append(input_ids[0].tolist())
        return input_ids[:, :1].repeat(1, input_ids.shape[1] + 3)

    monkeypatch.setattr("transformers.LlamaForCausalLM.generate", noted)

    async def reflect() -> None:
        model = HfModel(spec(tiny))
        await LessonsReflector(model).reflect(prompt, batch, None, Context(seed=1, prompt_cap=8000))

    asyncio.run(reflect())
    assert read == [tokenizer(rows[0]["prompt"])["input_ids"]]
    assert ReplyTask.of(settings, 8000).rows([state], tokenizer, 20) == []
