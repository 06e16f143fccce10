"""Experiments of docs/training.md and docs/learning-experiment.md: does GRPO make SmolLM2-135M a better reflector?

    python benchmarks/train_demo.py --out demo [--seeds 0,1,2] [--steps N]
    python benchmarks/train_demo.py --out demo --config examples/train/rounds-cpu.yaml \\
        --preregistration examples/train/preregistration.yaml
    python benchmarks/train_demo.py --out demo --leave-out wield --steps 30
    python benchmarks/train_demo.py --out demo-alfworld --config … --preregistration … --checkpoints demo

Runs from scratch, or resumes. It trains the model once per seed: on states that the untrained model collects, or in
rounds if the configuration has `collect`. Then it runs all arms on the held-out families, with temperature 0 and the
scripted actor: trained and untrained, every control of `ictbench learned`, random well-formed rules, `rules`, and none.
It prints what the gate says of each seed, and writes `tables.md` (success by arm and seed), `arms.csv` (by family) and
`families.md` and `by-turn.csv` (leads over seeds, named actions, tokens).

A pre-registration gives suite, seeds, sizes and the first prompt, and cards and results refer to it. --leave-out is for
tuning: training leaves out the states of one meta-train family, and the arms are compared on it with the quick profile.
Held-out families are not opened. --checkpoints trains nothing: it runs the arms with the checkpoints of another
experiment, which may be of another world. Needs ictbench[train] and [minihack] or [alfworld].
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from arms_table import ArmRun, print_seed, write_tables

# Pre-registrations name these scripts by this module.
from script_arms import RandomAction as RandomAction
from script_arms import RandomRules as RandomRules
from script_arms import SolvedAction as SolvedAction
from script_arms import TriedAction as TriedAction
from script_arms import with_rules
from seeds_table import families_text, seed_list, write_turns

import ictbench
from ictbench.errors import IctbenchError
from ictbench.models.checkpoint_card import read_card
from ictbench.reflectors.llm.one_action import has_order
from ictbench.rules_text.rules import parse_rules
from ictbench.runs import EpisodePlayer
from ictbench.runs.options import Options
from ictbench.runs.plan import make_plan
from ictbench.runs.preregistration import CHECKPOINT, read_preregistration
from ictbench.runs.run_folder import write_atomically
from ictbench.train import TrainingSettings, collect
from ictbench.train.grpo import train_grpo
from ictbench.train.rounds import IDENTITY_FILE as ROUNDS_FILE
from ictbench.train.rounds import RoundsSettings, train_rounds
from ictbench.train.settings import read_mapping
from ictbench.train.states import read_states
from ictbench.train.training_folder import TrainingFolder, read_identity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ictbench.choices import ExperienceFormat

CONFIG = Path(__file__).parent.parent / "examples" / "train" / "smollm2-cpu.yaml"
WRAPPERS = ("blind", "shuffled", "unlabelled", "flipped", "losses")
SCRIPTS = ("copy", "copy-last", "copy-commonest")
LOOPS = 12
"""Loops per meta-train family, of four turns each, for collecting states."""
TEMPERATURE = 0.7
"""Temperature for collecting states; runs use 0, as the protocol requires."""
MODEL_OPTIONS = ("batch=8",)
"""Replies are computed eight at a time, in all arms."""
CONSTANT_RULES = 8
"""Most rules of the best constant prompt."""
CONSTANT_TASKS = 20
"""Tasks per meta-train family for choosing the best constant prompt."""


class Training(NamedTuple):
    """A finished training."""

    checkpoint: Path
    states: tuple[Path, ...]
    """Folders of the states that it trained on."""


class Arm(NamedTuple):
    """An arm to run."""

    parent: Path
    """Folder of its run's folder."""
    name: str
    reflector: str
    experience: ExperienceFormat | None = None


def main() -> None:
    """Train and run the arms for each seed, and print and write the tables."""
    options = _arguments()
    try:
        run_experiment(options)
    except IctbenchError as error:
        raise SystemExit(str(error)) from None


