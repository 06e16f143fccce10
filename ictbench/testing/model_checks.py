"""Checks that the author of a model adapter runs on their own class.

check_model(Parrot)                                  # a class of one's own, see ictbench.models.providers.custom
check_model(lambda: MyAdapter(spec))                 # a ChatModel
check_failures(lambda url, timeout: MyAdapter(...))  # one that speaks OpenAI's or Anthropic's wire format
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any, get_args

from ictbench.errors import EndpointRefusedError, IctbenchError, ModelFailure, TransientModelError
from ictbench.models.chat_model import (
    ACT_TOOL,
    ChatModel,
    Completion,
    Constraint,
    ConstraintStyle,
    FinishReason,
    ToolCall,
)
from ictbench.models.providers.custom import open_model
from ictbench.models.redact import Redactor
from ictbench.records import ModelSpec
from ictbench.testing.faults import Fault, Faults
from ictbench.testing.scripted_replies import Reply
from ictbench.testing.scripted_server import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ictbench.models.chat_model import Message
    from ictbench.testing.wire_formats import WireName

AT_ONCE = 32
IMPATIENT_SECONDS = 0.5
"""What a request may take where nothing will come; any delay on a busy machine only confirms that."""
PATIENT_SECONDS = 60.0
CHOICES = ("wait", "open door", 'say "très bien"')
USER: Message = {"role": "user", "content": "You see a door.\n\nAvailable actions:\nwait\nopen door"}
SYSTEM: Message = {"role": "system", "content": "You play a game."}
ASSISTANT: Message = {"role": "assistant", "content": "Action: wait"}
BEGUN: Message = {"role": "assistant", "content": "Action: "}
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
"""What an adapter raises when its endpoint misbehaves, as `outcome` words it."""


def check_model(model: Callable[[], ChatModel] | type[Any]) -> None:
    """Hold a model to the contract of `ChatModel`. Starts event loops of its own.

    Args:
        model: opens it, or is a user's own class. It should answer any conversation with some text.

    Raises:
        AssertionError: what is broken, for the author.
    """

    def opened() -> ChatModel:
        if isinstance(model, type):
            return open_model(model, ModelSpec(provider=f"{model.__module__}:{model.__qualname__}", model=""))
        return model()

    # Each in an event loop of its own, with a model of its own.
    for check in (_conversations, _many_at_once, _after_a_cancelled_request, _constraints, _identity, _closing):
        asyncio.run(check(opened()))


def check_failures(
    open_at: Callable[[str, float], ChatModel],
    wire: WireName = "openai",
    *,
    instead: Mapping[Fault, str] | None = None,
) -> None:
    """Hold an adapter to what it should raise for each fault, after one try. Starts event loops of its own.

    Args:
        open_at: opens the model at a base URL, with the seconds that a request may take.
        wire: the format that it speaks.
        instead: what to expect of some faults in place of `OUTCOMES`.

    Raises:
        AssertionError: what is broken, for the author.
    """
    for fault, expected in {**OUTCOMES, **(instead or {})}.items():
        patience = IMPATIENT_SECONDS if fault in {Fault.HANG, Fault.DRIP} else PATIENT_SECONDS
        with ScriptedServer(["Action: wait"], faults=Faults({fault: 1.0}, retry_after=7)) as server:
            url = server.anthropic_url if wire == "anthropic" else server.url
            found = asyncio.run(outcome(open_at(url, patience)))
            assert found == expected, f"{fault}: expected {expected}, not {found}"
            assert server.requests <= 1, f"{fault}: {server.requests} tries in one call; retries are not an adapter's"


async def outcome(model: ChatModel) -> str:
    """How a request ends, in words, `reply` where all is well; closes the model."""
    try:
        await model.complete([SYSTEM, USER])
    except ModelFailure as failure:
        return _spoken(failure, f"failure {failure.kind}")
    except TransientModelError as trouble:
        after = "" if trouble.retry_after is None else f", after {trouble.retry_after:g} s"
        return _spoken(trouble, f"transient {trouble.kind}{after}")
    except EndpointRefusedError as refusal:
        return _spoken(refusal, "refused")
    finally:
        await model.aclose()
    return "reply"


def obedient(body: dict[str, Any]) -> str | Reply:
    """For a `ScriptedServer`: a reply that keeps to the constraint of the request, whichever way that imposes it."""
    if "grammar" in body:
        action, _ = json.JSONDecoder().raw_decode(body["grammar"].partition("\naction ::= ")[2])
        return f"Thought: I obey.\nAction: {action}"
    schema = _schema(body)
    if schema is None:
        return "Thought: I am free.\nAction: wait"
    obeyed = json.dumps({"thought": "I obey.", "action": schema["properties"]["action"]["enum"][0]})
    offered = [tool.get("function", tool)["name"] for tool in body.get("tools") or ()]
    return Reply(None, calls=((ACT_TOOL, obeyed),)) if ACT_TOOL in offered else obeyed


async def _conversations(model: ChatModel) -> None:
    try:
        begun = ([SYSTEM, USER, BEGUN],) if model.supports_prefill else ()
        for conversation in (*CONVERSATIONS, *begun):
            given = [message.copy() for message in conversation]
            for seed in (None, 3):
                completion = await model.complete(given, seed=seed)
                _check_completion(completion)
            assert given == conversation, "complete changed the messages it was given"
    finally:
        await model.aclose()


async def _many_at_once(model: ChatModel) -> None:
    try:
        completions = await asyncio.gather(*(model.complete([SYSTEM, USER], seed=seed) for seed in range(AT_ONCE)))
        for completion in completions:
            _check_completion(completion)
    finally:
        await model.aclose()


async def _after_a_cancelled_request(model: ChatModel) -> None:
    try:
        task = asyncio.create_task(model.complete([USER]))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        _check_completion(await model.complete([USER]))
    finally:
        await model.aclose()


async def _constraints(model: ChatModel) -> None:
    try:
        for style in model.capabilities:
            assert isinstance(style, ConstraintStyle), f"capabilities are ConstraintStyles, not {style!r}"
            for choices in (CHOICES, CHOICES[::-1]):
                conversations = [[SYSTEM, USER]]
                if style is ConstraintStyle.TOOLS:
                    conversations.append([SYSTEM, USER, *_called("call00000"), *_called("call00001")])
                for conversation in conversations:
                    completion = await model.complete(conversation, constraint=Constraint(style, choices))
                    _check_completion(completion)
                    assert _chosen(style, completion) in choices, (
                        f"a reply of style {style} that names none of the choices: {completion.text} {completion.calls}"
                    )
    finally:
        await model.aclose()


def _called(identity: str) -> list[Message]:
    """A call of the tool, and its result."""
    call = ToolCall(id=identity, name=ACT_TOOL, arguments='{"thought": "", "action": "wait"}')
    return [{"role": "assistant", "content": "", "call": call}, {**USER, "role": "tool", "call": call}]


async def _identity(model: ChatModel) -> None:
    try:
        assert ModelSpec.model_validate_json(model.spec.model_dump_json()) == model.spec, "the spec is not plain data"
        assert isinstance(model.address, str), f"the address is a str, not {model.address!r}"
        known = model.known_fingerprint
        await model.complete([USER])
        assert isinstance(model.fingerprint, str | None), f"the fingerprint is a str or None, not {model.fingerprint!r}"
        assert model.known_fingerprint == known, "known_fingerprint changed with the first reply"
        shown = f"{model!r} {vars(model)!r}"
        assert Redactor.from_environment()(shown) == shown, "the model's repr shows a key of the environment"
    finally:
        await model.aclose()


async def _closing(model: ChatModel) -> None:
    await model.aclose()
    await model.aclose()


def _check_completion(completion: Completion) -> None:
    assert isinstance(completion, Completion), f"complete returns a Completion, not {completion!r}"
    assert isinstance(completion.text, str), f"the text is a str, not {completion.text!r}"
    said = completion.text.strip() or completion.calls or completion.finish_reason == "length"
    assert said, "an empty reply is ModelFailure('empty')"
    reasons = get_args(FinishReason)
    assert completion.finish_reason in reasons, f"finish_reason {completion.finish_reason!r} is none of {reasons}"
    usage = completion.usage
    assert usage.calls == 1, f"one call is counted as {usage.calls}"
    assert usage.cache_hits == 0, "cache hits are not an adapter's to count"
    assert min(usage.input_tokens, usage.output_tokens) >= 0, f"tokens are not negative: {usage}"
    assert 0 <= usage.cached_tokens <= usage.input_tokens, f"cached tokens are among the input tokens: {usage}"
    assert 0 <= usage.reasoning_tokens <= usage.output_tokens, f"reasoning tokens are among the output tokens: {usage}"
    assert usage.cost is None or usage.cost >= 0, f"a cost is not negative, and None where it is unknown: {usage}"


def _chosen(style: ConstraintStyle, completion: Completion) -> str | None:
    """The action that a constrained reply names, None where it breaks the style."""
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


def _schema(body: dict[str, Any]) -> dict[str, Any] | None:
    """The JSON Schema that a request imposes, as OpenAI, llama.cpp and Anthropic word it."""
    asked = body.get("response_format") or {}
    tools = body.get("tools") or [{}]
    schema: dict[str, Any] | None = (
        (asked.get("json_schema") or {}).get("schema")
        or asked.get("schema")
        or tools[0].get("input_schema")
        or (tools[0].get("function") or {}).get("parameters")
    )
    return schema


def _spoken(error: IctbenchError, found: str) -> str:
    said = str(error)
    assert Redactor.from_environment()(said) == said, f"an error shows a key of the environment ({found})"
    assert "\n" not in said, f"an error is one line, not {said!r}"
    return found
