"""Checks that run before weights are loaded; tests/train_real loads weights."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ictbench.errors import ConfigError, MissingExtraError
from ictbench.models.providers import hf
from ictbench.models.providers.hf import HfModel
from ictbench.records import ModelSpec

if TYPE_CHECKING:
    from collections.abc import Iterator


def spec(model: object, base_url: str | None = None, **options: Any) -> ModelSpec:
    return ModelSpec(provider="hf", model=str(model), base_url=base_url, options=options)


@pytest.fixture
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hf, "find_spec", lambda name: name)


@pytest.mark.parametrize("missing", ["torch", "transformers"])
def test_the_error_for_a_missing_package_names_the_extra(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hf, "find_spec", lambda name: None if name == missing else name)
    with pytest.raises(MissingExtraError, match=rf"no module named '{missing}'.*pip install 'ictbench\[hf\]'"):
        HfModel(spec("owner/name"))


@pytest.mark.usefixtures("_installed")
def test_an_invalid_spec_is_an_error_at_once(tmp_path: Path) -> None:
    for model in ("nowhere", "./no/where", "/no/such/folder"):
        with pytest.raises(ConfigError, match=f"hf/{model}: the folder does not exist; give a folder, OWNER/NAME"):
            HfModel(spec(model))
    with pytest.raises(ConfigError, match=r"is not a model: it has neither config\.json nor adapter_config\.json"):
        HfModel(spec(tmp_path))
    (tmp_path / "adapter_config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"is not a LoRA adapter: adapter_config\.json does not name its base model"):
        HfModel(spec(tmp_path))
    with pytest.raises(ConfigError, match=r"option 'dtype'.*options are device, dtype"):
        HfModel(spec("owner/name", dtype="int3"))
    with pytest.raises(ConfigError, match=r"remove the base URL http://x"):
        HfModel(spec("owner/name", "http://x"))


@pytest.mark.usefixtures("_installed")
def test_the_fingerprint_is_the_digest_of_local_weights(tmp_path: Path) -> None:
    assert HfModel(spec("owner/name")).fingerprint is None
    base, adapter = tmp_path / "base", tmp_path / "adapter"
    for folder in (base, adapter):
        folder.mkdir()
        (folder / "model.safetensors").write_text(folder.name, encoding="utf-8")
    (base / "config.json").write_text("{}", encoding="utf-8")
    (adapter / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(base)}), encoding="utf-8")
    base_digest, both_digests = HfModel(spec(base)).known_fingerprint, HfModel(spec(adapter)).known_fingerprint
    assert base_digest
    assert both_digests
    assert both_digests.startswith(f"{base_digest}+sha256:")
    # The name of a base model on the Hub does not identify its weights.
    (adapter / "adapter_config.json").write_text('{"base_model_name_or_path": "owner/name"}', encoding="utf-8")
    assert HfModel(spec(adapter)).known_fingerprint is None


LOADING = ("from_pretrained", "load_dataset", "GRPOTrainer")
SAFE = ("PeftModel.from_pretrained",)
"""Calls that load weights only."""


def loading_calls() -> Iterator[tuple[str, ast.Call]]:
    """Yield the calls of this repository that load a model, a tokenizer or a data set, each with its place."""
    top = Path(__file__).parents[3]
    for path in sorted((*top.glob("ictbench/**/*.py"), *top.glob("benchmarks/**/*.py"), *top.glob("examples/**/*.py"))):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in LOADING:
                yield f"{path.relative_to(top)}:{node.lineno}", node


def test_no_call_runs_code_that_comes_with_a_model() -> None:
    calls = {place: call for place, call in loading_calls() if ast.unparse(call.func) not in SAFE}
    assert len(calls) >= 6
    for place, call in calls.items():
        if ast.unparse(call.func) == "GRPOTrainer":
            # TRL loads a model that is given by name: give it one that was loaded.
            assert any(word.arg == "model" and isinstance(word.value, ast.Call) for word in call.keywords), place
        else:
            assert "trust_remote_code=False" in map(ast.unparse, call.keywords), place
