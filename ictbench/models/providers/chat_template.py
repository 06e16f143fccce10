"""Messages as the text that a model's tokenizer reads: one way for use and for training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models.chat_model import Message


def render_chat(tokenizer: Any, messages: Sequence[Message]) -> str:
    """The model's chat template applied, up to where its reply begins, or goes on after a last message of its own.

    `tokenizer(text)` gives the tokens: a mark of the beginning that it adds itself is not in the text twice.

    Raises:
        jinja2.TemplateError: the template does not take such a conversation.
    """
    goes_on = messages[-1]["role"] == "assistant"
    text: str = tokenizer.apply_chat_template(
        [dict(message) for message in messages],
        tokenize=False,
        add_generation_prompt=not goes_on,
        continue_final_message=goes_on,
    )
    mark = tokenizer.bos_token
    if mark and text.startswith(mark) and tokenizer(text)["input_ids"][:2] == [tokenizer.bos_token_id] * 2:
        return text.removeprefix(mark)
    return text
