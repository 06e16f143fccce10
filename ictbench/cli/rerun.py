"""`ictbench rerun`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ictbench.cli.options import option
from ictbench.cli.run import LIMITS, OUTPUT, PLAYERS, WORKERS, Executor


def rerun(
    path: Annotated[Path, typer.Argument(metavar="SUBMISSION|RUN", help="Folder of a submission, or of a run.")],
    loops: Annotated[
        int | None,
        typer.Option("--loops", min=3, help="Loops a family.", show_default="as many as it has"),
    ] = None,
    margin: Annotated[float, typer.Option("--margin", help="What counts as equal, as a share of test tasks.")] = 0.10,
    suite: Annotated[
        Path | None, typer.Option("--suite", metavar="FILE", help="Of a suite that does not ship with ictbench.")
    ] = None,
    trust_code: Annotated[
        bool, typer.Option("--trust-code", help="Import classes, and use model options, that it names.")
    ] = False,
    reflector_base_url: Annotated[
        str | None, option("--reflector-base-url", "Address of the reflector's model.", rich_help_panel=PLAYERS)
    ] = None,
    actor_base_url: Annotated[
        str | None, option("--actor-base-url", "Address of the actor's model.", rich_help_panel=PLAYERS)
    ] = None,
    reflector_model_options: Annotated[
        list[str] | None,
        option("--reflector-model-options", "KEY=VALUE for its provider.", rich_help_panel=PLAYERS),
    ] = None,
    actor_model_options: Annotated[
        list[str] | None,
        option("--actor-model-options", "KEY=VALUE for its provider.", rich_help_panel=PLAYERS),
    ] = None,
    max_connections: Annotated[
        int, option("--max-connections", "Requests in flight at a time.", min=1, rich_help_panel=LIMITS)
    ] = 16,
    requests_per_minute: Annotated[
        int | None, option("--requests-per-minute", "Over all models.", min=1, rich_help_panel=LIMITS)
    ] = None,
    tokens_per_minute: Annotated[
        int | None, option("--tokens-per-minute", "Over all models.", min=1, rich_help_panel=LIMITS)
    ] = None,
    max_cost: Annotated[
        float | None, option("--max-cost", "US dollars; stops there, to be continued.", rich_help_panel=LIMITS)
    ] = None,
    max_tokens: Annotated[
        int | None, option("--max-tokens", "Tokens in and out; stops there.", min=1, rich_help_panel=LIMITS)
    ] = None,
    max_time: Annotated[float | None, option("--max-time", "Seconds; stops there.", rich_help_panel=LIMITS)] = None,
    request_timeout: Annotated[
        float, option("--request-timeout", "Seconds one request may take.", rich_help_panel=LIMITS)
    ] = 120.0,
    executor: Annotated[
        Executor,
        option("--executor", "In this process, worker processes, or a Ray cluster.", rich_help_panel=WORKERS),
    ] = Executor.PROCESS,
    workers: Annotated[
        int | None,
        option("--workers", "Worker processes or Ray actors.", min=1, show_default="as cores", rich_help_panel=WORKERS),
    ] = None,
    cache: Annotated[Path | None, option("--cache", "Response cache, an SQLite file.", rich_help_panel=OUTPUT)] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--folder",
            help="Of the new run; one that was begun is continued.",
            rich_help_panel=OUTPUT,
            show_default="one in runs/, named for the digest",
        ),
    ] = None,
    by: Annotated[str, typer.Option("--by", help="Who says so, for the record.", rich_help_panel=OUTPUT)] = "",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Where the record goes.",
            rich_help_panel=OUTPUT,
            show_default="RUN/rerun.json, or the board's verifications/<slug>/rerun.json",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record, and nothing else.")] = False,
) -> None:
    """Run the models of a submission again, on loops drawn by its digest, and test whether it gained as much.

    Its held-out families are run. Exit code 1: it is not shown to be equivalent, or the run stopped. 2: it cannot be
    run here.
    """
    from ictbench.audit.rerun import rerun as run_again
    from ictbench.audit.target import record_path
    from ictbench.cli.live_progress import watch
    from ictbench.cli.render_checks import print_check, print_verdict

    place = out or record_path(path, "rerun")
    with watch(as_json) as on_start:
        found = run_again(
            path,
            folder=folder,
            loops=loops,
            margin=margin,
            suite=suite,
            trust_code=trust_code,
            by=by,
            on_start=on_start,
            reflector_base_url=reflector_base_url,
            actor_base_url=actor_base_url,
            reflector_model_options=reflector_model_options or {},
            actor_model_options=actor_model_options or {},
            max_connections=max_connections,
            requests_per_minute=requests_per_minute,
            tokens_per_minute=tokens_per_minute,
            max_cost=max_cost,
            max_tokens=max_tokens,
            max_time=max_time,
            request_timeout=request_timeout,
            executor=executor.value,
            workers=workers,
            cache=cache,
        )
    found.write(place)
    if as_json:
        print(found.model_dump_json(indent=1, by_alias=True))
    else:
        for check in found.checks:
            print_check(check)
        print_verdict(found)
        print(f"Record: {place}")
    if not found.passed:
        raise typer.Exit(1)
