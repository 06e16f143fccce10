"""A tiny model that knows a few replies by heart, so that rewards differ and a training changes it within seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

REPLIES = (
    'You see here", choose "eat".',
    'You see here", choose "pickup".',
    'You see here", choose "read".',
    'Dlvl:1", choose "step n".',
)
"""What it writes after `When you see "`, whatever stands before."""


STEPS, CONTEXT = 70, 32


def save_speaking_model(folder: Path, tokenizer: Any, questions: Sequence[str]) -> None:
    """Train a two-layer model on the replies to some questions, and save it."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    tokens = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2, "vocab_size": len(tokenizer)}
    model = LlamaForCausalLM(LlamaConfig(max_position_embeddings=2048, **sizes, **tokens))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    answers = [[*tokenizer(reply, add_special_tokens=False)["input_ids"], 2] for reply in REPLIES]
    length = max(map(len, answers))
    padded = [answer + [2] * (length - len(answer)) for answer in answers]
    for step in range(STEPS):
        question = tokenizer(questions[step % len(questions)])["input_ids"][-CONTEXT:]
        ids = torch.tensor([question + answer for answer in padded])
        logits = model(ids, logits_to_keep=length + 1).logits[:, :-1]
        loss = torch.nn.functional.cross_entropy(logits.transpose(1, 2), ids[:, -length:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
