"""Success rate of the scripted actor on errands when one more rule names a kind of action.

    python benchmarks/kind_values.py

For each meta-train family of alfworld-procgen-v1: the share of selection tasks solved under rules for searching and
carrying, without and with a rule `Do "KIND" before "move".` above them. It tells what is to be learned by naming one
kind of action. No test task and no held-out family is played. Needs ictbench[alfworld].
"""

from __future__ import annotations

import argparse

from tabulate import tabulate

from ictbench.reflectors.llm.prompt_sections import append_section
from ictbench.rules_text.rules import Act, Before, Hold, Line, Rule
from ictbench.runs import EpisodePlayer
from ictbench.runs.options import Options
from ictbench.runs.plan import make_plan

TITLE = "Rules:"
ERRANDS: tuple[Rule, ...] = (
    Line("Your task is to:"),
    Hold("take", "move"),
    Act("move <named> to <named>"),
    Act("take <named> from <other>"),
    Act("open <named>", held="something"),
    Act("go to <named>", held="something"),
    Act("go to …", held="nothing", offered="take <named> from <other>"),
    Act("open"),
    Act("go"),
)
KINDS = ("clean", "heat", "cool", "use", "take", "examine")


def main() -> None:
    """Play, and print one row per family."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=40, help="selection tasks a family")
    tasks_played = parser.parse_args().tasks
    plan = make_plan(Options.parse({"suite": "alfworld-procgen-v1", "reflector": "none", "actor": "rules"}))
    rows = []
    with EpisodePlayer(plan) as player:
        for name, family in plan.suite.families.items():
            if family.role != "meta-train":
                continue
            tasks = plan.suite.scoring_tasks("selection", name, 0, tasks_played)
            row = [name]
            for kind in ("", *KINDS):
                above = [Before("", kind, "move")] if kind else []
                prompt = append_section(plan.suite.prompt, TITLE, [str(rule) for rule in (*above, *ERRANDS)])
                episodes = player.play([plan.episode(task, prompt) for task in tasks])
                row.append(f"{sum(episode.trajectory.solved for episode in episodes) / len(episodes):.2f}")
            rows.append(row)
    print(tabulate(rows, headers=["family", "no kind", *KINDS], tablefmt="github"))


if __name__ == "__main__":
    main()
