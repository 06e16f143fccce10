"""Table of the memory learners on minihack-v1, with a program in the place of their language model.

    python benchmarks/memory_learners.py                 # a few minutes on two idle cores
    python benchmarks/memory_learners.py expel workflows

The rows show that memories are written, recalled and obeyed; they are no results of the methods. The program answers
over HTTP in the format that each learner asks for. It reads the experience as events, takes from solved episodes what
was walked onto, picked up and done last, and states it as rules that the scripted actor obeys. Where nothing was solved
it has nothing to say. `rewrite` and `blind:expel` stand beside the memory learners, `rules` and `none` are references.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from reflectors_table import COLUMNS, rows
from tabulate import tabulate

import ictbench
from ictbench.submissions.episode_records import evidence_of_run
from ictbench.testing import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

LEARNERS = ("ace", "cheatsheet", "expel", "reasoningbank", "workflows", "rewrite", "blind:expel")
REFERENCES = ("rules", "none")
ACTION = re.compile(r"^(?P<action>[a-z][a-z ]*): .*The task was solved\.", re.MULTILINE)
WALKED = re.compile(r'came onto "(.)"')
PICKED_UP = re.compile(r"^pickup: .*?\b(\w) - ", re.MULTILINE)
RULE = re.compile(r'(?:Walk onto|After you have seen|When you see) "[^\n]*')


def answer(body: dict[str, Any]) -> str:
    """Return the reply to a request, in the format that it asks for."""
    text = body["messages"][-1]["content"]
    experience, _, asked = text.rpartition("Answer with exactly")
    rules = list(dict.fromkeys(_rules(experience)))
    if "ANALYSIS:\nwhat the episodes teach" in asked:
        return "\n".join(["ANALYSIS:", *(rules or ["Nothing was solved."]), "TAGS:", "none"])
    if "ADD strategy" in asked:
        rules = RULE.findall(experience.rpartition("ANALYSIS:")[2])
        return "\n".join(["OPERATIONS:", *([f"ADD strategy: {rule}" for rule in rules] or ["none"])])
    if "CHEAT SHEET:" in asked:
        known = RULE.findall(experience.partition("CHEAT SHEET:")[2].partition("EPISODES:")[0])
        return "\n".join(["CHEAT SHEET:", *(dict.fromkeys([*rules, *known]) or ["Nothing was solved so far."])])
    if "ITEMS:" in asked:
        items = (f"TITLE: Rule\nDESCRIPTION: It solved a task.\nCONTENT: {rule}" for rule in rules)
        return "\n".join(["ITEMS:", *(items if rules else ["none"])])
    if "WORKFLOWS:" in asked:
        return "\n".join(["WORKFLOWS:", *(["Workflow: solve the task", *rules] if rules else ["none"])])
    if "OPERATIONS:" in asked:
        return "\n".join(["OPERATIONS:", *([f"ADD: {rule}" for rule in rules] or ["none"])])
    prompt = re.search(r"PROMPT[^\n]*\n(.*?)\n+[A-Z ]*EPISODES", experience, re.DOTALL)
    return "\n".join(["ANALYSIS:", "-", "IMPROVED PROMPT:", prompt[1] if prompt else "Play.", *rules])


def _rules(experience: str) -> Iterator[str]:
    """Yield what solved the episodes, the last action first."""
    for episode in re.split(r"^Episode \d+:$", experience, flags=re.MULTILINE)[1:]:
        if not (last := ACTION.search(episode)):
            continue
        if picked := PICKED_UP.search(episode):
            yield f'After you have seen "{picked[1]} -", choose "{last["action"]}".'
            yield 'When you see "see here", choose "pickup".'
        if walked := WALKED.findall(episode):
            yield f'Walk onto "{walked[-1]}".'


def added_bytes(run: ictbench.Run) -> str:
    """Return the mean size of what the memory added to the episodes that have something added."""
    sizes = [len(record.added.encode()) for record in evidence_of_run(run.folder).episodes() if record.added]
    return f"{fmean(sizes):.0f}" if sizes else "0"


def main() -> None:
    """Run the learners one after another and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("arms", nargs="*", default=[*LEARNERS, *REFERENCES], metavar="ARM")
    parser.add_argument("--families", default="held-out")
    for name, size in (("loops", 3), ("turns", 6), ("batch-size", 3), ("selection-size", 10), ("test-size", 20)):
        parser.add_argument(f"--{name}", type=int, default=size)
    options: dict[str, Any] = vars(parser.parse_args())
    arms = options.pop("arms")
    table: list[tuple[str, ...]] = []
    with tempfile.TemporaryDirectory() as scratch, ScriptedServer(answer, model="program") as server:
        asking = {"reflector_base_url": server.url, "reflector_experience": "events"}
        for arm in arms:
            chosen = {"reflector": arm} if arm in REFERENCES else {"reflector": f"{arm}:openai/program", **asking}
            folder = Path(scratch) / str(len(table))
            run = ictbench.run(suite="minihack-v1", actor="rules", out=folder, **chosen, **options)
            table += [(*row, added_bytes(run)) for row in rows(run)]
    print(", ".join(f"{name} {value}" for name, value in options.items()))
    print(tabulate(table, headers=(*COLUMNS, "added bytes"), disable_numparse=True))


if __name__ == "__main__":
    main()
