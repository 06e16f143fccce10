from __future__ import annotations

import pytest
from yarl import URL

from ictbench.errors import UsageError
from ictbench.models.proxies import find_proxy

NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
PROXY = "http://proxy.test:3128"


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def found(url: str) -> str | None:
    """Return the address of the proxy and the variable that names it."""
    proxy = find_proxy(URL(url))
    return None if proxy is None else f"{proxy.variable} {proxy.url}"


@pytest.mark.parametrize(
    ("environment", "url", "expected"),
    [
        ({}, "https://model.test", None),
        ({"HTTPS_PROXY": PROXY}, "https://model.test", f"HTTPS_PROXY {PROXY}"),
        ({"https_proxy": PROXY}, "https://model.test", f"https_proxy {PROXY}"),
        ({"HTTPS_PROXY": PROXY}, "http://model.test", None),
        ({"HTTP_PROXY": PROXY}, "http://model.test", f"HTTP_PROXY {PROXY}"),
        ({"ALL_PROXY": PROXY}, "http://model.test", f"ALL_PROXY {PROXY}"),
        ({"ALL_PROXY": PROXY, "HTTP_PROXY": "other:1"}, "http://model.test", "HTTP_PROXY http://other:1"),
        ({"http_proxy": PROXY, "HTTP_PROXY": "other:1"}, "http://model.test", f"http_proxy {PROXY}"),
        ({"http_proxy": "", "HTTP_PROXY": PROXY}, "http://model.test", None),
        ({"HTTP_PROXY": " proxy.test:3128\n"}, "http://model.test", f"HTTP_PROXY {PROXY}"),
        (
            {"HTTP_PROXY": "me:pass%20word@proxy.test:1"},
            "http://model.test",
            "HTTP_PROXY http://me:pass%20word@proxy.test:1",
        ),
        ({"HTTP_PROXY": "http://[2001:db8::1]:3128"}, "http://model.test", "HTTP_PROXY http://[2001:db8::1]:3128"),
        ({"ALL_PROXY": "socks5h://proxy.test"}, "https://model.test", "ALL_PROXY socks5h://proxy.test:1080"),
        ({"ALL_PROXY": "socks://proxy.test:9050/"}, "https://model.test", "ALL_PROXY socks://proxy.test:9050"),
        ({"HTTPS_PROXY": "https://proxy.test"}, "https://model.test", "HTTPS_PROXY https://proxy.test"),
    ],
)
def test_the_variables_name_the_proxy_of_a_url(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], url: str, expected: str | None
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert found(url) == expected


@pytest.mark.parametrize(
    "host", ["localhost", "api.localhost", "127.0.0.1", "127.8.9.1", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]"]
)
def test_this_machine_is_never_proxied(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    for name in NAMES[:3]:
        monkeypatch.setenv(name.upper(), "socks5://proxy.test:1080")
    assert found(f"http://{host}:8000/v1") is None


@pytest.mark.parametrize(
    ("no_proxy", "url", "is_direct"),
    [
        ("*", "http://model.test", True),
        ("model.test", "http://model.test", True),
        ("MODEL.test", "http://model.TEST", True),
        ("model.test", "http://api.model.test", True),
        (".model.test", "http://api.model.test", True),
        ("*.model.test", "http://api.model.test", True),
        (".model.test", "http://model.test", True),
        ("model.test", "http://mymodel.test", False),
        ("model.test", "http://model.test.evil", False),
        ("other.test, model.test", "http://model.test", True),
        ("other.test model.test", "http://model.test", True),
        ("model.test:8000", "http://model.test:8000", True),
        ("model.test:8000", "http://model.test", False),
        ("model.test:80", "http://model.test", True),
        ("model.test:443", "https://model.test", True),
        ("http://model.test", "http://model.test", True),
        ("10.0.0.0/8", "http://10.20.30.40", True),
        ("10.0.0.0/8", "http://11.0.0.1", False),
        ("10.0.0.7", "http://10.0.0.7:8000", True),
        ("10.0.0.7:8000", "http://10.0.0.7:8000", True),
        ("10.0.0.7:8001", "http://10.0.0.7:8000", False),
        ("2001:db8::/32", "http://[2001:db8::5]:8000", True),
        ("2001:db8::5", "http://[2001:DB8:0::5]", True),
        ("[2001:db8::5]:8000", "http://[2001:db8::5]:8000", True),
        ("[2001:db8::5]", "http://[2001:db8::6]", False),
        (",, ,", "http://model.test", False),
        ("0.0.0.0/0", "http://model.test", False),
    ],
)
def test_no_proxy_lists_hosts_that_are_reached_directly(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, url: str, is_direct: bool
) -> None:
    monkeypatch.setenv("ALL_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert (found(url) is None) is is_direct


@pytest.mark.parametrize(
    "value",
    [
        "ftp://me:hunter2@proxy.test:21",
        "socks6://me:hunter2@proxy.test",
        "http://me:hunter2@",
        "http://me:hunter2@proxy.test:99999",
        "me:hunter2@proxy test:1",
        "http://",
        "http://[",
    ],
)
def test_an_unusable_value_is_an_error_that_names_the_variable(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value)
    with pytest.raises(UsageError, match=r"HTTPS_PROXY=.*unset the variable") as caught:
        find_proxy(URL("https://model.test"))
    assert "hunter2" not in str(caught.value)


def test_the_text_of_a_proxy_shows_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "me:hunter2@proxy.test:1")
    proxy = find_proxy(URL("http://model.test"))
    assert str(proxy) == "the proxy http://proxy.test:1 of HTTP_PROXY"
    assert "hunter2" not in repr(proxy)
