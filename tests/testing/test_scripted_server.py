from __future__ import annotations

import asyncio
import json
import signal
import statistics
import subprocess
import sys
import time
from typing import Any

import aiohttp
import pytest

import ictbench.testing
from ictbench.testing import Latency, Reply, ScriptedServer, react_policy

BODY = {"model": "any", "messages": [{"role": "user", "content": "three little words"}]}


def fetch(url: str, body: Any = None, *, times: int = 1) -> list[tuple[int, Any]]:
    """Return status and JSON of `times` concurrent requests: a POST of `body`, or a GET if it is None."""

    async def request(session: aiohttp.ClientSession) -> tuple[int, Any]:
        async with session.request("GET" if body is None else "POST", url, json=body) as response:
            return response.status, await response.json()

    async def all_requests() -> list[tuple[int, Any]]:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            return list(await asyncio.gather(*(request(session) for _ in range(times))))

    return asyncio.run(all_requests())


def post(server: ScriptedServer, body: Any = BODY) -> tuple[int, Any]:
    return fetch(f"{server.url}/chat/completions", body)[0]


def post_anthropic(server: ScriptedServer, body: Any) -> tuple[int, Any]:
    return fetch(f"{server.anthropic_url}/v1/messages", body)[0]


def test_the_public_names() -> None:
    assert sorted(ictbench.testing.__all__) == [
        "Fault",
        "Faults",
        "Latency",
        "PERSONALITIES",
        "Personality",
        "Reply",
        "ScriptedServer",
        "check_actor",
        "check_env",
        "check_failures",
        "check_model",
        "check_reflector",
        "obedient",
        "react_policy",
        "serve",
    ]
    assert all(hasattr(ictbench.testing, name) for name in ictbench.testing.__all__)
    with pytest.raises(AttributeError, match="Nothing"):
        ictbench.testing.Nothing  # noqa: B018


