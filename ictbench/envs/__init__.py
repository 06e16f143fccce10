"""Environments: one package per world, each behind the `TextEnv` contract."""

from __future__ import annotations

import functools
from contextlib import closing
from typing import TYPE_CHECKING, Any

from ictbench.envs.text_env import TextEnv
from ictbench.envs.try_out import try_out
from ictbench.errors import ConfigError, EnvError, IctbenchError, PluginError
from ictbench.plugin_errors import check_base, check_methods, create, plugin_error
from ictbench.plugins import installed, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ictbench.records import Task

__all__ = ["TextEnv", "checked_versions", "env_class", "env_maker"]


def env_class(name: str) -> type[TextEnv]:
    """Return the class of an environment, which has all methods of its contract.

    Raises:
        UsageError: It does not exist, is not an environment, lacks a method, or its name lacks an address.
    """
    return _class_and_arguments(name)[0]


def env_maker(name: str) -> Callable[[], TextEnv]:
    """Return what makes an instance of an environment: its class, with the address in its name if it takes one.

    Raises:
        UsageError: As `env_class`.
    """
    cls, arguments = _class_and_arguments(name)
    return functools.partial(cls, *arguments)


def checked_versions(name: str, tasks: Collection[Task], *, deterministic: bool = True) -> dict[str, str]:
    """Make one environment, check that all tasks can be played here, and return the versions of its packages.

    An environment that is named by its address has no author here who checked it, so some of the tasks are tried out.

    Args:
        name: Name of the environment.
        tasks: The tasks that will be played.
        deterministic: Whether the suite says that a task and the actions determine an episode.

    Raises:
        UsageError: The environment does not exist, does not answer, or is not what the suite says; or a package or a
            game is missing.
        PluginError: The environment's code fails.
    """
    cls, arguments = _class_and_arguments(name)
    try:
        with closing(create(f"environment {name}", cls, *arguments)) as env:
            versions = env.versions()
        problem = cls.unplayable(tasks)
        if problem is None and cls.addressed:
            problem = try_out(env_maker(name), tasks, deterministic=deterministic)
    except EnvError as error:
        raise ConfigError(f"environment {name} cannot be played: {error}") from error
    except IctbenchError:
        raise
    except Exception as error:
        raise plugin_error(f"environment {name}, before the first task", error, cls) from error
    if not isinstance(versions, dict) or not all(isinstance(word, str) for pair in versions.items() for word in pair):
        raise PluginError(f"environment {name}: versions() returned {versions!r:.80}; return e.g. {{'my-env': '1.0'}}")
    if problem:
        raise ConfigError(problem)
    return versions


def _class_and_arguments(name: str) -> tuple[type[TextEnv], tuple[str, ...]]:
    """Return the class that a name stands for, and the arguments of its instances: the address in the name, or none."""
    scheme, _, address = name.partition(":")
    cls: type[Any] = resolve("env", scheme if _is_addressed(scheme) else name)
    check_base(f"environment {name}", cls, TextEnv)
    check_methods(f"environment {name}", cls)
    if not cls.addressed:
        return cls, ()
    if not address or scheme not in installed("env"):
        raise ConfigError(f"environment {name!r} needs an address: write NAME:ADDRESS, e.g. gym:FrozenLake-v1")
    return cls, (address,)


def _is_addressed(scheme: str) -> bool:
    """Return whether a name is that of an installed environment that takes an address."""
    return scheme in installed("env") and getattr(resolve("env", scheme), "addressed", False)
