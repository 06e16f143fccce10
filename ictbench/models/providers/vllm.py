"""Models on a vLLM server, running or launched."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from ictbench.errors import ConfigError, UsageError
from ictbench.models.chat_model import ConstraintStyle
from ictbench.models.model_options import parse_options
from ictbench.models.providers.openai_messages import openai_tool
from ictbench.models.redact import SECRET_NAME
from ictbench.models.servers.launch import HOST, PORT, LaunchSpec
from ictbench.models.servers.local_model import LaunchOptions, LocalModel

if TYPE_CHECKING:
    from ictbench.models.chat_model import Constraint
    from ictbench.records import ModelSpec

START_SECONDS = 1800.0
"""Enough to download and load a large model, and to capture CUDA graphs."""
ALLOWED_PREFIXES = ("VLLM_", "HF_", "HUGGING_FACE_", "TOKENIZERS_")
"""Prefixes of variables that the server receives even if their names look like secrets."""
ADAPTER_NAME = "adapter"
"""Name under which a launched server serves the LoRA adapter."""
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

    # Also TOOLS: forcing a named tool works without a tool-call parser for the model.
    capabilities = frozenset(ConstraintStyle)
    supports_prefill = True
    prefill_parameters: ClassVar[dict[str, Any]] = {"continue_final_message": True, "add_generation_prompt": False}

    def __init__(self, spec: ModelSpec) -> None:
        """Check the spec; start nothing.

        Raises:
            UsageError: The program `vllm` is not installed, or an option is not allowed.
        """
        super().__init__(spec, base_url=spec.base_url or os.environ.get("VLLM_BASE_URL"), key_variable="VLLM_API_KEY")

    def launch_spec(self) -> LaunchSpec:
        """See `LocalModel.launch_spec`."""
        options = parse_options(self.spec, VLLMOptions)
        program = shutil.which("vllm")
        if program is None:
            raise UsageError(
                f"{self.spec.name} needs the program 'vllm', which is not on the PATH: pip install vllm, "
                "or give the base URL of a running server (VLLM_BASE_URL)"
            )
        command = [program, "serve", self.spec.model, "--host", HOST, "--port", PORT]
        if options.tensor_parallel is not None:
            command += ["--tensor-parallel-size", str(options.tensor_parallel)]
        folder = Path(self.spec.model)
        self._weights = (folder,) if folder.is_dir() else ()
        if options.lora is not None:
            rank = str(_max_lora_rank(options.lora))
            command += ["--enable-lora", "--lora-modules", f"{ADAPTER_NAME}={options.lora}", "--max-lora-rank", rank]
            self._served_name = ADAPTER_NAME
            self._weights += (options.lora,)
        return LaunchSpec(
            name=self.spec.name,
            command=(*command, *options.server_args),
            health="/health",
            start_seconds=options.start_seconds or START_SECONDS,
            environment=tuple(
                (name, value)
                for name, value in os.environ.items()
                if name.startswith(ALLOWED_PREFIXES) or not SECRET_NAME.search(name)
            ),
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
