"""A group's replies go on from the same question: on a CPU it is read once for all of them, not once for each.

Generation and scoring are TRL's otherwise, which on a CPU also projects every token of the question onto the
vocabulary. Of a question of 450 tokens and 8 replies of 40, 770 tokens are computed in place of 3,920.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from transformers import DynamicCache

from ictbench.models.providers.hf_generate import cut_after_end_token

if TYPE_CHECKING:
    from collections.abc import Sequence


def generate(prompts: Sequence[str], trainer: Any) -> dict[str, list[list[int]] | None]:
    """Replies to questions, as TRL's `rollout_func`: equal questions stand for so many replies to one."""
    tokenizer, model = trainer.processing_class, trainer.accelerator.unwrap_model(trainer.model)
    asked = {text: tokenizer(text)["input_ids"] for text in dict.fromkeys(prompts)}
    replies: dict[str, list[list[int]]] = {}
    model.eval()
    # One context around all of it: the weights are cast once, not at every token.
    with torch.no_grad(), trainer.accelerator.autocast():
        for text, question in asked.items():
            ids = torch.tensor([question], device=model.device)
            cache = _read(model, ids[:, :-1], prompts.count(text))[0]
            ids = ids.expand(prompts.count(text), -1)
            found = model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                cache=cache,
                generation_config=trainer.generation_config,
            )
            replies[text] = [
                cut_after_end_token(reply.tolist(), trainer.eos_token_ids) for reply in found[:, ids.shape[1] :]
            ]
    model.train()
    return {
        "prompt_ids": [asked[text] for text in prompts],
        "completion_ids": [replies[text].pop(0) for text in prompts],
        "logprobs": None,
    }


def log_probabilities(
    model: Any, ids: torch.Tensor, mask: torch.Tensor, keep: int, temperature: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Of the last `keep` tokens of each row, the log-probabilities and the entropies of the distributions.

    Args:
        model: a causal language model.
        ids: rows × tokens; questions are padded on the left, replies of `keep` tokens on the right.
        mask: 0 where there is padding.
        keep: tokens of a reply, its padding included.
        temperature: by which the logits are divided.
    """
    questions = [tuple(row[there].tolist()) for row, there in zip(ids[:, :-keep], mask[:, :-keep].bool(), strict=True)]
    found: list[tuple[torch.Tensor, torch.Tensor]] = []
    order: list[int] = []
    for question in dict.fromkeys(questions):
        rows = [row for row, one in enumerate(questions) if one == question]
        replies = ids[rows, -keep:]
        cache, first = _read(model, torch.tensor([question], device=ids.device), len(rows))
        # Padding comes last, and no token sees what comes after it.
        logits = first.expand(len(rows), -1, -1)
        if keep > 1:
            rest = model(input_ids=replies[:, :-1], cache=cache, use_cache=True)
            logits = torch.cat([logits, rest.logits], dim=1)
        log_p = (logits.float() / temperature).log_softmax(-1)
        found.append((log_p.gather(-1, replies.unsqueeze(-1)).squeeze(-1), -(log_p.exp() * log_p).sum(-1).detach()))
        order += rows
    back = torch.tensor(order, device=ids.device).argsort()
    scores, entropies = (torch.cat(parts)[back] for parts in zip(*found, strict=True))
    return scores, entropies


def _read(model: Any, question: torch.Tensor, count: int) -> tuple[DynamicCache, torch.Tensor]:
    """Keys and values of a question, so many times over, and the logits of what comes after it."""
    cache = DynamicCache()
    logits = model(input_ids=question, cache=cache, use_cache=True, logits_to_keep=1).logits
    cache.batch_repeat_interleave(count)
    return cache, logits
