"""Gymnasium's ids of our meta-environments.

Gymnasium 1 loads no plug-ins by itself. Once this package and Gymnasium are both imported, in whichever order, the
ids are there; `import ictbench` imports nothing for it.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.machinery import ModuleSpec
    from types import ModuleType

SPELLED = {"minihack": "MiniHack", "alfworld": "ALFWorld"}
"""Names that are not just a word with a capital."""


def register_envs() -> None:
    """Register one environment for each family of each suite that ships."""
    from gymnasium import register

    for env_id, suite, family in env_ids():
        register(env_id, entry_point="ictbench.meta.env:MetaEnv", kwargs={"suite": suite, "family": family})


def env_ids() -> Iterator[tuple[str, str, str]]:
    """Id, suite and family of each: `ictbench/MiniHack-Room-Dark-v1` is `room-dark` of `minihack-v1`."""
    import yaml

    from ictbench.suites.load import list_suites

    for suite, path in list_suites().items():
        name, _, version = suite.rpartition("-")
        for family in yaml.safe_load(path.read_text(encoding="utf-8"))["families"]:
            words = f"{name}-{family}".split("-")
            title = "-".join(SPELLED.get(word, word.capitalize()) for word in words)
            yield f"ictbench/{title}-{version}", suite, family


def register_with_gymnasium() -> None:
    """Register now if Gymnasium is imported, otherwise as soon as it is."""
    if sys.modules.get("gymnasium"):
        register_envs()
    else:
        sys.meta_path.insert(0, _WhenImported())


class _WhenImported:
    """Finds nothing itself: it waits for Gymnasium to be imported, and registers then."""

    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Where Gymnasium is, with a loader that registers afterwards."""
        spec = PathFinder.find_spec(name, path) if name == "gymnasium" else None
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_register(module: ModuleType) -> None:
                execute(module)
                sys.meta_path.remove(self)
                register_envs()

            spec.loader.exec_module = execute_and_register  # type: ignore[method-assign]
        return spec
