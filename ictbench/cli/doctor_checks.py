"""Checks of the installation, for `ictbench doctor`."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ictbench._version import __version__
from ictbench.envs import env_maker
from ictbench.envs.alfworld.data import check_data
from ictbench.errors import IctbenchError
from ictbench.plugin_errors import describe_error, raised_at
from ictbench.plugins import Kind, installed, resolve
from ictbench.suites import list_suites, load_suite

if TYPE_CHECKING:
    from collections.abc import Iterator


EXTRAS = {
    "alfworld": "alfworld",
    "babyai": "minigrid",
    "datasets": "datasets",
    "gepa": "gepa",
    "hf": "transformers",
    "inspect": "inspect_ai",
    "litellm": "litellm",
    "llama-cpp": "llama_cpp",
    "meta": "gymnasium",
    "openenv": "openenv",
    "ray": "ray",
    "textworld": "textworld",
    "train": "trl",
}
"""Module that each extra installs."""


@dataclass(frozen=True, slots=True)
class Check:
    """Outcome of one check; what is optional may be missing."""

    what: str
    ok: bool
    found: str
    remedy: str = ""
    optional: bool = False


def run_checks() -> list[Check]:
    """Check Python, setuptools, a step in every environment, the import of every plug-in, extras, keys."""
    return [
        _python(),
        Check("ictbench", True, __version__),
        _setuptools(),
        _games(),
        *map(_suite, list_suites()),
        *_plugins(),
        *_extras(),
        _key(),
    ]


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    ok = (3, 11) <= sys.version_info[:2] < (3, 14)
    return Check("Python", ok, found, "" if ok else "use Python 3.11, 3.12 or 3.13: nle has no wheels for others")


def _setuptools() -> Check:
    """Check setuptools: minihack imports pkg_resources, which version 81 removed."""
    try:
        found = version("setuptools")
    except PackageNotFoundError:
        found = "none"
    ok = found != "none" and int(found.split(".")[0]) < 81
    remedy = "" if ok else "minihack needs a version below 81: pip install 'setuptools<81'"
    return Check("setuptools", ok, found, remedy, optional=True)


def _games() -> Check:
    """Check that the files of the official ALFWorld games exist; `ictbench data check` also reads them."""
    try:
        held = check_data("alfworld", read_files=False)
    except IctbenchError as error:
        return Check("ALFWorld games", False, "cannot be checked", str(error), optional=True)
    remedy = "" if held.complete else "for suite alfworld-v1: ictbench data fetch alfworld"
    return Check("ALFWorld games", held.complete, str(held), remedy, optional=True)


def _suite(name: str) -> Check:
    try:
        suite = load_suite(name)
        family = next(iter(suite.families))
        task = suite.first_tasks(family, 1)[0]
        env = env_maker(suite.env)()
        observation = env.reset(task)
        env.step(observation.actions[0])
        # The version of a game file is a digest.
        versions = ", ".join(f"{package} {version[:12]}" for package, version in env.versions().items())
        env.close()
    except Exception as error:  # a plug-in's code may raise anything
        why = str(error) if isinstance(error, IctbenchError) else f"{describe_error(error)}{raised_at(error)}"
        return Check(f"suite {name}", False, "cannot be played", why, optional=True)
    return Check(f"suite {name}", True, f"plays with {versions}")


def _plugins() -> Iterator[Check]:
    kinds: tuple[Kind, ...] = ("env", "model", "actor", "reflector")
    for kind in kinds:
        for name in sorted(installed(kind)):
            try:
                resolve(kind, name)
            except (IctbenchError, ImportError) as error:
                yield Check(f"{kind} {name}", False, "cannot be imported", str(error))
            else:
                yield Check(f"{kind} {name}", True, installed(kind)[name])


def _extras() -> Iterator[Check]:
    for extra, module in EXTRAS.items():
        installed_ = find_spec(module) is not None
        remedy = "" if installed_ else f"for {_purpose(extra)}: pip install 'ictbench[{extra}]'"
        yield Check(f"extra {extra}", installed_, "installed" if installed_ else "not installed", remedy, optional=True)


def _purpose(extra: str) -> str:
    purposes = {
        "alfworld": "ALFWorld",
        "babyai": "BabyAI",
        "datasets": "export",
        "gepa": "reflector gepa",
        "meta": "ictbench.MetaEnv",
        "ray": "--executor ray",
        "textworld": "TextWorld",
        "train": "ictbench train",
    }
    return purposes.get(extra, f"{extra}/… models")


def _key() -> Check:
    is_set = bool(os.environ.get("OPENAI_API_KEY"))
    remedy = "" if is_set else "set OPENAI_API_KEY for openai/… without a base URL"
    return Check("OPENAI_API_KEY", is_set, "set" if is_set else "not set", remedy, optional=True)
