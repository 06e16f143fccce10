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
    dry_run: Annotated[
        bool, option("--dry-run", "Check everything except the weights, print the settings, and stop.")
    ] = False,
) -> None:
    """Train a reflector by GRPO on the rewards of played episodes; continue from the last good checkpoint, if any."""
    from ictbench.train.grpo import train_grpo
    from ictbench.train.settings import TrainingSettings
    from ictbench.train.training_setup import prepare_training

    settings = TrainingSettings.from_yaml(config, states=states, out=out, steps=steps, seed=seed)
    if dry_run:
        _print_setup(prepare_training(settings))
        return
    last = train_grpo(settings, lambda line: print(line, flush=True))
    print(f"The last checkpoint: {last}")
    print(f"Measure it: ictbench run --reflector hf/{last} --actor ACTOR")


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
