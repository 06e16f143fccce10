"""Base class of models behind an HTTP API."""

from __future__ import annotations

from ictbench.models.chat_model import ChatModel


class ApiModel(ChatModel):
    """A model behind an HTTP API: an address and a key, so that every process can create its own instance."""

    _base_url = ""
    _fingerprint: str | None = None

    @property
    def address(self) -> str:
        """The base URL."""
        return self._base_url

    @property
    def is_remote(self) -> bool:
        """True."""
        return True

    @property
    def fingerprint(self) -> str | None:
        """The model name in the last reply, with the system fingerprint if one was sent."""
        return self._fingerprint
