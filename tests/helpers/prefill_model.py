"""Model that supports prefilled replies and records its messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.models import Completion
from ictbench.models.chat_model import ChatModel
from ictbench.records import ModelSpec, Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models import Constraint, Message


class PrefillModel(ChatModel):
    """Model that supports prefilled replies and records its messages."""

    supports_prefill = True
    fingerprint = None

    def __init__(self, rest: str) -> None:
        super().__init__(ModelSpec(provider="own", model="m"))
        self.rest = rest
        self.messages: list[Message] = []

    async def complete(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        self.messages = list(messages)
        return Completion(self.rest, Usage(calls=1), "length")

    async def aclose(self) -> None:
        pass
