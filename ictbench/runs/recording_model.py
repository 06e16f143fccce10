"""A model that records the requests of a player instead of sending them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.errors import ModelFailure
from ictbench.models import ChatModel
from ictbench.models.adaptation import Request
from ictbench.models.chat_model import Completion
from ictbench.records import Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models import Constraint, Message


class RecordingModel(ChatModel):
    """Model that records requests, and answers each with the same text or none."""

    def __init__(self, model: ChatModel, reply: str | None = None) -> None:
        """Take the place of a model.

        Args:
            model: The model that a player is made for.
            reply: Text of every reply; None fails every request.
        """
        super().__init__(model.spec)
        self.capabilities, self.supports_prefill = model.capabilities, model.supports_prefill
        self.requests: list[Request] = []
        self._reply = reply

    async def complete(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        """Record the request.

        Raises:
            ModelFailure: There is no reply.
        """
        self.requests.append(Request(tuple(messages), seed, constraint))
        if self._reply is None:
            raise ModelFailure("empty", "the request was recorded")
        return Completion(self._reply, Usage())

    @property
    def fingerprint(self) -> str | None:
        """None."""
        return None

    async def aclose(self) -> None:
        """Do nothing."""
