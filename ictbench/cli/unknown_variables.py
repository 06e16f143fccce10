"""Environment variables `ICTBENCH_…`: each is an option of a command, or one of a few others."""

from __future__ import annotations

import os
import re
import sys
from typing import Any

from ictbench.errors import ConfigError

PREFIX = "ICTBENCH_"

OTHER_VARIABLES = {
    "ICTBENCH_CACHE_DIR",
    "ICTBENCH_REQUIRE_BROWSER",
    "ICTBENCH_SERVER_LOGS",
    "ICTBENCH_TRACEBACK",
    "ICTBENCH_VLLM",
}
"""Environment variables that are not options of a command."""


def check_variables(root: Any) -> None:
    """Check the names of all variables that start with `ICTBENCH_`.

    Args:
        root: The command that has all others.

    Raises:
        ConfigError: A name is not a variable of ictbench.
    """
    named = sorted(name for name in os.environ if name.startswith(PREFIX))
    known = _variables(root) | OTHER_VARIABLES if named else set()
    for name in named:
        if name not in known:
            from ictbench.plugins import suggest

            raise ConfigError(f"environment variable {name} is not an option; {suggest(name, known)}")


def variables_behind(message: str) -> str:
    """Return which variables gave the options or values that an error message names; empty if none did.

    Options that were typed take precedence over their variables. Values are not repeated: they may be secret.
    """
    found = []
    for name, value in sorted(os.environ.items()):
        if not name.startswith(PREFIX) or name in OTHER_VARIABLES or not value:
            continue
        flag = "--" + name.removeprefix(PREFIX).lower().replace("_", "-")
        if any(word.partition("=")[0] == flag for word in sys.argv[1:]):
            continue
        named = re.search(rf"{flag}(?![\w-])", message)
        if named or any(repr(item) in message for item in {value, *map(str.strip, value.split(","))}):
            found.append(name)
    return f" (from {', '.join(found)})" if found else ""


def _variables(command: Any) -> set[str]:
    """Return the environment variables of all options of a command and its subcommands."""
    variables = {parameter.envvar for parameter in command.params if parameter.envvar}
    return variables.union(*(_variables(inner) for inner in getattr(command, "commands", {}).values()))
