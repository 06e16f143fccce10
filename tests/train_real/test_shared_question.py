"""Reading a group's question once gives what reading it for each reply gives."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from ictbench.models.providers.smollm2 import smollm2_folder
from ictbench.train.shared_prefix import generate, log_probabilities

QUESTIONS = ("What lies in the room?", "Name three symbols, one a line, and nothing else.")
REPLIES = (" A bell.", " Nothing at all.", " A stone", " &")
"""Of the first question, the second, the first, the second."""


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(smollm2_folder())


@pytest.fixture(scope="module")
def model() -> Any:
    return AutoModelForCausalLM.from_pretrained(smollm2_folder(), dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def batch(tokenizer: Any) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Ids, mask, and the tokens of a reply: questions padded on the left, replies on the right."""
    asked = [tokenizer(QUESTIONS[place % 2])["input_ids"] for place in range(len(REPLIES))]
    replied = [tokenizer(text)["input_ids"] for text in REPLIES]
    longest, keep = max(map(len, asked)), max(map(len, replied))
    rows, masks = [], []
    for question, reply in zip(asked, replied, strict=True):
        before, after = longest - len(question), keep - len(reply)
        rows.append([0] * before + question + reply + [0] * after)
        masks.append([0] * before + [1] * (len(question) + len(reply)) + [0] * after)
    return torch.tensor(rows), torch.tensor(masks), keep


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_scores_entropies_and_gradients_are_those_of_whole_rows(
    model: Any, batch: tuple[torch.Tensor, torch.Tensor, int], temperature: float
) -> None:
    ids, mask, keep = batch
    places = (mask.cumsum(-1) - 1).clamp(min=0)
    logits = model(ids, attention_mask=mask, position_ids=places).logits[:, -keep - 1 : -1] / temperature
    expected = logits.log_softmax(-1)
    scored = expected.gather(-1, ids[:, -keep:].unsqueeze(-1)).squeeze(-1)
    found, entropies = log_probabilities(model, ids, mask, keep, temperature)
    counts = mask[:, -keep:].bool()
    torch.testing.assert_close(found[counts], scored[counts], atol=1e-3, rtol=1e-3)
    spread = -(expected.exp() * expected).sum(-1)
    torch.testing.assert_close(entropies[counts], spread[counts], atol=1e-3, rtol=1e-3)
    weight = model.model.layers[2].mlp.up_proj.weight
    ours, theirs = (torch.autograd.grad(one[counts].mean(), weight)[0] for one in (found, scored))
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-2)


def test_replies_are_those_of_the_model_alone(model: Any, tokenizer: Any) -> None:
    ends = [tokenizer.eos_token_id]
    config = GenerationConfig(max_new_tokens=8, do_sample=False, eos_token_id=ends, pad_token_id=ends[0])
    accelerator = SimpleNamespace(unwrap_model=lambda wrapped: wrapped, autocast=nullcontext)
    trainer = SimpleNamespace(
        processing_class=tokenizer, model=model, accelerator=accelerator, generation_config=config, eos_token_ids=ends
    )
    asked = [QUESTIONS[0], QUESTIONS[0], QUESTIONS[1]]
    found = generate(asked, trainer)
    assert found["prompt_ids"] == [tokenizer(text)["input_ids"] for text in asked]
    for text, reply in zip(asked, found["completion_ids"] or [], strict=True):
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        alone = model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=config)[0, ids.shape[1] :]
        assert reply == alone.tolist()
