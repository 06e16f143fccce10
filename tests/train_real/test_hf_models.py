"""Models of transformers in this process: contract tests with a tiny model, replies of the real one."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import EndpointRefusedError, ModelFailure
from ictbench.models.providers.chat_template import hidden_tokens, render_chat
from ictbench.models.providers.hf import HfModel
from ictbench.models.providers.hf_generate import GumbelNoise, Request
from ictbench.records import ModelSpec, Trajectory
from ictbench.reflectors import Context
from ictbench.reflectors.llm.lessons import LessonsReflector
from ictbench.testing import check_model
from ictbench.testing.sample_episodes import TRAJECTORIES
from ictbench.train.reflection_task import ReflectionTask
from ictbench.train.settings import TrainingSettings
from ictbench.train.states import ReflectionState

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.models import Message

QUESTION: list[Message] = [{"role": "user", "content": "Name a colour."}]
PREFILLED: list[Message] = [*QUESTION, {"role": "assistant", "content": "My favourite colour is"}]


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


def test_it_passes_the_contract_check(tiny: Path) -> None:
    check_model(lambda: HfModel(spec(tiny, max_tokens=4)))


def test_code_beside_the_weights_is_never_run(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither run nor asked about on standard input."""
    folder, trace = tmp_path / "model", tmp_path / "trace"
    shutil.copytree(tiny, folder)
    (folder / "evil.py").write_text(f"open({str(trace)!r}, 'w').close()\n", encoding="utf-8")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config |= {"model_type": "evil", "auto_map": {"AutoConfig": "evil.C", "AutoModelForCausalLM": "evil.M"}}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n" * 9))
    with pytest.raises(EndpointRefusedError, match=r"cannot be loaded: .*contains custom code"):
        complete(spec(folder), QUESTION, 1)
    assert not trace.exists()
    assert "[y/N]" not in capfd.readouterr().out


def test_replies_depend_on_the_seed_only_above_temperature_zero(tiny: Path) -> None:
    first, other, repeated = (reply.text for reply in complete(spec(tiny, temperature=1.0), QUESTION, 1, 2, 1))
    assert first == repeated != other
    assert len({reply.text for reply in complete(spec(tiny), QUESTION, 1, 2, None)}) == 1


