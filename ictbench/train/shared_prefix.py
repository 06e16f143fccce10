"""Generation and scoring on a CPU that read the question of a group once instead of once per reply.

TRL reads the question for every reply and projects each of its tokens onto the vocabulary. For a question of 450 tokens
and 8 replies of 40 tokens, this module computes 770 tokens instead of 3,920.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from transformers import DynamicCache

from ictbench.models.providers.hf_generate import cut_after_end_token

if TYPE_CHECKING:
    from collections.abc import Sequence


def generate(prompts: Sequence[str], trainer: Any) -> dict[str, list[list[int]] | None]:
    """Generate one reply per prompt, as TRL's `rollout_func`; equal prompts are read once.

    Returns:
        `prompt_ids` and `completion_ids`, token ids in the order of `prompts`, and `logprobs`, always None.
    """
    tokenizer, model = trainer.processing_class, trainer.accelerator.unwrap_model(trainer.model)
    questions = {text: tokenizer(text)["input_ids"] for text in dict.fromkeys(prompts)}
    replies: dict[str, list[list[int]]] = {}
    model.eval()
    # One autocast context around the loop, so that the weights are cast once and not per token.
    with torch.no_grad(), trainer.accelerator.autocast():
        for text, question in questions.items():
            count = prompts.count(text)
            ids = torch.tensor([question], device=model.device)
            cache = _read_question(model, ids[:, :-1], count)[0]
            ids = ids.expand(count, -1)
            output = model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                cache=cache,
                generation_config=trainer.generation_config,
            )
            replies[text] = [
                cut_after_end_token(reply.tolist(), trainer.eos_token_ids) for reply in output[:, ids.shape[1] :]
            ]
    model.train()
    return {
        "prompt_ids": [questions[text] for text in prompts],
        "completion_ids": [replies[text].pop(0) for text in prompts],
        "logprobs": None,
    }


def log_probabilities(
    model: Any, ids: torch.Tensor, mask: torch.Tensor, keep: int, temperature: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return log-probabilities and entropies of the last `keep` tokens of each row.

    Args:
        model: A causal language model.
        ids: Token ids, rows × tokens; questions are padded on the left, replies of `keep` tokens on the right.
        mask: Same shape; 0 where `ids` is padding.
        keep: Tokens per reply, including padding.
        temperature: Divisor of the logits.

    Returns:
        Two tensors of shape rows × `keep`; entropies carry no gradient.
    """
    questions = [tuple(row[real].tolist()) for row, real in zip(ids[:, :-keep], mask[:, :-keep].bool(), strict=True)]
    parts: list[tuple[torch.Tensor, torch.Tensor]] = []
    order: list[int] = []
    for question in dict.fromkeys(questions):
        rows = [row for row, other in enumerate(questions) if other == question]
        replies = ids[rows, -keep:]
        cache, first = _read_question(model, torch.tensor([question], device=ids.device), len(rows))
        # No attention mask is needed: the padding is on the right, and no token attends to later ones.
        logits = first.expand(len(rows), -1, -1)
        if keep > 1:
            rest = model(input_ids=replies[:, :-1], cache=cache, use_cache=True)
            logits = torch.cat([logits, rest.logits], dim=1)
        log_p = (logits.float() / temperature).log_softmax(-1)
        parts.append((log_p.gather(-1, replies.unsqueeze(-1)).squeeze(-1), -(log_p.exp() * log_p).sum(-1).detach()))
        order += rows
    restore = torch.tensor(order, device=ids.device).argsort()
    scores, entropies = (torch.cat(tensors)[restore] for tensors in zip(*parts, strict=True))
    return scores, entropies


def _read_question(model: Any, question: torch.Tensor, count: int) -> tuple[DynamicCache, torch.Tensor]:
    """Return the key-value cache of a question, repeated `count` times, and the logits of the next token."""
    cache = DynamicCache()
    logits = model(input_ids=question, cache=cache, use_cache=True, logits_to_keep=1).logits
    cache.batch_repeat_interleave(count)
    return cache, logits
