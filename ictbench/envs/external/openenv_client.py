"""Synchronous client of one session of an OpenEnv server: a WebSocket that carries JSON messages.

The `openenv-core` package has a client, too, but brings 60 packages, of which a web framework and its widgets.
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import WSMsgType
from yarl import URL

from ictbench.errors import ConfigError, EnvError, PluginError

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal

LOOPBACK = ("localhost", "127.0.0.1", "::1")
FULL = "CAPACITY_REACHED"
WRONG_REQUEST = ("INVALID_JSON", "UNKNOWN_TYPE", "VALIDATION_ERROR", "EXECUTION_ERROR")
"""Codes of errors that the same request meets again."""


class OpenEnvClient:
    """Session of a server. Every method blocks; an error leaves the session unusable."""

    def __init__(self, url: str, seconds: float) -> None:
        """Check the URL; nothing is connected yet.

        Args:
            url: Of the server, `http://…` or `https://…`.
            seconds: Time for each answer.

        Raises:
            ConfigError: The URL is not one.
        """
        self._url = parse_url(url)
        self._seconds = seconds
        self._resources = ExitStack()
        self._portal: BlockingPortal | None = None
        self._http: Any = None
        self._socket: Any = None

    def get(self, page: str) -> Any:
        """Return the JSON of a page of the server, such as `schema`; None if it has no such page.

        Raises:
            EnvError: The server does not answer.
        """
        return self._call(self._get, page)

    def ask(self, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        """Send a message in the session and return the data of the answer. The first message opens the session.

        Raises:
            EnvError: The connection is lost, or the server does not answer in time.
            PluginError: The server rejects the message, or has no room for a session.
        """
        return self._call(self._ask, kind, data)  # type: ignore[no-any-return]

    def close(self) -> None:
        """End the session."""
        if self._portal is not None:
            try:
                self._portal.call(self._close)
            finally:
                self._resources.close()
        self._portal = self._http = self._socket = None

    def _call(self, function: Any, *args: Any) -> Any:
        if self._portal is None:
            from anyio.from_thread import start_blocking_portal  # 50 ms

            self._portal = self._resources.enter_context(start_blocking_portal(name="ictbench-openenv"))
        try:
            return self._portal.call(function, *args)
        except TimeoutError as error:
            raise EnvError(f"the server {self._url} did not answer within {self._seconds:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            reason = str(error) or type(error).__name__
            raise EnvError(
                f"the server {self._url} cannot be reached: {reason}; start it, or correct its address"
            ) from error

    def _session(self) -> Any:
        if self._http is None:
            timeout = aiohttp.ClientTimeout(total=self._seconds)
            self._http = aiohttp.ClientSession(timeout=timeout, trust_env=self._url.host not in LOOPBACK)
        return self._http

    async def _get(self, page: str) -> Any:
        async with self._session().get(self._url / page) as response:
            if response.status in (404, 405):
                return None
            response.raise_for_status()
            return await response.json(content_type=None)

    async def _ask(self, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        deadline = time.monotonic() + min(self._seconds, 5.0)
        while True:
            if self._socket is None:
                scheme = {"http": "ws", "https": "wss"}[self._url.scheme]
                self._socket = await self._session().ws_connect((self._url / "ws").with_scheme(scheme), max_msg_size=0)
            answer = await self._exchange({"type": kind, "data": data})
            if answer.get("type") != "error":
                return dict(answer.get("data") or {})
            problem = answer.get("data") or {}
            words = f"{problem.get('message')} {problem.get('errors') or ''}".strip()
            if problem.get("code") == FULL and time.monotonic() < deadline:
                # The server may not have noticed yet that an earlier session has ended.
                await self._socket.close()
                self._socket = None
                await asyncio.sleep(0.1)
                continue
            if problem.get("code") == FULL:
                raise PluginError(
                    f"the server {self._url} is full: {words}; start it with more sessions, or run with --workers 1 "
                    "--max-connections 1"
                )
            if problem.get("code") in WRONG_REQUEST:
                raise PluginError(f"the server {self._url} rejects {kind} {json.dumps(data):.200}: {words:.500}")
            raise EnvError(f"the server {self._url} failed: {words:.500}")

    async def _exchange(self, message: dict[str, Any]) -> dict[str, Any]:
        try:
            await self._socket.send_json(message)
            received = await self._socket.receive(timeout=self._seconds)
        except ConnectionError:
            received = None
        # A server without room answers before it has read anything, and closes.
        if received is None or received.type is not WSMsgType.TEXT:
            raise EnvError(f"the server {self._url} closed the connection")
        answer = json.loads(received.data)
        if not isinstance(answer, dict):
            raise PluginError(f"the server {self._url} answered {received.data:.200}, which is not an OpenEnv message")
        return answer

    async def _close(self) -> None:
        try:
            if self._socket is not None and not self._socket.closed:
                await self._socket.send_json({"type": "close"})
                await self._socket.close()
        except (aiohttp.ClientError, OSError):
            pass
        finally:
            if self._http is not None:
                await self._http.close()


def parse_url(text: str) -> URL:
    """Return the URL of a server.

    Raises:
        ConfigError: It is not an HTTP address, or holds a user name or a password, which results would show.
    """
    try:
        url = URL(text)
    except ValueError as error:
        raise ConfigError(f"openenv:{text}: {error}; write openenv:http://HOST:PORT") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigError(f"openenv:{text} is not the address of a server; write openenv:http://HOST:PORT")
    if url.user or url.password or url.query_string:
        raise ConfigError(f"openenv:{url.with_user(None).with_query(None)}: leave out user, password and query")
    return url
