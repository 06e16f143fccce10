"""Imports follow the layers of the architecture: never upwards, never sideways between packages, never in a cycle."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import ictbench

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(ictbench.__file__).parent

LAYERS = (
    ("_version",),
    ("choices", "visible_text"),
    ("records",),
    ("errors",),
    (
        "hand_written",
        "plugins",
        "semaphore",
        "safe_read",
        "scratch",
        "rules_text",
        "user_folders",
        "validation",
        "yaml_file",
    ),
    ("plugin_errors",),
    ("suites",),
    ("envs", "models"),
    ("actors", "reflectors"),
    ("scripted",),
    ("rollout",),
    ("protocol",),
    ("results",),
    ("runs",),
    ("submissions",),
    ("audit",),
    ("board",),
    ("web", "meta", "train", "exports", "testing", "scaffold"),
    ("campaigns",),
    ("cli",),
    ("__main__",),
)
"""Packages and modules of `ictbench`, from the bottom up. Those in one row know nothing of each other."""

LAYER = {name: number for number, names in enumerate(LAYERS) for name in names}


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line number and module for each import of this package, at any depth and for types too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            submodules = [f"{node.module}.{alias.name}" for alias in node.names]
            # `from package import module` depends on the module; `from module import name` on the module before it.
            names = [name if name in MODULES else str(node.module) for name in submodules]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            names = [str(argument.value) for argument in node.args if isinstance(argument, ast.Constant)]
        else:
            continue
        yield from {(node.lineno, name) for name in names if name.split(".")[0] == "ictbench"}


def layer(module: str) -> int:
    """Return the row of a module; the package itself, which names everything lazily, is above all others."""
    _, _, inner = module.partition(".")
    return LAYER[inner.split(".")[0]] if inner else len(LAYERS)


def test_every_module_has_a_layer() -> None:
    assert len(MODULES) > 200
    assert {name.split(".")[1] for name in MODULES if "." in name} == set(LAYER)


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"ictbench"}))
def test_imports_never_run_upwards_or_sideways(module: str) -> None:
    package = module.split(".")[1]
    wrong = []
    for line, name in imported(MODULES[module]):
        if package == "cli" and name == "ictbench":
            continue  # The command line calls what users of the library call.
        sideways = layer(name) == layer(module) and name.split(".")[1] != package
        if layer(name) > layer(module) or sideways:
            wrong.append(f"line {line}: {name}")
    assert wrong == []


def test_modules_do_not_import_each_other_in_a_cycle() -> None:
    graph = {
        module: {name for _, name in imported(path) if name not in ("ictbench", module)}
        for module, path in MODULES.items()
        if module != "ictbench"
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))
