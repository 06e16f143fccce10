"""`ictbench run`."""

from __future__ import annotations

import json
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from ictbench.cli.options import ExperienceFormat, option, read_config
from ictbench.errors import RunError

if TYPE_CHECKING:
    from ictbench.results import Result
    from ictbench.runs import Run

SIZES, PLAYERS = "Sizes (instead of the profile's)", "Actor and reflector"
LIMITS, WORKERS, OUTPUT = "Limits of the whole run", "Where episodes are played", "Output"


class Profile(StrEnum):
    """Named sizes."""

    QUICK = "quick"
    LITE = "lite"
    STANDARD = "standard"


class Executor(StrEnum):
    """Where episodes are played."""

    INLINE = "inline"
    PROCESS = "process"
    RAY = "ray"


class LogLevel(StrEnum):
    """How much a log says."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Decoding(StrEnum):
    """How the actor's replies are decoded."""

    FREE = "free"
    GRAMMAR = "grammar"
    JSON = "json"
    TOOLS = "tools"


def _size(flag: str, help: str) -> Any:  # noqa: A002 - typer's own word
    return option(flag, help, min=1, rich_help_panel=SIZES)


def run(
    env: Annotated[str | None, option("--env", "Environment: runs its newest suite.", show_default="minihack")] = None,
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
            "provider/model; append:, insights: or gepa:provider/model; rules (scripted), none (unchanged prompt), "
            "icl, retrieval, file:PATH (hand-written), module:Class; blind:, shuffled: or reflexion:REFLECTOR.",
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
    reflector_trained_on: Annotated[
        list[str] | None,
        option(
            "--reflector-trained-on",
            "SUITE/FAMILY, SUITE/meta-train, SUITE, other:NAME, several with commas, or nothing.",
            show_default="what it says of itself; unknown of a model",
            rich_help_panel=PLAYERS,
        ),
    ] = None,
    reflector_experience: Annotated[
        ExperienceFormat | None,
        option(
            "--reflector-experience",
            "Every observation, or only what changed.",
            show_default="the reflector's usual",
            rich_help_panel=PLAYERS,
        ),
    ] = None,
    reflector_temperature: Annotated[
        float | None,
        option("--reflector-temperature", "Of its model.", min=0, show_default="the suite's", rich_help_panel=PLAYERS),
    ] = None,
    reflector_base_url: Annotated[
        str | None, option("--reflector-base-url", "Address of the reflector's model.", rich_help_panel=PLAYERS)
    ] = None,
    actor_base_url: Annotated[
        str | None, option("--actor-base-url", "Address of the actor's model.", rich_help_panel=PLAYERS)
    ] = None,
    reflector_model_options: Annotated[
        list[str] | None,
        option("--reflector-model-options", "KEY=VALUE for its provider, e.g. lora=PATH.", rich_help_panel=PLAYERS),
    ] = None,
    actor_model_options: Annotated[
        list[str] | None,
        option("--actor-model-options", "KEY=VALUE for its provider, e.g. n_ctx=4096.", rich_help_panel=PLAYERS),
    ] = None,
    actor_max_tokens: Annotated[
        int | None, option("--actor-max-tokens", "Most tokens of one reply.", min=1, rich_help_panel=PLAYERS)
    ] = None,
    actor_decoding: Annotated[
        Decoding | None,
        option(
            "--actor-decoding",
            "Free text, replies held to a valid action, or calls of a tool.",
            rich_help_panel=PLAYERS,
        ),
    ] = None,
    actor_history: Annotated[
        int | None,
        option("--actor-history", "Past turns shown to the actor.", min=0, show_default="all", rich_help_panel=PLAYERS),
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
    audit: Annotated[
        bool,
        option("--audit", "Play batches under the next prompt too: the overfitting gap.", rich_help_panel=SIZES),
    ] = False,
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
    outage_pause: Annotated[
        float,
        option("--outage-pause", "Seconds before one last try when nothing answers.", min=0, rich_help_panel=LIMITS),
    ] = 30.0,
    episode_time_limit: Annotated[
        float | None,
        option("--episode-time-limit", "Seconds an episode may take, waiting not counted.", rich_help_panel=LIMITS),
    ] = None,
    executor: Annotated[
        Executor,
        option("--executor", "In this process, worker processes, or a Ray cluster.", rich_help_panel=WORKERS),
    ] = Executor.PROCESS,
    workers: Annotated[
        int | None,
        option("--workers", "Worker processes or Ray actors.", min=1, show_default="as cores", rich_help_panel=WORKERS),
    ] = None,
    ray_address: Annotated[
        str | None, option("--ray-address", "Of the cluster, else RAY_ADDRESS's.", rich_help_panel=WORKERS)
    ] = None,
    worker_resources: Annotated[
        list[str] | None,
        option("--worker-resources", "NAME=AMOUNT a Ray worker needs.", show_default="CPU=1", rich_help_panel=WORKERS),
    ] = None,
    env_timeout: Annotated[
        float,
        option("--env-timeout", "Seconds before a worker whose game hangs is replaced.", rich_help_panel=WORKERS),
    ] = 120.0,
    cache: Annotated[Path | None, option("--cache", "Response cache, an SQLite file.", rich_help_panel=OUTPUT)] = None,
    retry_failed: Annotated[
        list[str] | None,
        option("--retry-failed", "Kinds of failed episodes to play again, with commas.", rich_help_panel=OUTPUT),
    ] = None,
    out: Annotated[
        Path | None,
        option(
            "--out",
            "Folder of the run; one that holds the same run is continued.",
            rich_help_panel=OUTPUT,
            show_default="a new one in runs/",
        ),
    ] = None,
    log_level: Annotated[
        LogLevel, option("--log-level", "Of run.log in the folder.", rich_help_panel=OUTPUT)
    ] = LogLevel.INFO,
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
    from ictbench.cli.live_progress import watch
    from ictbench.cli.render_result import print_bounds, print_result

    options: dict[str, Any] = {
        "env": env,
        "suite": suite,
        "families": families or ["all"],
        "profile": profile.value,
        "reflector": reflector,
        "actor": actor,
        "reflector_trained_on": reflector_trained_on,
        "reflector_experience": reflector_experience and reflector_experience.value,
        "reflector_temperature": reflector_temperature,
        "actor_max_tokens": actor_max_tokens,
        "reflector_model_options": reflector_model_options or {},
        "actor_model_options": actor_model_options or {},
        "reflector_base_url": reflector_base_url,
        "actor_base_url": actor_base_url,
        "turns": turns,
        "batch_size": batch_size,
        "loops": loops,
        "selection_size": selection_size,
        "test_size": test_size,
        "max_steps": max_steps,
        "test_every_turn": test_every_turn,
        "audit": audit,
        "actor_decoding": actor_decoding and actor_decoding.value,
        "actor_history": actor_history,
        "max_connections": max_connections,
        "requests_per_minute": requests_per_minute,
        "tokens_per_minute": tokens_per_minute,
        "max_cost": max_cost,
        "max_tokens": max_tokens,
        "max_time": max_time,
        "request_timeout": request_timeout,
        "outage_pause": outage_pause,
        "episode_time_limit": episode_time_limit,
        "cache": cache,
        "executor": executor.value,
        "workers": workers,
        "ray_address": ray_address,
        "worker_resources": worker_resources or {},
        "env_timeout": env_timeout,
        "log_level": log_level.value,
        "retry_failed": retry_failed or [],
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
    why = f" ({'; '.join(result.host.troubles)})" if result.host.troubles else ""
    return f"{result.owed} episodes or reflections are owed{why}"


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
