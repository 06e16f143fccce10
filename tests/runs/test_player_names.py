"""Names of reflectors and actors, as they are typed."""

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
OWN = """
from ictbench import Reflection, Reflector

class Asking(Reflector):
    needs_model = True
    async def reflect(self, prompt, trajectories, state, context):
        return Reflection(prompt=prompt)

class Parrot:
    def complete(self, messages):
        return "Polly"
"""


@pytest.fixture(autouse=True)
def _own_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_players.py").write_text(OWN, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)


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
        ("own_players:Asking:openai/m", "own_players:Asking", "openai/m"),
        ("blind:rewrite:openai/m", "blind", "openai/m"),
        ("shuffled:own_players:Asking:openai/m", "shuffled", "openai/m"),
        ("rules", "rules", None),
        ("shuffled:blind:rules", "shuffled", None),
        ("reflexion:rules", "reflexion", None),
    ],
)
def test_a_name_says_what_reflects_and_with_which_model(name: str, plugin: str, model: str | None) -> None:
    found = parsed(name)
    assert (found.label, found.name) == (name, plugin)
    assert (found.model and found.model.name) == model


def test_a_wrapper_holds_the_spec_of_what_it_wraps() -> None:
    found, inside = parsed("shuffled:blind:openai/m"), parsed("blind:openai/m")
    assert found.options == {"reflector": inside.model_dump(mode="json", exclude={"model"})}


def test_access_reaches_the_model_wherever_it_stands() -> None:
    access = ModelAccess(base_url="http://here", options={"n_ctx": 512})
    for name in ("openai/m", "rewrite:openai/m", "blind:rewrite:openai/m"):
        model = parsed(name, access).model
        assert model is not None
        assert (model.base_url, model.options) == ("http://here", {"n_ctx": 512})
    with pytest.raises(ConfigError, match="reflector 'rules' has no model: leave out its base URL"):
        parsed("blind:rules", access)


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("blind", ConfigError, "reflector 'blind' wraps another reflector: name it, e.g. blind:rules"),
        ("shuffled:", ConfigError, "reflector 'shuffled:' wraps another reflector: name it, e.g. shuffled:rules"),
        (
            "rewrite",
            ConfigError,
            "'rewrite' needs a model: name one as provider/model, e.g. rewrite:openai/gpt-4.1-mini",
        ),
        ("rewrite:rules", ConfigError, "reflector 'rewrite:rules' needs a model"),
        ("own_players:Asking", ConfigError, "e.g. own_players:Asking:openai/gpt-4.1-mini"),
        (
            "rules:openai/m",
            ConfigError,
            "reflector 'rules' takes no model and wraps no reflector: leave out ':openai/m'",
        ),
        ("rewrite:nobody/m", UnknownNameError, "unknown model provider 'nobody'"),
        ("blind:ruels", UnknownNameError, "unknown reflector 'ruels'; did you mean 'rules'"),
        ("blnd:rules", UnknownNameError, "module 'blnd' cannot be found"),
    ],
)
def test_what_cannot_be_is_told(name: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error) as caught:
        parsed(name)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("reflector", "actor"),
    [
        ("rules", "rules"),
        ("shuffled:blind:rules", "rules"),
        ("openai/llama3:8b", "openai/llama3:8b"),
        ("blind:rewrite:openai/m", "openai/m"),
        ("own_players:Asking:openai/m", "openai/m"),
        ("reflexion:own_players:Parrot", "own_players:Parrot"),
    ],
)
def test_who_acts_if_nobody_is_named(reflector: str, actor: str) -> None:
    assert default_actor(reflector, ModelAccess())[0] == actor


@pytest.mark.parametrize("reflector", ["none", "file:a/b", "blind:none", "own_players:Asking"])
def test_without_a_model_and_a_partner_somebody_must_be_named(reflector: str) -> None:
    with pytest.raises(ConfigError, match=r"has no model that could act: name an actor, e\.g\. --actor rules"):
        default_actor(reflector, ModelAccess())


def test_what_is_wrong_with_a_reflector_is_told_before_an_actor_is_missed() -> None:
    options: dict[str, Any] = {"env": "minihack", "reflector": "blind"}
    with pytest.raises(ConfigError, match="wraps another"):
        ictbench.dry_run(**options)
