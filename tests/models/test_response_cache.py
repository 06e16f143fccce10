from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import ConfigError
from ictbench.models import Completion, Constraint, ConstraintStyle, ToolCall, response_cache
from ictbench.models.prices import find_price
from ictbench.models.providers.openai import OpenAIModel
from ictbench.models.response_cache import ResponseCache
from ictbench.records import ModelSpec, Usage

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.models import Message

HELLO: list[Message] = [{"role": "user", "content": "hello"}]
WRITER = """
import sys
from pathlib import Path
from ictbench.models import Completion
from ictbench.models.response_cache import ResponseCache
from ictbench.records import Usage
cache = ResponseCache(Path(sys.argv[1]))
for number in range(200):
    cache.put(f"{number % 50}", Completion(f"reply {number % 50}", Usage(calls=1)))
    assert cache.get(f"{number % 50}").text == f"reply {number % 50}"
"""


def model(**fields: Any) -> OpenAIModel:
    plain: dict[str, Any] = {"provider": "openai", "model": "m", "base_url": "http://127.0.0.1:1/v1"}
    return OpenAIModel(ModelSpec(**{**plain, **fields}))


def test_the_key_depends_on_everything_a_reply_depends_on(tmp_path: Path) -> None:
    with closing(ResponseCache(tmp_path / "replies.sqlite")) as cache:
        json = Constraint(ConstraintStyle.JSON, ("a", "b"))
        keys = [
            cache.key(model(), HELLO, 1, None),
            cache.key(model(base_url="http://127.0.0.1:2/v1"), HELLO, 1, None),
            cache.key(model(model="n"), HELLO, 1, None),
            cache.key(model(temperature=1.0), HELLO, 1, None),
            cache.key(model(max_tokens=7), HELLO, 1, None),
            cache.key(model(), [{"role": "user", "content": "hello!"}], 1, None),
            cache.key(model(), HELLO, 2, None),
            cache.key(model(), HELLO, 1, json),
            cache.key(model(), HELLO, 1, Constraint(ConstraintStyle.JSON, ("a",))),
            cache.key(model(), HELLO, 1, Constraint(ConstraintStyle.GRAMMAR, ("a", "b"))),
            cache.key(model(), HELLO, 1, Constraint(ConstraintStyle.TOOLS, ("a", "b"))),
            cache.key(model(), [{**HELLO[0], "call": {"id": "1", "name": "act", "arguments": "{}"}}], 1, None),
        ]
        assert len(set(keys)) == len(keys)
        assert cache.key(model(timeout=3.0), HELLO, 1, None) == keys[0]


def test_the_first_reply_is_kept(tmp_path: Path) -> None:
    with closing(ResponseCache(tmp_path / "replies.sqlite")) as cache:
        assert cache.get("k") is None
        cache.put("k", Completion("one", Usage(calls=1, input_tokens=9), "length"))
        cache.put("k", Completion("two", Usage(calls=1)))
        assert cache.get("k") == Completion("one", Usage(cache_hits=1), "length")


def test_tool_calls_are_cached(tmp_path: Path) -> None:
    call = ToolCall(id="1", name="act", arguments='{"action": "très bien"}')
    with closing(ResponseCache(tmp_path / "replies.sqlite")) as cache:
        cache.put("k", Completion("", Usage(calls=1), calls=(call, call)))
        assert cache.get("k") == Completion("", Usage(cache_hits=1), calls=(call, call))


def test_several_processes_can_share_a_cache(tmp_path: Path) -> None:
    path = tmp_path / "replies.sqlite"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path)]) for _ in range(4)]
    assert [writer.wait(60) for writer in writers] == [0] * 4
    with closing(ResponseCache(path)) as cache:
        assert all(cache.get(str(number)) for number in range(50))


def stored(path: Path) -> dict[str, str]:
    """Return what the file holds."""
    with closing(sqlite3.connect(path)) as database:
        return dict(database.execute("SELECT key, reply FROM replies"))


def test_replies_are_stored_at_the_end_at_the_latest(tmp_path: Path) -> None:
    with closing(ResponseCache(tmp_path / "replies.sqlite")) as cache:
        for number in range(300):
            cache.put(str(number), Completion(f"reply {number}", Usage(calls=1)))
            assert cache.get(str(number)) == Completion(f"reply {number}", Usage(cache_hits=1))
    assert len(stored(tmp_path / "replies.sqlite")) == 300


