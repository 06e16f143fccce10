"""Help pages of commands: usage, options, examples, docs page.

`--help` explains all options. `-h` explains those that the examples use and those without a heading of their own, and
names the others.

Every command is registered with `**page(...)`, which names its group, its docs page and its examples.
"""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from ictbench.cli.option_values import is_path, metavar_of
from ictbench.cli.unknown_variables import check_variables
from ictbench.user_folders import EMPTY_PATH

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.text import Text

RUN = "Run"
LOOK = "Look"
COMPARE = "Compare"
PUBLISH = "Publish"
EXTEND = "Extend"
MAINTAIN = "Maintain"
GROUPS = (RUN, LOOK, COMPARE, PUBLISH, EXTEND, MAINTAIN)
"""Headings under which `ictbench --help` lists commands, in this order."""

LEFT_WIDTH = 32
"""Columns for the names of options and commands; a longer name has a line of its own."""

NARROW = 60
"""Width of a terminal, in columns, below which every description starts on a line of its own."""

HELP_OF_HELP = "Show this page and exit; -h is shorter where there are many options."

OPTIONS = "Options"
"""Heading of the options that have none of their own."""

SHORT = "ictbench.short_help"
"""Key in the meta data of a context: whether the short page is asked for."""


def page(group: str | None, docs: str, *examples: str, **settings: Any) -> dict[str, Any]:
    """Return the settings with which typer registers a command: `app.command("show", **page(...))(show)`.

    Args:
        group: One of GROUPS; None for a command of a group of commands.
        docs: File of the docs page, from the repository's root, e.g. docs/runs.md.
        examples: Command lines. One that starts with two spaces continues the line before.
        settings: Further settings for typer.
    """
    lines = ["Examples:", *(f"  {example}" for example in examples), "", f"Docs: {docs} of the source"]
    return {"cls": Command, "rich_help_panel": group, "epilog": "\n".join(lines), **settings}


class Command(TyperCommand):
    """A command with a help page of ours. An environment variable of an unknown option is an error."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments, and remember which help page they ask for."""
        ctx.meta[SHORT] = "-h" in args and "--help" not in args
        given = list(args)  # the parser empties the list
        try:
            rest = super().parse_args(ctx, args)
        except Exception as error:
            if getattr(error, "ctx", ctx) is None:  # the error of the option parser: it names no command otherwise
                error.ctx = ctx  # type: ignore[attr-defined]
            raise
        if not ctx.resilient_parsing:
            _check_paths(self, ctx, given)
        return rest

    def invoke(self, ctx: Any) -> Any:
        """Check the names of all `ICTBENCH_…` variables, then run the command."""
        check_variables(ctx.find_root().command)
        return super().invoke(ctx)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help page."""
        _print_page(self, ctx)


class Group(TyperGroup):
    """A group of commands with a help page of ours; subcommands keep the order in which they are registered."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help page."""
        _print_page(self, ctx)


def _check_paths(command: TyperCommand, ctx: Any, args: list[str]) -> None:
    """Check that no path on the command line is empty: as a path, it would be the current folder.

    Raises:
        UsageError: One is.
    """
    given, _, parameters = command.make_parser(ctx).parse_args(args=args)
    for parameter in parameters:
        value = given.get(parameter.name)
        if is_path(parameter) and "" in (value if isinstance(value, list | tuple) else [value]):
            name = argument_name(parameter) if isinstance(parameter, TyperArgument) else parameter.opts[-1]
            ctx.fail(f"{name}: {EMPTY_PATH}")


def _print_page(command: TyperCommand | TyperGroup, ctx: Any) -> None:
    from ictbench.cli.console import Console

    console = Console()
    for line in page_lines(command, ctx, console.width, short=ctx.meta.get(SHORT, False)):
        console.print(line, soft_wrap=True)


