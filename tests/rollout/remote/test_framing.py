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


class Wire(asyncio.Transport):
    """Keeps what is written, and whether it was closed."""

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


def connected(received: list[tuple[Message, bytes]] | None = None) -> tuple[Channel, Wire]:
    """A channel that writes down what it gets, and what it writes itself."""
    got = [] if received is None else received
    channel, wire = Channel(lambda message, body: got.append((message, body)), lambda: None), Wire()
    channel.connection_made(wire)
    return channel, wire


async def sent(messages: list[tuple[str, dict[str, Any], bytes]]) -> list[bytes]:
    """The writes that the messages leave in."""
    channel, wire = connected()
    for kind, fields, body in messages:
        channel.send(kind, body, **fields)
    await asyncio.sleep(0)
    return wire.written


def message(header: bytes, body: bytes = b"") -> bytes:
    return LENGTHS.pack(len(header), len(body)) + header + body


@given(MESSAGES, st.lists(st.integers(1, 30), max_size=30))
def test_messages_arrive_as_they_were_sent_however_the_stream_is_cut(
    messages: list[tuple[str, dict[str, Any], bytes]], cuts: list[int]
) -> None:
    received: list[tuple[Message, bytes]] = []
    channel, wire = connected(received)
    stream = b"".join(asyncio.run(sent(messages)))
    for length in cuts:
        channel.data_received(stream[:length])
        stream = stream[length:]
    channel.data_received(stream)
    assert received == [({"kind": kind, **fields}, body) for kind, fields, body in messages]
    assert not wire.closed


def test_what_is_sent_in_one_turn_of_the_event_loop_leaves_in_one_write() -> None:
    assert len(asyncio.run(sent([("a", {}, b"1"), ("b", {"n": 2}, b""), ("c", {}, b"3")]))) == 1


@pytest.mark.parametrize(("longest", "arrives"), [(46, True), (45, False)])
def test_a_message_that_is_too_long_closes_the_channel_before_it_is_kept(longest: int, arrives: bool) -> None:
    received: list[tuple[Message, bytes]] = []
    channel, wire = connected(received)
    channel.longest = longest
    long = message(b'{"kind":"hello"}', b"x" * 30)
    # Its lengths alone tell.
    channel.data_received(long[: LENGTHS.size])
    assert wire.closed is not arrives
    if arrives:
        channel.data_received(long[LENGTHS.size :])
        assert received == [({"kind": "hello"}, b"x" * 30)]


@pytest.mark.parametrize("header", [b"GET / HTTP/1.1", b"\xff\xfe", b"", b"[1, 2]", b"null", b'{"no": "kind"}'])
def test_what_is_no_message_closes_the_channel_and_nothing_after_it_is_read(header: bytes) -> None:
    received: list[tuple[Message, bytes]] = []
    channel, wire = connected(received)
    channel.data_received(message(b'{"kind":"first"}') + message(header) + message(b'{"kind":"last"}'))
    assert wire.closed
    assert received == [({"kind": "first"}, b"")]


def test_what_follows_a_message_that_made_its_reader_close_is_not_read() -> None:
    read: list[str] = []

    def refuse(message: Message, body: bytes) -> None:
        read.append(message["kind"])
        channel.close()

    channel, wire = Channel(refuse, lambda: None), Wire()
    channel.connection_made(wire)
    channel.data_received(message(b'{"kind":"first"}') + message(b'{"kind":"second"}'))
    channel.data_received(message(b'{"kind":"third"}'))
    assert read == ["first"]


def test_a_channel_closed_in_the_turn_of_its_last_words_still_says_them() -> None:
    async def go() -> list[bytes]:
        channel, wire = connected()
        channel.send("bye")
        channel.close()
        await asyncio.sleep(0)
        assert wire.closed
        return wire.written

    assert b"".join(asyncio.run(go())) == message(b'{"kind":"bye"}')


def test_over_real_sockets_both_ways_until_one_end_is_gone() -> None:
    async def go() -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        answers: asyncio.Queue[tuple[Message, bytes]] = asyncio.Queue()
        one, other = socket.socketpair()
        asking = Channel(lambda message, body: answers.put_nowait((message, body)), ended.set)

        def answer(message: Message, body: bytes) -> None:
            answering.send("answer", body[::-1], number=message["number"])

        answering = Channel(answer, lambda: None)
        await loop.create_connection(lambda: asking, sock=one)
        await loop.create_connection(lambda: answering, sock=other)
        bodies = [bytes([number]) * 300_000 for number in range(20)]
        for number, body in enumerate(bodies):
            asking.send("ask", body, number=number)
        async with asyncio.timeout(30):
            for number, body in enumerate(bodies):
                assert await answers.get() == ({"kind": "answer", "number": number}, body)
            answering.close()
            await ended.wait()
        asking.send("ask", number=21)  # to an end that is gone: dropped
        await asyncio.sleep(0)
        asking.close()

    asyncio.run(go())


def test_headers_are_compact_json() -> None:
    (written,) = asyncio.run(sent([("é", {"n": [1, None]}, b"")]))
    assert json.loads(written[LENGTHS.size :]) == {"kind": "é", "n": [1, None]}
    assert b" " not in written[LENGTHS.size :]
