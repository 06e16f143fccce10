"""A tiny random model with the real tokenizer: it replies at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from speaking_model import save_speaking_model

from ictbench.models.providers.smollm2 import smollm2_folder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(smollm2_folder())


@pytest.fixture(scope="session")
def tiny(tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a two-layer model of the same architecture with random weights."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    tokens = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2, "vocab_size": len(tokenizer)}
    folder = tmp_path_factory.mktemp("tiny")
    LlamaForCausalLM(LlamaConfig(max_position_embeddings=2048, **sizes, **tokens)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def speaking(tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a tiny model whose replies to the question of `one-rule` are mostly rules."""
    question = (
        '<|im_start|>user\nSymbols: "%"\nWrite one rule that is not among the rules so far.<|im_end|>\n'
        '<|im_start|>assistant\nWhen you see "'
    )
    folder = tmp_path_factory.mktemp("speaking")
    save_speaking_model(folder, tokenizer, [question, question.replace("%", "?")])
    return folder
