"""Values of options: the word that stands for them in help pages, and their completion in a shell.

An option has the same word and the same completion in every command.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

METAVARS = {
    "--actor": "ACTOR",
    "--actor-model": "PROVIDER/MODEL",
    "--actor-model-options": "KEY=VALUE",
    "--actor-reasoning-effort": "EFFORT",
    "--actor-stop": "TEXT",
    "--against": "RUN",
    "--base": "COMMIT",
    "--by": "PERSON",
    "--cache": "FILE",
    "--cells": "CELLS",
    "--config": "FILE",
    "--env": "ENV",
    "--episode": "KEY",
    "--families": "FAMILIES",
    "--junit": "FILE",
    "--leaderboards": "LEADERBOARDS",
    "--out": "FOLDER",
    "--push-to-hub": "OWNER/NAME",
    "--ray-address": "ADDRESS",
    "--record": "FILE",
    "--reflector": "REFLECTOR",
    "--reflector-model": "PROVIDER/MODEL",
    "--reflector-model-options": "KEY=VALUE",
    "--reflector-reasoning-effort": "EFFORT",
    "--reflector-stop": "TEXT",
    "--reflector-instruction": "FILE",
    "--reflector-trained-on": "FAMILIES",
    "--actor-trained-on": "FAMILIES",
    "--slug": "SLUG",
    "--states": "FOLDER",
    "--submission": "SLUG",
    "--submitted-by": "PERSON",
    "--suite": "SUITE",
    "--trained-on": "RUN=FAMILIES",
    "--actor-base-url": "URL",
    "--reflector-base-url": "URL",
    "--url": "URL",
    "--worker-resources": "NAME=AMOUNT",
}
"""Words by option. Numbers are N, other values are as their choices or TEXT."""

TYPES = {"int": "N", "int range": "N", "float": "X", "float range": "X", "str": "TEXT", "list[str]": "TEXT"}
"""Words for values of other options, by type."""


def metavar_of(option: Any, ctx: Any) -> str:
    """Return the word that stands for an option's value."""
    kind = str(option.display_type(ctx)).strip("<>")
    choices = kind.removeprefix("list[").removesuffix("]")
    if "|" in choices:
        return choices
    stated = option.metavar or METAVARS.get(option.opts[0])
    return stated or TYPES.get(kind) or kind.upper()


def is_path(parameter: Any) -> bool:
    """Return whether an option or an argument takes a path, or several."""
    kind = parameter.type_descriptor.annotation
    return Path in (kind, *get_args(kind))


def complete_suites(incomplete: str) -> list[str]:
    """Return the names of suites that start so."""
    from ictbench.suites.load import list_suites

    return _starting(incomplete, list_suites())


def complete_environments(incomplete: str) -> list[str]:
    """Return the names of environments that start so."""
    from ictbench.plugins import installed

    return _starting(incomplete, installed("env"))


def complete_families(ctx: Any, incomplete: str) -> list[str]:
    """Return the families of the suite on the command line, or of all suites; after commas too."""
    *before, last = incomplete.split(",")
    names = dict.fromkeys(("all", "held-out", "meta-train", *_families(ctx.params)))
    return [",".join([*before, name]) for name in _starting(last, names) if name not in before]


def complete_reflectors(incomplete: str) -> list[str]:
    """Return reflectors and model providers that start so."""
    from ictbench.plugins import installed

    return _starting(incomplete, [*installed("reflector"), *_providers()])


def complete_actors(incomplete: str) -> list[str]:
    """Return actors and model providers that start so."""
    from ictbench.plugins import installed

    return _starting(incomplete, [*installed("actor"), *_providers()])


def complete_providers(incomplete: str) -> list[str]:
    """Return model providers that start so, with the slash after them."""
    return _starting(incomplete, _providers())


def complete_runs(incomplete: str) -> list[str]:
    """Return folders of runs that start so, and the folders above them."""
    folder = Path(incomplete) if incomplete.endswith("/") else Path(incomplete).parent
    if not incomplete and Path("runs").is_dir():
        folder = Path("runs")
    try:
        inside = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError:
        return []
    return _starting(incomplete, (str(path) if _is_run(path) else f"{path}/" for path in inside))


COMPLETIONS: dict[str, Callable[..., list[str]]] = {
    "--actor": complete_actors,
    "--actor-model": complete_providers,
    "--env": complete_environments,
    "--families": complete_families,
    "--reflector": complete_reflectors,
    "--reflector-model": complete_providers,
    "--suite": complete_suites,
}
"""Completion of values, by option."""


def _starting(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def _providers() -> list[str]:
    from ictbench.plugins import installed

    return [f"{name}/" for name in installed("model")]


def _families(params: dict[str, Any]) -> Iterator[str]:
    from ictbench.errors import IctbenchError
    from ictbench.suites.load import list_suites, load_suite

    named = params.get("suite")
    for name in [str(named)] if named else list_suites():
        try:
            suite = load_suite(name)
        except IctbenchError:
            continue
        if params.get("env") in (None, suite.env):
            yield from suite.families


def _is_run(folder: Path) -> bool:
    return (folder / "run.json").is_file() or (folder / "journal.sqlite").is_file()
