"""The experiment: is SmolLM2-135M, trained by GRPO on meta-train MiniHack, a better reflector on held-out families?

    python benchmarks/train_demo.py --out demo [--seed 0] [--steps 200]

Everything from nothing, and goes on where it was killed: collects states with the untrained model as reflector, trains,
and runs the standard profile on all families, all with the same decoding and the scripted actor: untrained, trained,
blind and shuffled versions of both, random well-formed rules, the best constant prompt of the meta-train families, the
scripted reflector, none. Then a table on the held-out families, and the paired comparisons with the trained one. Needs
ictbench[train] and [minihack].
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tabulate import tabulate

import ictbench
from ictbench.records import Reflection
from ictbench.reflectors import Context, Reflector
from ictbench.reflectors.below import compose
from ictbench.reflectors.lessons import MOST, TITLE
from ictbench.rulebook import Choose, Walk
from ictbench.runner import EpisodePlayer
from ictbench.runner.plan import Options, make_plan
from ictbench.train import Settings, collect
from ictbench.train.grpo import grpo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.records import Trajectory

SUITE = "minihack-v1"
CONFIG = Path(__file__).parent.parent / "examples" / "train" / "smollm2-cpu.yaml"
UNTRAINED = "lessons:hf/smollm2"
SYMBOLS = [chr(code) for code in range(33, 127) if not chr(code).isalnum() and chr(code) != '"']
CONSTANT_TASKS = 10
"""By family, to choose the best constant prompt on."""
ACTIONS = ("read", "eat", "puton", "zap", "wield", "wear", "pickup")


class RandomRules(Reflector):
    """Well-formed rules of the two forms, drawn at random: what the syntax alone is worth."""

    trained_on = ()
    control = "it writes rules at random"

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Some rules, in place of the former ones."""
        rng = random.Random(context.seed)
        walks = [Walk(symbol) for symbol in rng.sample(SYMBOLS, MOST - 1)]
        rules = [*walks, Choose("You see here", rng.choice(ACTIONS))]
        return Reflection(prompt=compose(prompt.partition(TITLE)[0].rstrip(), TITLE, [str(rule) for rule in rules]))


def main() -> None:
    """Collect, train, run, print."""
    asked = _arguments()
    states, trained = asked.out / "states", asked.out / f"trained-{asked.seed}"
    collect(states, suite=SUITE, reflector=UNTRAINED, actor="rules", reflector_temperature=1.0)
    settings = Settings.read(CONFIG, states=states, out=trained, steps=asked.steps, seed=asked.seed)
    checkpoint = grpo(settings, lambda line: print(line, flush=True))
    arms = {"untrained": UNTRAINED, "trained": f"hf/{checkpoint}"}
    for wrapper in ("blind", "shuffled"):
        arms |= {f"{wrapper} {name}": f"{wrapper}:{arms[name]}" for name in ("untrained", "trained")}
    arms |= {"random rules": "train_demo:RandomRules", "rules": "rules", "none": "none"}
    runs = {name: _run(asked.out, name, reflector) for name, reflector in arms.items()}
    constant = asked.out / "constant.txt"
    constant.write_text(best_constant([runs["untrained"], runs["trained"]]), encoding="utf-8")
    runs["best constant"] = _run(asked.out, "best constant", f"file:{constant}")
    _print(runs)


def best_constant(runs: Sequence[ictbench.Run]) -> str:
    """Of the best prompts of all meta-train loops, the one that does best over all meta-train families.

    Each plays the first selection tasks of loop 0 of each family.
    """
    prompts = {
        loop.prompts[loop.best].text
        for run in runs
        for family in run.result.families
        if family.role == "meta-train"
        for loop in family.loops
    }
    plan = make_plan(Options.parse({"suite": SUITE, "families": "meta-train", "reflector": "none", "actor": "rules"}))
    tasks = [
        task for family in plan.families for task in plan.suite.scoring_tasks("selection", family, 0, CONSTANT_TASKS)
    ]
    solved: dict[str, int] = {}
    with EpisodePlayer(plan) as player:
        for prompt in sorted(prompts):
            episodes = player.play([plan.episode(task, prompt) for task in tasks])
            solved[prompt] = sum(episode.trajectory.solved for episode in episodes)
    return max(sorted(solved), key=lambda prompt: solved[prompt])


def _run(out: Path, name: str, reflector: str) -> ictbench.Run:
    folder = out / "runs" / name.replace(" ", "-")
    print(f"run {name}: {folder}", flush=True)
    return ictbench.run(out=folder, suite=SUITE, reflector=reflector, actor="rules", profile="standard")


def _print(runs: dict[str, ictbench.Run]) -> None:
    rows: list[list[Any]] = []
    for name, run in runs.items():
        measures = run.result.by_role["held-out"]
        gain = measures.gain
        interval = f"[{gain.low:+.2f}, {gain.high:+.2f}]" if gain.low is not None and gain.high is not None else ""
        rows.append([name, measures.base.value, measures.best.value, measures.last.value, gain.value, interval])
    print(tabulate(rows, headers=["arm", "base", "best", "last", "gain", "95 %"], floatfmt=".3f"))
    others = [str(runs[name].folder) for name in runs if name != "trained"]
    print("Paired, on the same tasks:")
    print(f"  ictbench compare {runs['trained'].folder} {' '.join(others)}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("train-demo"), help="folder of everything")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=None, help="instead of the example's")
    return parser.parse_args()


if __name__ == "__main__":
    main()
