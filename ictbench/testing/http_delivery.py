"""Delivery of the scripted server's replies over HTTP, including deliveries that never complete."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

from ictbench.testing.api_error import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ictbench.testing.scripted_replies import Reply
    from ictbench.testing.wire_formats import WireFormat

JSON_TYPE = "application/json"
POLL_SECONDS = 0.02
"""Interval at which a hanging delivery checks whether the client is still connected."""


def encode_reply(
    reply: Reply, wire: WireFormat, body: dict[str, Any], model: str, number: int, words: int
) -> tuple[bytes, str]:
    """Return content and content type of the response to the request `body`, the `number`-th, which has `words` words.

    A completion is a stream of events if the request asks for one.
    """
    content = reply.body
    if content is None and reply.status == 200:
        completion = wire.completion(reply, body, model, number, words)
        if body.get("stream"):
            return "".join(wire.stream(completion, body)).encode(), "text/event-stream"
        content = "\n" * wire.blank_lines + json.dumps(completion)
    elif content is None:
        content = wire.error(reply.error or ApiError(reply.text, reply.status))
    if isinstance(content, bytes):
        return content, JSON_TYPE
    return (content if isinstance(content, str) else json.dumps(content)).encode(), JSON_TYPE


async def deliver(request: web.Request, reply: Reply, content: bytes, headers: Mapping[str, str]) -> web.StreamResponse:
    """Send `content` with the delivery of `reply`, whose headers replace those in `headers`."""
    headers = {**headers, **reply.headers}
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