def run_experiment(options: argparse.Namespace) -> None:
    """Train and run the arms of all seeds, or resume."""
    if options.leave_out and options.leave_out not in ictbench.load_suite(options.suite).select_families(
        ["meta-train"]
    ):
        raise SystemExit(f"--leave-out {options.leave_out}: not a meta-train family of {options.suite}")
    sizes = _sizes(options)
    trainings = {seed: train(options, seed) for seed in options.seeds}
    if options.train_only:
        return
    constant = None if options.leave_out else best_constant(options, trainings)
    runs: list[ArmRun] = []
    for seed, training in trainings.items():
        planned = [arm for arm in arms_of(options, seed, training, constant) if is_planned(options, arm, training)]
        arms = [run_arm(options, sizes, seed, arm) for arm in planned]
        print_seed(seed, arms)
        runs += arms
    out = options.out / f"on-{options.leave_out}" if options.leave_out else _own_folder(options)
    write_tables(out, runs)
    text = families_text(runs)
    write_atomically(out / "families.md", text)
    write_turns(out / "by-turn.csv", runs)
    _say(text)


def train(options: argparse.Namespace, seed: int) -> Training:
    """Train with a seed, or resume."""
    if options.checkpoints:
        return _trained(options.checkpoints / f"seed-{seed}" / "rounds", options)
    folder, left_out = options.out / f"seed-{seed}", options.leave_out
    own = {"steps": options.steps, "seed": seed, "preregistration": options.preregistration}
    kept = [name for name in ictbench.load_suite(options.suite).select_families(["meta-train"]) if name != left_out]
    if "collect" in read_mapping(options.config):
        out = folder / (f"rounds-without-{left_out}" if left_out else "rounds")
        rounds = RoundsSettings.from_yaml(options.config, out=out, **own)
        families = [name for name in rounds.collect.get("families", kept) if name != left_out]
        collection = {**rounds.collect, "families": families, "suite": options.suite}
        if options.start_prompt:
            collection["start_prompt"] = str(options.start_prompt)
        rounds = rounds.model_copy(update={"collect": collection})
        last = train_rounds(rounds, _say)
        return Training(
            last, tuple(rounds.folder(number) / "states" for number in range(1, rounds.training.rounds + 1))
        )
    states = options.out / "states"
    settings = TrainingSettings.from_yaml(
        options.config,
        states=states,
        out=folder / (f"without-{left_out}" if left_out else "trained"),
        families=kept if left_out else None,
        **own,
    )
    # All seeds train on the same states.
    collect(
        states,
        suite=options.suite,
        reflector=f"{settings.reflector}:hf/{settings.model}",
        reflector_temperature=TEMPERATURE,
        reflector_model_options=MODEL_OPTIONS,
        actor="rules",
        loops=LOOPS,
        start_prompt=options.start_prompt and str(options.start_prompt),
    )
    return Training(train_grpo(settings, _say), (states,))


def _trained(folder: Path, options: argparse.Namespace) -> Training:
    """Return a finished training in as many rounds as the configuration has."""
    rounds: int = read_mapping(options.config).get("rounds", 1)
    steps = read_identity(folder / ROUNDS_FILE).get("steps")
    for number in range(1, rounds + 1):
        done = TrainingFolder(folder / f"round-{number}" / "training").last_step
        if done != steps:
            raise SystemExit(f"{folder} is not finished: round {number} of {rounds} has step {done or 0} of {steps}")
    last = TrainingFolder(folder / f"round-{rounds}" / "training").last_checkpoint
    assert last
    return Training(last, tuple(folder / f"round-{number}" / "states" for number in range(1, rounds + 1)))


def _own_folder(options: argparse.Namespace) -> Path:
    """Return the folder of what depends on the checkpoints."""
    out: Path = options.out
    return out / f"from-{options.checkpoints.name}" if options.checkpoints else out


