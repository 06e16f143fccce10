"""Gymnasium ids of the meta-environments.

Gymnasium 1 does not load plug-ins by itself. The ids exist after `ictbench` is imported later than Gymnasium, or after
`ictbench.meta` is imported. The id `ictbench.meta:ictbench/…` makes Gymnasium import it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SPELLINGS = {"alfworld": "ALFWorld", "babyai": "BabyAI", "minihack": "MiniHack", "textworld": "TextWorld"}
"""Words of an id that are not simply capitalized."""


def register_envs() -> None:
    """Register one environment for each family of each built-in suite."""
    from gymnasium import register, registry

    for env_id, suite, family in env_ids():
        if env_id not in registry:
            register(env_id, entry_point="ictbench.meta.meta_env:MetaEnv", kwargs={"suite": suite, "family": family})


def env_ids() -> Iterator[tuple[str, str, str]]:
    """Yield id, suite and family: `ictbench/MiniHack-Room-Dark-v1` is `room-dark` of `minihack-v1`."""
    from ictbench.suites.load import shipped_suites
    from ictbench.yaml_file import read_yaml

    for suite, path in shipped_suites().items():
        name, _, version = suite.rpartition("-")
        for family in read_yaml(path)["families"]:
            words = f"{name}-{family}".split("-")
            title = "-".join(SPELLINGS.get(word, word.capitalize()) for word in words)
            yield f"ictbench/{title}-{version}", suite, family
