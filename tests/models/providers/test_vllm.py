from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import ConfigError, EndpointRefusedError, TransientModelError, UsageError
from ictbench.models.chat_model import Constraint, ConstraintStyle
from ictbench.models.providers.vllm import PROGRAM_VARIABLE, SERVER_ARGUMENTS, VLLMModel
from ictbench.models.replies import finish_reply
from ictbench.models.servers import launch as servers
from ictbench.models.servers.launch import LOGS_VARIABLE
from ictbench.records import ModelSpec
from ictbench.testing import Reply, ScriptedServer, check_failures, check_model, obedient, serve
from ictbench.testing.server_zoo.reply_quirks import REASONING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ictbench.models import Completion, Message

STAND_IN = Path(__file__).parents[2] / "helpers" / "stand_in_server.py"
MESSAGES: list[Message] = [{"role": "user", "content": "A door."}]
KEY = "token-quite-secret"
GRAMMAR = Constraint(ConstraintStyle.GRAMMAR, ("wait", "open door"))
JSON = Constraint(ConstraintStyle.JSON, ("wait", "open door"))


@pytest.fixture(autouse=True)
def _no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in ("VLLM_API_KEY", "VLLM_BASE_URL", "OPENAI_API_KEY", "OPENAI_BASE_URL", LOGS_VARIABLE, PROGRAM_VARIABLE):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[Any]]:
    """Put a stand-in `vllm` on the PATH; return a function that reads its arguments and requests."""
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "vllm"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I "{STAND_IN}" "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("STAND_IN_RECORD", str(tmp_path / "record"))
    return lambda: [json.loads(line) for line in (tmp_path / "record").read_text().splitlines()]


@pytest.fixture
def lora(tmp_path: Path) -> Path:
    folder = tmp_path / "lora"
    folder.mkdir()
    (folder / "adapter_config.json").write_text('{"r": 24}')
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    return folder


def spec_for(model: str = "Qwen/Qwen2.5-7B-Instruct", url: str | None = None, **options: Any) -> ModelSpec:
    return ModelSpec(provider="vllm", model=model, base_url=url, options=options)


def complete(
    model: VLLMModel,
    seed: int | None = None,
    constraint: Constraint | None = None,
    messages: list[Message] = MESSAGES,
) -> Completion:
    async def once() -> Completion:
        try:
            return await model.complete(messages, seed=seed, constraint=constraint)
        finally:
            await model.aclose()

    return asyncio.run(once())


def command_for(recorded: Callable[[], list[Any]], spec: ModelSpec) -> list[str]:
    """Return the arguments that `vllm` is started with, the port replaced by PORT."""
    complete(VLLMModel(spec))
    arguments: list[str] = recorded()[0]
    port = arguments.index("--port") + 1
    assert arguments[port].isdigit()
    return [*arguments[:port], "PORT", *arguments[port + 1 :]]


BASE_COMMAND = ["serve", "Qwen/Qwen2.5-7B-Instruct", "--host", "127.0.0.1", "--port", "PORT", *SERVER_ARGUMENTS]


def test_a_server_is_launched_for_requests_and_stopped(recorded: Callable[[], list[Any]]) -> None:
    completion = complete(VLLMModel(spec_for()), seed=5)
    assert completion.text == "Action: wait"
    sampling = {"max_tokens": 500, "temperature": 0.0, "seed": 5}
    free = {"skip_special_tokens": False}
    body = {"model": "Qwen/Qwen2.5-7B-Instruct", "messages": MESSAGES, **sampling, **free}
    (request,) = recorded()[1:]
    assert request["body"] == body
    assert re.fullmatch("Bearer [0-9a-f]{32}", request["authorization"])


def test_a_last_assistant_message_is_continued() -> None:
    with ScriptedServer(["and on"], record=True) as server:
        messages: list[Message] = [*MESSAGES, {"role": "assistant", "content": "On "}]
        model = VLLMModel(spec_for(url=server.url))
        assert model.supports_prefill
        assert complete(model, messages=messages).text == "and on"
        complete(VLLMModel(spec_for(url=server.url)))
    first, second = server.requests_log
    assert (first["continue_final_message"], first["add_generation_prompt"]) == (True, False)
    assert "continue_final_message" not in second


def test_markers_of_reasoning_that_are_special_tokens_are_kept_and_read() -> None:
    with serve("vllm-special", ["Action: wait"]) as url:
        completion = finish_reply(complete(VLLMModel(spec_for(url=url))), spec_for())
        assert (completion.text.strip(), completion.reasoning) == ("Action: wait", REASONING)
        # What the user asks for takes precedence.
        spec = spec_for(url=url, extra_body={"skip_special_tokens": True})
        assert complete(VLLMModel(spec)).text.strip().startswith(REASONING)


def test_the_command_is_vllm_serve(recorded: Callable[[], list[Any]]) -> None:
    assert command_for(recorded, spec_for()) == BASE_COMMAND


