from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from training_cards import write_card

from ictbench.errors import ConfigError
from ictbench.models.checkpoint_card import CARD_FILE, TRAINING_FILES, find_card
from ictbench.records import ModelSpec

if TYPE_CHECKING:
    from pathlib import Path


def spec(model: object, **options: Any) -> ModelSpec:
    return ModelSpec(provider="any", model=str(model), options=options)


def test_a_card_is_found_for_a_checkpoint_a_gguf_file_and_an_adapter(tmp_path: Path) -> None:
    card = write_card(tmp_path / "checkpoint")
    (tmp_path / "checkpoint" / "model.gguf").write_bytes(b"GGUF")
    assert find_card(spec(tmp_path / "checkpoint")) == card
    assert find_card(spec(tmp_path / "checkpoint" / "model.gguf")) == card
    assert find_card(spec("Qwen/Qwen2.5-7B-Instruct", lora=str(tmp_path / "checkpoint"))) == card


def test_the_adapters_card_takes_precedence_over_its_base_models(tmp_path: Path) -> None:
    write_card(tmp_path / "model", step=1)
    write_card(tmp_path / "adapter", step=2)
    card = find_card(spec(tmp_path / "model", lora=str(tmp_path / "adapter")))
    assert card
    assert card.step == 2


def test_models_that_ictbench_did_not_train_have_no_card(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    for model in (tmp_path, "gpt-4.1-mini", "no/such/place", ""):
        assert find_card(spec(model)) is None


@pytest.mark.parametrize("file", TRAINING_FILES)
def test_a_checkpoint_without_its_card_is_an_error(file: str, tmp_path: Path) -> None:
    (tmp_path / file).touch()
    with pytest.raises(ConfigError, match=rf"{tmp_path} is a checkpoint without its card {CARD_FILE}"):
        find_card(spec(tmp_path))


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"schema": "ictbench.training/2"}'])
def test_the_error_for_a_damaged_card_is_one_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / CARD_FILE).write_bytes(content)
    with pytest.raises(ConfigError, match="is damaged") as caught:
        find_card(spec(tmp_path))
    assert "\n" not in str(caught.value)
