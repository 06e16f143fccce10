"""Download of a file from an untrusted web server: no redirect, bounded time and size, public addresses only."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from ictbench.errors import SubmissionError
from ictbench.models.transport import Transport
from ictbench.submissions.evidence_location import private_problem

if TYPE_CHECKING:
    from aiohttp.abc import ResolveResult

SECONDS = 120.0
"""Time that a download may take."""

HEADERS = {"User-Agent": "ictbench", "Accept": "*/*", "Accept-Encoding": "identity"}
"""Headers of a request. The digest is that of the file as it is stored, so a server need not compress it."""


def download(address: str, most: int, *, private: bool) -> bytes:
    """Return a file of at most `most` bytes, through the proxies and with the certificates of the environment.

    Args:
        address: Address with the scheme https or http.
        most: Maximum size.
        private: Whether the host may have a private or loopback address.

    Raises:
        SubmissionError: The server sends something else.
        InfrastructureError: It sends nothing, or more.
        UsageError: The environment names a proxy, or certificates, that cannot be used.
    """
    from anyio.from_thread import start_blocking_portal  # 50 ms

    # The caller may itself run in an event loop, as in a notebook.
    with start_blocking_portal(name="ictbench-download") as portal:
        return portal.call(_get, URL(address), most, private)


async def _get(url: URL, most: int, private: bool) -> bytes:
    transport = Transport(resolver=None if private else PublicResolver())
    try:
        response = await transport.send(
            "GET", url, headers=HEADERS, data=None, seconds=SECONDS, most=most, decompress=False
        )
    finally:
        await transport.aclose()
    if 300 <= response.status < 400:
        where = response.headers.get("Location", "nowhere")
        raise SubmissionError(f"{url} redirects to {where:.200}; redirects are not followed: name the other address")
    if response.status != 200:
        raise SubmissionError(f"{url} cannot be read: the server answers with HTTP status {response.status}")
    return response.content


class PublicResolver(AbstractResolver):
    """Resolver of host names that refuses private and loopback addresses."""

    def __init__(self) -> None:
        self._resolver = aiohttp.DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a host.

        Raises:
            OSError: There is none, or one that is not public.
        """
        found = await self._resolver.resolve(host, port, family)
        for one in found:
            if problem := private_problem(one["host"]):
                raise OSError(errno.EACCES, f"{host} leads to {problem}")
        return found

    async def close(self) -> None:
        """Release the resolver."""
        await self._resolver.close()
