"""Models on a vLLM server: one that runs already, or one launched here."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from ictbench.errors import ConfigError, UsageError
from ictbench.models.chat_model import ConstraintStyle
from ictbench.models.providers.openai_messages import openai_tool
from ictbench.models.redact import SECRET_NAME
from ictbench.models.servers.launch import HOST, PORT, Launch
from ictbench.models.servers.local_server import LaunchOptions, LocalModel, parse_options

if TYPE_CHECKING:
    from ictbench.models.chat_model import Constraint
    from ictbench.records import ModelSpec

START_SECONDS = 1800.0
"""Downloading and loading a large model, and capturing CUDA graphs."""
KEPT = ("VLLM_", "HF_", "HUGGING_FACE_", "TOKENIZERS_")
"""How variables begin that the server gets to see even where they look like secrets."""
ADAPTER_NAME = "adapter"
"""The name that a launched server gives to the LoRA adapter."""
LORA_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""What vLLM takes as --max-lora-rank."""


class VLLMOptions(LaunchOptions):
    """What a spec's options may say about the server to launch."""

    tensor_parallel: int | None = Field(default=None, ge=1)
    """GPUs to split the model over."""
    lora: Path | None = None
    """Folder of a LoRA adapter, e.g. a trained reflector's."""


class VLLMModel(LocalModel):
    """`vllm/MODEL`, where MODEL is what `vllm serve` takes: a name on the Hub or a folder.

    Attached to the spec's base URL or VLLM_BASE_URL, else launched with `vllm serve`. VLLM_API_KEY is the server's
    key, if it has one.
    """

    # A tool that is named in the request needs no parser of the model's own way to call one.
    capabilities = frozenset(ConstraintStyle)
    supports_prefill = True
    continuation: ClassVar[dict[str, Any]] = {"continue_final_message": True, "add_generation_prompt": False}

    def __init__(self, spec: ModelSpec) -> None:
        """Check the spec; nothing is started yet.

        Raises:
            UsageError: no `vllm` to launch, or options that do not fit.
        """
        super().__init__(spec, base_url=spec.base_url or os.environ.get("VLLM_BASE_URL"), key_variable="VLLM_API_KEY")

    def launch(self) -> Launch:
        """`vllm serve`; see `LocalModel.launch`."""
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
            rank = str(_rank_for(options.lora))
            command += ["--enable-lora", "--lora-modules", f"{ADAPTER_NAME}={options.lora}", "--max-lora-rank", rank]
            self._served = ADAPTER_NAME
            self._weights += (options.lora,)
        return Launch(
            name=self.spec.name,
            command=(*command, *options.server_args),
            health="/health",
            start_seconds=options.start_seconds or START_SECONDS,
            environment=tuple(
                (name, value)
                for name, value in os.environ.items()
                if name.startswith(KEPT) or not SECRET_NAME.search(name)
            ),
        )

    @property
    def known_fingerprint(self) -> str | None:
        """Digests of weights on this machine; of a model from the Hub, its name and the adapter's digest."""
        known = super().known_fingerprint
        on_hub = self._launch is not None and not Path(self.spec.model).is_dir()
        return f"{self.spec.model}+{known}" if known and on_hub else known

    def _constrained(self, constraint: Constraint) -> dict[str, Any]:
        if constraint.style is ConstraintStyle.TOOLS:
            return openai_tool(constraint)
        if constraint.style is ConstraintStyle.GRAMMAR:
            return {"structured_outputs": {"grammar": constraint.gbnf()}}
        return {"structured_outputs": {"json": constraint.json_schema()}}


def _rank_for(lora: Path) -> int:
    """The smallest --max-lora-rank that an adapter fits in."""
    file = lora / "adapter_config.json"
    try:
        rank = int(json.loads(file.read_text(encoding="utf-8"))["r"])
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise ConfigError(f"{str(lora)!r} is no LoRA adapter: the rank in {file.name} cannot be read") from error
    fitting = [allowed for allowed in LORA_RANKS if allowed >= rank]
    if not fitting:
        raise ConfigError(f"the LoRA adapter {str(lora)!r} has rank {rank}; vLLM serves up to {LORA_RANKS[-1]}")
    return fitting[0]
