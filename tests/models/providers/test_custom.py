from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import ModelFailure, PluginError, TransientModelError, UsageError
from ictbench.models.chat_model import Completion, Constraint, ConstraintStyle
from ictbench.models.providers.custom import CustomModel, is_model_class, open_model
from ictbench.models.providers.openai import OpenAIModel
from ictbench.models.replies import finish_reply
from ictbench.records import UNREPORTED, ModelSpec, Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models import ChatModel, Message

MESSAGES: list[Message] = [{"role": "user", "content": "A door."}]


def opened(cls: type[Any], **fields: Any) -> ChatModel:
    return open_model(cls, ModelSpec(provider=f"mine:{cls.__name__}", model="", **fields))


def complete(cls: type[Any], timeout: float = 60.0, **arguments: Any) -> Completion:
    async def once() -> Completion:
        model = opened(cls, timeout=timeout)
        try:
            return finish_reply(await model.complete(MESSAGES, **arguments), model.spec)
        finally:
            await model.aclose()

    return asyncio.run(once())


def answering(answer: Any) -> type[Any]:
    class Answering:
        def complete(self, messages: Any) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

    return Answering


class Async:
    async def complete(self, messages: Sequence[Message]) -> str:
        await asyncio.sleep(0)
        return f"You said {messages[-1]['content']}"


class Plain:
    def complete(self, messages: Sequence[Message]) -> str:
        return f"You said {messages[-1]['content']}"


@pytest.mark.parametrize("cls", [Async, Plain])
def test_a_text_becomes_a_completion_of_unknown_cost(cls: type[Any]) -> None:
    assert complete(cls) == Completion("You said A door.", UNREPORTED)


def test_a_completion_is_returned_unchanged() -> None:
    completion = Completion("Hello.", Usage(calls=1, input_tokens=5, output_tokens=2, cost=0.1), "length")
    assert complete(answering(completion)) == completion


def test_the_text_of_a_class_is_cleaned() -> None:
    assert complete(answering("a\ud83d\0b\r\nc\td")).text == "a\ufffd\ufffdb\nc\td"


def test_a_class_receives_the_optional_parameters_that_it_has() -> None:
    class WithSpecAndSeed:
        def __init__(self, spec: ModelSpec) -> None:
            self.temperature = spec.temperature

        def complete(self, messages: Any, *, seed: int | None) -> str:
            return f"{self.temperature} {seed}"

    class WithKeywords:
        capabilities = ("json",)

        async def complete(self, messages: Any, **arguments: Any) -> str:
            return f"{sorted(arguments)}"

    assert complete(WithSpecAndSeed, seed=7).text == "0.0 7"
    constraint = Constraint(ConstraintStyle.JSON, ("wait",))
    assert complete(WithKeywords, constraint=constraint).text == "['constraint', 'seed']"


def test_a_plain_function_runs_in_several_threads_at_once() -> None:
    barrier = threading.Barrier(8, timeout=30)

    class Concurrent:
        def complete(self, messages: Any) -> str:
            barrier.wait()
            return threading.current_thread().name

    async def eight_at_once() -> list[Completion]:
        model = opened(Concurrent)
        try:
            return await asyncio.gather(*(model.complete(MESSAGES) for _ in range(8)))
        finally:
            await model.aclose()

    assert len({completion.text for completion in asyncio.run(eight_at_once())}) == 8


def test_a_plain_function_that_returns_a_coroutine_is_awaited() -> None:
    class ReturnsCoroutine:
        complete = lambda self, messages: Async().complete(messages)  # noqa: E731

    assert complete(ReturnsCoroutine).text == "You said A door."


def test_a_class_cannot_modify_the_callers_messages() -> None:
    class ModifiesMessages:
        def complete(self, messages: Any) -> str:
            messages[0]["content"] = "changed"
            messages.clear()
            return "ok"

    before = [message.copy() for message in MESSAGES]
    complete(ModifiesMessages)
    assert before == MESSAGES


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        ("  ", ModelFailure, "empty"),
        (Completion("", Usage(calls=1)), ModelFailure, "empty"),
        (ModelFailure("refused", "no"), ModelFailure, "refused: no"),
        (TransientModelError("rate_limited", "later"), TransientModelError, "later"),
        (ConnectionResetError("gone"), TransientModelError, "mine:Answering: ConnectionResetError: gone"),
        (TimeoutError(), TransientModelError, "no answer"),
        (
            KeyError("x"),
            PluginError,
            r"model mine:Answering, complete: KeyError: 'x' \(.*custom.py, line \d+",
        ),
        (7, PluginError, "returned 7, not a str or a Completion"),
        (None, PluginError, "returned None"),
        (b"Action: wait", PluginError, "mine:Answering.complete returned b'Action: wait', not a str"),
        (Completion(None, Usage()), PluginError, "mine:Answering returned a Completion whose text is None, not a str"),  # type: ignore[arg-type]
        (Completion("x", None), PluginError, "mine:Answering .* usage is None, not a Usage"),  # type: ignore[arg-type]
        (Completion("x", Usage(), 3), PluginError, "mine:Answering .* finish_reason is 3"),  # type: ignore[arg-type]
        (Completion("x", Usage(), calls=({},)), PluginError, "mine:Answering .* calls is "),  # type: ignore[typeddict-item]
    ],
)
def test_errors_are_raised_by_kind(answer: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        complete(answering(answer))


def test_a_class_that_takes_too_long_is_a_timeout() -> None:
    class Slow:
        async def complete(self, messages: Any) -> str:
            await asyncio.sleep(60)
            return "late"

    class Blocking:
        def complete(self, messages: Any) -> str:
            time.sleep(0.5)
            return "late"

    for cls in (Slow, Blocking):
        with pytest.raises(TransientModelError, match=r"no answer within 0.01 s") as caught:
            complete(cls, timeout=0.01)
        assert caught.value.kind == "timeout"


def test_capabilities_and_fingerprint_come_from_the_class() -> None:
    class Constrained(Async):
        capabilities = (ConstraintStyle.JSON, "grammar")
        fingerprint = 7

        async def complete(self, messages: Any, constraint: Constraint | None = None) -> str:
            return "ok"

    model = opened(Constrained)
    assert model.capabilities == {ConstraintStyle.JSON, ConstraintStyle.GRAMMAR}
    assert model.fingerprint == "7"
    assert opened(Plain).capabilities == frozenset()
    assert opened(Plain).fingerprint is None


def test_closing_calls_the_class() -> None:
    closed: list[str] = []

    class Closing(Plain):
        def close(self) -> None:
            closed.append("plain")

    class ClosingAsync(Async):
        async def aclose(self) -> None:
            closed.append("async")

    complete(Closing)
    complete(ClosingAsync)
    assert closed == ["plain", "async"]


class FailingConstructor(Plain):
    def __init__(self) -> None:
        raise RuntimeError("no weights")


class CapableWithoutParameter(Plain):
    capabilities = ("json",)


class NotAModel:
    pass


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (FailingConstructor, "mine:FailingConstructor cannot be created: RuntimeError: no weights"),
        (CapableWithoutParameter, "no parameter `constraint`"),
        (NotAModel, "has no method complete"),
    ],
)
def test_an_unusable_class_is_refused_at_once(cls: type[Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        opened(cls)


def test_a_chat_model_is_not_wrapped() -> None:
    assert type(opened(OpenAIModel, base_url="http://127.0.0.1:1/v1")) is OpenAIModel
    assert type(opened(Plain)) is CustomModel
    assert is_model_class(OpenAIModel)
    assert is_model_class(Plain)
    assert not is_model_class(NotAModel)