@pytest.mark.parametrize("server_args", [["--max-model-len", 32768], "--max-model-len 32768"])
def test_tensor_parallel_and_server_args(recorded: Callable[[], list[Any]], server_args: Any) -> None:
    spec = spec_for(tensor_parallel=2, server_args=server_args)
    assert command_for(recorded, spec) == [*BASE_COMMAND, "--tensor-parallel-size", "2", "--max-model-len", "32768"]


def test_a_lora_adapter_is_served_and_requested(recorded: Callable[[], list[Any]], lora: Path) -> None:
    adapter = ["--enable-lora", "--lora-modules", f"adapter={lora}", "--max-lora-rank", "32"]
    assert command_for(recorded, spec_for(lora=str(lora))) == [*BASE_COMMAND, *adapter]
    assert recorded()[1]["body"]["model"] == "adapter"


def test_actor_and_reflector_share_one_server(recorded: Callable[[], list[Any]]) -> None:
    async def both() -> None:
        actor = VLLMModel(spec_for())
        reflector = VLLMModel(spec_for().model_copy(update={"max_tokens": 2000}))
        await asyncio.gather(*(model.complete(MESSAGES) for model in (actor, reflector, actor)))
        await actor.aclose()
        await reflector.complete(MESSAGES)
        await reflector.aclose()

    asyncio.run(both())
    started = [entry for entry in recorded() if isinstance(entry, list)]
    assert (len(started), len(recorded())) == (1, 5)


def test_closing_a_model_while_its_server_starts_stops_the_server(
    recorded: Callable[[], list[Any]], tmp_path: Path
) -> None:
    healthy = tmp_path / "healthy"

    async def close_early() -> None:
        model = VLLMModel(spec_for(server_args=["--after", str(healthy)]))
        request = asyncio.create_task(model.complete(MESSAGES))
        for _ in range(3000):
            if not servers._running:
                await asyncio.sleep(0.01)
        await model.aclose()
        healthy.touch()
        with pytest.raises(TransientModelError, match="was closed"):
            await request

    asyncio.run(close_early())
    assert not servers._running
    assert len(recorded()) == 1


@pytest.mark.usefixtures("recorded")
def test_the_digest_of_local_weights_identifies_a_launched_model(lora: Path, tmp_path: Path) -> None:
    first = VLLMModel(spec_for(lora=str(lora)))
    fingerprint = first.known_fingerprint
    assert fingerprint
    assert fingerprint.startswith("Qwen/Qwen2.5-7B-Instruct+sha256:")
    complete(first)
    assert first.fingerprint == fingerprint
    (lora / "adapter_model.safetensors").write_bytes(b"trained further")
    assert VLLMModel(spec_for(lora=str(lora))).known_fingerprint != fingerprint
    folder = tmp_path / "trained"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    assert str(VLLMModel(spec_for(str(folder))).known_fingerprint).startswith("sha256:")
    hub = VLLMModel(spec_for())
    assert (hub.known_fingerprint, hub.fingerprint) == (None, None)
    complete(hub)
    assert hub.fingerprint == "Qwen/Qwen2.5-7B-Instruct"


def test_the_address_of_a_launched_server_does_not_contain_its_port(recorded: Callable[[], list[Any]]) -> None:
    first, second = VLLMModel(spec_for()), VLLMModel(spec_for())
    complete(first)
    assert first.address == second.address


