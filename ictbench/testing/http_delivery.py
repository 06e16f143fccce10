"""Delivery of the scripted server's replies over HTTP, including deliveries that never complete."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from ictbench.testing.scripted_replies import Reply
    from ictbench.testing.wire_formats import WireFormat

POLL_SECONDS = 0.02
"""Interval at which a hanging delivery checks whether the client is still connected."""


def encode_reply(reply: Reply, wire: WireFormat, body: dict[str, Any], model: str, number: int, words: int) -> bytes:
    """Return the response body for the request `body`, which is the `number`-th and has `words` words."""
    content = reply.body
    if content is None and reply.status == 200:
        content = wire.completion(reply, body, model, number, words)
    elif content is None:
        content = wire.error(reply.status, reply.text)
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode()


async def deliver(request: web.Request, reply: Reply, content: bytes) -> web.StreamResponse:
    """Send `content` with the delivery of `reply`."""
    headers = {"Content-Type": "application/json", **reply.headers}
    if reply.delivery == "hang":
        while _is_connected(request):  # noqa: ASYNC110 - a transport has no event for its end
            await asyncio.sleep(POLL_SECONDS)
    if reply.delivery in {"hang", "drop"}:
        _abort(request)
    if reply.delivery not in {"drip", "reset"}:
        return web.Response(body=content, status=reply.status, headers=headers)
    response = web.StreamResponse(status=reply.status, headers={**headers, "Content-Length": str(len(content))})
    await response.prepare(request)
    if reply.delivery == "reset":
        await response.write(content[: len(content) // 2])
        _abort(request)
        return response
    for byte in content:
        if not _is_connected(request):
            break
        await response.write(bytes([byte]))
        await asyncio.sleep(reply.pause)
    return response


def _is_connected(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


def _abort(request: web.Request) -> None:
    if request.transport:
        request.transport.abort()
