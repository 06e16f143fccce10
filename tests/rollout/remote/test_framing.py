from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.rollout.remote.framing import LENGTHS, Channel, Message

TEXT = st.text(max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
NAMES = st.text(min_size=1, max_size=8).filter(lambda name: name not in ("self", "kind", "body"))
MESSAGES = st.lists(st.tuples(TEXT, st.dictionaries(NAMES, JSON, max_size=3), st.binary(max_size=40)), max_size=6)


class RecordingTransport(asyncio.Transport):
    """Transport that keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview[int]) -> None:
        assert not self.closed
        self.written.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


def connected(received: list[tuple[Message, bytes]] | None = None) -> tuple[Channel, RecordingTransport]:
    """Return a connected channel that appends what arrives to `received`, and its transport."""
    arrived = [] if received is None else received
    channel, transport = (
        Channel(lambda message, body: arrived.append((message, body)), lambda: None),
        RecordingTransport(),
    )
    channel.connection_made(transport)
    return channel, transport


async def send_all(messages: list[tuple[str, dict[str, Any], bytes]]) -> list[bytes]:
    """Send messages and return the writes that carried them."""
    channel, transport = connected()
    for kind, fields, body in messages:
        channel.send(kind, body, **fields)
    await asyncio.sleep(0)
    return transport.written


def message(header: bytes, body: bytes = b"") -> bytes:
    return LENGTHS.pack(len(header), len(body)) + header + body


@given(MESSAGES, st.lists(st.integers(1, 30), max_size=30))
def test_messages_arrive_unchanged_however_the_stream_is_split(
    messages: list[tuple[str, dict[str, Any], bytes]], cuts: list[int]
) -> None:
    received: list[tuple[Message, bytes]] = []
    channel, transport = connected(received)
    stream = b"".join(asyncio.run(send_all(messages)))
    for length in cuts:
        channel.data_received(stream[:length])
        stream = stream[length:]
    channel.data_received(stream)
    assert received == [({"kind": kind, **fields}, body) for kind, fields, body in messages]
    assert not transport.closed


def test_messages_of_one_loop_iteration_leave_in_one_write() -> None:
    assert len(asyncio.run(send_all([("a", {}, b"1"), ("b", {"n": 2}, b""), ("c", {}, b"3")]))) == 1


@pytest.mark.parametrize(("max_bytes", "arrives"), [(46, True), (45, False)])
def test_too_long_message_closes_the_channel_before_it_is_buffered(max_bytes: int, arrives: bool) -> None:
    received: list[tuple[Message, bytes]] = []
    channel, transport = connected(received)
    channel.max_message_bytes = max_bytes
    long = message(b'{"kind":"hello"}', b"x" * 30)
    # The lengths suffice to refuse it.
    channel.data_received(long[: LENGTHS.size])
    assert transport.closed is not arrives
    if arrives:
        channel.data_received(long[LENGTHS.size :])
        assert received == [({"kind": "hello"}, b"x" * 30)]


@pytest.mark.parametrize("header", [b"GET / HTTP/1.1", b"\xff\xfe", b"", b"[1, 2]", b"null", b'{"no": "kind"}'])
def test_invalid_message_closes_the_channel_and_later_ones_are_not_read(header: bytes) -> None:
    received: list[tuple[Message, bytes]] = []
    channel, transport = connected(received)
    channel.data_received(message(b'{"kind":"first"}') + message(header) + message(b'{"kind":"last"}'))
    assert transport.closed
    assert received == [({"kind": "first"}, b"")]


def test_messages_after_the_receiver_closed_the_channel_are_not_read() -> None:
    read: list[str] = []

    def refuse(message: Message, body: bytes) -> None:
        read.append(message["kind"])
        channel.close()

    channel, transport = Channel(refuse, lambda: None), RecordingTransport()
    channel.connection_made(transport)
    channel.data_received(message(b'{"kind":"first"}') + message(b'{"kind":"second"}'))
    channel.data_received(message(b'{"kind":"third"}'))
    assert read == ["first"]


def test_close_sends_messages_of_the_same_loop_iteration_first() -> None:
    async def go() -> list[bytes]:
        channel, transport = connected()
        channel.send("bye")
        channel.close()
        await asyncio.sleep(0)
        assert transport.closed
        return transport.written

    assert b"".join(asyncio.run(go())) == message(b'{"kind":"bye"}')


def test_channel_works_over_real_sockets_until_one_end_is_gone() -> None:
    async def go() -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        answers: asyncio.Queue[tuple[Message, bytes]] = asyncio.Queue()
        client_socket, server_socket = socket.socketpair()
        client = Channel(lambda message, body: answers.put_nowait((message, body)), ended.set)

        def answer(message: Message, body: bytes) -> None:
            server.send("answer", body[::-1], number=message["number"])

        server = Channel(answer, lambda: None)
        await loop.create_connection(lambda: client, sock=client_socket)
        await loop.create_connection(lambda: server, sock=server_socket)
        bodies = [bytes([number]) * 300_000 for number in range(20)]
        for number, body in enumerate(bodies):
            client.send("ask", body, number=number)
        async with asyncio.timeout(30):
            for number, body in enumerate(bodies):
                assert await answers.get() == ({"kind": "answer", "number": number}, body)
            server.close()
            await ended.wait()
        client.send("ask", number=21)  # dropped: the other end is gone
        await asyncio.sleep(0)
        client.close()

    asyncio.run(go())


def test_headers_are_compact_json() -> None:
    (written,) = asyncio.run(send_all([("é", {"n": [1, None]}, b"")]))
    assert json.loads(written[LENGTHS.size :]) == {"kind": "é", "n": [1, None]}
    assert b" " not in written[LENGTHS.size :]
