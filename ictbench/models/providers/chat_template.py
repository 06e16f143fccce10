"""Chat templates: a conversation as the text that a model's tokenizer reads, the same in use and in training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ictbench.models.reasoning import is_marker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models.chat_model import Message


def render_chat(tokenizer: Any, messages: Sequence[Message]) -> str:
    """Return the conversation in the tokenizer's chat template, ready for the model's reply.

    A last message with the role `assistant` is the start of that reply. If `tokenizer(text)` itself adds the token for
    the beginning of the sequence, the text does not contain it.

    Raises:
        jinja2.TemplateError: The template does not support such a conversation.
    """
    continues = messages[-1]["role"] == "assistant"
    text: str = tokenizer.apply_chat_template(
        [dict(message) for message in messages],
        tokenize=False,
        add_generation_prompt=not continues,
        continue_final_message=continues,
    )
    bos = tokenizer.bos_token
    if bos and text.startswith(bos) and tokenizer(text)["input_ids"][:2] == [tokenizer.bos_token_id] * 2:
        return text.removeprefix(bos)
    return text


def hidden_tokens(tokenizer: Any) -> frozenset[int]:
    """Return the special tokens that are no part of a reply's text: all but those that mark reasoning."""
    special = {number: str(token) for number, token in tokenizer.added_tokens_decoder.items() if token.special}
    special |= dict(zip(tokenizer.all_special_ids, tokenizer.all_special_tokens, strict=True))
    return frozenset(number for number, token in special.items() if not is_marker(token))
