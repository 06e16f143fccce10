"""Real proxies on loopback: HTTP with CONNECT, SOCKS4a and SOCKS5. For every host they reach one target."""

from __future__ import annotations

import base64
import socket
import socketserver
import struct
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator


class ProxyServer(socketserver.ThreadingTCPServer):
    """A proxy that forwards everything to `target`, and records what it was asked for.

    Args:
        target: Address that is reached in place of every host.
        credentials: `user:password` that clients must present; empty for none.
        answer: Status line that every request gets instead, e.g. `503 Busy`.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, target: tuple[str, int], credentials: str = "", answer: str = "") -> None:
        self.target = target
        self.credentials = credentials
        self.answer = answer
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


@contextmanager
def proxy_server(target_url: str, credentials: str = "", answer: str = "") -> Iterator[ProxyServer]:
    host, port = target_url.split("//")[1].split("/")[0].split(":")
    with ProxyServer((host, int(port)), credentials, answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


class Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.proxy = cast("ProxyServer", self.server)
        first = self.request.recv(1, socket.MSG_PEEK)
        if first == b"\x05":
            self.socks5()
        elif first == b"\x04":
            self.socks4()
        elif first:
            self.http()

    def http(self) -> None:
        head = b""
        while b"\r\n\r\n" not in head and (part := self.request.recv(65536)):
            head += part
        head, rest = head.split(b"\r\n\r\n", 1)
        method, url, _ = head.split(b"\r\n")[0].decode().split(" ")
        basic = base64.b64encode(self.proxy.credentials.encode())
        if self.proxy.credentials and basic not in head:
            self.refuse("407 Proxy Authentication Required")
        elif self.proxy.answer:
            self.refuse(self.proxy.answer)
        elif method == "CONNECT":
            self.proxy.asked.append(f"CONNECT {url}")
            self.relay(b"", b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            host, _, path = url.removeprefix("http://").partition("/")
            self.proxy.asked.append(f"{method} {host}")
            lines = [line for line in head.split(b"\r\n")[1:] if not line.lower().startswith(b"connection")]
            self.relay(b"\r\n".join([f"{method} /{path} HTTP/1.1".encode(), *lines, b"", rest]), b"")

    def refuse(self, status: str) -> None:
        self.request.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())

    def socks5(self) -> None:
        _, methods = self.exactly(2)
        offered = self.exactly(methods)
        if self.proxy.credentials:
            if 2 not in offered:
                self.request.sendall(b"\x05\xff")
                return
            self.request.sendall(b"\x05\x02")
            user = self.exactly(self.exactly(2)[1])
            password = self.exactly(self.exactly(1)[0])
            accepted = f"{user.decode()}:{password.decode()}" == self.proxy.credentials
            self.request.sendall(b"\x01\x00" if accepted else b"\x01\x01")
            if not accepted:
                return
        else:
            self.request.sendall(b"\x05\x00")
        kind = self.exactly(4)[3]
        if kind == 3:
            host = self.exactly(self.exactly(1)[0]).decode()
        else:
            host = socket.inet_ntop(
                *((socket.AF_INET, self.exactly(4)) if kind == 1 else (socket.AF_INET6, self.exactly(16)))
            )
        (port,) = struct.unpack(">H", self.exactly(2))
        self.proxy.asked.append(f"SOCKS5 {host}:{port}")
        self.relay(b"", b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")

    def socks4(self) -> None:
        _, _, port, address = struct.unpack(">BBH4s", self.exactly(8))
        self.text()
        host = self.text() if address.startswith(b"\x00\x00\x00") else socket.inet_ntoa(address)
        self.proxy.asked.append(f"SOCKS4 {host}:{port}")
        self.relay(b"", b"\x00\x5a\x00\x00\x00\x00\x00\x00")

    def text(self) -> str:
        text = b""
        while (byte := self.exactly(1)) != b"\x00":
            text += byte
        return text.decode()

    def exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self.request.recv(size - len(data))
            if not part:
                raise ConnectionError("the client is gone")
            data += part
        return data

    def relay(self, to_target: bytes, to_client: bytes) -> None:
        with socket.create_connection(self.proxy.target) as target:
            self.request.sendall(to_client)
            target.sendall(to_target)
            back = threading.Thread(target=copy, args=(target, self.request), daemon=True)
            back.start()
            copy(self.request, target)
            back.join()


def copy(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass
