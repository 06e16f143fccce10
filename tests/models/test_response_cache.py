from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import ConfigError
from ictbench.models import Completion, Constraint, ConstraintStyle, ToolCall
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
