"""Keys out of everything that is written down."""

from __future__ import annotations

import os
import re

SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)
SHORTEST_SECRET = 8
"""Shorter values of such variables are settings rather than secrets."""


class Redactor:
    """Replaces secrets in texts, and does not show them in its own repr."""

    def __init__(self, *secrets: str) -> None:
        self._secrets = tuple(filter(None, secrets))

    @classmethod
    def from_environment(cls) -> Redactor:
        """Of every variable that looks like a secret, for packages that find their keys by themselves."""
        named = (value for name, value in os.environ.items() if SECRET_NAME.search(name))
        return cls(*(value for value in named if len(value) >= SHORTEST_SECRET))

    def __call__(self, text: str) -> str:
        """The text without the secrets."""
        for secret in self._secrets:
            text = text.replace(secret, "[key]")
        return text
