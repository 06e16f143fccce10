"""Environments: one package per world, each behind the `TextEnv` contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.envs.text_env import TextEnv
from ictbench.errors import ConfigError, IctbenchError, PluginError
from ictbench.plugin_errors import check_base, check_methods, create, plugin_error
from ictbench.plugins import resolve

if TYPE_CHECKING:
    from collections.abc import Collection

    from ictbench.records import Task

__all__ = ["TextEnv", "checked_versions", "env_class"]


def env_class(name: str) -> type[TextEnv]:
    """Return the class of an environment, which has all methods of its contract.

    Raises:
        UsageError: It does not exist, is not an environment, or lacks a method.
    """
    cls = resolve("env", name)
    check_base(f"environment {name}", cls, TextEnv)
    check_methods(f"environment {name}", cls)
    return cls


def checked_versions(name: str, tasks: Collection[Task]) -> dict[str, str]:
    """Make one environment, check that all tasks can be played here, and return the versions of its packages.

    Raises:
        UsageError: The environment does not exist, or a package or a game is missing.
        PluginError: The environment's code fails.
    """
    cls = env_class(name)
    env: TextEnv = create(f"environment {name}", cls)
    try:
        versions = env.versions()
        env.close()
        problem = cls.unplayable(tasks)
    except IctbenchError:
        raise
    except Exception as error:
        raise plugin_error(f"environment {name}, before the first task", error, cls) from error
    if not isinstance(versions, dict) or not all(isinstance(word, str) for pair in versions.items() for word in pair):
        raise PluginError(f"environment {name}: versions() returned {versions!r:.80}; return e.g. {{'my-env': '1.0'}}")
    if problem:
        raise ConfigError(problem)
    return versions
