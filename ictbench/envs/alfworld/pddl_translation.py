"""Translation of PDDL into Fast Downward's format, with a cache on disk.

A translation takes longer than an episode. It depends only on the domain, the problem and the package versions, whose
digest is the key of the cache. Files are written atomically, so crashes and concurrent writers leave no partial files;
a damaged file is translated again.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import sys
import threading
import zlib
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.metadata import version
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from ictbench.envs.alfworld.grounding import can_ground, ground
from ictbench.envs.file_cache import cache_folder, write_atomically
from ictbench.errors import EnvError
from ictbench.records import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = 1
"""Version of the content of cached files."""

_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class Translation:
    """A translated problem: what the engine loads, and what a grammar needs to know of its objects."""

    sas: str
    """Ground planning task in Fast Downward's SAS format."""
    supertypes: dict[str, list[str]]
    """Type → its supertypes, in the domain's order."""
    types: dict[str, str]
    """Object → its type."""
    parameters: dict[str, list[list[str]]]
    """Action → name and type of each parameter."""
    facts: list[list[str]]
    """Facts at the start: predicate, then arguments."""
    names: dict[str, str]
    """Object → its name in texts, such as `fridge 1`."""


def translate(domain: str, problem: str) -> Translation:
    """Return the translation of a problem, from the cache if possible.

    Raises:
        EnvError: The text is not a PDDL problem of the domain, or its goal cannot be reached from its start.
    """
    path = cache_folder("pddl") / f"{digest_of([FORMAT, _versions(), domain, problem])}.z"
    with contextlib.suppress(OSError, ValueError, TypeError, zlib.error):
        return Translation(**json.loads(zlib.decompress(path.read_bytes())))
    translation = _translate(domain, problem)
    content = zlib.compress(json.dumps(asdict(translation)).encode(), 1)
    with contextlib.suppress(OSError):  # with a full disk or a read-only home, every start is a translation
        write_atomically(path, content)
    return translation


@lru_cache
def _versions() -> list[str]:
    return [version(package) for package in ("fast-downward-textworld", "alfworld")]


def _translate(domain: str, problem: str) -> Translation:
    # The translator uses module-level state.
    with _LOCK, _without_collecting():
        task, sas = _ground(domain, problem)
    types = {entry.name: entry.type_name for entry in task.objects}
    return Translation(
        sas=sas,
        supertypes={entry.name: list(entry.supertype_names) for entry in task.types},
        types=types,
        parameters={
            action.name: [[parameter.name.strip("?"), parameter.type_name] for parameter in action.parameters]
            for action in task.actions
        },
        facts=_facts(task),
        names=_names(types),
    )


def _ground(domain: str, problem: str) -> tuple[Any, str]:
    """Return the parsed task and its ground form, with the settings of the package's own `pddl2sas`."""
    translator = _translator()
    try:
        task = translator.parsing.parse_task(
            translator.lisp.parse_nested_list(domain.split("\n")),
            translator.lisp.parse_nested_list(problem.split("\n")),
        )
        translator.normalize.normalize(task)
        ground_task = ground(translator, task) if can_ground(task) else translator.translate.pddl_to_sas(task)
    except (Exception, SystemExit) as error:
        raise EnvError(f"the game's PDDL cannot be translated: {type(error).__name__}: {error}") from error
    if ground_task is None or not ground_task.operators:
        raise EnvError("the game cannot be solved: its goal cannot be reached from its start")
    output = io.StringIO()
    ground_task.output(output)
    return task, output.getvalue()


@contextlib.contextmanager
def _without_collecting() -> Iterator[None]:
    """Do not search for cyclic garbage: there is none among the many new objects of a translation."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _translator() -> Any:
    """Import Fast Downward's translator, which parses the command line on import and reports by printing."""
    arguments = sys.argv
    sys.argv = ["translate.py", "domain", "task"]
    try:
        from fast_downward.translate import normalize, options, pddl, pddl_to_prolog, translate
        from fast_downward.translate.pddl_parser import lisp_parser, parsing_functions
    finally:
        sys.argv = arguments
    options.filter_unimportant_vars = False
    options.filter_unreachable_facts = False
    options.use_partial_encoding = False
    options.skip_variable_reordering = True
    options.add_implied_preconditions = False
    options.invariant_generation_max_candidates = 0
    # The package redirects standard output during a translation, which would hide what other threads print.
    for name, module in list(sys.modules.items()):
        if name.startswith("fast_downward.translate"):
            vars(module)["print"] = _print_to_files
    return SimpleNamespace(
        lisp=lisp_parser,
        parsing=parsing_functions,
        normalize=normalize,
        translate=translate,
        pddl=pddl,
        prolog=pddl_to_prolog,
    )


def _print_to_files(*values: Any, file: Any = None, **options: Any) -> None:
    """Replace `print` in the translator: ignore what would go to standard output."""
    if file is not None and options:
        print(*values, file=file, **options)
    elif file is not None:
        file.write(f"{' '.join(map(str, values))}\n")


def _facts(task: Any) -> list[list[str]]:
    """Return the facts of the initial state.

    As in TextWorld, a fluent becomes a fact with its value as the predicate. Numeric fluents are left out.
    """
    facts = []
    for atom in task.init:
        if hasattr(atom, "predicate"):
            if atom.predicate != "=":
                facts.append([atom.predicate, *atom.args])
        elif atom.fluent.symbol != "total-cost" and not str(atom.expression.value).isdigit():
            facts.append([str(atom.expression.value), *atom.fluent.args])
    return facts


def _names(types: dict[str, str]) -> dict[str, str]:
    """Return the names of objects in texts, by the package's own rule."""
    from alfworld.agents.utils.misc import Demangler

    demangler = Demangler(game_infos={name: SimpleNamespace(id=name) for name in types})
    return {name: demangler.demangle_alfred_name(name) for name in types}
