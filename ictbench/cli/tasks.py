"""`ictbench tasks`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ictbench.choices import ProfileName
from ictbench.cli.export import Format

app = typer.Typer(help="Inspect suites, their families and tasks.", no_args_is_help=True)


@app.command("list")
def list_() -> None:
    """List the suites that ship with ictbench, and those of installed plug-ins."""
    from rich.table import Table
    from rich.text import Text

    from ictbench import UsageError, list_suites, load_suite
    from ictbench.cli.console import Console

    table = Table(box=None, pad_edge=False)
    for column in ("suite", "environment", "families", "title"):
        table.add_column(column)
    for name in list_suites():
        try:
            suite = load_suite(name)
        except UsageError as error:
            # One broken plug-in may not hide all suites.
            table.add_row(name, "", "", Text(str(error)))
        else:
            table.add_row(name, suite.env, str(len(suite.families)), suite.title)
    Console().print(table)


@app.command()
def show(suite: Annotated[str, typer.Argument(help="Suite by name or YAML file.")]) -> None:
    """Show a suite: families, pools, profiles, limits, prompt, presentation."""
    from rich.table import Table
    from rich.text import Text

    from ictbench import load_suite
    from ictbench.cli.console import Console

    loaded = load_suite(suite)
    console = Console()
    console.print(Text(f"{loaded.name}: {loaded.title}\nenvironment {loaded.env}, digest {loaded.digest}\n"))
    families = Table(title="Families", title_justify="left")
    for column in ("family", "role", "parameters"):
        families.add_column(column)
    for name, family in loaded.families.items():
        families.add_row(name, family.role, Text(", ".join(f"{key}={value}" for key, value in family.params.items())))
    profiles = Table(title="Profiles", title_justify="left")
    profiles.add_column("profile")
    # `repeats` is a column only if a profile has more than one.
    columns = dict.fromkeys(column for sizes in loaded.profiles.values() for column in sizes.model_dump())
    for column in columns:
        profiles.add_column(column.replace("_", " "), justify="right")
    for profile, sizes in loaded.profiles.items():
        values = [getattr(sizes, column) for column in columns]
        profiles.add_row(profile, *("all" if size is None else str(size) for size in values))
    pools = Table(title="Pools", title_justify="left")
    for column in ("pool", "tasks", "per loop"):
        pools.add_column(column)
    for row in loaded.pools.rows():
        pools.add_row(*row)
    for part in (families, profiles, pools):
        console.print(part)
    limits = loaded.limits
    console.print(Text(f"Limits: {limits.max_steps} decisions per episode, {limits.prompt_bytes} bytes per prompt\n"))
    console.print(Text(f"prompt[0]:\n{loaded.prompt}\n\nPresentation:\n{loaded.presentation}"), soft_wrap=True)


@app.command()
def export(
    suite: Annotated[str, typer.Argument(help="Suite by name or YAML file.")],
    form: Format = "parquet",
    out: Annotated[Path | None, typer.Option("--out", help="New folder to write.", show_default="SUITE-tasks")] = None,
    families: Annotated[
        str,
        typer.Option("--families", help="Families by name, or held-out, meta-train, all; separated by commas."),
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
    from ictbench.export import export_tasks

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
