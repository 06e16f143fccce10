"""Options of a run, each declared once.

Derived from this declaration: the options of `ictbench run`, `campaign`, `rerun`, `verify` and `train collect` with
their environment variables and configuration keys, the signature and docstring of `ictbench.run`, the options of the
meta-environment, the types in `ictbench.runs.option_types`, and the table in docs/runs.md. Imports no heavy package,
so that commands start fast.
"""

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, Self

from ictbench.choices import (
    MAX_REPEATS,
    ExecutorName,
    FailureKind,
    LogLevel,
)
from ictbench.errors import ConfigError
from ictbench.runs.option import LIMITS, OUTPUT, SIZES, WORKERS, Caller, Option, option
from ictbench.runs.player_options import PlayerOptions

CALLER_NAMES: Mapping[Caller, str] = {
    "run": "ictbench.run",
    "rerun": "a rerun",
    "verify": "a verification",
    "collect": "a collection of states",
    "meta": "a meta-environment",
    "transfer": "a transfer of prompts",
    "campaign": "a campaign, for all its cells together,",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(PlayerOptions):
    """Options of a run. None stands for the value of the suite, the profile or the player."""

    turns: int | None = option(
        None,
        "Turns per loop (N).",
        SIZES,
        default_text="the profile's",
        minimum=1,
        maximum=10_000,
        also=("collect", "meta"),
        collect=4,
    )
    batch_size: int | None = option(
        None,
        "Episodes per turn (k).",
        SIZES,
        default_text="the profile's",
        minimum=1,
        maximum=10_000,
        also=("collect", "meta"),
        collect=3,
    )
    loops: int | None = option(
        None,
        "Loops per family (L).",
        SIZES,
        default_text="the profile's",
        minimum=1,
        maximum=10_000,
        also=("collect",),
        collect=32,
    )
    selection_size: int | None = option(
        None,
        "Selection tasks per loop.",
        SIZES,
        default_text="the profile's",
        minimum=1,
        maximum=100_000,
        also=("meta",),
    )
    test_size: int | None = option(
        None,
        "Test tasks per loop.",
        SIZES,
        default_text="the profile's",
        minimum=1,
        maximum=100_000,
        also=("meta",),
    )
    repeats: int | None = option(
        None,
        "Episodes per selection and test task, each with its own sampling seed (R), for pass^k and sampling noise.",
        SIZES,
        default_text="the profile's, usually 1",
        minimum=1,
        maximum=MAX_REPEATS,
    )
    max_steps: int | None = option(
        None,
        "Maximum decisions per episode.",
        SIZES,
        default_text="the suite's",
        minimum=1,
        maximum=100_000,
        also=("collect", "meta"),
    )
    test_every_turn: bool = option(False, "Score every prompt on the test tasks.", SIZES)
    audit: bool = option(
        False, "Play batches under the previous and the next prompt too, for the overfitting gap.", SIZES
    )
    online: bool = option(
        False, "Play batches under prompt[0] and the best prompt too, for the online gain and the regret.", SIZES
    )

    max_connections: int = option(
        16, "Maximum concurrent requests.", LIMITS, minimum=1, also=("rerun", "collect", "meta", "campaign")
    )
    requests_per_minute: int | None = option(
        None, "Requests per minute, over all models.", LIMITS, minimum=1, also=("rerun", "collect", "meta", "campaign")
    )
    tokens_per_minute: int | None = option(
        None, "Tokens per minute, over all models.", LIMITS, minimum=1, also=("rerun", "collect", "meta", "campaign")
    )
    max_cost: float | None = option(
        None,
        "US dollars; the run stops there and can be continued.",
        LIMITS,
        above=0,
        also=("rerun", "collect", "meta", "campaign"),
    )
    stop_on_projected_cost: bool = option(
        False, "Stop as soon as the projected cost of the whole run exceeds --max-cost.", LIMITS
    )
    max_tokens: int | None = option(
        None,
        "Input plus output tokens; the run stops there and can be continued.",
        LIMITS,
        minimum=1,
        also=("rerun", "collect", "meta", "campaign"),
    )
    max_time: float | None = option(
        None,
        "Seconds of this session; the run stops there and can be continued.",
        LIMITS,
        above=0,
        also=("rerun", "collect", "meta", "campaign"),
    )
    request_timeout: float = option(
        120.0, "Seconds a request to a model may take.", LIMITS, above=0, also=("rerun", "collect", "meta")
    )
    outage_pause: float = option(
        30.0, "Seconds to wait before one last attempt when no request succeeds.", LIMITS, minimum=0, also=("collect",)
    )
    episode_time_limit: float | None = option(
        None,
        "Seconds an episode may take, without waits for retries and rate limits.",
        LIMITS,
        above=0,
        also=("collect", "meta"),
    )

    executor: ExecutorName = option(
        "process",
        "This process, worker processes, or a Ray cluster.",
        WORKERS,
        also=("rerun", "verify", "collect", "meta", "campaign"),
        meta="inline",
    )
    workers: int | None = option(
        None,
        "Number of worker processes or Ray actors.",
        WORKERS,
        default_text="one per core; on Ray as many as fit",
        minimum=1,
        also=("rerun", "verify", "collect", "meta", "campaign"),
    )
    ray_address: str | None = option(
        None,
        "Address of the Ray cluster.",
        WORKERS,
        default_text="RAY_ADDRESS",
        also=("rerun", "verify", "collect", "meta", "campaign"),
    )
    worker_resources: dict[str, float] = option(
        {},
        "NAME=AMOUNT that a Ray worker needs.",
        WORKERS,
        default_text="CPU=1",
        minimum=0,
        also=("rerun", "verify", "collect", "meta", "campaign"),
    )
    env_timeout: float = option(
        120.0,
        "Seconds an environment may take for one call; then its worker is replaced.",
        WORKERS,
        above=0,
        also=("rerun", "verify", "collect", "meta", "campaign"),
    )

    preregistration: Path | None = option(
        None, "Pre-registration of the experiment, a YAML file; the result states how the run departs from it.", OUTPUT
    )
    cache: Path | None = option(
        None, "Response cache, an SQLite file.", OUTPUT, also=("rerun", "collect", "meta", "campaign")
    )
    retry_failed: tuple[FailureKind, ...] = option(
        (),
        "Kinds of failed episodes and reflections to repeat when a run is continued, separated by commas.",
        OUTPUT,
        also=("collect", "campaign"),
    )
    accept_failures: tuple[FailureKind, ...] = option(
        (),
        "Kinds of failures that count as the model's own and never stop the run, separated by commas.",
        OUTPUT,
        also=("rerun", "collect", "meta", "campaign"),
    )
    log_level: LogLevel = option(
        "info", "Level of run.log in the folder of the run.", OUTPUT, also=("collect", "campaign")
    )

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Check values by option name, as a caller, a command or a configuration file gives them.

        Lists may be texts with commas, mappings may be texts KEY=VALUE.

        Raises:
            ConfigError: An option is unknown, or a value does not fit.
        """
        from ictbench.runs.check_options import check_options

        return cls(**check_options(OPTIONS, values))


OF_TRANSFER = ("no_adapt", "cache", "retry_failed", "accept_failures", "log_level")


def _callers(name: str, metadata: Mapping[str, Any]) -> tuple[Caller, ...]:
    """Return the callers of an option; a transfer of prompts takes those of the actor, of limits and of workers."""
    of_transfer = name.startswith("actor_") or metadata["group"] in (LIMITS, WORKERS) or name in OF_TRANSFER
    return (*metadata["callers"], "transfer") if of_transfer else metadata["callers"]


OPTIONS: Mapping[str, Option] = {
    declared.name: Option(
        name=declared.name,
        type=declared.type,
        default={} if declared.default is MISSING else declared.default,
        **{**declared.metadata, "callers": _callers(declared.name, declared.metadata)},
    )
    for declared in fields(Options)
}
"""All options by name, in the order of help texts."""


def options_of(caller: Caller) -> dict[str, Option]:
    """Return the options that a caller takes, by name."""
    return {name: option for name, option in OPTIONS.items() if caller in option.callers}


def defaults_of(caller: Caller) -> dict[str, Any]:
    """Return the defaults of a caller that differ from those of `ictbench run`, by name."""
    return {name: o.caller_defaults[caller] for name, o in OPTIONS.items() if caller in o.caller_defaults}


def check_caller(caller: Caller, names: Iterable[str]) -> None:
    """Check that a caller takes the options of these names.

    Raises:
        ConfigError: An option exists, but not for this caller. Unknown names pass: `Options.parse` refuses them.
    """
    for name in names:
        if name in OPTIONS and caller not in OPTIONS[name].callers:
            raise ConfigError(f"{CALLER_NAMES[caller]} does not take the option {name!r}; leave it out")
