"""Trained reflectors: their declarations, and the format of their experience."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from training_cards import write_card

from ictbench.errors import ConfigError
from ictbench.runs.options import Options
from ictbench.runs.plan import RunPlan, make_plan

if TYPE_CHECKING:
    from pathlib import Path


def plan(reflector: str, **options: Any) -> RunPlan:
    return make_plan(Options.parse({"reflector": reflector, "actor": "rules", **options}))


@pytest.fixture(autouse=True)
def _a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")


def test_the_chosen_experience_is_an_option_of_the_reflector() -> None:
    assert plan("openai/m").reflector.options == {}
    assert plan("openai/m", reflector_experience="full").reflector.options == {}
    for name in ("openai/m", "cheatsheet:openai/m", "expel:openai/m"):
        made = plan(name, reflector_experience="events")
        assert made.reflector.options == {"experience": "events"}
        assert made.identity() != plan(name).identity()
    inside: Any = plan("blind:openai/m", reflector_experience="events").reflector.options["reflector"]
    assert inside["options"] == {"experience": "events"}


def test_a_reflector_for_small_models_has_events_and_short_replies_by_default() -> None:
    made = plan("lessons:openai/m").reflector
    assert made.options == {"experience": "events"}
    assert made.model
    assert made.model.max_tokens == 48
    assert plan("lessons:openai/m", reflector_experience="full").reflector.options == {"experience": "full"}


@pytest.mark.parametrize(
    ("reflector", "message"),
    [
        ("rules", "reflector 'rules' has no model: leave out --reflector-experience events"),
        ("gepa:openai/m", "reflector 'gepa:openai/m' does not support --reflector-experience events"),
    ],
)
def test_an_unsupported_experience_is_refused(reflector: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        plan(reflector, reflector_experience="events")


def test_the_default_temperature_is_that_of_the_suite() -> None:
    def temperature(**options: Any) -> float | None:
        made = plan("openai/m", **options)
        assert made.reflector.model
        assert made.deviations() == plan("openai/m").deviations()
        return made.reflector.model.temperature

    assert temperature() == 0.0
    assert temperature(reflector_temperature=1) == 1.0


def test_a_checkpoint_reflects_as_it_was_trained_and_declares_its_families(tmp_path: Path) -> None:
    write_card(tmp_path)
    made = plan(f"openai/{tmp_path}")
    assert (made.reflector.name, made.reflector.options) == ("lessons", {"experience": "events"})
    assert made.trained_on == ("minihack-v1/eat",)
    assert plan(f"blind:openai/{tmp_path}").trained_on == ("minihack-v1/eat",)
    # Another reflector may be named.
    other = plan(f"rewrite:openai/{tmp_path}")
    assert (other.reflector.name, other.reflector.options) == ("rewrite", {})
    assert other.trained_on == ("minihack-v1/eat",)


def test_families_of_a_card_cannot_be_left_out(tmp_path: Path) -> None:
    write_card(tmp_path)
    more = plan(f"openai/{tmp_path}", reflector_trained_on="eat,other:the web")
    assert more.trained_on == ("minihack-v1/eat", "other:the web")
    with pytest.raises(ConfigError, match="trained on minihack-v1/eat too: add it to --reflector-trained-on"):
        plan(f"openai/{tmp_path}", reflector_trained_on="nothing")


def test_a_checkpoint_that_acts_declares_its_families_too(tmp_path: Path) -> None:
    write_card(tmp_path)
    assert plan("rules", actor=f"openai/{tmp_path}").actor_trained_on == ("minihack-v1/eat",)
    with pytest.raises(ConfigError, match="trained on minihack-v1/eat too: add it to --actor-trained-on"):
        plan("rules", actor=f"openai/{tmp_path}", actor_trained_on="nothing")


def test_a_checkpoint_trained_in_another_suite_plays_in_any(tmp_path: Path) -> None:
    write_card(tmp_path, trained_on=("mine/flee",))
    assert plan(f"openai/{tmp_path}").trained_on == ("mine/flee",)
    assert plan(f"openai/{tmp_path}", reflector_trained_on="eat,mine/flee").trained_on == (
        "mine/flee",
        "minihack-v1/eat",
    )


def test_a_checkpoint_without_its_card_is_refused(tmp_path: Path) -> None:
    (tmp_path / "trainer_state.json").touch()
    with pytest.raises(ConfigError, match="is a checkpoint without its card"):
        plan(f"openai/{tmp_path}")
