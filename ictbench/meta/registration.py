"""Gymnasium's ids of our meta-environments.

Gymnasium 1 loads no plug-ins by itself. The ids are there once ictbench is imported after Gymnasium, or `ictbench.meta`
at any time; `ictbench.meta:ictbench/…` has Gymnasium import that itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SPELLED = {"minihack": "MiniHack", "alfworld": "ALFWorld"}
"""Names that are not just a word with a capital."""


def register_envs() -> None:
    """Register one environment for each family of each suite that ships."""
    from gymnasium import register, registry

    for env_id, suite, family in env_ids():
        if env_id not in registry:
            register(env_id, entry_point="ictbench.meta.meta_env:MetaEnv", kwargs={"suite": suite, "family": family})


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
