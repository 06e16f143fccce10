"""Success rate of the scripted actor under hand-written rules: what can be learned in docs/training.md.

    python benchmarks/rule_values.py

For each family of minihack-v1 with an object: the share of selection tasks solved under prompt[0], with a rule to walk
onto the object's symbol, and with a second rule that names an action. No test task is played. Needs ictbench[minihack].
"""

from __future__ import annotations

from tabulate import tabulate

from ictbench.reflectors.llm.lessons import TITLE
from ictbench.reflectors.llm.prompt_sections import append_section
from ictbench.rules_text.rules import Choose, Rule, Walk
from ictbench.runs import EpisodePlayer
from ictbench.runs.options import Options
from ictbench.runs.plan import make_plan

SYMBOLS = {"eat": "%", "wear": "[", "wield": ")", "read": "?", "puton": '"', "zap": "/"}
TASKS = 60


def main() -> None:
    """Play, and print one row per family."""
    plan = make_plan(Options.parse({"suite": "minihack-v1", "reflector": "none", "actor": "rules"}))
    rows = []
    with EpisodePlayer(plan) as player:
        for family, symbol in SYMBOLS.items():
            walk = Walk(symbol)
            tasks = plan.suite.scoring_tasks("selection", family, 0, TASKS)
            row = [family]
            rule_sets: list[list[Rule]] = [[], [walk]]
            rule_sets += ([walk, Choose("You see here", action)] for action in ("pickup", family))
            for rules in rule_sets:
                prompt = append_section(plan.suite.prompt, TITLE, [str(rule) for rule in rules])
                episodes = player.play([plan.episode(task, prompt) for task in tasks])
                row.append(f"{sum(episode.trajectory.solved for episode in episodes) / len(episodes):.2f}")
            rows.append(row)
    print(tabulate(rows, headers=["family", "no rule", "walk", "walk, pickup", "walk, own action"], tablefmt="github"))


if __name__ == "__main__":
    main()
