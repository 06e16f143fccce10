"""`ictbench train`: collection of reflection states, and reinforcement learning on them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ictbench.cli.command_options import option, takes_run_options
from ictbench.cli.help_page import EXTEND, Group, page

if TYPE_CHECKING:
    from ictbench.train.training_setup import TrainingSetup

REPORT_TO = "Trackers, separated by commas: tensorboard, wandb, trackio, mlflow."

app = typer.Typer(no_args_is_help=True)
PAGE = page(
    EXTEND,
    "docs/training.md",
    "ictbench train collect --out states --families meta-train",
    "ictbench train grpo --config train.yaml",
    cls=Group,
    help="Train reflectors: collect reflection states, then train on the rewards of played episodes.",
)


@app.command(
    "collect",
    **page(
        None, "docs/training.md", "ictbench train collect --out states --reflector lessons:hf/smollm2 --actor rules"
    ),
)
@takes_run_options("collect")
def collect(
    out: Annotated[Path, option("--out", "Folder of the states; a folder of the same loops is continued.")],
    quiet: Annotated[bool, option("--quiet", "No progress.")] = False,
    as_json: Annotated[bool, option("--json", "Make the last line of the output JSON.")] = False,
    **options: Any,
) -> None:
    """Play loops on meta-train families, and write their reflection states as a data set."""
    from ictbench.cli.live_progress import watch
    from ictbench.train import collect as collect_states

    with watch(quiet) as on_start:
        about = collect_states(out, on_start=on_start, **options)
    if not quiet:
        print(f"{about.states} reflection states of {', '.join(about.families)}: {out}")
    if as_json:
        print(json.dumps({"states": about.states, "digest": about.digest, "folder": str(out)}))


@app.command(
    "grpo",
    **page(
        None,
        "docs/training.md",
        "ictbench train grpo --config train.yaml --dry-run",
        "ictbench train grpo --config train.yaml --steps 80 --seed 1",
    ),
)
def grpo(
    config: Annotated[Path, typer.Option("--config", help="YAML file of the settings; see docs/training.md.")],
    states: Annotated[Path | None, option("--states", "Folder of states, instead of the file's.")] = None,
    out: Annotated[Path | None, option("--out", "Folder of checkpoints, instead of the file's.")] = None,
    steps: Annotated[int | None, option("--steps", "Steps, instead of the file's.", min=1)] = None,
    seed: Annotated[int | None, option("--seed", "Seed, instead of the file's.", min=0)] = None,
    report_to: Annotated[str | None, option("--report-to", REPORT_TO)] = None,
    dry_run: Annotated[
        bool, option("--dry-run", "Check everything except the weights, print the settings, and stop.")
    ] = False,
) -> None:
    """Train a reflector by GRPO on the rewards of played episodes; continue from the last good checkpoint, if any."""
    from ictbench.train.grpo import train_grpo
    from ictbench.train.processes import Processes
    from ictbench.train.settings import TrainingSettings
    from ictbench.train.training_setup import prepare_training

    settings = TrainingSettings.from_yaml(
        config, states=states, out=out, steps=steps, seed=seed, report_to=_names(report_to)
    )
    if dry_run:
        _print_setup(prepare_training(settings))
        return
    last = train_grpo(settings, lambda line: print(line, flush=True))
    if Processes.from_environment().is_first:
        _print_last(last)


@app.command(
    "run",
    **page(
        None,
        "docs/training.md",
        "ictbench train run --config examples/train/rounds-cpu.yaml --dry-run",
        "ictbench train run --config examples/train/rounds-cpu.yaml --rounds 3",
    ),
)
def run(
    config: Annotated[Path, typer.Option("--config", help="YAML file of the settings; see docs/training.md.")],
    out: Annotated[Path | None, option("--out", "Folder of all rounds, instead of the file's.")] = None,
    rounds: Annotated[int | None, option("--rounds", "Rounds, instead of the file's.", min=1)] = None,
    steps: Annotated[int | None, option("--steps", "Steps a round, instead of the file's.", min=1)] = None,
    max_states: Annotated[int | None, option("--max-states", "States a round, instead of the file's.", min=1)] = None,
    turns: Annotated[
        str | None, option("--turns-from", "Turns from which states are taken, instead of the file's: 1,2,3.")
    ] = None,
    seed: Annotated[int | None, option("--seed", "Seed, instead of the file's.", min=0)] = None,
    preregistration: Annotated[
        Path | None, option("--preregistration", "Pre-registration, a YAML file; cards state departures from it.")
    ] = None,
    report_to: Annotated[str | None, option("--report-to", REPORT_TO)] = None,
    dry_run: Annotated[bool, option("--dry-run", "Check what can be checked before collecting, and stop.")] = False,
    quiet: Annotated[bool, option("--quiet", "No progress of collections.")] = False,
) -> None:
    """Alternate between collecting states with the current model and training on them; continue where it stopped."""
    from ictbench.cli.live_progress import watch
    from ictbench.train.rounds import RoundsSettings, check_rounds, train_rounds

    settings = RoundsSettings.from_yaml(
        config,
        out=out,
        rounds=rounds,
        steps=steps,
        max_states=max_states,
        turns=_names(turns),
        seed=seed,
        preregistration=preregistration,
        report_to=_names(report_to),
    )
    if dry_run:
        check_rounds(settings)
        print(f"{settings.training.rounds} rounds of {settings.training.steps} steps: {settings.training.out}")
        return
    with watch(quiet) as on_start:
        last = train_rounds(settings, lambda line: print(line, flush=True), on_start)
    _print_last(last)


def _names(text: str | None) -> list[str] | None:
    return [name.strip() for name in text.split(",") if name.strip()] if text is not None else None


def _print_last(checkpoint: Path) -> None:
    print(f"The last checkpoint: {checkpoint}")
    print(f"Measure it: ictbench run --reflector hf/{checkpoint} --actor ACTOR")


def _print_setup(setup: TrainingSetup) -> None:
    settings, states = setup.settings, setup.states
    method = f"LoRA of rank {settings.lora.rank}" if settings.lora else "all weights"
    rows = {
        "model": f"{settings.model} ({setup.base_digest or 'from the Hub'})",
        "learned": f"{settings.reflector}, experience as {setup.task.experience}; {method}",
        "states": f"{len(states.states)} of {', '.join(sorted(setup.trained_on))}",
        "actor": setup.plan.actor.label,
        "reward": f"{settings.reward}, {settings.replicates} episodes a task",
        "steps": f"{settings.steps}, each {settings.states_per_step} x {settings.group} replies",
        "episodes a step": f"at most {setup.max_episodes_per_step}",
        "out": str(settings.out),
    }
    for name, value in rows.items():
        print(f"{name:16}{value}")
