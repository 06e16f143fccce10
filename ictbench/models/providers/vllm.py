"""Models on a vLLM server, running or launched."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from ictbench.errors import ConfigError, UsageError
from ictbench.models.chat_model import ConstraintStyle
from ictbench.models.model_options import parse_options
from ictbench.models.providers.openai_messages import openai_tool
from ictbench.models.redact import SECRET_NAME, read_header
from ictbench.models.servers.launch import HOST, KEY, PORT, LaunchSpec
from ictbench.models.servers.local_model import LaunchOptions, LocalModel

if TYPE_CHECKING:
    from ictbench.models.chat_model import Constraint
    from ictbench.records import ModelSpec

PROGRAM_VARIABLE = "ICTBENCH_VLLM"
"""Variable with the path of the program `vllm`, e.g. in an environment of its own; without it, PATH is searched."""
START_SECONDS = 1800.0
"""Enough to download and load a large model, and to capture CUDA graphs."""
ALLOWED_PREFIXES = ("VLLM_", "HF_", "HUGGING_FACE_", "TOKENIZERS_")
"""Prefixes of variables that the server receives even if their names look like secrets."""
LAUNCHER_VARIABLES = re.compile(
    r"(LOCAL_|GROUP_|ROLE_)?(RANK|WORLD_SIZE)|ROLE_NAME|GROUP_WORLD_SIZE|MASTER_(ADDR|PORT)|TORCHELASTIC_\w+|ACCELERATE_\w+"
)
"""Names of variables by which a launcher tells a process its place; a server started by it is a group of its own."""
ADAPTER_NAME = "adapter"
"""Name under which a launched server serves the LoRA adapter."""
SERVER_ARGUMENTS = (
    # Otherwise usage does not count the prompt tokens found in the prefix cache.
    "--enable-prompt-tokens-details",
    # A forced call of a named tool is decoded under the tool's schema and needs no parser, but is refused without one.
    "--enable-auto-tool-choice",
    "--tool-call-parser",
    "pythonic",
    # JSON without spaces and line breaks, which cost tokens and which small models write until the reply is cut off.
    "--structured-outputs-config",
    '{"backend": "xgrammar", "disable_any_whitespace": true}',
)
"""Arguments of every launched server; the option `server_args` comes after them and wins."""
LORA_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""Values that vLLM accepts for --max-lora-rank."""


class VLLMOptions(LaunchOptions):
    """Options of a launched vLLM server."""

    tensor_parallel: int | None = Field(default=None, ge=1)
    """Number of GPUs to split the model over."""
    lora: Path | None = None
    """Folder of a LoRA adapter, e.g. a trained reflector's."""


class VLLMModel(LocalModel):
    """`vllm/MODEL`, where MODEL is what `vllm serve` takes: a name on the Hugging Face Hub, or a folder.

    Uses the running server at the spec's base URL or VLLM_BASE_URL, else launches `vllm serve`. VLLM_API_KEY is the
    server's API key, if it has one.
    """

    capabilities = frozenset(ConstraintStyle)
    supports_prefill = True
    prefill_parameters: ClassVar[dict[str, Any]] = {"continue_final_message": True, "add_generation_prompt": False}

    # Markers of reasoning are special tokens of some models. Without them, reasoning would be read as an answer.
    free_parameters: ClassVar[dict[str, Any]] = {"skip_special_tokens": False}

    def __init__(self, spec: ModelSpec) -> None:
        """Check the spec; start nothing.

        Raises:
            UsageError: The program `vllm` is not installed, or an option is not allowed.
        """
        super().__init__(spec, base_url=spec.base_url or os.environ.get("VLLM_BASE_URL"), key_variable="VLLM_API_KEY")

    def launch_spec(self) -> LaunchSpec:
        """See `LocalModel.launch_spec`."""
        options = parse_options(self.spec, VLLMOptions)
        if "--api-key" in options.server_args:
            raise ConfigError(f"{self.spec.name}: server_args contains --api-key; set VLLM_API_KEY instead")
        program = _find_program(self.spec.name)
        command = [program, "serve", self.spec.model, "--host", HOST, "--port", PORT, *SERVER_ARGUMENTS]
        if options.tensor_parallel is not None:
            command += ["--tensor-parallel-size", str(options.tensor_parallel)]
        folder = Path(self.spec.model)
        self._weights = (folder,) if folder.is_dir() else ()
        if options.lora is not None:
            rank = str(_max_lora_rank(options.lora))
            command += ["--enable-lora", "--lora-modules", f"{ADAPTER_NAME}={options.lora}", "--max-lora-rank", rank]
            self._served_name = ADAPTER_NAME
            self._weights += (options.lora,)
        key = read_header("VLLM_API_KEY") or KEY
        return LaunchSpec(
            name=self.spec.name,
            command=(*command, *options.server_args),
            health="/v1/models",
            start_seconds=options.start_seconds or START_SECONDS,
            environment=tuple(sorted(_environment(program, key).items())),
            key=key,
        )

    @property
    def known_fingerprint(self) -> str | None:
        """Digests of local weights; for a model from the Hub, its name and the adapter's digest."""
        digests = super().known_fingerprint
        on_hub = self._launch is not None and not Path(self.spec.model).is_dir()
        return f"{self.spec.model}+{digests}" if digests and on_hub else digests

    def _constrain(self, constraint: Constraint) -> dict[str, Any]:
        if constraint.style is ConstraintStyle.TOOLS:
            return openai_tool(constraint)
        if constraint.style is ConstraintStyle.GRAMMAR:
            return {"structured_outputs": {"grammar": constraint.gbnf()}}
        return {"structured_outputs": {"json": constraint.json_schema()}}


def _find_program(name: str) -> str:
    """Return the path of the program `vllm`.

    Raises:
        UsageError: It is not installed.
    """
    wanted = os.environ.get(PROGRAM_VARIABLE) or "vllm"
    program = shutil.which(wanted)
    if program is None:
        raise UsageError(
            f"{name} needs the program {wanted!r}, which cannot be found: pip install vllm, "
            f"name the program's path in {PROGRAM_VARIABLE}, or give the base URL of a running server (VLLM_BASE_URL)"
        )
    return program


def _environment(program: str, key: str) -> dict[str, str]:
    """Return the server's environment: no API keys of other services, and the programs installed with vLLM first."""
    allowed = {
        name: value
        for name, value in os.environ.items()
        if (name.startswith(ALLOWED_PREFIXES) or not SECRET_NAME.search(name))
        and not LAUNCHER_VARIABLES.fullmatch(name)
    }
    # vLLM compiles kernels with tools such as ninja, which its own environment contains.
    path = os.pathsep.join(filter(None, (str(Path(program).resolve().parent), os.environ.get("PATH"))))
    return allowed | {"PATH": path, "VLLM_API_KEY": key}


def _max_lora_rank(lora: Path) -> int:
    """Return the smallest value of --max-lora-rank that admits the adapter."""
    file = lora / "adapter_config.json"
    try:
        rank = int(json.loads(file.read_text(encoding="utf-8"))["r"])
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise ConfigError(f"{str(lora)!r} is not a LoRA adapter: the rank in {file.name} cannot be read") from error
    allowed = [value for value in LORA_RANKS if value >= rank]
    if not allowed:
        raise ConfigError(f"the LoRA adapter {str(lora)!r} has rank {rank}; vLLM serves ranks up to {LORA_RANKS[-1]}")
    return allowed[0]
