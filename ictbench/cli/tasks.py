"""`ictbench tasks`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ictbench.choices import ProfileName
from ictbench.cli.export import Format
from ictbench.cli.help_page import LOOK, Group, page
from ictbench.cli.option_values import complete_families, complete_suites

if TYPE_CHECKING:
    from ictbench.suites import Family

app = typer.Typer(no_args_is_help=True)
PAGE = page(
    LOOK,
    "docs/protocol.md",
    "ictbench tasks list",
    "ictbench tasks show minihack-v1",
    cls=Group,
    help="Inspect suites, their families and tasks.",
)


@app.command("list", **page(None, "docs/protocol.md", "ictbench tasks list"))
def list_() -> None:
    """List the suites that ship with ictbench, and those of installed plug-ins."""
    from ictbench import UsageError, list_suites, load_suite
    from ictbench.cli.terminal_table import add_row, grid, print_table

    table = grid(("suite", "environment", "families", "title"), left=("suite", "environment", "title"))
    for name in list_suites():
        try:
            suite = load_suite(name)
        except UsageError as error:
            add_row(table, (name, "", "", str(error)))  # one broken plug-in may not hide all suites
        else:
            add_row(table, (name, suite.env, str(len(suite.families)), suite.title))
    print_table(table)


@app.command(**page(None, "docs/protocol.md", "ictbench tasks show minihack-v1", "ictbench tasks show my-suite.yaml"))
def show(
    suite: Annotated[str, typer.Argument(help="Suite by name or YAML file.", autocompletion=complete_suites)],
) -> None:
    """Show a suite: families, pools, profiles, limits, prompt, presentation."""
    from ictbench import load_suite
    from ictbench.cli.terminal_table import add_row, grid, print_table
    from ictbench.visible_text import visible

    loaded = load_suite(suite)
    print(visible(f"{loaded.name}: {loaded.title}\nenvironment {loaded.env}, digest {loaded.digest}"))
    if not loaded.deterministic:
        print("The environment is not deterministic: results cannot be verified.")
    if loaded.params:
        print(visible(f"Parameters of all families: {json.dumps(loaded.params, ensure_ascii=False)}"))
    families = grid(("family", "role", "parameters"), left=("family", "role", "parameters"))
    for name, family in loaded.families.items():
        add_row(families, (name, family.role, _parameters(family)))
    # `repeats` is a column only if a profile has more than one.
    columns = list(dict.fromkeys(column for sizes in loaded.profiles.values() for column in sizes.model_dump()))
    profiles = grid(("profile", *(column.replace("_", " ") for column in columns)), left=("profile",))
    for profile, sizes in loaded.profiles.items():
        values = [getattr(sizes, column) for column in columns]
        add_row(profiles, (profile, *("all" if size is None else str(size) for size in values)))
    pools = grid(("pool", "tasks", "per loop"), left=("pool", "tasks", "per loop"))
    for row in loaded.pools.rows():
        add_row(pools, row)
    for title, table in (("Families", families), ("Profiles", profiles), ("Pools", pools)):
        print(f"\n{title}")
        print_table(table)
    limits = loaded.limits
    print(f"\nLimits: {limits.max_steps} decisions per episode, {limits.prompt_bytes} bytes per prompt\n")
    print(visible(f"prompt[0]:\n{loaded.prompt}\n\nPresentation:\n{loaded.presentation}"))


def _parameters(family: Family) -> str:
    if family.stream:
        return f"{family.stream.order} stream of {', '.join(family.stream.families)}"
    return ", ".join(f"{key}={value}" for key, value in family.params.items())


@app.command(
    **page(
        None,
        "docs/export.md",
        "ictbench tasks export minihack-v1",
        "ictbench tasks export minihack-v1 --format csv --families zap --out zap-tasks",
    )
)
def export(
    suite: Annotated[str, typer.Argument(help="Suite by name or YAML file.", autocompletion=complete_suites)],
    form: Format = "parquet",
    out: Annotated[Path | None, typer.Option("--out", help="New folder to write.", show_default="SUITE-tasks")] = None,
    families: Annotated[
        str,
        typer.Option(
            "--families",
            autocompletion=complete_families,
            help="Families by name, or held-out, meta-train, all; separated by commas.",
        ),
    ] = "all",
    profile: Annotated[ProfileName, typer.Option("--profile", help="Profile of loops and sizes.")] = "standard",
    loops: Annotated[
        int | None,
        typer.Option("--loops", help="Loops of generated tasks.", min=1, show_default="the profile's"),
    ] = None,
    whole_blocks: Annotated[
        bool, typer.Option("--whole-blocks", help="List all tasks of the selection and test blocks of each loop.")
    ] = False,
) -> None:
    """Write the tasks of a suite as a table: game pools in full, generated tasks as each loop uses them."""
    from ictbench.exports import export_tasks

    folder = export_tasks(
        suite,
        out or Path(f"{Path(suite).stem}-tasks"),
        form,
        families=[name.strip() for name in families.split(",") if name.strip()],
        profile=profile,
        loops=loops,
        whole_blocks=whole_blocks,
    )
    print(f"Files: {folder}")