def page_lines(command: TyperCommand | TyperGroup, ctx: Any, width: int, *, short: bool = False) -> Iterator[Text]:
    """Yield the lines of the help page of a command, or of the short page."""
    from rich.text import Text

    parameters = [parameter for parameter in command.get_params(ctx) if not getattr(parameter, "hidden", False)]
    arguments = [parameter for parameter in parameters if isinstance(parameter, TyperArgument)]
    options = [parameter for parameter in parameters if isinstance(parameter, TyperOption)]
    yield Text(f"Usage: {' '.join(_usage(ctx, arguments, isinstance(command, TyperGroup)))}", "bold")
    for paragraph in (command.help or "").split("\n\n"):
        yield Text()
        yield from map(Text, _wrap(" ".join(paragraph.split()), width))
    if described := [argument for argument in arguments if argument.help]:
        yield from _section("Arguments", ((argument_name(a), _description(a)) for a in described), width)
    if isinstance(command, TyperGroup):
        for heading, rows in _commands(command, ctx).items():
            yield from _section(heading, rows, width)
    # The options of a run have headings of their own.
    shown = set(command.epilog.split()) if short and command.epilog else set()
    left_out = False
    for heading in dict.fromkeys(option.rich_help_panel or OPTIONS for option in options):
        members = [option for option in options if (option.rich_help_panel or OPTIONS) == heading]
        explained = [o for o in members if not short or heading == OPTIONS or shown.intersection(o.opts)]
        yield from _section(heading, ((_option(o, ctx), _description(o)) for o in explained), width)
        if named := [option.opts[-1] for option in members if option not in explained]:
            left_out = True
            yield from (Text(f"  {line}", "cyan") for line in _wrap(", ".join(named), width - 2))
    yield Text()
    for line in (command.epilog or "").splitlines():
        yield Text(line, "bold" if line == "Examples:" else "")
    if left_out:
        yield Text(f"All options: {ctx.command_path} --help")


def _usage(ctx: Any, arguments: Iterable[TyperArgument], is_group: bool) -> Iterator[str]:
    yield f"{ctx.command_path} [OPTIONS]"
    for argument in arguments:
        yield argument_name(argument) if argument.required else f"[{argument_name(argument)}]"
    if is_group:
        yield "COMMAND …"


def _commands(group: TyperGroup, ctx: Any) -> dict[str, list[tuple[str, str]]]:
    """Return the subcommands with their first sentences, by heading."""
    commands = [command for name in group.list_commands(ctx) if (command := group.get_command(ctx, name))]
    longest = max(len(str(command.name)) for command in commands)
    headings: dict[str, list[tuple[str, str]]] = {heading: [] for heading in GROUPS}
    for command in commands:
        heading = getattr(command, "rich_help_panel", None)
        name = f"{command.name:{longest}}"
        headings.setdefault(heading or "Commands", []).append((name, _summary(command.help or "")))
    return {heading: rows for heading, rows in headings.items() if rows}


def _summary(text: str) -> str:
    """Return the first sentence of a help text, up to a colon."""
    return re.split(r"[.:;](\s|$)", " ".join(text.split()))[0]


def _section(heading: str, rows: Iterable[tuple[str, str]], width: int) -> Iterator[Text]:
    """Yield a heading, and names with their descriptions in two columns."""
    from rich.text import Text

    rows = list(rows)
    left = min(LEFT_WIDTH, 4 + max((len(name) for name, _ in rows), default=0)) if width >= NARROW else 6
    yield Text()
    yield Text(f"{heading}:", "bold")
    for name, description in rows:
        lines = _wrap(description, width - left)
        first = Text(f"  {name}", "cyan")
        if len(name) + 4 <= left and lines:
            first.append(" " * (left - len(name) - 2) + lines.pop(0), "default")
        yield first
        yield from (Text(" " * left + line) for line in lines)


def argument_name(argument: TyperArgument) -> str:
    """Return the name of an argument as the help page shows it."""
    name = argument.metavar or argument.name.upper()
    return name if argument.nargs == 1 else f"{name.rstrip('…')}…"


def _option(option: TyperOption, ctx: Any) -> str:
    names = ", ".join(sorted(option.opts, key=len))
    if option.secondary_opts:
        names += f" / {', '.join(option.secondary_opts)}"
    return names if option.is_flag else f"{names} {metavar_of(option, ctx)}"


def _description(parameter: TyperOption | TyperArgument) -> str:
    words = [HELP_OF_HELP if parameter.name == "help" else parameter.help or ""]
    if parameter.required:
        words += ["[required]"] if isinstance(parameter, TyperOption) else []
    elif isinstance(parameter.show_default, str):
        words += [f"[default: {parameter.show_default}]"] if parameter.show_default else []
    elif parameter.show_default and (default := _default(parameter)):
        words.append(f"[default: {default}]")
    return " ".join(words)


def _default(parameter: TyperOption | TyperArgument) -> str:
    value = parameter.default
    if value is None or isinstance(value, bool) or callable(value) or value in ("", (), []):
        return ""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(getattr(value, "value", value))


def _wrap(text: str, width: int) -> list[str]:
    """Return the lines of a text, broken between words only."""
    return textwrap.wrap(text, max(1, width), break_long_words=False, break_on_hyphens=False)
