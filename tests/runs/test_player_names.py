"""Names of reflectors and actors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import ictbench
from ictbench.errors import ConfigError, UnknownNameError
from ictbench.runs.player_names import ModelAccess, default_actor, parse_player
from ictbench.suites.suite import Decoding

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.records import PluginSpec

DECODING = Decoding(temperature=0.0, max_tokens=2000)
CLASSES = """
from ictbench import Reflection, Reflector

class NeedsModel(Reflector):
    needs_model = True
    async def reflect(self, prompt, trajectories, state, context):
        return Reflection(prompt=prompt)

class Parrot:
    def complete(self, messages):
        return "Polly"
"""


@pytest.fixture(autouse=True)
def _own_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_players.py").write_text(CLASSES, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.parametrize(
    "name", ["openai/m", "rewrite:openai/m", "ace:openai/m", "expel:openai/m", "gepa:openai/m", "blind:openai/m"]
)
def test_an_instruction_is_part_of_the_reflector(name: str) -> None:
    def told(text: str | None) -> PluginSpec:
        return parse_player("reflector", name, DECODING, ModelAccess(), instruction=text)

    plain, one, other = told(None), told("Be brief."), told("Be thorough.")
    # The start of the SHA-256 digest of the text.
    assert one.label == f"{plain.label} (instruction 213c22ed7234)"
    assert len({player.model_dump_json() for player in (plain, one, other)}) == 3
    assert len({player.label for player in (plain, one, other)}) == 3


@pytest.mark.parametrize(
    "name",
    [
        "rules",
        "none",
        "copy",
        "blind:rules",
        "lessons:openai/m",
        "one-rule:openai/m",
        "own_players:NeedsModel:openai/m",
    ],
)
def test_a_reflector_whose_instruction_is_fixed_takes_none(name: str) -> None:
    with pytest.raises(ConfigError, match="does not take an instruction: leave out --reflector-instruction"):
        parse_player("reflector", name, DECODING, ModelAccess(), instruction="Be brief.")


def parsed(name: str, access: ModelAccess = ModelAccess()) -> PluginSpec:  # noqa: B008
    return parse_player("reflector", name, DECODING, access)


@pytest.mark.parametrize(
    ("name", "plugin", "model"),
    [
        ("openai/m", "rewrite", "openai/m"),
        ("openai/llama3:8b", "rewrite", "openai/llama3:8b"),
        ("rewrite:openai/m", "rewrite", "openai/m"),
        ("rewrite:openai/llama3:8b", "rewrite", "openai/llama3:8b"),
        ("own_players:Parrot", "rewrite", "own_players:Parrot"),
        ("rewrite:own_players:Parrot", "rewrite", "own_players:Parrot"),
        ("own_players:NeedsModel:openai/m", "own_players:NeedsModel", "openai/m"),
        ("blind:rewrite:openai/m", "blind", "openai/m"),
        ("shuffled:own_players:NeedsModel:openai/m", "shuffled", "openai/m"),
        ("rules", "rules", None),
        ("shuffled:blind:rules", "shuffled", None),
        ("reflexion:rules", "reflexion", None),
    ],
)
def test_a_name_gives_the_plug_in_and_its_model(name: str, plugin: str, model: str | None) -> None:
    spec = parsed(name)
    assert (spec.label, spec.name) == (name, plugin)
    assert (spec.model and spec.model.name) == model


def test_a_wrapper_holds_the_specification_of_the_wrapped_reflector() -> None:
    spec, inside = parsed("shuffled:blind:openai/m"), parsed("blind:openai/m")
    assert spec.options == {"reflector": inside.model_dump(mode="json", exclude={"model"})}


def test_access_reaches_the_model_inside_wrappers() -> None:
    access = ModelAccess(base_url="http://here", options={"n_ctx": 512})
    for name in ("openai/m", "rewrite:openai/m", "blind:rewrite:openai/m"):
        model = parsed(name, access).model
        assert model is not None
        assert (model.base_url, model.options) == ("http://here", {"n_ctx": 512})
    with pytest.raises(ConfigError, match="reflector 'rules' has no model: leave out --reflector-base-url"):
        parsed("blind:rules", access)


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("blind", ConfigError, "reflector 'blind' wraps another reflector: name it, e.g. blind:rules"),
        ("shuffled:", ConfigError, "reflector 'shuffled:' wraps another reflector: name it, e.g. shuffled:rules"),
        (
            "rewrite",
            ConfigError,
            "'rewrite' needs a model: name one as provider/model, e.g. rewrite:openai/gpt-4.1-mini",
        ),
        ("rewrite:rules", ConfigError, "reflector 'rewrite:rules' needs a model"),
        ("own_players:NeedsModel", ConfigError, "e.g. own_players:NeedsModel:openai/gpt-4.1-mini"),
        (
            "rules:openai/m",
            ConfigError,
            "reflector 'rules' takes no model and wraps no reflector: leave out ':openai/m'",
        ),
        ("rewrite:nobody/m", UnknownNameError, "unknown model provider 'nobody'"),
        ("blind:ruels", UnknownNameError, "unknown reflector 'ruels'; did you mean 'rules'"),
        ("blnd:rules", UnknownNameError, "module 'blnd' cannot be found; did you mean 'blind:rules'?"),
        ("gpt-4.1-mini", UnknownNameError, "unknown reflector 'gpt-4.1-mini'; did you mean 'openai/gpt-4.1-mini'?"),
        ("gpt-41-mini", UnknownNameError, "did you mean 'openai/gpt-4.1-mini'?"),
        ("blind:claude-sonnet-5", UnknownNameError, "did you mean 'anthropic/claude-sonnet-5'?"),
    ],
)
def test_impossible_names_are_refused(name: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        parsed(name)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("reflector", "actor"),
    [
        ("rules", "rules"),
        ("shuffled:blind:rules", "rules"),
        ("openai/llama3:8b", "openai/llama3:8b"),
        ("blind:rewrite:openai/m", "openai/m"),
        ("own_players:NeedsModel:openai/m", "openai/m"),
        ("reflexion:own_players:Parrot", "own_players:Parrot"),
    ],
)
def test_the_default_actor_of_a_reflector(reflector: str, actor: str) -> None:
    assert default_actor(reflector, ModelAccess())[0] == actor


@pytest.mark.parametrize("reflector", ["none", "file:a/b", "blind:none", "own_players:NeedsModel"])
def test_a_reflector_without_a_model_and_a_partner_needs_an_actor(reflector: str) -> None:
    with pytest.raises(ConfigError, match=r"has no model that could act: name an actor, e\.g\. --actor rules"):
        default_actor(reflector, ModelAccess())


def test_an_invalid_reflector_is_reported_before_a_missing_actor() -> None:
    options: dict[str, Any] = {"env": "minihack", "reflector": "blind"}
    with pytest.raises(ConfigError, match="wraps another"):
        ictbench.dry_run(**options)
