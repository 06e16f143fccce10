"""Whether prompts hold what they cannot have from experience: names of tasks, their seeds, solutions word by word.

A solution is all that was executed in a solved selection or test episode of the loop: at least six actions, three of
them different. It is leaked where it stands in a prompt, whatever case, white space and separators, and no experience
episode that came before the prompt holds it.

What this cannot find: a solution in other words, in part, or with words between its actions; names and seeds spelled in
another way; short or uniform solutions, as honest advice looks like that; and whatever helps with a task without being
its solution. A plan that a prompt spells out in full, and that happens to solve a task as it stands, is found all the
same: then a person must look.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from ictbench.audit.findings import Findings, shown
from ictbench.protocol import episode_uses, keys_for
from ictbench.records import task_id_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.audit.result_checks import Plans
    from ictbench.audit.verification import Check
    from ictbench.protocol import LoopPlan, LoopResult
    from ictbench.results import Result
    from ictbench.submissions.episode_records import Evidence
    from ictbench.suites import Suite

MIN_ACTIONS, MIN_DISTINCT = 6, 3
"""Of a solution that is nobody's general advice."""

MIN_SEED = 1_000
"""Smaller numbers stand in many prompts, and say nothing."""

MIN_NAME_CHARACTERS = 5

LIST_MARK = re.compile(r"^[ \t]*(?:\d+[.):]|[-*•])[ \t]+", re.MULTILINE)
LETTER, DIGIT = re.compile(r"[^\W\d_]"), re.compile(r"\d")
WORD = re.compile(r"[^\W_]+")
NAME = re.compile(r"\w+(?:[-.]\w+)*")
NUMBER = re.compile(r"(?<!\d)(?<!\d[.])(?:\d{1,3}(?:[,_' ]\d{3})+(?!\d)|\d+)")


@dataclass(frozen=True, slots=True)
class NewPrompt:
    """A prompt that a reflection gave."""

    place: str
    text: str
    loop: LoopResult
    index: int
    plan: LoopPlan


def check_leaks(evidence: Evidence, suite: Suite, plans: Plans) -> Iterator[Check]:
    """One check each of names, seeds and actions, over the prompts of all loops; `plans` are the suite's own."""
    names, seeds, actions = (Findings(f"leaked {what}") for what in ("names", "seeds", "actions"))
    telling, sequences = _telling_names(suite, plans), _Sequences.of(evidence, plans)
    prompts = 0
    for prompt in _new_prompts(evidence.result, plans):
        prompts += 1
        names.extend(f"{prompt.place} names {shown(name)}" for name in _names_in(prompt.text) & telling)
        for number, task in _seeds_in(prompt):
            seeds.add(f"{prompt.place} holds {number}, the seed of {task}")
        for solution, task in sequences.leaked(prompt):
            actions.add(f"{prompt.place} holds a solution of {task}: {shown(solution)}")
    yield names.check(f"no task, environment or game is named in {prompts:,} prompts")
    yield seeds.check(f"no seed of a loop's selection and test tasks in {prompts:,} prompts")
    yield actions.check(f"no solution of a loop's selection and test tasks in {prompts:,} prompts")


def _new_prompts(result: Result, plans: Plans) -> Iterator[NewPrompt]:
    for family in result.families:
        for loop in family.loops:
            for index, (before, after) in enumerate(pairwise(loop.prompts), 1):
                if before.text != after.text:
                    place = f"{family.name}, loop {loop.index}, prompt[{index}]"
                    yield NewPrompt(place, after.text, loop, index, plans[family.name, loop.index])


def _telling_names(suite: Suite, plans: Plans) -> set[str]:
    """Ids of tasks, names of environments and games, and the parts of those that are paths; case folded."""
    names: set[str] = set()
    for plan in plans.values():
        for task in plan.tasks:
            texts = [task.id, *(value for value in task.params.values() if isinstance(value, str))]
            names.update(part.casefold() for text in texts for part in text.split("/"))
    # An ordinary word, as of a family, says nothing.
    telling = {
        name for name in names if len(name) >= MIN_NAME_CHARACTERS and LETTER.search(name) and DIGIT.search(name)
    }
    return telling - _names_in(suite.prompt)


def _names_in(text: str) -> set[str]:
    return set(NAME.findall(text.casefold()))


def _seeds_in(prompt: NewPrompt) -> Iterator[tuple[int, str]]:
    numbers = {re.sub(r"\D", "", found).lstrip("0") for found in NUMBER.findall(prompt.text)}
    for task in (*prompt.plan.selection, *prompt.plan.test):
        seed = task.params.get("seed")
        if isinstance(seed, int) and seed >= MIN_SEED and str(seed) in numbers:
            yield seed, task.id


@dataclass
class _Sequences:
    """What was executed, as words: in solved episodes by task, in experience by episode."""

    solutions: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    experience: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, evidence: Evidence, plans: Plans) -> _Sequences:
        """Those of all records."""
        found = cls()
        scored = {task.id for plan in plans.values() for task in (*plan.selection, *plan.test)}
        met = {
            key for family in evidence.result.families for loop in family.loops for key in keys_for(loop, "experience")
        }
        for record in evidence.episodes():
            executed = [step.executed for step in record.trajectory.steps if step.executed is not None]
            if record.key in met:
                found.experience[record.key] = _words(" ".join(executed))
            task = task_id_of(record.key)
            long = len(executed) >= MIN_ACTIONS and len(set(executed)) >= MIN_DISTINCT
            if long and record.trajectory.end == "solved" and task in scored:
                found.solutions[task].add(_words(" ".join(executed)))
        return found

    def leaked(self, prompt: NewPrompt) -> Iterator[tuple[str, str]]:
        """Solutions that stand in a prompt and in nothing that came before it, each with its task."""
        text = LIST_MARK.sub("", prompt.text)
        words, without_numbers = _words(text), _words(re.sub(r"\d+", " ", text))
        seen = [
            self.experience[use.key]
            for use in episode_uses(prompt.loop)
            if use.purpose == "experience" and use.prompt < prompt.index and use.key in self.experience
        ]
        for task in (*prompt.plan.selection, *prompt.plan.test):
            for solution in sorted(self.solutions.get(task.id, ())):
                # Steps may be numbered where actions are not.
                there = solution in (words if any(map(str.isdigit, solution)) else without_numbers)
                if there and not any(solution in one for one in seen):
                    yield solution.strip(), task.id


def _words(text: str) -> str:
    """Letters and digits only, case folded, with a space on either side of each word."""
    return f" {' '.join(WORD.findall(text.casefold()))} "