def test_a_lone_surrogate_is_stored(tmp_path: Path) -> None:
    with closing(ResponseCache(tmp_path / "replies.sqlite")) as cache:
        cache.put("k", Completion("a\ud83d", Usage(calls=1)))
    with closing(ResponseCache(tmp_path / "replies.sqlite")) as cache:
        assert cache.get("k") == Completion("a\ud83d", Usage(cache_hits=1))


def test_a_file_that_another_process_writes_does_not_block(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "replies.sqlite"
    with closing(ResponseCache(path)) as cache, closing(sqlite3.connect(path, isolation_level=None)) as other:
        cache.put("earlier", Completion("one", Usage(calls=1)))
        while not stored(path):
            time.sleep(0.01)
        other.execute("BEGIN EXCLUSIVE")
        started = time.monotonic()
        cache.put("k", Completion("two", Usage(calls=1)))
        assert (cache.get("earlier"), cache.get("k")) != (None, None)
        assert cache.get("absent") is None
        assert time.monotonic() - started < 1
        other.execute("COMMIT")
    assert set(stored(path)) == {"earlier", "k"}
    assert not caplog.records


def test_a_file_that_stays_locked_loses_replies_and_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(response_cache, "WRITE_SECONDS", 0.05)
    path = tmp_path / "replies.sqlite"
    with closing(ResponseCache(path)) as cache:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            for number in range(3):
                cache.put(str(number), Completion("lost", Usage(calls=1)))
                time.sleep(0.1)
        cache.put("later", Completion("kept", Usage(calls=1)))
    assert "later" in stored(path)
    (warning,) = caplog.messages
    assert str(path) in warning
    assert "replies cannot be stored (database is locked)" in warning


FULL_DISK = """
import resource, sys
from pathlib import Path
from ictbench.models import Completion
from ictbench.models.response_cache import ResponseCache
from ictbench.records import Usage
cache = ResponseCache(Path(sys.argv[1]))
cache.put("first", Completion("x", Usage(calls=1)))
while not cache.get("first"):
    pass
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
for number in range(20):
    cache.put(f"{number}", Completion("x" * 50_000, Usage(calls=1)))
cache.close()
print("done")
"""


def test_a_full_disk_loses_replies_and_not_the_run(tmp_path: Path) -> None:
    path = tmp_path / "replies.sqlite"
    ended = subprocess.run([sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (0, "done\n")
    assert ended.stderr.count("replies cannot be stored") == 1
    with closing(ResponseCache(path)) as cache:
        cache.put("later", Completion("kept", Usage(calls=1)))
    assert "later" in stored(path)


@pytest.mark.parametrize("reply", ["", "{", "[]", "7", '["text"]', '[7, "stop"]', '["text", "stop", 7]', "[" * 5000])
def test_a_damaged_reply_is_ignored_and_replaced(tmp_path: Path, reply: str, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "replies.sqlite"
    ResponseCache(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("INSERT INTO replies VALUES ('k', ?)", (reply,))
    with closing(ResponseCache(path)) as cache:
        assert cache.get("k") is None
        cache.put("k", Completion("new", Usage(calls=1)))
    assert "new" in stored(path)["k"]
    assert len(caplog.messages) == 1


def test_a_damaged_file_is_ignored(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "replies.sqlite"
    with closing(ResponseCache(path)) as cache:
        for number in range(300):
            cache.put(str(number), Completion("x" * 500, Usage(calls=1)))
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with closing(ResponseCache(path)) as cache:
        assert [cache.get(str(number)) for number in range(300)] == [None] * 300
        cache.put("k", Completion("new", Usage(calls=1)))
    assert 1 <= len(caplog.messages) <= 2


def test_a_file_that_is_not_a_cache_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database, and longer than a header of one " * 9)
    with pytest.raises(ConfigError, match=r"response cache .*notes\.txt cannot be used"):
        ResponseCache(tmp_path / "notes.txt")


def test_prices_come_from_litellms_table_and_are_otherwise_unknown() -> None:
    price = find_price(ModelSpec(provider="openai", model="gpt-4.1-mini"))
    assert price is not None
    usage = Usage(calls=1, input_tokens=1_000_000, output_tokens=1_000_000, cached_tokens=500_000)
    cached = price.cached or 0.0
    assert price.cost(usage) == pytest.approx((price.input + cached) * 500_000 + price.output * 1_000_000)
    assert 0 < cached < price.input < price.output
    assert find_price(ModelSpec(provider="openai", model="no-such-model")) is None
    assert find_price(ModelSpec(provider="openai", model="gpt-4.1-mini", base_url="http://127.0.0.1:1/v1")) is None
