"""What is installed and what works: the checks behind `ictbench doctor`."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ictbench._version import __version__
from ictbench.envs.alfworld.data import check_data
from ictbench.errors import IctbenchError
from ictbench.plugins import Kind, installed, resolve
from ictbench.suites import list_suites, load_suite

if TYPE_CHECKING:
    from collections.abc import Iterator


EXTRAS = {
    "alfworld": "alfworld",
    "anthropic": "anthropic",
    "datasets": "datasets",
    "gepa": "gepa",
    "hf": "transformers",
    "litellm": "litellm",
    "llama-cpp": "llama_cpp",
    "meta": "gymnasium",
    "ray": "ray",
    "train": "trl",
}
"""Extras, with the module that each installs."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. What is optional may be missing without anything being wrong."""

    what: str
    ok: bool
    found: str
    remedy: str = ""
    optional: bool = False


def checks() -> list[Check]:
    """Python, setuptools, every environment by playing one step in it, every plug-in by importing it, keys."""
    own = [_python(), Check("ictbench", True, __version__)]
    return [*own, *_setuptools(), *_envs(), *_plugins(), *_extras(), _key()]


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    ok = (3, 11) <= sys.version_info[:2] < (3, 14)
    return Check("Python", ok, found, "" if ok else "use Python 3.11, 3.12 or 3.13: nle has wheels for no other")


def _setuptools() -> Iterator[Check]:
    """Minihack imports pkg_resources, which setuptools no longer has from version 81 on."""
    try:
        found = version("setuptools")
    except PackageNotFoundError:
        found = "none"
    ok = found != "none" and int(found.split(".")[0]) < 81
    yield Check("setuptools", ok, found, "" if ok else "minihack needs it below 81: pip install 'setuptools<81'", True)


def _envs() -> Iterator[Check]:
    yield _games()
    for name in list_suites():
        suite = load_suite(name)
        family = next(iter(suite.families))
        task = suite.experience_order(family, 0, 1)[0]
        what = f"suite {name}"
        try:
            env = resolve("env", suite.env)()
            observation = env.reset(task)
            env.step(observation.actions[0])
            # A game file has a digest for its version.
            versions = ", ".join(f"{package} {number[:12]}" for package, number in env.versions().items())
            env.close()
        except IctbenchError as error:
            yield Check(what, False, "cannot be played", str(error), optional=True)
        else:
            yield Check(what, True, f"plays with {versions}")


def _games() -> Check:
    """The official ALFWorld games: whether their files are there; `ictbench data check` reads them."""
    try:
        held = check_data("alfworld", read_files=False)
    except IctbenchError as error:
        return Check("ALFWorld games", False, "cannot be looked for", str(error), optional=True)
    remedy = "" if held.complete else "for suite alfworld-v1: ictbench data fetch alfworld"
    return Check("ALFWorld games", held.complete, str(held), remedy, optional=True)


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
    """Adapters are there without the packages that they work through."""
    for extra, module in EXTRAS.items():
        held = find_spec(module) is not None
        remedy = "" if held else f"for {_what(extra)}: pip install 'ictbench[{extra}]'"
        yield Check(f"extra {extra}", held, "installed" if held else "not installed", remedy, optional=True)


def _what(extra: str) -> str:
    known = {
        "alfworld": "ALFWorld",
        "datasets": "export",
        "gepa": "reflector gepa",
        "meta": "ictbench.MetaEnv",
        "ray": "--executor ray",
        "train": "ictbench train",
    }
    return known.get(extra, f"{extra}/… models")


def _key() -> Check:
    held = bool(os.environ.get("OPENAI_API_KEY"))
    remedy = "" if held else "set OPENAI_API_KEY for openai/… without a base URL"
    return Check("OPENAI_API_KEY", held, "set" if held else "not set", remedy, optional=True)
