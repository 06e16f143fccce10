"""Proxies: which proxy a URL is requested through, by the usual environment variables.

`HTTP_PROXY` and `HTTPS_PROXY` apply to URLs of their scheme, `ALL_PROXY` to both, `NO_PROXY` lists hosts that are
reached directly. Lower-case names take precedence. Addresses of this machine are never proxied.
"""

from __future__ import annotations

import base64
import os
import re
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from yarl import URL

from ictbench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

HTTP_SCHEMES = frozenset({"http", "https"})
SOCKS_SCHEMES = frozenset({"socks", "socks4", "socks4a", "socks5", "socks5h"})
DEFAULT_PORTS = {"http": 80, "https": 443}
SOCKS_PORT = 1080


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy, and the variable that names it; its text does not show user name and password."""

    url: URL = field(repr=False)
    variable: str

    def __str__(self) -> str:
        return f"the proxy {self.url.with_user(None)} of {self.variable}"

    @property
    def is_socks(self) -> bool:
        """Whether it speaks SOCKS and not HTTP."""
        return self.url.scheme in SOCKS_SCHEMES

    @property
    def resolves_names(self) -> bool:
        """Whether the proxy, and not this machine, looks up the addresses of hosts."""
        return self.url.scheme not in {"socks4", "socks5"}

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every form in which its password may occur in a message."""
        if self.url.password is None:
            return ()
        user, password = self.url.user or "", self.url.password
        basic = base64.b64encode(f"{user}:{password}".encode()).decode()
        return (password, f"{user}:{password}", basic, f"{self.url.raw_user or ''}:{self.url.raw_password}")


def find_proxy(url: URL) -> Proxy | None:
    """Return the proxy through which a URL is requested; None for a direct connection.

    Raises:
        UsageError: The variable's value is not the address of a proxy.
    """
    host = (url.host or "").rstrip(".")
    if _is_loopback(host) or _is_excluded(host, url.port, _read("no_proxy")[1]):
        return None
    for name in (f"{url.scheme}_proxy", "all_proxy"):
        variable, value = _read(name)
        if value:
            return Proxy(_parse(variable, value), variable)
    return None


def _read(name: str) -> tuple[str, str]:
    """Return name and value of a variable. One in lower case counts even if it is empty."""
    for variable in (name, name.upper()):
        if variable in os.environ:
            return variable, os.environ[variable].strip()
    return name, ""


def _parse(variable: str, value: str) -> URL:
    """Return the address of a proxy, which is that of an HTTP proxy if it has no scheme."""
    address = value if "://" in value else f"http://{value}"
    shown = re.sub(r"://.*@", "://[key]@", address) if "://" in value else re.sub(r"^.*@", "[key]@", value)
    try:
        url = URL(address)
        port = url.explicit_port
    except ValueError:
        url, port = URL(), None
    if not url.host or re.search(r"\s", value):
        raise UsageError(
            f"{variable}={shown} is not the address of a proxy; write http://HOST:PORT, or unset the variable"
        )
    if url.scheme not in HTTP_SCHEMES | SOCKS_SCHEMES:
        known = ", ".join(sorted(HTTP_SCHEMES | SOCKS_SCHEMES))
        raise UsageError(
            f"{variable}={shown} has the scheme {url.scheme!r}, which is not supported (schemes: {known}); "
            "write another address or unset the variable, or add the host to NO_PROXY"
        )
    port = port or DEFAULT_PORTS.get(url.scheme, SOCKS_PORT)
    return URL.build(scheme=url.scheme, user=url.user, password=url.password, host=url.host, port=port)


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return mapped.is_loopback or mapped.is_unspecified


def _is_excluded(host: str, port: int | None, no_proxy: str) -> bool:
    """Return whether NO_PROXY lists a host: as a domain, an address, a network or `*`, with or without a port."""
    return any(
        (entry_port is None or entry_port == port) and _matches(entry, host) for entry, entry_port in _entries(no_proxy)
    )


def _entries(no_proxy: str) -> Iterator[tuple[str, int | None]]:
    """Yield host and port of each entry."""
    for entry in re.split(r"[\s,]+", no_proxy.lower()):
        bare = re.sub(r"^[a-z]+://", "", entry)
        if bracketed := re.fullmatch(r"\[([^\]]*)\](?::(\d+))?", bare):
            yield bracketed[1], int(bracketed[2]) if bracketed[2] else None
        elif with_port := re.fullmatch(r"([^:]*):(\d+)", bare):
            yield with_port[1], int(with_port[2])
        elif bare:
            yield bare, None


def _matches(entry: str, host: str) -> bool:
    if entry == "*":
        return True
    try:
        return ip_address(host.partition("%")[0]) in ip_network(entry, strict=False)
    except (ValueError, TypeError):
        domain = entry.removeprefix("*").strip(".")
        return bool(domain) and (host == domain or host.endswith(f".{domain}"))