def test_at_temperature_zero_a_repeated_question_is_not_generated_again(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages: list[Message] = [{"role": "user", "content": "Asked nowhere else."}]
    (first,) = complete(spec(tiny), messages, 1)
    longer = complete(spec(tiny, max_tokens=9), messages, 1)

    async def ask_again() -> list[Any]:
        cold, warm = HfModel(spec(tiny)), HfModel(spec(tiny, temperature=1.0))
        await cold.complete(messages)
        monkeypatch.setattr("transformers.LlamaForCausalLM.generate", None)
        with pytest.raises(TypeError):
            await warm.complete(messages)
        with pytest.raises(TypeError):
            await cold.complete_uncached(messages)
        return [await cold.complete(messages, seed=seed) for seed in (1, 2)]

    assert asyncio.run(ask_again()) == [first, first]
    assert longer[0].usage.output_tokens >= first.usage.output_tokens


def test_batched_replies_equal_single_replies(tiny: Path) -> None:
    questions: list[list[Message]] = [[{"role": "user", "content": f"Name {count} colours."}] for count in range(7)]

    async def ask(batch: int, temperature: float) -> list[str]:
        model = HfModel(spec(tiny, temperature=temperature, options={"batch": batch}))
        replies = await asyncio.gather(
            *(model.complete(messages, seed=seed) for seed, messages in enumerate(questions))
        )
        return [reply.text for reply in replies]

    for temperature in (0.0, 0.8):
        alone = asyncio.run(ask(1, temperature))
        assert asyncio.run(ask(4, temperature)) == alone
        assert len(set(alone)) > 1


def test_noise_on_the_logits_samples_from_the_distribution() -> None:
    import torch

    rows, temperature = 4000, 0.7
    logits = torch.tensor([1.0, 0.0, -1.0, 0.5])
    model = spec("smollm2", temperature=temperature)
    requests = [Request(model, (), 1, seed) for seed in range(rows)]
    noisy = GumbelNoise(requests, "cpu")(None, logits.expand(rows, -1))
    shares = noisy.argmax(-1).bincount(minlength=4) / rows
    assert torch.allclose(shares, (logits / temperature).softmax(-1), atol=0.03)
    greedy = GumbelNoise([Request(spec("smollm2"), (), 1, 5)], "cpu")(None, logits[None])
    assert torch.equal(greedy[0], logits)


def test_usage_and_finish_reason_are_in_tokens(tiny: Path, tokenizer: Any) -> None:
    (reply,) = complete(spec(tiny, max_tokens=5, temperature=1.0), QUESTION, 1)
    assert reply.finish_reason == "length"
    assert reply.usage.output_tokens == 5
    assert reply.usage.input_tokens == len(tokenizer(render_chat(tokenizer, QUESTION))["input_ids"])


def test_a_long_conversation_is_a_context_overflow(tiny: Path) -> None:
    with pytest.raises(ModelFailure, match="tokens are more than the model's context") as failure:
        complete(spec(tiny), [{"role": "user", "content": "word " * 3000}], 1)
    assert failure.value.kind == "context_overflow"


def test_specs_that_differ_only_in_sampling_share_weights(tiny: Path) -> None:
    async def weights() -> list[Any]:
        models = [HfModel(spec(tiny, temperature=temperature)) for temperature in (0.0, 1.0)]
        for model in models:
            await model.complete(QUESTION)
        return [model._weights for model in models]

    first, second = asyncio.run(weights())
    assert first is second


def test_the_real_model_continues_a_prefilled_reply(tokenizer: Any) -> None:
    assert render_chat(tokenizer, PREFILLED).endswith("<|im_start|>assistant\nMy favourite colour is")
    (reply,) = complete(spec("smollm2"), PREFILLED, 1)
    assert not reply.text.startswith("My favourite")
    assert reply.text.strip()


def test_training_and_runs_read_the_same_tokens(tiny: Path, tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = TrainingSettings.model_validate(
        {"model": str(tiny), "states": "s", "out": "o", "steps": 1, "reflector": "lessons", "max_tokens": 8}
    )
    batch: list[Trajectory] = list(TRAJECTORIES)
    prompt = 'You are the "@".'
    state = ReflectionState(
        family="eat",
        loop=0,
        turn=1,
        prompt=prompt,
        task_ids=(),
        solved=(),
        trajectories=tuple(trajectory.model_dump_json() for trajectory in batch),
    )
    rows = ReflectionTask.from_settings(settings, 8000).rows([state], tokenizer, 4096)
    inputs: list[list[int]] = []

    def record(self: Any, input_ids: Any, **_: Any) -> Any:
        inputs.append(input_ids[0].tolist())
        return input_ids[:, :1].repeat(1, input_ids.shape[1] + 3)

    monkeypatch.setattr("transformers.LlamaForCausalLM.generate", record)

    async def reflect() -> None:
        model = HfModel(spec(tiny))
        await LessonsReflector(model).reflect(prompt, batch, None, Context(seed=1, prompt_cap=8000))

    asyncio.run(reflect())
    assert inputs == [tokenizer(rows[0]["prompt"])["input_ids"]]
    assert ReflectionTask.from_settings(settings, 8000).rows([state], tokenizer, 20) == []


def test_markers_of_reasoning_stay_in_the_text_although_they_are_special_tokens() -> None:
    from tokenizers import AddedToken, Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(WordLevel({"<unk>": 0, "hm": 1, "wait": 2}, unk_token="<unk>"))
    words.pre_tokenizer = Whitespace()
    words.add_special_tokens(
        [AddedToken(token, special=True) for token in ("[THINK]", "[/THINK]", "<|eot_id|>", "<|python_tag|>")]
    )
    tokenizer: Any = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<|eot_id|>", unk_token="<unk>")
    tokens = tokenizer("[THINK] hm [/THINK] wait <|python_tag|> <|eot_id|>")["input_ids"]
    hidden = hidden_tokens(tokenizer)
    assert tokenizer.decode([token for token in tokens if token not in hidden]) == "[THINK] hm [/THINK] wait"
