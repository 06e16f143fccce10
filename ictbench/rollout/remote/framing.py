"""Messages between a coordinator and its workers, over any byte stream.

A message is a JSON object and a body of bytes, preceded by the lengths of both: two big-endian integers of four bytes
each. Nothing that arrives is ever executed.
"""

from __future__ import annotations

import asyncio
import json
import struct
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable

LENGTHS = struct.Struct("!II")

MAX_MESSAGE_BYTES = 2**30

Message = dict[str, Any]
"""The JSON object of a message: its `kind` and the fields of that kind."""


class Channel(asyncio.Protocol):
    """One end of a connection. All messages sent in one iteration of the event loop leave in one write.

    Args:
        on_message: Called with each message and its body.
        on_lost: Called once when the connection has ended, for whatever reason.
    """

    def __init__(self, on_message: Callable[[Message, bytes], None], on_lost: Callable[[], None]) -> None:
        self.on_message = on_message
        self.max_message_bytes = MAX_MESSAGE_BYTES
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._outgoing: list[bytes] = []

    def send(self, kind: str, body: bytes = b"", **fields: Any) -> None:
        """Send a message; if the other end is gone, drop it."""
        header = json.dumps({"kind": kind, **fields}, separators=(",", ":")).encode()
        if not self._outgoing:
            asyncio.get_running_loop().call_soon(self._flush)
        self._outgoing += (LENGTHS.pack(len(header), len(body)), header, body)

    def close(self) -> None:
        """Send what is queued, then close the connection."""
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`. Data that is not a message closes the channel."""
        self._received += data
        position = 0
        while self._open and len(self._received) - position >= LENGTHS.size:
            header, body = LENGTHS.unpack_from(self._received, position)
            start = position + LENGTHS.size
            end = start + header + body
            fits = end - start <= self.max_message_bytes
            if fits and len(self._received) < end:
                break
            message = _parse(self._received[start : start + header]) if fits else None
            if message is None:
                self.close()
                break
            position = end
            self.on_message(message, bytes(self._received[start + header : end]))
        del self._received[:position]

    def connection_lost(self, error: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._transport = None
        self._on_lost()

    @property
    def _open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def _flush(self) -> None:
        outgoing, self._outgoing = b"".join(self._outgoing), []
        if self._transport is not None and self._open:
            self._transport.write(outgoing)


def _parse(header: bytearray) -> Message | None:
    try:
        message = json.loads(header)
    except ValueError:
        return None
    return message if isinstance(message, dict) and "kind" in message else None
