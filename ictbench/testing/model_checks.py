"""Conformance checks of language models, for authors of providers.

check_model(Parrot)                                  # a class of your own, see ictbench.models.providers.custom
check_model(lambda: MyModel(spec))                   # a ChatModel
check_failures(lambda url, timeout: MyModel(...))    # a ChatModel that speaks OpenAI's or Anthropic's wire format
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

from ictbench.errors import EndpointRefusedError, IctbenchError, ModelFailure, PluginError, TransientModelError
from ictbench.models.chat_model import (
    ACT_TOOL,
    ChatModel,
    Completion,
    Constraint,
    ConstraintStyle,
    ToolCall,
)
from ictbench.models.providers.custom import open_model
from ictbench.models.redact import Redactor
from ictbench.models.replies import finish_reply
from ictbench.records import ModelSpec
from ictbench.testing.faults import Fault, Faults
from ictbench.testing.scripted_replies import Reply
from ictbench.testing.scripted_server import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from ictbench.models.chat_model import Message
    from ictbench.testing.wire_formats import WireName

CONCURRENT_REQUESTS = 32
SHORT_TIMEOUT = 0.5
"""Timeout in seconds for requests that get no reply; on a busy machine the timeout is only reached sooner."""
LONG_TIMEOUT = 60.0
CHOICES = ("wait", "open door", 'say "très bien"')
USER: Message = {"role": "user", "content": "You see a door.\n\nAvailable actions:\nwait\nopen door"}
SYSTEM: Message = {"role": "system", "content": "You play a game."}
ASSISTANT: Message = {"role": "assistant", "content": "Action: wait"}
PREFILL: Message = {"role": "assistant", "content": "Action: "}
CONVERSATIONS: tuple[list[Message], ...] = (
    [USER],
    [SYSTEM, USER],
    [SYSTEM, USER, ASSISTANT, USER],
    [SYSTEM, USER, USER],
)

OUTCOMES: Mapping[Fault, str] = {
    Fault.RATE_LIMITED: "transient rate_limited",
    Fault.RATE_LIMITED_AFTER: "transient rate_limited, after 7 s",
    Fault.SERVER_ERROR: "transient overloaded",
    Fault.OVERLOADED: "transient overloaded",
    Fault.HANG: "transient timeout",
    Fault.DRIP: "transient timeout",
    Fault.RESET: "transient connection",
    Fault.TRUNCATED: "transient malformed",
    Fault.HTML: "transient malformed",
    Fault.OVERFLOW: "failure context_overflow",
    Fault.NULL: "failure empty",
    Fault.WRONG_MODEL: "refused",
    Fault.UNAUTHORIZED: "refused",
}
"""The outcome of a request for each fault of the endpoint, as `request_outcome` describes it."""


def check_model(model: Callable[[], ChatModel] | type[Any]) -> None:
    """Check that a language model keeps the contract of `ChatModel`. Starts several event loops.

    Args:
        model: A function that opens the model, or a user's own class. The model must answer any conversation with
            some text.

    Raises:
        AssertionError: The model violates the contract; the message says how.
    """

    def open_new() -> ChatModel:
        if isinstance(model, type):
            return open_model(model, ModelSpec(provider=f"{model.__module__}:{model.__qualname__}", model=""))
        return model()

    checks = (
        _check_conversations,
        _check_concurrency,
        _check_cancellation,
        _check_constraints,
        _check_identity,
        _check_closing_twice,
    )
    for check in checks:
        # Opened outside the event loop, as the command line does it.
        asyncio.run(_run_and_close(check, open_new()))


def check_failures(
    open_at: Callable[[str, float], ChatModel],
    wire: WireName = "openai",
    *,
    instead: Mapping[Fault, str] | None = None,
) -> None:
    """Check that a model raises the right error for each fault of its endpoint, after one attempt.

    Starts several event loops.

    Args:
        open_at: Opens the model at a base URL, with a timeout in seconds.
        wire: The wire format that the model speaks.
        instead: Outcomes to expect instead of those in `OUTCOMES`, by fault.

    Raises:
        AssertionError: The model raises another error; the message says for which fault.
    """
    for fault, expected in {**OUTCOMES, **(instead or {})}.items():
        timeout = SHORT_TIMEOUT if fault in {Fault.HANG, Fault.DRIP} else LONG_TIMEOUT
        with ScriptedServer(["Action: wait"], faults=Faults({fault: 1.0}, retry_after=7)) as server:
            url = server.anthropic_url if wire == "anthropic" else server.url
            outcome = asyncio.run(request_outcome(open_at(url, timeout)))
            assert outcome == expected, f"{fault}: the outcome is {outcome!r} instead of {expected!r}"
            attempts = server.requests
            assert attempts <= 1, f"{fault}: {attempts} attempts in one call; leave retries to ictbench"


async def request_outcome(model: ChatModel) -> str:
    """Describe the outcome of one request: `reply`, or the error that was raised. Closes the model."""
    try:
        finish_reply(await model.complete([SYSTEM, USER]), model.spec)
    except ModelFailure as failure:
        _check_message(failure)
        return f"failure {failure.kind}"
    except TransientModelError as error:
        _check_message(error)
        after = "" if error.retry_after is None else f", after {error.retry_after:g} s"
        return f"transient {error.kind}{after}"
    except EndpointRefusedError as error:
        _check_message(error)
        return "refused"
    finally:
        await model.aclose()
    return "reply"


def obedient(body: dict[str, Any]) -> str | Reply:
    """Answer for a `ScriptedServer` that obeys the constraint of the request, in whichever way it is imposed."""
    if "grammar" in body:
        action, _ = json.JSONDecoder().raw_decode(body["grammar"].partition("\naction ::= ")[2])
        return f"Thought: I obey.\nAction: {action}"
    schema = _requested_schema(body)
    if schema is None:
        return "Thought: I am free.\nAction: wait"
    text = json.dumps({"thought": "I obey.", "action": schema["properties"]["action"]["enum"][0]})
    tools = [tool.get("function", tool)["name"] for tool in body.get("tools") or ()]
    return Reply(None, calls=((ACT_TOOL, text),)) if ACT_TOOL in tools else text


async def _run_and_close(check: Callable[[ChatModel], Awaitable[None]], model: ChatModel) -> None:
    try:
        await check(model)
    finally:
        await model.aclose()


async def _check_conversations(model: ChatModel) -> None:
    prefilled = ([SYSTEM, USER, PREFILL],) if model.supports_prefill else ()
    for conversation in (*CONVERSATIONS, *prefilled):
        messages = [message.copy() for message in conversation]
        for seed in (None, 3):
            await _complete(model, messages, seed=seed)
        assert messages == conversation, "complete modified the messages; copy what you want to change"


async def _check_concurrency(model: ChatModel) -> None:
    await asyncio.gather(*(_complete(model, [SYSTEM, USER], seed=seed) for seed in range(CONCURRENT_REQUESTS)))


async def _check_cancellation(model: ChatModel) -> None:
    """Check that a model answers after a request was cancelled."""
    task = asyncio.create_task(model.complete([USER]))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    await _complete(model, [USER])


async def _check_constraints(model: ChatModel) -> None:
    for style in model.capabilities:
        assert isinstance(style, ConstraintStyle), f"capabilities must be ConstraintStyles, but {style!r} is not"
        for choices in (CHOICES, CHOICES[::-1]):
            conversations = [[SYSTEM, USER]]
            if style is ConstraintStyle.TOOLS:
                conversations.append([SYSTEM, USER, *_call_and_result("call00000"), *_call_and_result("call00001")])
            for conversation in conversations:
                completion = await _complete(model, conversation, constraint=Constraint(style, choices))
                assert _chosen_action(style, completion) in choices, (
                    f"the action of a reply in style {style} is not one of the choices: "
                    f"{completion.text} {completion.calls}"
                )


async def _check_identity(model: ChatModel) -> None:
    assert ModelSpec.model_validate_json(model.spec.model_dump_json()) == model.spec, "the spec is not plain data"
    assert isinstance(model.address, str), f"the address must be a str, not {model.address!r}"
    known = model.known_fingerprint
    await model.complete([USER])
    fingerprint = model.fingerprint
    assert isinstance(fingerprint, str | None), f"the fingerprint must be a str or None, not {fingerprint!r}"
    assert model.known_fingerprint == known, "known_fingerprint changed with the first reply"
    shown = f"{model!r} {vars(model)!r}"
    assert Redactor.from_environment()(shown) == shown, "the model's repr contains an API key of the environment"


async def _check_closing_twice(model: ChatModel) -> None:
    """Close the model before it is used; `_run_and_close` closes it again."""
    await model.aclose()


async def _complete(model: ChatModel, messages: list[Message], **arguments: Any) -> Completion:
    """Return a reply as `ModelClient` does, and check it.

    Raises:
        ModelFailure: The reply is empty.
    """
    completion = await model.complete(messages, **arguments)
    try:
        completion = finish_reply(completion, model.spec)
    except PluginError as error:
        raise AssertionError(f"complete must return a Completion: {error}") from error
    _check_usage(completion)
    return completion


def _check_usage(completion: Completion) -> None:
    usage = completion.usage
    assert usage.calls == 1, f"usage.calls must be 1 for one reply, not {usage.calls}"
    assert usage.cache_hits == 0, "usage.cache_hits must be 0; ictbench counts cache hits itself"
    assert min(usage.input_tokens, usage.output_tokens) >= 0, f"token counts must not be negative: {usage}"
    assert 0 <= usage.cached_tokens <= usage.input_tokens, f"cached tokens must be part of the input tokens: {usage}"
    assert 0 <= usage.reasoning_tokens <= usage.output_tokens, f"reasoning tokens must be part of the output: {usage}"
    assert usage.cost is None or usage.cost >= 0, f"a cost must not be negative; None if it is unknown: {usage}"


def _check_message(error: IctbenchError) -> None:
    message = str(error)
    kind = type(error).__name__
    assert Redactor.from_environment()(message) == message, f"a {kind} contains an API key of the environment"
    assert "\n" not in message, f"the message of a {kind} must be one line, not {message!r}"


def _call_and_result(call_id: str) -> list[Message]:
    call = ToolCall(id=call_id, name=ACT_TOOL, arguments='{"thought": "", "action": "wait"}')
    return [{"role": "assistant", "content": "", "call": call}, {**USER, "role": "tool", "call": call}]


def _chosen_action(style: ConstraintStyle, completion: Completion) -> str | None:
    """Return the action in a constrained reply; None if the reply does not have the style."""
    text = completion.text
    if style is ConstraintStyle.GRAMMAR:
        match = re.fullmatch(r"Thought: [^\n]+\nAction: ([^\n]+)", text.rstrip("\n"))
        return match[1] if match else None
    if style is ConstraintStyle.TOOLS:
        if [call["name"] for call in completion.calls] != [ACT_TOOL]:
            return None
        text = completion.calls[0]["arguments"]
    try:
        reply = json.loads(text)
    except ValueError:
        return None
    return reply["action"] if isinstance(reply, dict) and set(reply) == {"thought", "action"} else None


def _requested_schema(body: dict[str, Any]) -> dict[str, Any] | None:
    """Return the JSON Schema in a request, in the format of OpenAI, llama.cpp or Anthropic."""
    response_format = body.get("response_format") or {}
    tools = body.get("tools") or [{}]
    schema: dict[str, Any] | None = (
        (response_format.get("json_schema") or {}).get("schema")
        or response_format.get("schema")
        or tools[0].get("input_schema")
        or (tools[0].get("function") or {}).get("parameters")
    )
    return schema
