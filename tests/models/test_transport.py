from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
import ssl
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from proxy_servers import proxy_server
from yarl import URL

from ictbench.errors import EndpointRefusedError, IctbenchError, TransientModelError, UsageError
from ictbench.models import transport as module
from ictbench.models.certificates import VARIABLES
from ictbench.models.providers.anthropic import AnthropicModel
from ictbench.models.providers.litellm import LiteLLMModel
from ictbench.models.providers.openai import OpenAIModel
from ictbench.models.providers.vllm import VLLMModel
from ictbench.models.transport import Response, Transport
from ictbench.records import ModelSpec
from ictbench.testing import Latency, Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ictbench.models import ChatModel, Completion

CERTIFICATES = Path(__file__).parent / "certificates"
AUTHORITY = str(CERTIFICATES / "authority.pem")
PROVIDERS: dict[str, tuple[type[ChatModel], str]] = {
    "openai": (OpenAIModel, "scripted"),
    "vllm": (VLLMModel, "scripted"),
    "anthropic": (AnthropicModel, "scripted"),
    "litellm": (LiteLLMModel, "openai/scripted"),
    "litellm-anthropic": (LiteLLMModel, "anthropic/scripted"),
}
every_provider = pytest.mark.parametrize("provider", PROVIDERS)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", *VARIABLES):
        monkeypatch.delenv(name.lower(), raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def complete(provider: str, base_url: str, *, timeout: float = 10) -> Completion:
    """Request one completion of a provider; `base_url` has no path."""
    model_class, name = PROVIDERS[provider]
    url = base_url if "anthropic" in provider else f"{base_url}/v1"

    async def once() -> Completion:
        spec = ModelSpec(provider=provider.split("-")[0], model=name, base_url=url, timeout=timeout)
        model = model_class(spec)
        try:
            return await model.complete([{"role": "user", "content": "A door."}])
        finally:
            await model.aclose()

    return asyncio.run(once())


def send(url: str, *, seconds: float = 10) -> Response:
    async def once() -> Response:
        transport = Transport()
        try:
            return await transport.send("POST", URL(url), headers={}, data=b"{}", seconds=seconds)
        finally:
            await transport.aclose()

    return asyncio.run(once())


@contextmanager
def raw_server(answer: Callable[[socket.socket], None], *, tls: bool = False) -> Iterator[str]:
    """Serve connections by a function; yield host and port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATES / "server.pem")
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=handle, args=(connection, context), daemon=True).start()

        def handle(connection: socket.socket, context: ssl.SSLContext) -> None:
            try:
                with context.wrap_socket(connection, server_side=True) if tls else connection as wrapped:
                    answer(wrapped)
            except OSError:
                pass

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield f"127.0.0.1:{listening.getsockname()[1]}"
        finally:
            listening.shutdown(socket.SHUT_RDWR)


@contextmanager
def tls_server(target: ScriptedServer) -> Iterator[str]:
    """Serve a scripted server's replies in TLS, under a certificate for model.test and 127.0.0.1."""
    host, port = target.url.split("//")[1].split("/")[0].split(":")

    def forward(connection: socket.socket) -> None:
        with socket.create_connection((host, int(port))) as inner:
            inner.sendall(read_request(connection))
            inner.settimeout(2)
            while part := inner.recv(65536):
                connection.sendall(part)

    with raw_server(forward, tls=True) as address:
        yield address


def read_request(connection: socket.socket) -> bytes:
    """Return one request; further ones of the connection are closed."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, body = data.split(b"\r\n\r\n", 1)
    lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while len(body) < int(lengths[0].split(b":")[1]):
        body += connection.recv(65536)
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([*lines, b"Connection: close", b"", body])


# Proxies


@every_provider
@pytest.mark.parametrize(
    ("scheme", "asked"),
    [
        ("", "POST model.test"),
        ("http://", "POST model.test"),
        ("socks5h://", "SOCKS5 model.test:80"),
        ("socks4a://", "SOCKS4 model.test:80"),
        ("socks://", "SOCKS5 model.test:80"),
    ],
)
def test_every_provider_uses_the_proxy(monkeypatch: pytest.MonkeyPatch, provider: str, scheme: str, asked: str) -> None:
    with (
        ScriptedServer(["Open it."]) as server,
        proxy_server(server.url, "" if "4" in scheme else "me:hunter2") as proxy,
    ):
        credentials = f"{proxy.credentials}@" if proxy.credentials else ""
        monkeypatch.setenv("HTTP_PROXY", f"{scheme}{credentials}{proxy.address}")
        assert complete(provider, "http://model.test").text == "Open it."
    assert proxy.asked == [asked]


@pytest.mark.filterwarnings("ignore")  # litellm's
@pytest.mark.parametrize("name", ["azure/m", "gemini/m", "mistral/m", "deepseek/m", "ollama/m", "cohere/m", "xai/m"])
def test_every_provider_of_litellm_uses_the_proxy(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("AZURE_API_VERSION", "2024-10-21")
    with ScriptedServer(["Open it."]) as server, proxy_server(server.url) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.address)
        monkeypatch.setitem(PROVIDERS, "litellm-other", (LiteLLMModel, name))
        # The server does not speak the language of each.
        with contextlib.suppress(IctbenchError):
            complete("litellm-other", "http://model.test")
    assert set(proxy.asked) == {"POST model.test"}


@every_provider
def test_every_provider_reaches_https_through_a_proxy(monkeypatch: pytest.MonkeyPatch, provider: str) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", AUTHORITY)
    with ScriptedServer(["Open it."]) as server, tls_server(server) as address, proxy_server(f"//{address}") as proxy:
        for scheme, asked in (("http", "CONNECT model.test:443"), ("socks5h", "SOCKS5 model.test:443")):
            monkeypatch.setenv("ALL_PROXY", f"{scheme}://{proxy.address}")
            assert complete(provider, "https://model.test").text == "Open it."
            assert proxy.asked.pop() == asked


def test_a_socks_proxy_that_does_not_resolve_names_is_given_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(["Open it."]) as server, proxy_server(server.url) as proxy:
        for scheme, asked in (("socks5", "SOCKS5 192.0.2.7:80"), ("socks4", "SOCKS4 192.0.2.7:80")):
            monkeypatch.setenv("ALL_PROXY", f"{scheme}://{proxy.address}")
            assert complete("openai", "http://192.0.2.7").text == "Open it."
            assert proxy.asked.pop() == asked


@every_provider
def test_this_machine_and_no_proxy_are_reached_directly(monkeypatch: pytest.MonkeyPatch, provider: str) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "socks5://127.0.0.1:1")
    with ScriptedServer(["Open it."]) as server:
        assert complete(provider, server.url.removesuffix("/v1")).text == "Open it."
    monkeypatch.setenv("NO_PROXY", "192.0.2.0/24")
    # There is no host of this address.
    with pytest.raises(TransientModelError) as caught:
        complete(provider, "http://192.0.2.7:9", timeout=0.2)
    assert "proxy" not in str(caught.value)


@every_provider
@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_errors_name_the_proxy_and_its_variable(monkeypatch: pytest.MonkeyPatch, provider: str, scheme: str) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"{scheme}://me:hunter2@127.0.0.1:1")
    with pytest.raises(TransientModelError) as caught:
        complete(provider, "http://model.test")
    assert caught.value.kind == "connection"
    assert "http://model.test/v1/" in str(caught.value)
    assert f"through the proxy {scheme}://127.0.0.1:1 of HTTP_PROXY" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@every_provider
@pytest.mark.parametrize("scheme", ["http", "socks5h"])
@pytest.mark.parametrize("target", ["http://model.test", "https://model.test"])
def test_a_wrong_password_of_a_proxy_is_not_retried(
    monkeypatch: pytest.MonkeyPatch, provider: str, scheme: str, target: str
) -> None:
    with proxy_server("//127.0.0.1:1", "me:right") as proxy:
        monkeypatch.setenv("ALL_PROXY", f"{scheme}://me:very-wrong@{proxy.address}")
        with pytest.raises(EndpointRefusedError, match=r"check user name.* in ALL_PROXY") as caught:
            complete(provider, target)
    assert "very-wrong" not in str(caught.value)


@pytest.mark.parametrize("target", ["http://model.test/v1", "https://model.test/v1"])
def test_a_busy_proxy_is_a_transient_error(monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    with proxy_server("//127.0.0.1:1", answer="503 Busy") as proxy:
        monkeypatch.setenv("ALL_PROXY", proxy.address)
        with pytest.raises(TransientModelError, match=r"503.*ALL_PROXY|ALL_PROXY.*503"):
            complete("openai", target.removesuffix("/v1"))


@every_provider
def test_an_unusable_proxy_is_reported_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch, provider: str) -> None:
    monkeypatch.setenv("HTTP_PROXY", "ftp://me:hunter2@proxy.test")
    model_class, name = PROVIDERS[provider]
    with pytest.raises(UsageError, match=r"HTTP_PROXY=ftp://\[key\]@proxy.test has the scheme 'ftp'"):
        model_class(ModelSpec(provider=provider.split("-")[0], model=name, base_url="http://model.test/v1"))


# Certificates


@every_provider
def test_an_untrusted_certificate_is_not_retried_and_names_the_remedy(provider: str) -> None:
    refused = pytest.raises(EndpointRefusedError, match=r"certificate is not trusted: .*SSL_CERT_FILE")
    with ScriptedServer(["Open it."]) as server, tls_server(server) as address, refused:
        complete(provider, f"https://{address}")


@every_provider
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_certificates_of_every_variable_are_trusted(
    monkeypatch: pytest.MonkeyPatch, provider: str, variable: str
) -> None:
    monkeypatch.setenv(variable, AUTHORITY)
    with ScriptedServer(["Open it."]) as server, tls_server(server) as address:
        assert complete(provider, f"https://{address}").text == "Open it."


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_bundle_that_cannot_be_read_is_an_error_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    (tmp_path / "empty.pem").write_text("no certificate")
    for path in (tmp_path / "empty.pem", tmp_path / "absent.pem"):
        monkeypatch.setenv(variable, str(path))
        if variable != "SSL_CERT_DIR":  # OpenSSL's list of folders may name some that do not exist
            with pytest.raises(UsageError, match=rf"{variable}=.*cannot be read"):
                OpenAIModel(ModelSpec(provider="openai", model="m", base_url="https://model.test/v1"))


def test_a_server_without_tls_is_not_retried() -> None:
    with ScriptedServer(["ok"]) as server, pytest.raises(EndpointRefusedError, match="http://"):
        send(server.url.replace("http", "https"))


# Time limits and sizes


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_a_connection_that_is_not_made_is_named_as_such(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setattr(module, "CONNECT_SECONDS", 0.2)
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        with pytest.raises(TransientModelError, match=r"no connection within 0.2 s") as caught:
            send(f"{scheme}://127.0.0.1:{full.getsockname()[1]}/v1", seconds=20)
    assert caught.value.kind == "connection"


@every_provider
def test_a_late_answer_is_named_as_such(provider: str) -> None:
    late = pytest.raises(TransientModelError, match=r"no answer within 0.5 s")
    with ScriptedServer(["late"], latency=Latency.constant(30)) as server, late as caught:
        complete(provider, server.url.removesuffix("/v1"), timeout=0.5)
    assert caught.value.kind == "timeout"


def endless(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"text": "')
    while True:
        connection.sendall(b"x" * 65536)


def bomb(connection: socket.socket) -> None:
    body = gzip.compress(b"x" * 200_000_000, 9)
    read_request(connection)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)


@every_provider
@pytest.mark.parametrize("answer", [endless, bomb])
def test_a_reply_without_end_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, provider: str, answer: Callable[[socket.socket], None]
) -> None:
    monkeypatch.setattr(module, "MAX_REPLY_BYTES", 2**20)
    with raw_server(answer) as address, pytest.raises(TransientModelError, match="longer than 1 MiB") as caught:
        complete(provider, f"http://{address}")
    assert caught.value.kind == "malformed"


def test_an_error_page_without_end_is_cut_off() -> None:
    def refuse(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with raw_server(refuse) as address:
        assert len(send(f"http://{address}/v1").content) == module.MAX_ERROR_BYTES


@pytest.mark.parametrize("status", [400, 401, 429, 500, 503])
@every_provider
def test_a_key_at_the_edge_of_a_shortened_message_does_not_show(
    monkeypatch: pytest.MonkeyPatch, provider: str, status: int
) -> None:
    key = "sk-0123456789abcdefghij0123456789"
    for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "VLLM_API_KEY"):
        monkeypatch.setenv(variable, key)
    for padding in range(270, 300, 6):
        reply = Reply("x" * padding + key, status=status)
        with ScriptedServer([reply]) as server, pytest.raises(IctbenchError) as caught:
            complete(provider, server.url.removesuffix("/v1"))
        assert "sk-0" not in str(caught.value)
