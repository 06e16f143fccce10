"""Prompts of a run: those that its loops have written so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ictbench.errors import ConfigError, RunFolderError
from ictbench.plugins import suggest
from ictbench.results.outcomes import success_rate
from ictbench.runs.read_run import open_journal
from ictbench.runs.run_folder import RunFolder
from ictbench.runs.unfinished import recorded_plan, repeated_loops

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.protocol import LoopResult
    from ictbench.runs.api import Run

Which = Literal["best", "first", "last", "all"] | int


@dataclass(frozen=True, slots=True)
class WrittenPrompt:
    """One prompt of a loop."""

    family: str
    loop: int
    index: int
    """Number of the turn that wrote it; 0 for the prompt that the loop started with."""
    of: int
    """Index of the last prompt of the loop."""
    text: str
    start: str
    """prompt[0] of the loop."""
    is_best: bool = False
    """Whether it is the best prompt of its loop; False while the loop is not finished."""
    selection: float | None = None
    """Success rate on the loop's selection tasks; None while it is not known."""
    test: float | None = None
    """Success rate on the loop's test tasks; None if it is not tested."""
    memory: str = ""
    """Digest of the memory that goes with it, without which it scores differently; empty if there is none."""

    @property
    def title(self) -> str:
        """One line: where it comes from and how it scores."""
        scores = [
            f"{name} {rate:.2f}"
            for name, rate in (("selection", self.selection), ("test", self.test))
            if rate is not None
        ]
        best = " (best)" if self.is_best else ""
        memory = [f"with memory {self.memory} of memories.jsonl.gz"] if self.memory else []
        return ", ".join([f"{self.family}, loop {self.loop}, prompt {self.index} of {self.of}{best}", *memory, *scores])

    @property
    def file_name(self) -> str:
        """Name of a file for it."""
        return f"{self.family}-loop{self.loop}-prompt{self.index}.txt"


def run_prompts(
    run: Run, which: Which = "best", *, family: str | None = None, loop: int | None = None
) -> list[WrittenPrompt]:
    """Return prompts of a run, which may be in progress; the best ones only of finished loops.

    Args:
        run: The run.
        which: Which prompts of each loop: the best, the first, the last, all, or the index of one.
        family: Only those of this family.
        loop: Only those of the loops of this index.

    Raises:
        ConfigError: No prompt is selected.
        RunFolderError: The folder does not hold what is needed, or is damaged.
    """
    everything = list(_of_result(run) if run.is_complete else _of_journal(run))
    in_loops = [prompt for prompt in everything if family in (None, prompt.family) and loop in (None, prompt.loop)]
    if not in_loops:
        raise ConfigError(f"{run.folder} has no {_what_is_missing(everything, family, loop)}")
    chosen = [prompt for prompt in in_loops if _is_chosen(prompt, which)]
    if not chosen and which == "best":
        raise RunFolderError(f"no loop of {run.folder} is finished, so no prompt is the best yet; choose last or all")
    if not chosen:
        raise ConfigError(f"there is no prompt {which}: the loops have the prompts 0 … {max(p.of for p in in_loops)}")
    return chosen


def _what_is_missing(everything: list[WrittenPrompt], family: str | None, loop: int | None) -> str:
    """Return which family or loop a run does not have, and which it has."""
    families = list(dict.fromkeys(prompt.family for prompt in everything))
    if not families:
        return "loops yet"
    if family is not None and family not in families:
        return f"family {family!r}; {suggest(family, families)}"
    loops = ", ".join(sorted({str(prompt.loop) for prompt in everything if family in (None, prompt.family)}, key=int))
    return f"loop {loop}{f' of {family}' if family else ''} (loops: {loops})"


def _is_chosen(prompt: WrittenPrompt, which: Which) -> bool:
    match which:
        case "best":
            return prompt.is_best
        case "all":
            return True
        case "first":
            return prompt.index == 0
        case "last":
            return prompt.index == prompt.of
    return prompt.index == which


def _of_result(run: Run) -> Iterator[WrittenPrompt]:
    for family in run.result.families:
        for loop in family.loops:
            yield from _of_loop(family.name, loop)


def _of_loop(family: str, loop: LoopResult) -> Iterator[WrittenPrompt]:
    for index, prompt in enumerate(loop.prompts):
        yield WrittenPrompt(
            family,
            loop.index,
            index,
            len(loop.prompts) - 1,
            prompt.text,
            loop.prompts[0].text,
            is_best=index == loop.best,
            selection=success_rate(loop.selection[index]),
            test=success_rate(loop.test[index]) if index in loop.test else None,
            memory=prompt.memory,
        )


def _of_journal(run: Run) -> Iterator[WrittenPrompt]:
    folder = RunFolder(run.folder)
    with open_journal(folder) as journal:
        plan, _ = recorded_plan(folder, journal)
        for loop in repeated_loops(plan, journal):
            family, number = loop.plan.family, loop.plan.index
            if loop.finished:
                yield from _of_loop(family, loop.result())
                continue
            texts = loop.written_prompts
            for index, text in enumerate(texts):
                memory = loop.memories[index].digest
                yield WrittenPrompt(family, number, index, len(texts) - 1, text, texts[0], memory=memory)
