from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ictbench.actors.react import ReActActor
from ictbench.envs.minihack.minihack_env import MiniHackEnv
from ictbench.errors import UnknownNameError, UsageError
from ictbench.models.providers.openai import OpenAIModel
from ictbench.plugins import Kind, all_entry_points, resolve, suggest
from ictbench.reflectors.controls.none import NoneReflector
from ictbench.scripted.miner import RulesReflector
from ictbench.scripted.policy import RulesActor
from ictbench.submissions.known_players import REFLECTORS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the import path, as `pip install` fills it."""
    monkeypatch.syspath_prepend(tmp_path)
    all_entry_points.cache_clear()
    yield tmp_path
    all_entry_points.cache_clear()


@pytest.mark.parametrize(
    ("kind", "name", "cls"),
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
def test_a_name_resolves_to_a_class(kind: Kind, name: str, cls: type) -> None:
    assert resolve(kind, name) is cls


def test_any_class_can_be_named_by_module_and_class(site: Path) -> None:
    (site / "my_tools").mkdir()
    (site / "my_tools" / "mine.py").write_text("class Actor: ...\n")
    assert resolve("actor", "my_tools.mine:Actor").__module__ == "my_tools.mine"


def register(site: Path, distribution: str, entry: str) -> None:
    """Install a distribution with one entry point among the environments."""
    dist_info = site / f"{distribution}-1.0.dist-info"
    dist_info.mkdir()
    (dist_info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (dist_info / "entry_points.txt").write_text(f"[ictbench.envs]\n{entry}\n")


def test_name_that_two_distributions_register_is_refused(site: Path) -> None:
    (site / "rival.py").write_text("class Env: ...\n")
    register(site, "one", "maze = rival:Env")
    register(site, "other", "maze = rival:Other")
    register(site, "shadow", "minihack = rival:Env")
    all_entry_points.cache_clear()
    with pytest.raises(UnknownNameError, match=r"one \(rival:Env\) and other|other \(rival:Other\) and one"):
        resolve("env", "maze")
    with pytest.raises(UnknownNameError, match="shadow"):
        resolve("env", "minihack")
    assert resolve("env", "rival:Env").__name__ == "Env"


def test_a_class_of_another_distribution_is_found_by_its_entry_point(site: Path) -> None:
    (site / "others_plugin.py").write_text("class TheirEnv: ...\n")
    dist_info = site / "others_plugin-1.0.dist-info"
    dist_info.mkdir()
    (dist_info / "METADATA").write_text("Metadata-Version: 2.1\nName: others-plugin\nVersion: 1.0\n")
    (dist_info / "entry_points.txt").write_text("[ictbench.envs]\ntheirs = others_plugin:TheirEnv\n")
    assert resolve("env", "theirs").__name__ == "TheirEnv"
    with pytest.raises(UnknownNameError):
        resolve("actor", "theirs")


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("env", "minihak", "unknown env 'minihak'; did you mean 'minihack'?"),
        (
            "env",
            "chess",
            "unknown env 'chess'; known: alfworld, babyai, game, gym, minihack, openenv, textworld; a class of "
            "your own is named package.module:Class",
        ),
        ("actor", "rulez", "unknown actor 'rulez'; did you mean 'rules'?"),
        ("model", "opnai", "unknown model provider 'opnai'; did you mean 'openai'?"),
        (
            "reflector",
            "xyzzy",
            f"unknown reflector 'xyzzy'; known: {', '.join(REFLECTORS)}; "
            "a class of your own is named package.module:Class",
        ),
        (
            "actor",
            "no_such_package:Actor",
            "actor 'no_such_package:Actor': module 'no_such_package' cannot be found; "
            "install its package (pip install -e FOLDER), or add the folder of the module to PYTHONPATH",
        ),
        (
            "actor",
            "ictbench.nope:Actor",
            "actor 'ictbench.nope:Actor': module 'ictbench.nope' cannot be found; "
            "install its package (pip install -e FOLDER), or add the folder of the module to PYTHONPATH",
        ),
        ("env", "json:Env", "env 'json:Env': module 'json' has no class 'Env'"),
        ("env", "json:loads", "env 'json:loads': module 'json' has no class 'loads'"),
        ("env", "json:", "env 'json:': module 'json' has no class ''"),
    ],
)
def test_an_unknown_name_is_an_error_with_a_hint(kind: Kind, name: str, message: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        resolve(kind, name)
    assert str(caught.value) == message
    assert isinstance(caught.value, UsageError)


@pytest.mark.parametrize("name", [":Actor", ".mine:Actor"])
def test_an_invalid_module_name_is_an_error(name: str) -> None:
    with pytest.raises(UnknownNameError, match=f"{name}.* is not a module name"):
        resolve("actor", name)


def test_the_error_names_a_package_that_a_plug_in_lacks(site: Path) -> None:
    (site / "needy.py").write_text("import a_package_it_needs\n")
    with pytest.raises(UnknownNameError, match="importing 'needy' failed: No module named 'a_package_it_needs'"):
        resolve("env", "needy:Env")


def test_the_error_shows_an_exception_during_the_import_of_a_plug_in(site: Path) -> None:
    (site / "broken.py").write_text("SIZE = 1 + int('many')\n")
    with pytest.raises(UnknownNameError, match=r"importing 'broken' failed: ValueError: .*many"):
        resolve("env", "broken:Env")


def test_a_suggestion_is_the_closest_name_or_all_names() -> None:
    assert suggest("red", {"read": 1, "eat": 2}) == "did you mean 'read'?"
    assert suggest("xyzzy", ["b", "a"]) == "known: a, b"
    assert suggest("xyzzy", []) == "known: none"
