"""Language models, each provider behind one small contract, `ChatModel`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.models.contract import ChatModel, Completion, Message
from ictbench.resolve import resolve

if TYPE_CHECKING:
    from ictbench.records import ModelSpec

__all__ = ["ChatModel", "Completion", "Message", "open_model"]


def open_model(spec: ModelSpec) -> ChatModel:
    """The adapter for `spec`.

    Raises:
        UnknownNameError: no such provider.
        UsageError: the spec cannot work, e.g. a key is missing.
    """
    model: ChatModel = resolve("model", spec.provider)(spec)
    return model
