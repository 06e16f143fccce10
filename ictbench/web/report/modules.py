"""Joins JavaScript modules into one script, as a page that opens from disk can load no files.

A module imports by lines `import { a, b } from "./name.js";` and exports by `export function` and `export const`; each
becomes a function of its own, called once, so that names meet no more than they would as modules.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./([\w-]+)\.js";$', re.MULTILINE)
EXPORT = re.compile(r"^export ((?:async )?function|const) (\w+)", re.MULTILINE)


def join_modules(entry: str, read: Callable[[str], str]) -> str:
    """A script that runs module `entry`; `read` answers the source of a module by its name."""
    parts: dict[str, str] = {}

    def add(name: str) -> None:
        if name in parts:
            return
        source = read(name)
        parts[name] = ""  # a circle of imports ends here
        for _, imported in IMPORT.findall(source):
            add(imported)
        del parts[name]  # and stands after what it imports
        parts[name] = _as_function(name, source)

    add(entry)
    return "\n".join(['"use strict";', "(() => {", "const modules = {};", *parts.values(), "})();", ""])


def _as_function(name: str, source: str) -> str:
    exported = ", ".join(found for _, found in EXPORT.findall(source))
    body = IMPORT.sub(r'const \1 = modules["\2"];', source)
    body = EXPORT.sub(r"\1 \2", body)
    return f'modules["{name}"] = (() => {{\n{body}return {{ {exported} }};\n}})();'
