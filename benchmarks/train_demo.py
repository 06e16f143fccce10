"""Experiment of docs/training.md: is SmolLM2-135M, trained by GRPO, a better reflector on held-out families?

    python benchmarks/train_demo.py --out demo [--seed 0] [--steps N]
    python benchmarks/train_demo.py --out demo --leave-out wield --steps 30

Runs from scratch, or resumes. It collects reflection states with the untrained model, trains the model on them, and
runs the standard profile on the held-out families with temperature 0 and the scripted actor. Arms: untrained, trained,
blind and shuffled versions of both, random well-formed rules, the best constant prompt of the meta-train families, the
scripted reflector, and none. It prints a table of the arms and the paired differences.

--leave-out is for tuning: training leaves out the states of one meta-train family, and untrained and trained are
compared on it with the quick profile. Held-out families are not opened. Needs ictbench[train] and [minihack].
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tabulate import tabulate

import ictbench
from ictbench.records import Reflection
from ictbench.reflectors import Context, Reflector
from ictbench.reflectors.llm.lessons import MAX_RULES, TITLE
from ictbench.reflectors.llm.prompt_sections import append_section
from ictbench.results.formatting import p_value, signed
from ictbench.rules_text.rules import Choose, Walk, parse_rules
from ictbench.runs import EpisodePlayer
from ictbench.runs.options import Options
from ictbench.runs.plan import make_plan
from ictbench.runs.run_folder import write_atomically
from ictbench.train import TrainingSettings, collect
from ictbench.train.grpo import train_grpo
from ictbench.train.states import read_states

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic import JsonValue

    from ictbench.records import Trajectory
    from ictbench.results.schema import FamilyResult

SUITE = "minihack-v1"
CONFIG = Path(__file__).parent.parent / "examples" / "train" / "smollm2-cpu.yaml"
UNTRAINED = "lessons:hf/smollm2"
LOOPS = 12
"""Loops per meta-train family, of four turns each, for collecting states."""
TEMPERATURE = 0.7
"""Temperature for collecting states; runs use 0, as the protocol requires."""
MODEL_OPTIONS = ("batch=8",)
"""Replies are computed eight at a time, in all arms."""
SYMBOLS = [chr(code) for code in range(33, 127) if not chr(code).isalnum()]
ACTIONS = ("read", "eat", "puton", "zap", "wield", "wear", "pickup")
CONSTANT_RULES = 8
"""Most rules of the best constant prompt."""
CONSTANT_TASKS = 20
"""Tasks per meta-train family for choosing the best constant prompt."""


class RandomRules(Reflector):
    """Baseline for the syntax of rules: well-formed rules with random symbols and a random action."""

    trained_on = ()
    control = "it writes rules at random"

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Replace the rules of the prompt with random ones."""
        rng = random.Random(context.seed)
        walks = [Walk(symbol) for symbol in rng.sample(SYMBOLS, MAX_RULES - 1)]
        return Reflection(prompt=with_rules(prompt, [*walks, Choose("You see here", rng.choice(ACTIONS))]))


def main() -> None:
    """Collect, train, run, print."""
    options = _arguments()
    if options.leave_out and options.leave_out not in ictbench.load_suite(SUITE).select_families(["meta-train"]):
        raise SystemExit(f"--leave-out {options.leave_out}: not a meta-train family of {SUITE}")
    states = options.out / "states"
    collect(
        states,
        suite=SUITE,
        reflector=UNTRAINED,
        reflector_temperature=TEMPERATURE,
        reflector_model_options=MODEL_OPTIONS,
        actor="rules",
        loops=LOOPS,
    )
    checkpoint = train(options, states)
    if options.leave_out:
        both = {"trained": f"hf/{checkpoint}", "untrained": UNTRAINED}
        folder = options.out / f"seed-{options.seed}" / f"on-{options.leave_out}"
        _print({name: _run(folder, name, arm, options.leave_out, "quick") for name, arm in both.items()})
        return
    folder = options.out / f"seed-{options.seed}"
    # Arms that do not depend on the training are shared by all seeds.
    arms = {
        "trained": (folder, f"hf/{checkpoint}"),
        "untrained": (options.out, UNTRAINED),
        "trained, blind": (folder, f"blind:hf/{checkpoint}"),
        "untrained, blind": (options.out, f"blind:{UNTRAINED}"),
        "trained, shuffled": (folder, f"shuffled:hf/{checkpoint}"),
        "untrained, shuffled": (options.out, f"shuffled:{UNTRAINED}"),
        "random rules": (options.out, "train_demo:RandomRules"),
        "best constant prompt": (folder, f"file:{best_constant(folder, states, f'hf/{checkpoint}')}"),
        "rules": (options.out, "rules"),
        "none": (options.out, "none"),
    }
    _print({name: _run(parent, name, arm, "held-out", "standard") for name, (parent, arm) in arms.items()})


def train(options: argparse.Namespace, states: Path) -> Path:
    """Train, or resume, and return the last checkpoint."""
    families = None
    if options.leave_out:
        families = [family for family in read_states(states).info.families if family != options.leave_out]
    name = f"without-{options.leave_out}" if options.leave_out else "trained"
    settings = TrainingSettings.from_yaml(
        CONFIG,
        states=states,
        out=options.out / f"seed-{options.seed}" / name,
        steps=options.steps,
        seed=options.seed,
        families=families,
    )
    return train_grpo(settings, lambda line: print(line, flush=True))


