"""Search of prompts for what experience cannot have taught them: task names, seeds, and solutions word by word.

Candidates of optimisers, memories, and what memories add to prompts are searched like prompts. In a memory, the
actions of a solution may stand in a list, one an item or in one field of its items.

A solution is the sequence of executed actions of a solved selection or test episode of the loop: at least six actions,
three of them different. It is a leak if it occurs in a prompt, whatever case, white space and separators, and in no
experience episode that came before the prompt.

Prompts are read without invisible characters; full-width letters, digits of other scripts, and letters that look like
Latin ones count as those.

The search does not find: a solution in other words, in part, or with words between its actions; names and seeds
written in words or with other separators; short or uniform solutions, which look like honest advice; anything else that
helps with a task without being its solution. On the other hand it finds a plan that an honest prompt spells out in full
if the plan happens to solve a task; a person must decide in this case.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from ictbench.audit.findings import Findings, quote
from ictbench.audit.written_texts import added_texts, written_candidates, written_memories, written_prompts
from ictbench.protocol import episode_uses, keys_for
from ictbench.records import task_id_of
from ictbench.submissions.spelling import latin_form, normal_form

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.audit.result_checks import Plans
    from ictbench.audit.verification import Check
    from ictbench.audit.written_texts import WrittenText
    from ictbench.submissions.episode_records import Evidence
    from ictbench.suites import Suite

MIN_ACTIONS, MIN_DISTINCT = 6, 3
"""Length of a solution, and its number of different actions, from which it cannot be general advice."""

MIN_SEED = 1_000
"""Smaller numbers occur in many prompts."""

MIN_NAME_CHARACTERS = 5

LIST_MARK = re.compile(r"^[ \t]*(?:\d+[.):]|[-*•])[ \t]+", re.MULTILINE)
LETTER, DIGIT = re.compile(r"[^\W\d_]"), re.compile(r"\d")
WORD = re.compile(r"[^\W_]+")
NAME = re.compile(r"\w+(?:[-.]\w+)*")
NUMBER = re.compile(r"(?<!\d)(?<!\d[.])(?:\d{1,3}(?:[,_' ]\d{3})+(?!\d)|\d+)")


def check_leaks(evidence: Evidence, suite: Suite, plans: Plans) -> Iterator[Check]:
    """Search the prompts, candidates and memories of all loops; yield one check each of names, seeds and actions.

    Args:
        evidence: The result and its records.
        suite: The verifier's own suite.
        plans: The suite's plans of the loops.
    """
    names, seeds, actions = (Findings(f"leaked {kind}") for kind in ("names", "seeds", "actions"))
    secret_names, played = _secret_names(suite, plans), _PlayedActions.of(evidence, plans)
    kinds = {
        "prompts": written_prompts(evidence.result, plans),
        "candidates": written_candidates(evidence.result, plans),
        "memories": written_memories(evidence, plans),
        "added texts": added_texts(evidence, plans),
    }
    counts = dict.fromkeys(kinds, 0)
    for kind, prompt in chain.from_iterable(((kind, text) for text in texts) for kind, texts in kinds.items()):
        counts[kind] += 1
        names.extend(f"{prompt.place} names {quote(name)}" for name in _names_in(prompt.text) & secret_names)
        for seed, task_id in _seeds_in(prompt):
            seeds.add(f"{prompt.place} holds {seed}, the seed of {task_id}")
        for solution, task_id in played.leaked_solutions(prompt):
            actions.add(f"{prompt.place} holds a solution of {task_id}: {quote(solution)}")
    searched = ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count or kind == "prompts")
    yield names.check(f"no task, environment or game is named in {searched}")
    yield seeds.check(f"no seed of a loop's selection and test tasks in {searched}")
    yield actions.check(f"no solution of a loop's selection and test tasks in {searched}")


def _secret_names(suite: Suite, plans: Plans) -> set[str]:
    """Return case-folded names that identify tasks: their ids, environments, games, and the parts of paths."""
    names: set[str] = set()
    for plan in plans.values():
        for task in plan.tasks:
            texts = [task.id, *(value for value in task.params.values() if isinstance(value, str))]
            names.update(latin_form(part) for text in texts for part in text.split("/"))
    # A name without digits may be an ordinary word, such as the name of a family.
    secret = {name for name in names if len(name) >= MIN_NAME_CHARACTERS and LETTER.search(name) and DIGIT.search(name)}
    return secret - _names_in(suite.prompt)


def _names_in(text: str) -> set[str]:
    return set(NAME.findall(latin_form(text)))


def _seeds_in(prompt: WrittenText) -> Iterator[tuple[int, str]]:
    numbers = {re.sub(r"\D", "", match).lstrip("0") for match in NUMBER.findall(normal_form(prompt.text))}
    for task in (*prompt.plan.selection, *prompt.plan.test):
        seed = task.params.get("seed")
        if isinstance(seed, int) and seed >= MIN_SEED and str(seed) in numbers:
            yield seed, task.id


@dataclass
class _PlayedActions:
    """Executed actions as words."""

    solutions: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Those of solved selection and test episodes, by task id."""
    experience: dict[str, str] = field(default_factory=dict)
    """Those of experience episodes, by key."""
    _earlier: dict[tuple[str, int, int], list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, evidence: Evidence, plans: Plans) -> _PlayedActions:
        """Collect the actions of all records."""
        played = cls()
        scoring_tasks = {task.id for plan in plans.values() for task in (*plan.selection, *plan.test)}
        experience = {
            key for family in evidence.result.families for loop in family.loops for key in keys_for(loop, "experience")
        }
        for record in evidence.episodes():
            executed = [step.executed for step in record.trajectory.steps if step.executed is not None]
            if record.key in experience:
                played.experience[record.key] = _words(" ".join(executed))
            task_id = task_id_of(record.key)
            is_specific = len(executed) >= MIN_ACTIONS and len(set(executed)) >= MIN_DISTINCT
            if is_specific and record.trajectory.end == "solved" and task_id in scoring_tasks:
                played.solutions[task_id].add(_words(" ".join(executed)))
        return played

    def leaked_solutions(self, prompt: WrittenText) -> Iterator[tuple[str, str]]:
        """Yield solutions that occur in a prompt and in no earlier experience, each with its task id."""
        text = LIST_MARK.sub("", normal_form(prompt.text))
        words, words_without_numbers = _words(text), _words(re.sub(r"\d+", " ", text))
        earlier = self._earlier_experience(prompt)
        for task in (*prompt.plan.selection, *prompt.plan.test):
            for solution in sorted(self.solutions.get(task.id, ())):
                # A prompt may number its steps; actions that contain numbers must match with them.
                text_words = words if any(map(str.isdigit, solution)) else words_without_numbers
                if solution in text_words and not any(solution in actions for actions in earlier):
                    yield solution.strip(), task.id

    def _earlier_experience(self, prompt: WrittenText) -> list[str]:
        """Return the actions of the experience that came before a text."""
        place = (prompt.plan.family, prompt.plan.index, prompt.index)
        if place not in self._earlier:
            self._earlier[place] = [
                self.experience[use.key]
                for use in episode_uses(prompt.loop)
                if use.purpose == "experience" and use.prompt < prompt.index and use.key in self.experience
            ]
        return self._earlier[place]


def _words(text: str) -> str:
    """Return the words of letters and digits in `latin_form`, each surrounded by spaces."""
    return f" {' '.join(WORD.findall(latin_form(text)))} "
