"""The experiment: is SmolLM2-135M, trained by GRPO on meta-train MiniHack, a better reflector on held-out families?

    python benchmarks/train_demo.py --out demo [--seed 0] [--steps N]
    python benchmarks/train_demo.py --out demo --leave-out wield --steps 30

Everything from nothing, and goes on where it was stopped. Reflection states are collected with the untrained model;
it is trained on them; then the standard profile is run on the held-out families, all with temperature 0 and the
scripted actor: untrained, trained, blind and shuffled versions of both, random well-formed rules, the best constant
prompt of the meta-train families, the scripted reflector, none. A table of these, and the paired differences.

With --leave-out, to tune on: one meta-train family's states are left out, and untrained and trained are compared on it,
with the quick profile. Held-out families are not opened. Needs ictbench[train] and [minihack].
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
"""Of a meta-train family, of four turns each, to collect states."""
TEMPERATURE = 0.7
"""Of the replies that states are collected with; runs have 0, as the protocol says."""
SIDE_BY_SIDE = ("batch=8",)
"""Replies are computed eight at a time; all arms alike."""
SYMBOLS = [chr(code) for code in range(33, 127) if not chr(code).isalnum()]
ACTIONS = ("read", "eat", "puton", "zap", "wield", "wear", "pickup")
CONSTANT_RULES = 8
"""The most that the best constant prompt has."""
CONSTANT_TASKS = 20
"""Of each meta-train family, to choose the best constant prompt on."""


class RandomRules(Reflector):
    """Well-formed rules, symbols and action drawn at random: what the syntax and the words to wait for are worth."""

    trained_on = ()
    control = "it writes rules at random"

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Some rules, in place of the former ones."""
        rng = random.Random(context.seed)
        walks = [Walk(symbol) for symbol in rng.sample(SYMBOLS, MAX_RULES - 1)]
        return Reflection(prompt=written(prompt, [*walks, Choose("You see here", rng.choice(ACTIONS))]))


def main() -> None:
    """Collect, train, run, print."""
    asked = _arguments()
    if asked.leave_out and asked.leave_out not in ictbench.load_suite(SUITE).select_families(["meta-train"]):
        raise SystemExit(f"--leave-out {asked.leave_out}: that is no meta-train family of {SUITE}")
    states = asked.out / "states"
    options: dict[str, Any] = {
        "reflector_temperature": TEMPERATURE,
        "reflector_model_options": SIDE_BY_SIDE,
        "loops": LOOPS,
    }
    collect(states, suite=SUITE, reflector=UNTRAINED, actor="rules", **options)
    checkpoint = train(asked, states)
    if asked.leave_out:
        both = {"trained": f"hf/{checkpoint}", "untrained": UNTRAINED}
        place = asked.out / f"seed-{asked.seed}" / f"on-{asked.leave_out}"
        _print({name: _run(place, name, arm, asked.leave_out, "quick") for name, arm in both.items()})
        return
    folder = asked.out / f"seed-{asked.seed}"
    # What does not depend on the seed of the training is run once.
    arms = {
        "trained": (folder, f"hf/{checkpoint}"),
        "untrained": (asked.out, UNTRAINED),
        "trained, blind": (folder, f"blind:hf/{checkpoint}"),
        "untrained, blind": (asked.out, f"blind:{UNTRAINED}"),
        "trained, shuffled": (folder, f"shuffled:hf/{checkpoint}"),
        "untrained, shuffled": (asked.out, f"shuffled:{UNTRAINED}"),
        "random rules": (asked.out, "train_demo:RandomRules"),
        "best constant prompt": (folder, f"file:{best_constant(folder, states, f'hf/{checkpoint}')}"),
        "rules": (asked.out, "rules"),
        "none": (asked.out, "none"),
    }
    _print({name: _run(place, name, arm, "held-out", "standard") for name, (place, arm) in arms.items()})


def train(asked: argparse.Namespace, states: Path) -> Path:
    """The last checkpoint."""
    families = None
    if asked.leave_out:
        families = [family for family in read_states(states).info.families if family != asked.leave_out]
    name = f"without-{asked.leave_out}" if asked.leave_out else "trained"
    settings = TrainingSettings.from_yaml(
        CONFIG,
        states=states,
        out=asked.out / f"seed-{asked.seed}" / name,
        steps=asked.steps,
        seed=asked.seed,
        families=families,
    )
    return train_grpo(settings, lambda line: print(line, flush=True))