def best_constant(folder: Path, states: Path, trained: str) -> Path:
    """Return the file of the best constant prompt for all meta-train families.

    Candidates are the rules that the untrained reflector wrote while states were collected and that the trained one
    wrote in a quick run on the same families. The rule that helps most is added, again and again, as long as one helps.
    """
    file = folder / "constant.txt"
    run = _run(folder, "meta-train", trained, "meta-train", "quick")
    if file.exists():
        return file
    prompts = {state.prompt for state in read_states(states).states}
    prompts |= {prompt.text for family in run.result.families for loop in family.loops for prompt in loop.prompts}
    rules = sorted({str(rule) for prompt in prompts for rule in parse_rules(prompt)})
    plan = make_plan(Options.parse({"suite": SUITE, "families": "meta-train", "reflector": "none", "actor": "rules"}))
    tasks = [
        task for family in plan.families for task in plan.suite.scoring_tasks("selection", family, 0, CONSTANT_TASKS)
    ]
    chosen: list[str] = []
    with EpisodePlayer(plan) as player:

        def solved(rules: Iterable[str]) -> int:
            prompt = with_rules(plan.suite.prompt, list(rules))
            episodes = player.play([plan.episode(task, prompt) for task in tasks])
            return sum(episode.trajectory.solved for episode in episodes)

        best = solved([])
        while len(chosen) < CONSTANT_RULES:
            value, rule = max((solved([*chosen, rule]), rule) for rule in rules)
            if value <= best:
                break
            best, chosen = value, [*chosen, rule]
            print(f"constant prompt: {best} of {len(tasks)} meta-train tasks with {rule}", flush=True)
    write_atomically(file, with_rules(plan.suite.prompt, chosen))
    return file


def with_rules(prompt: str, rules: Sequence[object]) -> str:
    """Return the prompt with these rules, in the layout of the reflector `lessons`."""
    return append_section(prompt.partition(TITLE)[0].rstrip(), TITLE, [str(rule) for rule in rules])


def _run(parent: Path, name: str, reflector: str, families: str, profile: Literal["quick", "standard"]) -> ictbench.Run:
    folder = parent / "runs" / name.replace(", ", "-").replace(" ", "-")
    print(f"run {name}: {folder}", flush=True)
    return ictbench.run(
        out=folder,
        suite=SUITE,
        reflector=reflector,
        reflector_model_options=MODEL_OPTIONS if "hf/" in reflector else (),
        actor="rules",
        families=families,
        profile=profile,
    )


def _print(runs: dict[str, ictbench.Run]) -> None:
    rows: list[list[Any]] = []
    for name, run in runs.items():
        result = run.result
        (measures,) = result.by_role.values()
        reflections, model = run.reflections(), result.reflector.model
        cut = f"{(reflections['output_tokens'] >= model.max_tokens).mean():.0%}" if model else ""
        values = [measures.base.value, *(family.measures.best.value for family in result.families if family.measures)]
        shown = [f"{value:.2f}" for value in [*values, measures.last.value, measures.best.value]]
        rows.append([name, *shown, signed(measures.gain), f"{reflections['failure'].notna().mean():.0%}", cut])
    families = [family.name for family in next(iter(runs.values())).result.families]
    headers = ["arm", "base", *(f"best: {family}" for family in families)]
    headers += ["last", "best", "gain [95 %]", "unusable replies", "replies at the limit"]
    print(tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True))
    trained, *others = (run.result for run in runs.values())
    print(
        "\nBest of the trained reflector minus best of each other arm, on the same tasks; p after Holm over all arms:\n"
    )
    rows = []
    for name, arm in zip(list(runs)[1:], ictbench.compare(trained, *others).arms, strict=True):
        (mean,) = arm.means
        outcomes = f"{mean.losses} / {mean.ties} / {mean.wins}"
        rows.append([name, *(signed(-row.difference) for row in arm.rows), p_value(mean.p_corrected), outcomes])
    headers = ["compared with", *families, "mean [95 %]", "p", "tasks won / tied / lost"]
    print(tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True))
    print("\nMost frequent first rule of the written prompts, and the turns in which it occurs:\n")
    for name, run in runs.items():
        if run.result.reflector.model:
            print(f"- {name}: {'; '.join(map(_first_rule, run.result.families))}")


def _first_rule(family: FamilyResult) -> str:
    rules = [next(iter(parse_rules(prompt.text)), None) for loop in family.loops for prompt in loop.prompts[1:]]
    rule, count = Counter(rules).most_common(1)[0]
    return f"{family.name} {rule or 'none'} {count}/{len(rules)}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("train-demo"), help="folder of all output")
    parser.add_argument("--seed", type=int, default=0, help="seed of the training")
    parser.add_argument("--steps", type=int, default=None, help="steps of the training (default: the example's)")
    parser.add_argument("--leave-out", help="meta-train family to tune on; held-out families are not opened")
    return parser.parse_args()


if __name__ == "__main__":
    main()
