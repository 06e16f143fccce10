"""Secrets: API keys read from the environment, removed from every text that is shown or stored."""

from __future__ import annotations

import base64
import json
import os
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from ictbench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)
LOGIN = re.compile(r"://([^/@\s:]*:[^/@\s]+)@")
"""User and password in a URL, e.g. of a proxy."""
MIN_SECRET_LENGTH = 8
"""A shorter value is a setting or a placeholder. Replacing it would garble messages."""
PLACEHOLDERS = frozenset(
    {
        "anything",
        "apikey",
        "changeme",
        "default",
        "disabled",
        "dummykey",
        "fakekey",
        "localhost",
        "lmstudio",
        "mockkey",
        "noapikey",
        "nokeyneeded",
        "nokeyrequired",
        "notneeded",
        "notrequired",
        "optional",
        "password",
        "placeholder",
        "required",
        "secretkey",
        "sknokeyrequired",
        "sktest",
        "testkey",
        "testtoken",
        "undefined",
        "unlimited",
        "yourapikey",
        "yourkeyhere",
    }
)
"""Common values of keys that are not secrets, in lower case and without punctuation."""


def is_secret(value: str) -> bool:
    """Return whether a value must not be shown: short values and common placeholders may be."""
    plain = re.sub(r"[\W_]", "", value.lower())
    return len(value) >= MIN_SECRET_LENGTH and len(set(plain)) > 1 and plain not in PLACEHOLDERS


def read_header(variable: str) -> str:
    """Return the value of an environment variable that is sent in an HTTP header; empty if it is not set.

    Raises:
        UsageError: The value has characters that cannot occur in an HTTP header.
    """
    value = os.environ.get(variable, "").strip()
    if not (value.isascii() and value.isprintable()):
        raise UsageError(f"{variable} contains characters that are not allowed in an HTTP header; set it again")
    return value


class Redactor:
    """Replaces secrets in texts, also where they are encoded; its own repr does not show them."""

    def __init__(self, *secrets: str) -> None:
        forms = {form for secret in secrets if is_secret(secret) for form in _forms(secret)}
        # The longest first, in case one is part of another.
        self._secrets = sorted(forms, key=len, reverse=True)
        self._encoded = [secret.encode(errors="surrogatepass") for secret in self._secrets]

    @classmethod
    def from_environment(cls, *secrets: str, environment: Mapping[str, str] = os.environ) -> Redactor:
        """Return a redactor for these, for all variables that look like secrets, and for passwords in URLs.

        For libraries and programs that read their keys from the environment themselves.
        """
        named = [value for name, value in environment.items() if SECRET_NAME.search(name)]
        in_urls = [login for value in environment.values() for login in LOGIN.findall(value)]
        passwords = [unquote(login.partition(":")[2]) for login in in_urls]
        return cls(*secrets, *named, *in_urls, *passwords)

    def __call__(self, text: str) -> str:
        """Return the text with every secret replaced by `[key]`."""
        for secret in self._secrets:
            text = text.replace(secret, "[key]")
        return text

    def in_reply(self, content: bytes) -> bytes:
        """Return the body of a reply with every secret replaced: a server may repeat the key it was sent."""
        for secret in self._encoded:
            if secret in content:
                content = content.replace(secret, b"[key]")
        return content


def _forms(secret: str) -> Iterator[str]:
    """Yield a secret as it may occur: plain, in a URL, in JSON, and in basic authentication."""
    yield secret
    yield secret.strip()
    yield quote(secret, safe="")
    yield json.dumps(secret)[1:-1]
    yield base64.b64encode(secret.encode()).decode()
