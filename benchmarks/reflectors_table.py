"""Table of all reflectors on minihack-v1.

    python benchmarks/reflectors_table.py                             # those that need no language model: minutes
    python benchmarks/reflectors_table.py --model llama-cpp/smollm2   # those that need one, with this model

The actor is the scripted one unless --actor names another. It obeys rules of a fixed form and ignores all other text,
which limits what the rows mean:

- `rules` writes such rules, and its wrappers measure what they are worth. `none` is the baseline.
- `retrieval` and `icl` put trajectories into the prompt, which this actor ignores. Their rows only measure the effect
  of a prompt that is eight times as long.
- `rewrite`, `gepa` and the memory learners need a model. The actor obeys a sentence of theirs only where it happens to
  be a rule. With a small model their rows show how often a reply can be used.
- `file:PATH` depends on the author of the file and is left out.
"""

from __future__ import annotations

import argparse
import inspect
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tabulate import tabulate

import ictbench
from ictbench.plugins import resolve
from ictbench.results.formatting import signed

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHOUT_MODEL = ("none", "rules", "blind:rules", "shuffled:rules", "reflexion:rules", "retrieval", "icl")
WITH_MODEL = (
    "rewrite",
    "ace",
    "cheatsheet",
    "expel",
    "reasoningbank",
    "workflows",
    "gepa",
    "blind:rewrite",
    "shuffled:rewrite",
    "reflexion:ace",
)
COLUMNS = ("reflector", "families", "base", "best", "gain [95 %]", "unusable", "prompt bytes", "seconds", "lines")


def rows(run: ictbench.Run) -> Iterator[tuple[str, ...]]:
    """Yield one row of the table for each role of a run's families."""
    result = run.result
    source = inspect.getsourcefile(resolve("reflector", result.reflector.name)) or ""
    lines = len(Path(source).read_text(encoding="utf-8").splitlines())
    for role, measures in result.by_role.items():
        behaviours = [family.behaviour for family in result.families if family.role == role and family.behaviour]
        unusable = sum(sum(behaviour.reflection_failures.values()) for behaviour in behaviours)
        reflections = sum(len(family.loops) * result.sizes.turns for family in result.families if family.role == role)
        prompt_bytes = sum(behaviour.prompt_bytes for behaviour in behaviours) / len(behaviours)
        yield (
            result.reflector.label,
            f"{len(behaviours)} {role}",
            f"{measures.base.value:.2f}",
            f"{measures.best.value:.2f}",
            signed(measures.gain),
            f"{unusable} of {reflections}",
            f"{prompt_bytes:.0f}",
            f"{result.host.seconds:.0f}",
            str(lines),
        )


def main() -> None:
    """Run all reflectors one after another and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="provider/model of the reflectors; runs only those that need a model")
    parser.add_argument("--model-options", nargs="*", default=[], metavar="KEY=VALUE")
    parser.add_argument("--actor", default="rules")
    parser.add_argument("--families", default="held-out")
    for name, size in (("loops", 3), ("turns", 6), ("batch-size", 3), ("selection-size", 10), ("test-size", 20)):
        parser.add_argument(f"--{name}", type=int, default=size)
    parser.add_argument("--max-steps", type=int)
    parser.add_argument("--out", type=Path, help="folder for the runs, to inspect or continue them")
    options: dict[str, Any] = vars(parser.parse_args())
    model, model_options, out = (options.pop(name) for name in ("model", "model_options", "out"))
    arms = [f"{name}:{model}" for name in WITH_MODEL] if model else WITHOUT_MODEL
    with tempfile.TemporaryDirectory() as scratch:
        table = [
            row
            for number, arm in enumerate(arms)
            for row in rows(
                ictbench.run(
                    suite="minihack-v1",
                    reflector=arm,
                    reflector_model_options=model_options,
                    out=(out or Path(scratch)) / str(number),
                    **options,
                )
            )
        ]
    print(", ".join(f"{name} {value}" for name, value in options.items() if value is not None))
    print(tabulate(table, headers=COLUMNS, disable_numparse=True))


if __name__ == "__main__":
    main()
