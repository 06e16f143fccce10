"""Every reflector on minihack-v1, under one another in a table.

    python benchmarks/reflectors_table.py                             # what needs no language model: minutes
    python benchmarks/reflectors_table.py --model llama-cpp/smollm2   # what needs one, with this one

The actor is the scripted one, unless --actor names another. It obeys rules of a fixed form and reads nothing else, so
not every reflector makes sense with it: `rules` writes such rules, and its wrappers show what they are worth. `none` is
the floor. `retrieval` and `icl` put trajectories into the prompt, which this actor cannot read: they show what a prompt
eight times as long does to one who does not read it, nothing more. `rewrite`, `append`, `insights` and `gepa` need a
model, whose English this actor obeys only where it happens to be a rule; with a small model their rows show how often
a reply can be used. `file:PATH` is as good as whoever wrote the file, and is left out.
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
WITH_MODEL = ("rewrite", "append", "insights", "gepa", "blind:rewrite", "shuffled:rewrite", "reflexion:append")
COLUMNS = ("reflector", "families", "base", "best", "gain [95 %]", "unusable", "prompt bytes", "seconds", "lines")


def rows(run: ictbench.Run) -> Iterator[tuple[str, ...]]:
    """A finished run as rows, one a role of its families."""
    result = run.result
    source = inspect.getsourcefile(resolve("reflector", result.reflector.name)) or ""
    lines = len(Path(source).read_text(encoding="utf-8").splitlines())
    for role, measures in result.by_role.items():
        behaviours = [f.behaviour for f in result.families if f.role == role and f.behaviour]
        unusable = sum(sum(one.reflection_failures.values()) for one in behaviours)
        written = sum(len(family.loops) * result.sizes.turns for family in result.families if family.role == role)
        bytes_ = sum(one.prompt_bytes for one in behaviours) / len(behaviours)
        yield (
            result.reflector.label,
            f"{len(behaviours)} {role}",
            f"{measures.base.value:.2f}",
            f"{measures.best.value:.2f}",
            signed(measures.gain),
            f"{unusable} of {written}",
            f"{bytes_:.0f}",
            f"{result.host.seconds:.0f}",
            str(lines),
        )


def main() -> None:
    """Run them one after another, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="provider/model that reflects; then only those run that need one")
    parser.add_argument("--model-options", nargs="*", default=[], metavar="KEY=VALUE")
    parser.add_argument("--actor", default="rules")
    parser.add_argument("--families", default="held-out")
    for name, size in (("loops", 3), ("turns", 6), ("batch-size", 3), ("selection-size", 10), ("test-size", 20)):
        parser.add_argument(f"--{name}", type=int, default=size)
    parser.add_argument("--max-steps", type=int)
    parser.add_argument("--out", type=Path, help="folder of the runs, to be looked at or continued")
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
