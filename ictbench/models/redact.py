"""API keys: read from the environment, removed from every text that is shown or stored."""

from __future__ import annotations

import os
import re

from ictbench.errors import UsageError

SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)
MIN_SECRET_LENGTH = 8
"""A shorter value of a variable with such a name is taken for a setting, not for a secret."""


def read_api_key(variable: str) -> str:
    """Return the API key in an environment variable; empty if it is not set.

    Raises:
        UsageError: The value has characters that cannot occur in an HTTP header.
    """
    key = os.environ.get(variable, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise UsageError(f"{variable} contains characters that are not allowed in an API key; set it again")
    return key


class Redactor:
    """Replaces secrets in texts; its own repr does not show them."""

    def __init__(self, *secrets: str) -> None:
        self._secrets = tuple(filter(None, secrets))

    @classmethod
    def from_environment(cls) -> Redactor:
        """Return a redactor for all variables that look like secrets, for libraries that read their keys themselves."""
        values = (value for name, value in os.environ.items() if SECRET_NAME.search(name))
        return cls(*(value for value in values if len(value) >= MIN_SECRET_LENGTH))

    def __call__(self, text: str) -> str:
        """Return the text with every secret replaced by `[key]`."""
        for secret in self._secrets:
            text = text.replace(secret, "[key]")
        return text
