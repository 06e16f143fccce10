from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ictbench.actors.react import ReActActor
from ictbench.envs.minihack.minihack_env import MiniHackEnv
from ictbench.errors import UnknownNameError, UsageError
from ictbench.models.providers.openai import OpenAIModel
from ictbench.plugins import Kind, installed, resolve, suggest
from ictbench.reflectors.controls.none import NoneReflector
from ictbench.scripted.miner import RulesReflector
from ictbench.scripted.policy import RulesActor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path, as `pip install` would fill it."""
    monkeypatch.syspath_prepend(tmp_path)
    installed.cache_clear()
    yield tmp_path
    installed.cache_clear()


@pytest.mark.parametrize(
    ("kind", "name", "found"),
    [
        ("env", "minihack", MiniHackEnv),
        ("model", "openai", OpenAIModel),
        ("actor", "react", ReActActor),
        ("actor", "rules", RulesActor),
        ("reflector", "rules", RulesReflector),
        ("reflector", "none", NoneReflector),
        ("actor", "ictbench.scripted.policy:RulesActor", RulesActor),
        ("env", "ictbench.scripted.policy:RulesActor", RulesActor),
    ],
)
def test_a_name_is_a_class(kind: Kind, name: str, found: type) -> None:
    assert resolve(kind, name) is found


def test_a_class_of_ones_own_is_named_by_module_and_class(site: Path) -> None:
    (site / "my_tools").mkdir()
    (site / "my_tools" / "mine.py").write_text("class Actor: ...\n")
    assert resolve("actor", "my_tools.mine:Actor").__module__ == "my_tools.mine"


def test_whatever_is_installed_under_an_entry_point_group_is_found_by_its_bare_name(site: Path) -> None:
    (site / "others_plugin.py").write_text("class TheirEnv: ...\n")
    told = site / "others_plugin-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: others-plugin\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text("[ictbench.envs]\ntheirs = others_plugin:TheirEnv\n")
    assert resolve("env", "theirs").__name__ == "TheirEnv"
    with pytest.raises(UnknownNameError):
        resolve("actor", "theirs")


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("env", "minihak", "unknown env 'minihak'; did you mean 'minihack'?"),
        ("env", "chess", "unknown env 'chess'; known: alfworld, minihack"),
        ("actor", "rulez", "unknown actor 'rulez'; did you mean 'rules'?"),
        ("model", "opnai", "unknown model provider 'opnai'; did you mean 'openai'?"),
        (
            "reflector",
            "xyzzy",
            "unknown reflector 'xyzzy'; known: append, blind, file, gepa, icl, "
            "insights, lessons, none, reflexion, retrieval, rewrite, rules, shuffled",
        ),
        (
            "actor",
            "no_such_package:Actor",
            "actor 'no_such_package:Actor': there is no module 'no_such_package' to import",
        ),
        ("actor", "ictbench.nope:Actor", "actor 'ictbench.nope:Actor': there is no module 'ictbench.nope' to import"),
        ("env", "json:Env", "env 'json:Env': module 'json' has no class 'Env'"),
        ("env", "json:loads", "env 'json:loads': module 'json' has no class 'loads'"),
        ("env", "json:", "env 'json:': module 'json' has no class ''"),
    ],
)
def test_a_name_that_is_nothing_is_told_with_the_way_out(kind: Kind, name: str, said: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        resolve(kind, name)
    assert str(caught.value) == said
    assert isinstance(caught.value, UsageError)


@pytest.mark.parametrize("name", [":Actor", ".mine:Actor"])
def test_so_is_a_name_that_no_module_could_have(name: str) -> None:
    with pytest.raises(UnknownNameError, match=name):
        resolve("actor", name)


def test_a_plug_in_that_lacks_a_package_of_its_own_says_which(site: Path) -> None:
    (site / "needy.py").write_text("import a_package_it_needs\n")
    with pytest.raises(UnknownNameError, match="importing 'needy' failed: No module named 'a_package_it_needs'"):
        resolve("env", "needy:Env")


def test_a_plug_in_that_breaks_while_it_is_imported_shows_its_own_error(site: Path) -> None:
    (site / "broken.py").write_text("SIZE = 1 + int('many')\n")
    with pytest.raises(UnknownNameError, match=r"importing 'broken' failed: ValueError: .*many"):
        resolve("env", "broken:Env")


def test_a_suggestion_is_the_nearest_name_or_all_of_them() -> None:
    assert suggest("red", {"read": 1, "eat": 2}) == "did you mean 'read'?"
    assert suggest("xyzzy", ["b", "a"]) == "known: a, b"
    assert suggest("xyzzy", []) == "known: none"
