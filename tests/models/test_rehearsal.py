"""Rehearsal of models against servers that reject parts of a request, in the words of real servers."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import EndpointRefusedError
from ictbench.models import Constraint, ConstraintStyle, ModelPool, Retry
from ictbench.models.adaptation import Request, adapt_messages, changes_for
from ictbench.models.chat_model import ChatModel, Completion
from ictbench.models.rehearsal import Part, rehearse, repeats
from ictbench.records import Adaptation, ModelSpec, Usage
from ictbench.testing import Latency, Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ictbench.models import Message

CHAT: tuple[Message, ...] = (
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "A door."},
    {"role": "assistant", "content": "Action: open"},
    {"role": "user", "content": "A hall."},
)
CALL: dict[str, Any] = {"id": "call00000", "name": "act", "arguments": '{"thought": "I go.", "action": "open"}'}
CALLS: tuple[Message, ...] = (
    *CHAT[:2],
    {"role": "assistant", "content": "", "call": CALL},  # type: ignore[typeddict-item]
    {"role": "tool", "content": "A hall.", "call": CALL},  # type: ignore[typeddict-item]
)
TOOLS = Constraint(ConstraintStyle.TOOLS, ("open", "wait"))
JSON = Constraint(ConstraintStyle.JSON, ("open", "wait"))
GRAMMAR = Constraint(ConstraintStyle.GRAMMAR, ("open", "wait"))
ANSWER = Reply("Action: wait", calls=(("act", '{"thought": "", "action": "wait"}'),))

Body = dict[str, Any]


@dataclass
class Picky:
    """A server that rejects some requests, and keeps those that it accepts."""

    rejects: Callable[[Body], Reply | str | None]
    accepted: list[Body] = field(default_factory=list)
    server: Any = None

    def __call__(self, _: Body) -> str | Reply:
        body = self.server.requests_log[-1]
        problem = self.rejects(body)
        if problem is not None:
            return problem if isinstance(problem, Reply) else Reply(problem, status=400)
        self.accepted.append(body)
        return ANSWER


def has_system(body: Body) -> bool:
    return any(message["role"] == "system" for message in body["messages"])


def negotiate(
    rejects: Callable[[Body], Reply | str | None],
    request: Request | None = None,
    *,
    provider: str = "openai",
    adapt: bool = True,
    options: dict[str, Any] | None = None,
    start: Adaptation | None = None,
) -> tuple[Adaptation, Body, int]:
    """Return the adaptation to a server, the last request that it accepted, and the number of requests."""
    picky = Picky(rejects)
    with ScriptedServer(picky, record=True) as server:
        picky.server = server
        url = server.anthropic_url if provider == "anthropic" else server.url
        model = "openai/test" if provider == "litellm" else "test"
        spec = ModelSpec(provider=provider, model=model, base_url=url, options=options or {})
        spec = spec.model_copy(update={"adaptation": start or Adaptation()})

        async def once() -> Adaptation:
            models = ModelPool(retry=Retry(attempts=1))
            try:
                part = Part("actor", spec, (request or Request(CHAT, seed=7),))
                return await rehearse(models, part, adapt=adapt)
            finally:
                await models.aclose()

        return asyncio.run(once()), picky.accepted[-1], server.requests


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "System role not supported"),
        (400, '{"error": {"message": "System role not supported", "type": "BadRequestError", "code": 400}}'),
        (422, "Template error: template error: System role not supported"),
        (400, "Conversation roles must alternate user/assistant/user/assistant/..."),
        (400, "Developer instruction is not enabled for models/gemma-3-27b-it"),
        (400, "Unsupported value: 'messages[0].role' does not support 'system' with this model."),
        (500, "System role not supported"),
        (400, "bad request"),
    ],
)
def test_a_rejected_system_role_is_folded_into_the_first_user_message(status: int, words: str) -> None:
    adaptation, body, _ = negotiate(lambda body: Reply(words, status=status) if has_system(body) else None)
    assert adaptation == Adaptation(fold_system=True)
    assert body["messages"][0] == {"role": "user", "content": "Be brief.\n\nA door."}
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert (body["seed"], body["temperature"]) == (7, 0)


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        ("seed", 422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs …"}]}),
        ("seed", 400, {"error": {"message": "property 'seed' is unsupported", "type": "invalid_request_error"}}),
        ("seed", 400, {"error": {"message": "Unrecognized request argument supplied: seed", "code": None}}),
        ("seed", 400, {"object": "error", "message": "[{'type': 'extra_forbidden', 'loc': ('body', 'seed')}]"}),
        ("temperature", 400, {"error": {"message": "Unsupported value: 'temperature' does not support 0.0"}}),
        ("temperature", 400, {"error": "Invalid request"}),
    ],
)
def test_a_rejected_sampling_parameter_is_not_sent(name: str, status: int, body: Any) -> None:
    adaptation, sent, _ = negotiate(lambda request: Reply(status=status, body=body) if name in request else None)
    assert adaptation.model_dump(exclude_defaults=True) == {"omit": (name,)}
    assert name not in sent


def test_the_token_limit_takes_the_name_that_the_server_knows() -> None:
    words = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    adaptation, body, requests = negotiate(lambda body: words if "max_tokens" in body else None)
    assert adaptation == Adaptation(token_limit="max_completion_tokens")
    assert body["max_completion_tokens"] == 500
    # The last one finds whether the request was rejected in passing only.
    assert requests == 3


def test_a_token_limit_that_is_too_high_is_refused_with_the_servers_words() -> None:
    words = "max_tokens is too large: 500. This model supports at most 256 completion tokens."
    with pytest.raises(EndpointRefusedError, match="at most 256 completion tokens"):
        negotiate(lambda body: words)


def test_several_rejected_parameters_are_found_one_after_another() -> None:
    def rejects(body: Body) -> str | None:
        if "max_tokens" in body:
            return "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
        for name in ("temperature", "seed"):
            if name in body:
                return f"Unsupported parameter: '{name}'"
        return "Developer instruction is not enabled" if has_system(body) else None

    adaptation, _, _ = negotiate(rejects)
    assert adaptation == Adaptation(fold_system=True, token_limit="max_completion_tokens", omit=("seed", "temperature"))


@pytest.mark.parametrize("words", ["Bad request", "seed is not supported", "upstream system temporarily unavailable"])
def test_a_request_that_is_rejected_in_passing_is_not_adapted(words: str, caplog: pytest.LogCaptureFixture) -> None:
    asked = iter([Reply(words, status=400)])
    with ScriptedServer(lambda body: next(asked, ANSWER)) as server:
        spec = ModelSpec(provider="openai", model="m", base_url=server.url)
        assert rehearsed(Part("actor", spec, (Request(CHAT, 7),))) == Adaptation()
    assert f"{words}), and accepted the same one later; not adapted" in caplog.text


def test_without_a_reason_the_smallest_set_that_helps_is_found() -> None:
    adaptation, body, _ = negotiate(lambda body: "bad request" if "seed" in body or has_system(body) else None)
    assert adaptation == Adaptation(fold_system=True, omit=("seed",))
    assert "temperature" in body


def test_a_reason_that_lists_every_parameter_does_not_cost_them_all() -> None:
    words = "cannot parse: fields are model, messages, temperature, max_tokens, seed"
    adaptation, _, _ = negotiate(lambda body: words if "seed" in body else None)
    assert adaptation == Adaptation(omit=("seed",))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("strict", "Unknown parameter: 'tools[0].function.strict'"),
        ("parallel_tool_calls", "parallel_tool_calls is not supported"),
        ("maxLength", "Invalid schema for function 'act': 'maxLength' is not permitted."),
        ("additionalProperties", 'Invalid JSON payload received. Unknown name "additionalProperties"'),
    ],
)
def test_a_rejected_keyword_of_a_tool_is_left_out(name: str, words: str) -> None:
    adaptation, body, _ = negotiate(
        lambda body: words if f"'{name}'" in str(body["tools"]) or name in body else None, Request(CALLS, 7, TOOLS)
    )
    assert adaptation.model_dump(exclude_defaults=True) == {"omit": (name,)}
    assert f"'{name}'" not in str(body)
    assert body["tools"][0]["function"]["parameters"]["properties"]["action"]["enum"] == ["open", "wait"]


def test_a_tool_that_cannot_be_forced_by_name_is_required() -> None:
    words = "Invalid tool_choice, must be one of 'none', 'auto', 'required'"
    adaptation, body, _ = negotiate(
        lambda body: words if isinstance(body["tool_choice"], dict) else None, Request(CALLS, 7, TOOLS)
    )
    assert adaptation == Adaptation(tool_choice="required")
    assert body["tool_choice"] == "required"


@pytest.mark.parametrize(("constraint", "name"), [(TOOLS, "tools"), (JSON, "response_format")])
@pytest.mark.parametrize("status", [400, 422])
def test_a_rejected_constraint_is_refused_with_reason_and_way_out(
    constraint: Constraint, name: str, status: int
) -> None:
    words = f"{name} is not supported by this model"
    with pytest.raises(EndpointRefusedError, match="--actor-decoding free") as refused:
        negotiate(lambda body: Reply(words, status=status) if name in body else None, Request(CALLS, 7, constraint))
    assert words in str(refused.value)


OTHER_ACTION = Reply("", calls=(("act", '{"thought": "", "action": "close"}'),))


@pytest.mark.parametrize(
    ("constraint", "reply", "outcome"),
    [
        (JSON, '{"thought": "", "action": "open"}', "kept"),
        (JSON, '{"thought": "", "action": "close"}', "remarked"),
        (JSON, '{"thought": ""}', "refused"),
        (JSON, "Action: open", "refused"),
        (JSON, "[" * 2000, "refused"),
        (JSON, Reply('{"thought": "I', finish_reason="length"), "kept"),
        (JSON, Reply("I think that", finish_reason="length"), "refused"),
        (GRAMMAR, Reply("Thoug", finish_reason="length"), "kept"),
        (GRAMMAR, Reply("Thought: I", finish_reason="length"), "kept"),
        (GRAMMAR, Reply("I think that", finish_reason="length"), "refused"),
        (TOOLS, Reply("I think that", finish_reason="length"), "kept"),
        (TOOLS, ANSWER, "kept"),
        (TOOLS, "I would open it.", "refused"),
        (TOOLS, OTHER_ACTION, "remarked"),
        (TOOLS, Reply("", calls=(("other", '{"action": "open"}'),)), "refused"),
        (GRAMMAR, "Thought: A door.\nAction: open", "kept"),
        (GRAMMAR, "open", "refused"),
    ],
)
def test_a_server_that_ignores_the_decoding_is_refused(
    constraint: Constraint, reply: str | Reply, outcome: str
) -> None:
    remarks: list[str] = []
    with ScriptedServer([reply] * 3) as server:
        spec = ModelSpec(provider="vllm", model="m", base_url=server.url)
        part = Part("actor", spec, (Request(CHAT, 7, constraint),), Request(CHAT[:2], 7, constraint))
        if outcome == "refused":
            with pytest.raises(EndpointRefusedError, match=f"decoding {constraint.style}: .*--actor-decoding free"):
                rehearsed(part, remarks)
        else:
            assert rehearsed(part, remarks) == Adaptation()
            assert server.requests == 1
    assert [f"decoding {constraint.style}" in remark for remark in remarks] == [True] * (outcome == "remarked")


def test_a_model_that_calls_no_tool_at_first_is_asked_again() -> None:
    remarks: list[str] = []
    # Without a call to the first question, also if the call is required in another way.
    with ScriptedServer(["I look.", "I look.", ANSWER]) as server:
        spec = ModelSpec(provider="vllm", model="m", base_url=server.url)
        part = Part("actor", spec, (Request(CHAT, 7, TOOLS),), Request(CHAT[:2], 7, TOOLS))
        assert rehearsed(part, remarks) == Adaptation()
    (remark,) = remarks
    assert "replies without a call have no action" in remark


@pytest.mark.parametrize("adapt", [True, False])
def test_a_server_that_ignores_a_tool_choice_by_name_gets_it_in_another_way(adapt: bool) -> None:
    def answer(body: Body) -> str | Reply:
        return ANSWER if body.get("tool_choice") == "required" else "I look."

    with ScriptedServer(answer) as server:
        spec = ModelSpec(provider="openai", model="m", base_url=server.url)
        part = Part("actor", spec, (Request(CHAT, 7, TOOLS),), Request(CHAT[:2], 7, TOOLS))
        if adapt:
            assert rehearsed(part) == Adaptation(tool_choice="required")
        else:
            with pytest.raises(EndpointRefusedError, match="ignores the decoding"):
                rehearsed(part, adapt=False)


def test_a_rejection_with_status_500_stops_without_further_attempts() -> None:
    with ScriptedServer(lambda _: Reply("Failed to parse grammar", status=500)) as server:
        spec = ModelSpec(provider="vllm", model="m", base_url=server.url)
        with pytest.raises(EndpointRefusedError, match="Failed to parse grammar"):
            rehearsed(Part("actor", spec, (Request(CHAT, 7, GRAMMAR),)), adapt=False)
        assert server.requests == 1


def rehearsed(part: Part, remarks: list[str] | None = None, *, adapt: bool = True) -> Adaptation:
    """Return the adaptation, with the retries of a run."""

    async def once() -> Adaptation:
        models = ModelPool()
        try:
            return await rehearse(models, part, adapt=adapt, remark=(remarks if remarks is not None else []).append)
        finally:
            await models.aclose()

    return asyncio.run(once())


def test_no_message_has_null_content() -> None:
    def rejects(body: Body) -> str | None:
        empty = any(message.get("content", "") is None for message in body["messages"])
        return "Input should be a valid string: messages.2.content" if empty else None

    adaptation, _, _ = negotiate(rejects, Request(CALLS, 7, TOOLS))
    assert adaptation == Adaptation()


def test_consecutive_messages_of_a_role_are_merged_for_a_server_that_requires_alternation() -> None:
    def rejects(body: Body) -> str | None:
        roles = [message["role"] for message in body["messages"] if message["role"] != "system"]
        alternate = all(role == ("user", "assistant")[number % 2] for number, role in enumerate(roles))
        return None if alternate else "Conversation roles must alternate user/assistant/user/assistant/..."

    adaptation, body, _ = negotiate(rejects, Request((*CHAT, {"role": "user", "content": "Well?"}), 7))
    assert adaptation == Adaptation(merge_roles=True)
    assert body["messages"][-1]["content"] == "A hall.\n\nWell?"


def test_no_adapt_stops_at_the_first_rejection_and_says_what_would_help() -> None:
    with pytest.raises(EndpointRefusedError, match=r"System role not supported.*--no-adapt"):
        negotiate(lambda body: "System role not supported" if has_system(body) else None, adapt=False)


def test_a_parameter_that_the_user_chose_is_not_dropped() -> None:
    def omitted(**options: Any) -> set[str]:
        spec = ModelSpec(provider="openai", model="m", options=options)
        adaptations = [change.apply(Adaptation()) for change in changes_for(spec, Request(CHAT, 7))]
        return {name for adaptation in adaptations for name in adaptation.omit}

    assert omitted() == {"seed", "temperature"}
    assert omitted(temperature=0.5) == {"seed"}


def test_a_recorded_adaptation_is_kept_while_the_server_accepts_it() -> None:
    start = Adaptation(omit=("seed",))
    adaptation, _, requests = negotiate(lambda body: None, start=start)
    assert (adaptation, requests) == (start, 1)


def test_anthropic_models_are_adapted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "none")
    adaptation, body, _ = negotiate(
        lambda body: "`temperature` is deprecated for this model." if "temperature" in body else None,
        provider="anthropic",
    )
    assert adaptation == Adaptation(omit=("temperature",))
    adaptation, body, _ = negotiate(
        lambda body: "system: Extra inputs are not permitted" if "system" in body else None, provider="anthropic"
    )
    assert adaptation == Adaptation(fold_system=True)
    assert body["messages"][0]["content"] == "Be brief.\n\nA door."
    adaptation, body, _ = negotiate(
        lambda body: "tool_choice forces tool use" if body["tool_choice"].get("name") else None,
        Request(CALLS, 7, TOOLS),
        provider="anthropic",
    )
    assert body["tool_choice"] == {"type": "any"}


@pytest.mark.filterwarnings("ignore:Item .* is using the `ReadOnly` qualifier")
def test_litellm_models_are_adapted_too() -> None:
    adaptation, body, _ = negotiate(
        lambda body: "System role not supported" if has_system(body) else "no seed" if "seed" in body else None,
        provider="litellm",
    )
    assert adaptation == Adaptation(fold_system=True, omit=("seed",))
    assert body["messages"][0]["role"] == "user"


def test_an_endpoint_that_refuses_the_key_is_not_negotiated_with() -> None:
    with pytest.raises(EndpointRefusedError, match="HTTP 401"):
        negotiate(lambda body: Reply("system: invalid api key, seed", status=401))


def test_a_context_that_is_too_short_is_refused() -> None:
    words = "'max_tokens' is too large: 500. This model's maximum context length is 300 tokens"
    with pytest.raises(EndpointRefusedError, match="maximum context length is 300 tokens"):
        negotiate(lambda body: words)


def test_folding_keeps_a_conversation_without_a_system_text() -> None:
    messages = CHAT[1:]
    assert adapt_messages(messages, Adaptation(fold_system=True)) == list(messages)
    begins = [CHAT[0], CHAT[2]]
    assert adapt_messages(begins, Adaptation(fold_system=True)) == [{"role": "user", "content": "Be brief."}, CHAT[2]]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (lambda number, concurrent: "always", True),
        (lambda number, concurrent: f"number {number}", False),
        (lambda number, concurrent: f"one of {concurrent}", False),
        (lambda number, concurrent: Reply("", finish_reason="length"), None),
        (lambda number, concurrent: Reply("cut off", status=400), None),
        (lambda number, concurrent: "sometimes" if number > 1 else Reply("", finish_reason="length"), False),
    ],
)
def test_whether_replies_repeat(reply: Callable[[int, int], str | Reply], expected: bool | None) -> None:
    def answer(_: Body) -> str | Reply:
        return reply(server.requests, server.in_flight)

    with ScriptedServer(answer, latency=Latency(0.05), concurrency=2, record=True) as server:

        async def once(temperature: float) -> bool | None:
            models = ModelPool()
            try:
                spec = ModelSpec(provider="openai", model="m", base_url=server.url, temperature=temperature)
                return await repeats(models, Part("actor", spec, (Request(CHAT, 7),), Request(CHAT[:2], 7)))
            finally:
                await models.aclose()

        assert asyncio.run(once(0.0)) is expected
        assert (server.requests, server.max_in_flight) == (4, 2)
        assert asyncio.run(once(0.7)) is None
        assert server.requests == 4, "replies above temperature 0 need not repeat, so nothing is asked"
        assert {body["max_tokens"] for body in server.requests_log} == {64}


class Remembering(ChatModel):
    """A model that never repeats itself, behind a cache of its own."""

    fingerprint = None

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self._numbers = itertools.count()
        self._kept: dict[str, Completion] = {}

    async def complete(self, messages: Sequence[Message], **options: Any) -> Completion:
        key = str(messages)
        if key not in self._kept:
            self._kept[key] = await self.complete_uncached(messages, **options)
        return self._kept[key]

    async def complete_uncached(self, messages: Sequence[Message], **_: Any) -> Completion:
        return Completion(f"number {next(self._numbers)}", Usage(calls=1))

    async def aclose(self) -> None: ...


def test_no_cache_of_a_model_answers_a_rehearsal() -> None:
    spec = ModelSpec(provider=f"{__name__}:{Remembering.__name__}", model="")

    async def once() -> tuple[list[str], bool | None]:
        models = ModelPool()
        replies = [await models.open(spec).complete(CHAT) for _ in range(2)]
        return [reply.text for reply in replies], await repeats(
            models, Part("actor", spec, (Request(CHAT),), Request(CHAT[:2]))
        )

    assert asyncio.run(once()) == (["number 0", "number 0"], False)


def test_a_reply_that_is_started_anew_is_noticed() -> None:
    begun: tuple[Message, ...] = (*CHAT, {"role": "assistant", "content": 'Walk onto "'})
    with ScriptedServer(['Walk onto ">"']) as server:

        async def once() -> None:
            models = ModelPool()
            try:
                spec = ModelSpec(provider="vllm", model="m", base_url=server.url)
                await rehearse(models, Part("reflector", spec, (Request(begun, 7),)))
            finally:
                await models.aclose()

        with pytest.raises(EndpointRefusedError, match="starts anew"):
            asyncio.run(once())