def arms_of(options: argparse.Namespace, seed: int, training: Training, constant: Path | None) -> Iterator[Arm]:
    """Yield the arms, the trained reflector first; those that need no training are shared by all seeds."""
    own, shared = _own_folder(options) / f"seed-{seed}" / "runs", options.out / "runs"
    if options.leave_out:
        own, shared = own / f"on-{options.leave_out}", shared / f"on-{options.leave_out}"
    card = read_card(training.checkpoint)
    assert card
    # In later rounds, the card's base is the checkpoint of the round before.
    untrained, trained = f"{card.reflector}:hf/{read_mapping(options.config)['model']}", f"hf/{training.checkpoint}"
    yield Arm(own, "trained", trained)
    yield Arm(shared, "untrained", untrained, card.experience)
    for wrapper in WRAPPERS:
        yield Arm(own, f"trained, {wrapper}", f"{wrapper}:{trained}")
    for wrapper in ("blind", "shuffled"):
        yield Arm(shared, f"untrained, {wrapper}", f"{wrapper}:{untrained}", card.experience)
    for script in SCRIPTS:
        yield Arm(shared, script, script, "events" if card.experience == "full" else card.experience)
    if card.reflector == "one-action":
        yield Arm(shared, "random action", "train_demo:RandomAction")
        yield Arm(shared, "tried action", "train_demo:TriedAction")
        yield Arm(shared, "solved action", "train_demo:SolvedAction")
    else:
        yield Arm(shared, "random rules", "train_demo:RandomRules")
    if constant:
        yield Arm(shared, "best constant prompt", f"file:{constant}")
    for name in ("rules", "none"):
        yield Arm(shared, name, name)


def is_planned(options: argparse.Namespace, arm: Arm, training: Training) -> bool:
    """Whether the pre-registration names an arm; without one, every arm is run."""
    if options.preregistration is None:
        return True
    named = arm.reflector.replace(str(training.checkpoint), CHECKPOINT)
    if named.startswith("file:"):
        named = f"file:{Path(named.removeprefix('file:')).name}"
    return named in read_preregistration(options.preregistration).arms


def best_constant(options: argparse.Namespace, trainings: Mapping[int, Training]) -> Path:
    """Return the file of the best constant prompt for all meta-train families, the same for all seeds.

    Candidates are the rules that were written while states were collected and those that the trained reflectors wrote
    in quick runs on the same families. The rule that helps most is added, again and again, as long as one helps. In a
    prompt that orders one action, no second one can be added: the candidates are the prompts.
    """
    file: Path = options.out / "constant.txt"
    if file.exists():
        return file
    if options.checkpoints:
        theirs: Path = options.checkpoints / file.name
        cards = [read_card(training.checkpoint) for training in trainings.values()]
        if not theirs.exists() or any(card is None or card.suite != options.suite for card in cards):
            raise SystemExit(f"{file} is missing: run the experiment without --checkpoints first")
        # In the same suite it is the same prompt: it depends on the trainings, not on the arms.
        write_atomically(file, theirs.read_text("utf-8"))
        return file
    prompts: set[str] = set()
    for seed, training in trainings.items():
        arm = Arm(options.out / f"seed-{seed}" / "runs", "meta-train", f"hf/{training.checkpoint}")
        run = run_arm(options, {"profile": "quick", "families": "meta-train"}, seed, arm, planned=False).run
        prompts |= {state.prompt for states in training.states for state in read_states(states).states}
        prompts |= {prompt.text for family in run.result.families for loop in family.loops for prompt in loop.prompts}
    rules = sorted({str(rule) for prompt in prompts for rule in parse_rules(prompt)})
    plan = make_plan(
        Options.parse({"suite": options.suite, "families": "meta-train", "reflector": "none", "actor": "rules"})
    )
    first = plan.suite.prompt if options.start_prompt is None else options.start_prompt.read_text("utf-8").strip()
    tasks = [
        task for family in plan.families for task in plan.suite.scoring_tasks("selection", family, 0, CONSTANT_TASKS)
    ]
    chosen: list[str] = []
    with EpisodePlayer(plan) as player:

        def solved_under(prompt: str) -> int:
            episodes = player.play([plan.episode(task, prompt) for task in tasks])
            return sum(episode.trajectory.solved for episode in episodes)

        def solved(rules: Iterable[str]) -> int:
            return solved_under(with_rules(first, list(rules)))

        if has_order(first):
            best, text = max((solved_under(prompt), prompt) for prompt in sorted(prompts | {first}))
            print(f"constant prompt: {best} of {len(tasks)} meta-train tasks", flush=True)
            write_atomically(file, text)
            return file
        best = solved([])
        while rules and len(chosen) < CONSTANT_RULES:
            value, rule = max((solved([*chosen, rule]), rule) for rule in rules)
            if value <= best:
                break
            best, chosen = value, [*chosen, rule]
            print(f"constant prompt: {best} of {len(tasks)} meta-train tasks with {rule}", flush=True)
    write_atomically(file, with_rules(first, chosen))
    return file


