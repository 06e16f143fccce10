"""Reading the question of a group once gives the same results as reading it for every reply."""

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
"""Replies to the two questions in turn."""


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(smollm2_folder())


@pytest.fixture(scope="module")
def model() -> Any:
    return AutoModelForCausalLM.from_pretrained(smollm2_folder(), dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def batch(tokenizer: Any) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Ids, mask and tokens per reply: questions are padded on the left, replies on the right."""
    questions = [tokenizer(QUESTIONS[row % 2])["input_ids"] for row in range(len(REPLIES))]
    replies = [tokenizer(text)["input_ids"] for text in REPLIES]
    longest, keep = max(map(len, questions)), max(map(len, replies))
    rows, masks = [], []
    for question, reply in zip(questions, replies, strict=True):
        before, after = longest - len(question), keep - len(reply)
        rows.append([0] * before + question + reply + [0] * after)
        masks.append([0] * before + [1] * (len(question) + len(reply)) + [0] * after)
    return torch.tensor(rows), torch.tensor(masks), keep


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_scores_entropies_and_gradients_equal_those_of_full_rows(
    model: Any, batch: tuple[torch.Tensor, torch.Tensor, int], temperature: float
) -> None:
    ids, mask, keep = batch
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    logits = model(ids, attention_mask=mask, position_ids=positions).logits[:, -keep - 1 : -1] / temperature
    expected = logits.log_softmax(-1)
    expected_scores = expected.gather(-1, ids[:, -keep:].unsqueeze(-1)).squeeze(-1)
    scores, entropies = log_probabilities(model, ids, mask, keep, temperature)
    real = mask[:, -keep:].bool()
    torch.testing.assert_close(scores[real], expected_scores[real], atol=1e-3, rtol=1e-3)
    expected_entropies = -(expected.exp() * expected).sum(-1)
    torch.testing.assert_close(entropies[real], expected_entropies[real], atol=1e-3, rtol=1e-3)
    weight = model.model.layers[2].mlp.up_proj.weight
    ours, theirs = (torch.autograd.grad(s[real].mean(), weight)[0] for s in (scores, expected_scores))
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-2)


def test_replies_equal_those_of_the_plain_model(model: Any, tokenizer: Any) -> None:
    ends = [tokenizer.eos_token_id]
    config = GenerationConfig(max_new_tokens=8, do_sample=False, eos_token_id=ends, pad_token_id=ends[0])
    accelerator = SimpleNamespace(unwrap_model=lambda wrapped: wrapped, autocast=nullcontext)
    trainer = SimpleNamespace(
        processing_class=tokenizer, model=model, accelerator=accelerator, generation_config=config, eos_token_ids=ends
    )
    prompts = [QUESTIONS[0], QUESTIONS[0], QUESTIONS[1]]
    output = generate(prompts, trainer)
    assert output["prompt_ids"] == [tokenizer(text)["input_ids"] for text in prompts]
    for text, reply in zip(prompts, output["completion_ids"] or [], strict=True):
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        alone = model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=config)[0, ids.shape[1] :]
        assert reply == alone.tolist()
