from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from training_cards import written

from ictbench.errors import ConfigError
from ictbench.models.checkpoint_card import CARD_FILE, TRAINING_FILES, find_card
from ictbench.records import ModelSpec

if TYPE_CHECKING:
    from pathlib import Path


def spec(place: object, **options: Any) -> ModelSpec:
    return ModelSpec(provider="any", model=str(place), options=options)


def test_a_card_is_found_beside_the_weights_however_they_are_used(tmp_path: Path) -> None:
    made = written(tmp_path / "checkpoint")
    (tmp_path / "checkpoint" / "model.gguf").write_bytes(b"GGUF")
    assert find_card(spec(tmp_path / "checkpoint")) == made
    assert find_card(spec(tmp_path / "checkpoint" / "model.gguf")) == made
    assert find_card(spec("Qwen/Qwen2.5-7B-Instruct", lora=str(tmp_path / "checkpoint"))) == made


def test_the_adapters_card_goes_before_its_models(tmp_path: Path) -> None:
    written(tmp_path / "model", step=1)
    written(tmp_path / "adapter", step=2)
    found = find_card(spec(tmp_path / "model", lora=str(tmp_path / "adapter")))
    assert found
    assert found.step == 2


def test_models_that_were_not_trained_here_have_none(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    for place in (tmp_path, "gpt-4.1-mini", "no/such/place", ""):
        assert find_card(spec(place)) is None


@pytest.mark.parametrize("left", TRAINING_FILES)
def test_a_checkpoint_without_its_card_is_told(left: str, tmp_path: Path) -> None:
    (tmp_path / left).touch()
    with pytest.raises(ConfigError, match=rf"{tmp_path} is a checkpoint without its card {CARD_FILE}"):
        find_card(spec(tmp_path))


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"schema": "ictbench.training/2"}'])
def test_a_damaged_card_is_told_in_a_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / CARD_FILE).write_bytes(content)
    with pytest.raises(ConfigError, match="is damaged") as caught:
        find_card(spec(tmp_path))
    assert "\n" not in str(caught.value)