def run_arm(
    options: argparse.Namespace, sizes: Mapping[str, Any], seed: int, arm: Arm, *, planned: bool = True
) -> ArmRun:
    """Run an arm, or resume it.

    Args:
        options: The command line.
        sizes: Families and sizes.
        seed: Seed of the training.
        arm: What to run.
        planned: Whether it is part of the pre-registration.
    """
    folder = arm.parent / arm.name.replace(", ", "-").replace(" ", "-")
    _say(f"run {arm.name}: {folder}")
    more: dict[str, Any] = {"reflector_model_options": MODEL_OPTIONS} if "hf/" in arm.reflector else {}
    if options.preregistration and planned:
        more["preregistration"] = options.preregistration
    if options.start_prompt:
        more["start_prompt"] = str(options.start_prompt)
    if arm.experience:
        more["reflector_experience"] = arm.experience
    run = ictbench.run(out=folder, suite=options.suite, reflector=arm.reflector, actor="rules", **more, **sizes)
    return ArmRun(arm.name, seed, run)


def _sizes(options: argparse.Namespace) -> dict[str, Any]:
    """Return families and sizes of the arms."""
    if options.leave_out:
        return {"families": options.leave_out, "profile": "quick"}
    if options.preregistration is None:
        return {"families": "held-out", "profile": options.profile}
    plan = read_preregistration(options.preregistration)
    return plan.sizes.model_dump(exclude_none=True)


def _say(line: str) -> None:
    print(line, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("train-demo"), help="folder of all output")
    parser.add_argument("--config", type=Path, default=CONFIG, help="settings of the training, or of its rounds")
    parser.add_argument("--preregistration", type=Path, default=None, help="pre-registration: gives seeds and sizes")
    parser.add_argument(
        "--seeds", type=seed_list, default=None, help="seeds of the trainings, separated by commas (default: 0)"
    )
    parser.add_argument("--steps", type=int, default=None, help="steps of the training (default: the configuration's)")
    parser.add_argument("--profile", default="standard", help="profile of the arms without a pre-registration")
    parser.add_argument("--start-prompt", type=Path, default=None, help="file of prompt[0], for states and arms")
    parser.add_argument("--leave-out", help="meta-train family to tune on; held-out families are not opened")
    parser.add_argument(
        "--checkpoints", type=Path, default=None, help="folder of an experiment: run the arms with its models"
    )
    parser.add_argument("--train-only", action="store_true", help="train and stop")
    options = parser.parse_args()
    if options.checkpoints and (options.leave_out or options.train_only):
        parser.error("--checkpoints trains nothing: give it without --leave-out and --train-only")
    for file in filter(None, (options.config, options.preregistration, options.start_prompt)):
        if not file.is_file():
            parser.error(f"{file} is not a file")
    planned = read_preregistration(options.preregistration) if options.preregistration else None
    training = planned.training if planned else None
    options.suite = (
        planned.suite if planned else read_mapping(options.config).get("collect", {}).get("suite", "minihack-v1")
    )
    if planned and planned.start_prompt:
        options.out.mkdir(parents=True, exist_ok=True)
        options.start_prompt = options.out / "start-prompt.txt"
        write_atomically(options.start_prompt, planned.start_prompt)
    if options.seeds is None:
        options.seeds = list(training.seeds) if training else [0]
    if options.leave_out:
        options.preregistration = None
    return options


if __name__ == "__main__":
    main()