def test_the_error_for_a_server_that_exits_shows_its_log(
    recorded: Callable[[], list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_API_KEY", KEY)
    with pytest.raises(TransientModelError, match=r"has exited: exit code 7; .*CUDA error") as caught:
        complete(VLLMModel(spec_for(server_args=["--dies"])))
    assert caught.value.kind == "connection"


@pytest.mark.usefixtures("recorded")
def test_a_server_that_does_not_start_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_API_KEY", KEY)
    message = r"vllm/Qwen/Qwen2.5-7B-Instruct: its server did not start: exit code 1; .* out of memory \[key\]"
    with pytest.raises(EndpointRefusedError, match=message):
        complete(VLLMModel(spec_for(server_args=["--fails", f"out of memory {KEY}"])))


def test_the_server_does_not_receive_api_keys_of_other_services(
    recorded: Callable[[], list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-you")
    monkeypatch.setenv("VLLM_API_KEY", KEY)
    monkeypatch.setenv("HF_TOKEN", "hf-for-downloads")
    names = {name for name, _ in VLLMModel(spec_for()).launch_spec().environment}
    assert {"VLLM_API_KEY", "HF_TOKEN", "PATH"} <= names
    assert "OPENAI_API_KEY" not in names
    complete(VLLMModel(spec_for()))
    assert recorded()[1]["authorization"] == f"Bearer {KEY}"


def test_a_running_server_is_used_at_its_base_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-you")
    with ScriptedServer(["theirs"]) as theirs, ScriptedServer(["mine"], record=True) as mine:
        monkeypatch.setenv("VLLM_BASE_URL", theirs.url)
        assert complete(VLLMModel(spec_for())).text == "theirs"
        attached = VLLMModel(spec_for(url=mine.url))
        assert complete(attached).text == "mine"
        assert attached.address == mine.url
        assert attached.known_fingerprint is None
        assert attached.fingerprint == "scripted@scripted"
    assert "sk-not-for-you" not in f"{vars(attached)} {vars(attached._client)}"


def test_constraints_become_structured_outputs() -> None:
    with ScriptedServer(["ok"], record=True) as server:
        complete(VLLMModel(spec_for(url=server.url)), constraint=GRAMMAR)
        complete(VLLMModel(spec_for(url=server.url)), constraint=JSON)
    constraints = [body["structured_outputs"] for body in server.requests_log]
    assert constraints == [{"grammar": GRAMMAR.gbnf()}, {"json": JSON.json_schema()}]
    assert VLLMModel.capabilities == {"grammar", "json", "tools"}


def obey_constraint(body: dict[str, Any]) -> str | Reply:
    constraint = body.pop("structured_outputs", {})
    return obedient({**body, **constraint, "response_format": {"schema": constraint.get("json")}})


def test_vllm_models_keep_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_API_KEY", KEY)
    with ScriptedServer(obey_constraint) as server:
        check_model(lambda: VLLMModel(spec_for(url=server.url)))
    check_failures(lambda url, timeout: VLLMModel(spec_for(url=url).model_copy(update={"timeout": timeout})))


@pytest.mark.usefixtures("recorded")
def test_the_repr_of_a_launched_model_does_not_contain_the_api_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_API_KEY", KEY)
    model = VLLMModel(spec_for())
    assert KEY not in f"{model!r} {vars(model)!r}"


def test_the_error_for_a_wrong_api_key_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_API_KEY", KEY)
    with (
        ScriptedServer([Reply(f"not {KEY}", status=401)]) as server,
        pytest.raises(EndpointRefusedError, match=r"not \[key\] \(check VLLM_API_KEY\)"),
    ):
        complete(VLLMModel(spec_for(url=server.url)))
    monkeypatch.setenv("VLLM_API_KEY", "a\r\nb")
    with pytest.raises(UsageError, match="VLLM_API_KEY contains characters"):
        VLLMModel(spec_for(url=server.url))


def test_the_error_for_missing_vllm_says_how_to_continue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match=r"needs the program 'vllm'.*ICTBENCH_VLLM.*VLLM_BASE_URL"):
        VLLMModel(spec_for())
    monkeypatch.setenv(PROGRAM_VARIABLE, "/no/such/vllm")
    with pytest.raises(UsageError, match=r"needs the program '/no/such/vllm'"):
        VLLMModel(spec_for())


def test_the_program_may_be_outside_the_path(
    recorded: Callable[[], list[Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv(PROGRAM_VARIABLE, str(tmp_path / "bin" / "vllm"))
    spec = VLLMModel(spec_for()).launch_spec()
    assert spec.command[0] == str(tmp_path / "bin" / "vllm")
    assert dict(spec.environment)["PATH"] == str(tmp_path / "bin")
    assert command_for(recorded, spec_for()) == BASE_COMMAND


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tensor_paralel": 2}, "tensor_paralel.*options are .*tensor_parallel"),
        ({"tensor_parallel": 0}, "tensor_parallel.*greater than or equal to 1"),
        ({"server_args": 8}, "server_args"),
        ({"server_args": "--api-key mine"}, "--api-key; set VLLM_API_KEY instead"),
        ({"lora": "/no/such/folder"}, "'/no/such/folder' is not a LoRA adapter"),
    ],
)
def test_an_invalid_option_is_an_error_at_once(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        VLLMModel(spec_for(**options))


@pytest.mark.usefixtures("recorded")
def test_a_model_name_is_never_an_argument_of_the_server() -> None:
    spec = spec_for().model_copy(update={"model": "--tool-parser-plugin=evil.py"})
    with pytest.raises(ConfigError, match=r"is not the name of a model; write a file or folder as \./--tool-parser"):
        VLLMModel(spec)


@pytest.mark.usefixtures("recorded")
def test_a_lora_rank_that_vllm_does_not_serve_is_an_error(lora: Path) -> None:
    (lora / "adapter_config.json").write_text('{"r": 1024}')
    with pytest.raises(ConfigError, match="rank 1024; vLLM serves ranks up to 512"):
        VLLMModel(spec_for(lora=str(lora)))


def test_launch_options_for_a_running_server_are_an_error() -> None:
    with pytest.raises(ConfigError, match=r"http\S+, but the options tensor_parallel are .*; remove"):
        VLLMModel(spec_for(url="http://127.0.0.1:1/v1", tensor_parallel=2))