def best_constant(folder: Path, states: Path, trained: str) -> Path:
    """The best prompt for all meta-train families at once that rules of either reflector make.

    Of the rules that the untrained one wrote while states were collected, and the trained one in a quick run on the
    same families, the one that helps most is added again and again, as long as one helps.
    """
    file = folder / "constant.txt"
    run = _run(folder, "meta-train", trained, "meta-train", "quick")
    if file.exists():
        return file
    prompts = {state.prompt for state in read_states(states).states}
    prompts |= {one.text for family in run.result.families for loop in family.loops for one in loop.prompts}
    rules = sorted({str(rule) for prompt in prompts for rule in parse_rules(prompt)})
    plan = make_plan(Options.parse({"suite": SUITE, "families": "meta-train", "reflector": "none", "actor": "rules"}))
    tasks = [
        task for family in plan.families for task in plan.suite.scoring_tasks("selection", family, 0, CONSTANT_TASKS)
    ]
    chosen: list[str] = []
    with EpisodePlayer(plan) as player:

        def solved(some: Iterable[str]) -> int:
            prompt = written(plan.suite.prompt, list(some))
            episodes = player.play([plan.episode(task, prompt) for task in tasks])
            return sum(episode.trajectory.solved for episode in episodes)

        best = solved([])
        while len(chosen) < CONSTANT_RULES:
            value, rule = max((solved([*chosen, rule]), rule) for rule in rules)
            if value <= best:
                break
            best, chosen = value, [*chosen, rule]
            print(f"constant prompt: {best} of {len(tasks)} meta-train tasks with {rule}", flush=True)
    write_atomically(file, written(plan.suite.prompt, chosen))
    return file


def written(prompt: str, rules: Sequence[object]) -> str:
    """A prompt with these rules, as the reflector of this experiment writes them."""
    return append_section(prompt.partition(TITLE)[0].rstrip(), TITLE, [str(rule) for rule in rules])


def _run(place: Path, name: str, reflector: str, families: str, profile: Literal["quick", "standard"]) -> ictbench.Run:
    folder = place / "runs" / name.replace(", ", "-").replace(" ", "-")
    print(f"run {name}: {folder}", flush=True)
    return ictbench.run(
        out=folder,
        suite=SUITE,
        reflector=reflector,
        reflector_model_options=SIDE_BY_SIDE if "hf/" in reflector else (),
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
    headers += ["last", "best", "gain [95 %]", "unusable replies", "at their limit"]
    print(tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True))
    trained, *others = (run.result for run in runs.values())
    print("\nBest of the trained one less best of each other arm, on the same tasks; p after Holm, over all arms:\n")
    rows = []
    for name, arm in zip(list(runs)[1:], ictbench.compare(trained, *others).arms, strict=True):
        (mean,) = arm.means
        won = f"{mean.losses} / {mean.ties} / {mean.wins}"
        rows.append([name, *(signed(-row.difference) for row in arm.rows), p_value(mean.p_corrected), won])
    headers = ["over", *families, "mean [95 %]", "p", "tasks won / tied / lost"]
    print(tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True))
    print("\nThe commonest first rule of the prompts that were written, and in how many of the turns it stands:\n")
    for name, run in runs.items():
        if run.result.reflector.model:
            print(f"- {name}: {'; '.join(map(_first_rule, run.result.families))}")


def _first_rule(family: FamilyResult) -> str:
    rules = [next(iter(parse_rules(one.text)), None) for loop in family.loops for one in loop.prompts[1:]]
    rule, count = Counter(rules).most_common(1)[0]
    return f"{family.name} {rule or 'none'} {count}/{len(rules)}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("train-demo"), help="folder of everything")
    parser.add_argument("--seed", type=int, default=0, help="of the training")
    parser.add_argument("--steps", type=int, default=None, help="instead of the example's")
    parser.add_argument("--leave-out", help="a meta-train family to tune on; no held-out family is opened then")
    return parser.parse_args()


if __name__ == "__main__":
    main()
