"""`ictbench openenv`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ictbench.cli.command_options import option, takes_run_options
from ictbench.cli.help_page import EXTEND, page

PAGE = page(
    EXTEND,
    "docs/openenv.md",
    "ictbench openenv --suite minihack-v1 --family eat",
    "ictbench openenv --family zap --actor openai/gpt-5-mini --sessions 8 --executor process",
)


@takes_run_options("meta")
def openenv(
    suite: Annotated[str, option("--suite", "Suite by name, or a YAML file.")] = "minihack-v1",
    family: Annotated[str, typer.Option("--family", metavar="FAMILY", help="Family of the suite.")] = "eat",
    actor: Annotated[str, option("--actor", "Actor: rules, random, provider/model, module:Name.")] = "rules",
    sessions: Annotated[
        int, typer.Option("--sessions", help="Clients at a time; several need worker processes.", min=1)
    ] = 1,
    host: Annotated[str, typer.Option("--host", help="Address to listen on; there is no authentication.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option("--port", help="Port to listen on.", min=0, max=65535)] = 8000,
    **options: Any,
) -> None:
    """Serve the meta-environment to OpenEnv clients until Ctrl-C: an action is a prompt, a reward the success."""
    from ictbench.meta.openenv_server import openenv_app, serve

    app = openenv_app(suite, family, actor=actor, sessions=sessions, **options)
    serve(app, host, port, on_start=lambda address: print(f"{address} (Ctrl-C stops)", flush=True))
