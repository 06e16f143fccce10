"""`ictbench run`."""

from __future__ import annotations

import json
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from ictbench.cli.options import option, read_config
from ictbench.errors import RunError

if TYPE_CHECKING:
    from ictbench.results import Result
    from ictbench.runner import Run

SIZES, PLAYERS, OUTPUT = "Sizes (instead of the profile's)", "Actor and reflector", "Output"


class Profile(StrEnum):
    """Named sizes."""

    QUICK = "quick"
    LITE = "lite"
    STANDARD = "standard"


def _size(flag: str, help: str) -> Any:  # noqa: A002 - typer's own word
    return option(flag, help, min=1, rich_help_panel=SIZES)


def run(
    env: Annotated[str | None, option("--env", "Environment, e.g. minihack: runs its newest suite.")] = None,
    suite: Annotated[str | None, option("--suite", "Suite by name or YAML file, instead of --env.")] = None,
    families: Annotated[
        list[str] | None,
        option(
            "--families", "Families by name, or held-out, meta-train, all; several with commas.", show_default="all"
        ),
    ] = None,
    profile: Annotated[Profile, option("--profile", "Named sizes; lite and standard can be ranked.")] = Profile.QUICK,
    reflector: Annotated[
        str,
        option(
            "--reflector",
            "provider/model, rules (scripted), none (unchanged prompt), file:PATH (hand-written), module:Class.",
            rich_help_panel=PLAYERS,
        ),
    ] = "rules",
    actor: Annotated[
        str | None,
        option(
            "--actor",
            "provider/model, rules (scripted), module:Class.",
            show_default="the reflector's own model",
            rich_help_panel=PLAYERS,
        ),
    ] = None,
    reflector_base_url: Annotated[
        str | None, option("--reflector-base-url", "Address of the reflector's model.", rich_help_panel=PLAYERS)
    ] = None,
    actor_base_url: Annotated[
        str | None, option("--actor-base-url", "Address of the actor's model.", rich_help_panel=PLAYERS)
    ] = None,
    actor_max_tokens: Annotated[
        int | None, option("--actor-max-tokens", "Most tokens of one reply.", min=1, rich_help_panel=PLAYERS)
    ] = None,
    turns: Annotated[int | None, _size("--turns", "Turns of a loop (N).")] = None,
    batch_size: Annotated[int | None, _size("--batch-size", "Episodes a turn (k).")] = None,
    loops: Annotated[int | None, _size("--loops", "Loops a family (L).")] = None,
    selection_size: Annotated[int | None, _size("--selection-size", "Selection tasks a loop.")] = None,
    test_size: Annotated[int | None, _size("--test-size", "Test tasks a loop.")] = None,
    max_steps: Annotated[int | None, _size("--max-steps", "Decisions an episode.")] = None,
    test_every_turn: Annotated[
        bool, option("--test-every-turn", "Score every prompt on the test tasks.", rich_help_panel=SIZES)
    ] = False,
    max_connections: Annotated[
        int, option("--max-connections", "Episodes in flight at a time, each with at most one request.", min=1)
    ] = 16,
    out: Annotated[
        Path | None,
        option(
            "--out",
            "Folder of the run; one that holds the same run is continued.",
            rich_help_panel=OUTPUT,
            show_default="a new one in runs/",
        ),
    ] = None,
    as_json: Annotated[
        bool, option("--json", "Make the last line of the output JSON.", rich_help_panel=OUTPUT)
    ] = False,
    quiet: Annotated[bool, option("--quiet", "No progress, no table.", rich_help_panel=OUTPUT)] = False,
    dry_run: Annotated[
        bool, option("--dry-run", "Check everything, say how much it will take, and stop.", rich_help_panel=OUTPUT)
    ] = False,
    config: Annotated[
        Path | None,
        option("--config", "YAML file of these options.", is_eager=True, callback=read_config),
    ] = None,
) -> None:
    """Run the protocol: play, reflect, select, test; then print the table and say where the files are.

    Every option is also an environment variable (--batch-size is ICTBENCH_BATCH_SIZE) and a key of the --config file.
    """
    import ictbench
    from ictbench.cli.live import watch
    from ictbench.cli.render import print_bounds, print_result

    options: dict[str, Any] = {
        "env": env,
        "suite": suite,
        "families": families or ["all"],
        "profile": profile.value,
        "reflector": reflector,
        "actor": actor,
        "actor_max_tokens": actor_max_tokens,
        "reflector_base_url": reflector_base_url,
        "actor_base_url": actor_base_url,
        "turns": turns,
        "batch_size": batch_size,
        "loops": loops,
        "selection_size": selection_size,
        "test_size": test_size,
        "max_steps": max_steps,
        "test_every_turn": test_every_turn,
        "max_connections": max_connections,
    }
    if dry_run:
        bounds = ictbench.dry_run(**options)
        if not quiet:
            print_bounds(bounds)
        if as_json:
            print(json.dumps(bounds))
        return
    try:
        with watch(quiet) as on_start:
            finished = ictbench.run(out=out, on_start=on_start, **options)
    except RunError as error:
        folder = out or getattr(on_start, "folder", None)
        raise type(error)(f"{error}. {_how_to_continue(folder)}") from error
    if not quiet:
        print_result(finished)
    if as_json:
        print(json.dumps(_summary(finished)))
    if not finished.result.complete:
        raise RunError(f"the run is incomplete: {_owed(finished.result)}. {_how_to_continue(finished.folder)}")


def _how_to_continue(folder: Path | None) -> str:
    """The command that goes on where this one stopped."""
    if folder is None:
        return "Nothing was played yet"
    given = sys.argv[1:]
    out = [] if "--out" in given or any(word.startswith("--out=") for word in given) else ["--out", str(folder)]
    return f"Continue with: ictbench {shlex.join([*given, *out])}"


def _owed(result: Result) -> str:
    return f"{result.owed} episodes or reflections met no answer and are owed"


def _summary(finished: Run) -> dict[str, Any]:
    """What a script wants to know, on one line."""
    result = finished.result
    return {
        "run": str(finished.folder),
        "complete": result.complete,
        "owed": result.owed,
        "ranked": result.ranked,
        "seconds": round(result.host.seconds, 3),
        "families": {f.name: f.measures and f.measures.model_dump(mode="json") for f in result.families},
        "by_role": {role: measures.model_dump(mode="json") for role, measures in result.by_role.items()},
    }