def test_a_function_computes_the_reply_from_the_request() -> None:
    with ScriptedServer(lambda body: body["messages"][-1]["content"].upper()) as server:
        status, reply = post(server)
    assert status == 200
    assert reply["choices"][0]["message"] == {"role": "assistant", "content": "THREE LITTLE WORDS"}
    assert reply["usage"] == {"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6}


def test_a_list_of_replies_is_cycled_through() -> None:
    with ScriptedServer(["a", Reply("b", finish_reason="length")]) as server:
        choices = [post(server)[1]["choices"][0] for _ in range(3)]
    assert [choice["message"]["content"] for choice in choices] == ["a", "b", "a"]
    assert [choice["finish_reason"] for choice in choices] == ["stop", "length", "stop"]


def test_the_same_script_answers_in_anthropics_format() -> None:
    def answer(body: dict[str, Any]) -> Reply:
        text = " / ".join(f"{message['role']}: {message['content']}" for message in body["messages"])
        return Reply(text, finish_reason="length")

    parts = [{"type": "text", "text": "three little "}, {"type": "text", "text": "words"}]
    body = {
        "model": "any",
        "max_tokens": 9,
        "system": [{"type": "text", "text": "Be brief."}],
        "messages": [{"role": "user", "content": parts}],
    }
    with ScriptedServer(answer, record=True) as server:
        status, reply = post_anthropic(server, body)
    assert (status, reply["type"], reply["role"], reply["stop_reason"]) == (200, "message", "assistant", "max_tokens")
    assert reply["content"] == [{"type": "text", "text": "system: Be brief. / user: three little words"}]
    assert reply["usage"] == {"input_tokens": 5, "output_tokens": 8}
    assert server.requests_log == [body]


def test_errors_in_anthropics_format_have_its_error_types() -> None:
    with ScriptedServer(
        [Reply("slow down", status=429), Reply("busy", status=529), Reply("broken", status=500)]
    ) as server:
        replies = [post_anthropic(server, BODY) for _ in range(3)]
    kinds = [(status, reply["type"], reply["error"]["type"]) for status, reply in replies]
    assert kinds == [
        (429, "error", "rate_limit_error"),
        (529, "error", "overloaded_error"),
        (500, "error", "api_error"),
    ]
    assert replies[0][1]["error"]["message"] == "slow down"


def test_a_forced_tool_is_used_when_the_script_answers_in_json() -> None:
    forced = {**BODY, "tools": [{"name": "act"}], "tool_choice": {"type": "tool", "name": "act"}}
    with ScriptedServer(['{"action": "wait"}', "I will not."]) as server:
        used, unused = (post_anthropic(server, forced)[1] for _ in range(2))
    assert used["stop_reason"] == "tool_use"
    assert (used["content"][0]["type"], used["content"][0]["name"]) == ("tool_use", "act")
    assert used["content"][0]["input"] == {"action": "wait"}
    assert (unused["stop_reason"], unused["content"][0]["text"]) == ("end_turn", "I will not.")


@pytest.mark.parametrize("answers", [[], "one string"])
def test_invalid_answers_are_errors(answers: Any) -> None:
    with pytest.raises(ValueError, match="at least one"):
        ScriptedServer(answers)


def test_errors_and_bodies_are_sent_unchanged() -> None:
    answers = [Reply("slow down", status=429), Reply(body={"own": 1}), Reply(body=b"[2]", status=201)]
    with ScriptedServer(answers) as server:
        replies = [post(server) for _ in answers]
        assert server.statuses == {429: 1, 200: 1, 201: 1}
    assert replies[0][1]["error"]["message"] == "slow down"
    assert replies[1:] == [(200, {"own": 1}), (201, [2])]


def test_a_dropped_connection_has_status_0() -> None:
    with ScriptedServer([Reply(delivery="drop")]) as server:
        with pytest.raises(aiohttp.ClientError):
            post(server)
        assert server.statuses == {0: 1}


def test_the_client_sees_the_error_of_a_script() -> None:
    def failing(body: dict[str, Any]) -> str:
        raise LookupError("no line for this")

    with ScriptedServer(failing) as server:
        status, reply = post(server)
    assert (status, reply["error"]["message"]) == (500, "the script raised LookupError('no line for this')")


@pytest.mark.parametrize("body", [{}, [], {"messages": [1]}])
def test_a_malformed_request_is_rejected(body: Any) -> None:
    with ScriptedServer(["x"]) as server:
        assert post(server, body)[0] == 400


def test_counters_and_models_are_served() -> None:
    with ScriptedServer(["x"], latency=Latency.constant(0.01), model="mine") as server:
        post(server)
        stats = fetch(f"{server.url.removesuffix('/v1')}/stats")[0][1]
        models = fetch(f"{server.url}/models")[0][1]
        assert stats == server.stats()
    assert stats == {
        "requests": 1,
        "in_flight": 0,
        "max_in_flight": 1,
        "connections": 1,
        "max_serving": 1,
        "total_latency": 0.01,
        "statuses": {"200": 1},
        "faults": {},
    }
    assert [entry["id"] for entry in models["data"]] == ["mine"]


def test_requests_are_recorded_on_demand() -> None:
    with ScriptedServer(["x"], record=True) as recording, ScriptedServer(["x"]) as silent:
        post(recording)
        post(silent)
    assert recording.requests_log == [BODY]
    assert silent.requests_log == []


def test_requests_beyond_the_concurrency_wait() -> None:
    with ScriptedServer(["x"], latency=Latency.constant(0.05), concurrency=2) as server:
        start = time.monotonic()
        fetch(f"{server.url}/chat/completions", BODY, times=6)
        assert time.monotonic() - start >= 0.15
        assert (server.max_serving, server.in_flight, server.requests) == (2, 0, 6)
        assert server.max_in_flight > 2
        assert server.total_latency == pytest.approx(0.3)


def test_stopping_does_not_wait_for_slow_replies() -> None:
    async def time_out(url: str) -> None:
        timeout = aiohttp.ClientTimeout(total=0.1)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.post(url, json=BODY):
            pass

    start = time.monotonic()
    with ScriptedServer(["x"], latency=Latency.constant(60)) as server, pytest.raises(TimeoutError):
        asyncio.run(time_out(f"{server.url}/chat/completions"))
    assert time.monotonic() - start < 10


def test_a_port_in_use_is_an_error() -> None:
    with ScriptedServer(["x"]) as server:
        port = int(server.url.split(":")[2].split("/")[0])
        with pytest.raises(OSError, match="address"), ScriptedServer(["x"], port=port):
            pass


def test_a_server_can_be_entered_only_once() -> None:
    server = ScriptedServer(["x"])
    with server:
        pass
    with pytest.raises(RuntimeError, match="once"), server:
        pass


def test_latencies_depend_on_seed_and_number() -> None:
    latency = Latency.lognormal(0.2, 1.0)
    drawn = [latency.seconds(7, number) for number in range(2000)]
    assert drawn == [latency.seconds(7, number) for number in range(2000)]
    assert drawn != [latency.seconds(8, number) for number in range(2000)]
    assert statistics.median(drawn) == pytest.approx(0.2, rel=0.1)
    assert Latency.constant(0.3).seconds(7, 1) == 0.3


def test_latencies_are_parsed_from_text() -> None:
    assert Latency.parse("constant:0.5") == Latency.constant(0.5)
    assert Latency.parse("lognormal:0.2:1.0") == Latency.lognormal(0.2, 1.0)
    for wrong in ("fast", "constant", "lognormal:1", "constant:-1", "constant:nan"):
        with pytest.raises(ValueError, match=r"latency|constant"):
            Latency.parse(wrong)


def test_a_policy_sees_prompt_observation_and_actions() -> None:
    from ictbench.actors.actor import History
    from ictbench.actors.react import parse_json_reply, parse_reply, render_messages
    from ictbench.models.chat_model import ConstraintStyle

    arguments: list[Any] = []

    def decide(prompt: str, observation: str, actions: list[str]) -> str | None:
        arguments.append((prompt, observation, actions))
        return None if prompt == "Do nothing." else actions[-1]

    answer = react_policy(decide)
    history = History((), "A door.\n\n  @ |", ("wait", "open door"), 25)
    replies = [answer({"messages": render_messages(prompt, history)}) for prompt in ("Play.", "Do nothing.")]
    assert arguments[0] == ("Play.", "A door.\n\n  @ |", ["wait", "open door"])
    assert [parse_reply(str(reply))[0] for reply in replies] == ["open door", None]
    system, user = render_messages("Play.", history)
    folded = f"{system['content']}\n\n{user['content']}"
    answer({"messages": [{"role": "user", "content": folded}]})
    answer({"messages": [{"role": "user", "content": folded}, {"role": "assistant", "content": "Action: wait"}, user]})
    assert arguments[-1] == arguments[-2] == arguments[0]
    as_json = str(answer({"messages": render_messages("Play.", history, style=ConstraintStyle.JSON)}))
    assert parse_json_reply(as_json) == ("open door", "This is scripted.")
    assert arguments[-1] == arguments[0]


def test_the_program_injects_faults() -> None:
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "ictbench.testing.scripted_server",
        "--faults",
        "rate_limited:1",
        "--seed",
        "1",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        status, _ = fetch(f"{url}/chat/completions", BODY)[0]
        stats = fetch(f"{url.removesuffix('/v1')}/stats")[0][1]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert (status, stats["faults"]) == (429, {"rate_limited": 1})


def test_the_program_prints_its_base_url_and_stops_on_a_signal() -> None:
    options = ["--latency", "constant:0.01", "--concurrency", "2", "--answer", "first", "--answer", "second"]
    command = [sys.executable, "-W", "error", "-m", "ictbench.testing.scripted_server", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().strip()
        texts = [fetch(f"{url}/chat/completions", BODY)[0][1]["choices"][0]["message"]["content"] for _ in range(2)]
        stats = fetch(f"{url.removesuffix('/v1')}/stats")[0][1]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert process.stderr.read() == ""
    assert texts == ["first", "second"]
    assert json.dumps(stats["statuses"]) == '{"200": 2}'
