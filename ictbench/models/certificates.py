"""Trusted certificates: those of the system, and of every bundle that an environment variable names."""

from __future__ import annotations

import functools
import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from ictbench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables with a file or a folder of certificates. OpenSSL takes the first two instead of the system's."""


def tls_context() -> ssl.SSLContext:
    """Return the context of TLS connections; the same one for the same variables.

    Raises:
        UsageError: A variable names a file that does not exist or holds no certificates.
    """
    return _context(tuple(os.environ.get(variable, "") for variable in VARIABLES))


def certificate_error(error: BaseException | None) -> str | None:
    """Return why a server's certificate was rejected, if that is the cause of an error."""
    while error is not None:
        # aiohttp's error has the original one as an attribute.
        inner = getattr(error, "certificate_error", error)
        if isinstance(inner, ssl.SSLCertVerificationError):
            return getattr(inner, "verify_message", "") or str(inner)
        error = error.__cause__ or error.__context__
    return None


@functools.cache
def _context(values: tuple[str, ...]) -> ssl.SSLContext:
    context = ssl.create_default_context()
    # Some servers close a connection that does not name its protocol.
    context.set_alpn_protocols(["http/1.1"])
    for variable, value in zip(VARIABLES, values, strict=True):
        for path in _paths(variable, value):
            try:
                if path.is_dir():
                    context.load_verify_locations(capath=path)
                else:
                    context.load_verify_locations(cafile=path)
            except OSError as error:
                reason = error.strerror if error.errno and not isinstance(error, ssl.SSLError) else "no certificates"
                raise UsageError(
                    f"{variable}={value} cannot be read ({reason}); name a file of certificates in PEM format, "
                    "or unset the variable"
                ) from error
    return context


def _paths(variable: str, value: str) -> Iterator[Path]:
    """Yield files and folders; SSL_CERT_DIR may list several, of which OpenSSL ignores those that do not exist."""
    if variable == "SSL_CERT_DIR":
        yield from (path for path in map(Path, filter(None, value.split(os.pathsep))) if path.is_dir())
    elif value:
        yield Path(value)
