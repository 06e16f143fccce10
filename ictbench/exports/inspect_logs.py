"""Export of a run as logs of Inspect AI: its log API, its data frames and its viewer open them.

Importing this module needs the extra `inspect`.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ictbench.errors import MissingExtraError, RunFolderError

try:
    from inspect_ai.log import EvalConfig, EvalDataset, EvalLog, EvalSpec, EvalStats, recompute_metrics, write_eval_log
except ModuleNotFoundError as error:
    raise MissingExtraError("--format inspect", "inspect", str(error)) from error

from ictbench.exports.inspect_samples import (
    PROGRESS,
    SELECTION,
    SOLVED,
    episode_sample,
    model_usage,
    reflection_sample,
)
from ictbench.exports.table_files import new_folder
from ictbench.protocol import keys_for
from ictbench.records import Usage, digest_of
from ictbench.results.outcomes import success_rate
from ictbench.runs.read_run import open_journal
from ictbench.runs.run_folder import RunFolder
from ictbench.suites.trained_on import format_trained_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inspect_ai.log import EvalSample

    from ictbench.protocol import LoopResult
    from ictbench.protocol.loop_result import OutcomeString, Purpose
    from ictbench.records import Episode
    from ictbench.results import Result
    from ictbench.results.schema import FamilyResult, Interval
    from ictbench.runs import Run
    from ictbench.runs.journal import Journal

LEVELS = ("base", "best", "last")
"""Reported prompts: prompt[0], the best one and prompt[N]."""


def export_inspect(run: Run, out: str | Path) -> Path:
    """Write the logs of a run's finished loops into the new folder `out`, six for each family.

    `test-base`, `test-best` and `test-last` hold the test episodes of the reported prompts, `selection` those of every
    prompt on selection tasks, `experience` the batches, and `reflections` the turns.

    Raises:
        UsageError: The run has no result, an episode or reflection is missing or differs from it, or `out` exists.
    """
    result, out = run.result, Path(out)
    with new_folder(out) as folder, open_journal(RunFolder(run.folder)) as journal:
        for family in result.families:
            if family.loops:
                export = _FamilyExport(result, family, journal)
                for log in export.logs():
                    write_eval_log(log, str(folder / _file_name(log)), format="eval")
    return out


class _Batch(NamedTuple):
    """Episodes of a loop under one prompt."""

    loop: LoopResult
    purpose: Purpose
    prompt: int
    outcomes: OutcomeString


class _FamilyExport:
    """Logs of one family."""

    def __init__(self, result: Result, family: FamilyResult, journal: Journal) -> None:
        self._result = result
        self._family = family
        self._journal = journal

    def logs(self) -> Iterator[EvalLog]:
        """Yield the logs, one at a time, as all episodes may not fit into memory."""
        loops = self._family.loops
        for level in LEVELS:
            batches = [_test_batch(loop, level) for loop in loops]
            measures = self._family.measures
            measure: Interval | None = getattr(measures, level) if measures else None
            yield self._episode_log(f"test-{level}", batches, measure)
        selection = [
            _Batch(loop, "selection", prompt, loop.selection[prompt])
            for loop in loops
            for prompt in range(len(loop.prompts))
        ]
        yield self._episode_log("selection", selection, None)
        experience = [
            _Batch(loop, "experience", turn, batch.outcomes)
            for loop in loops
            for turn, batch in enumerate(loop.batches)
        ]
        yield self._episode_log("experience", experience, None)
        yield self._reflection_log()

    def _episode_log(self, name: str, batches: list[_Batch], measure: Interval | None) -> EvalLog:
        episodes: dict[str, Episode] = {}
        samples: list[EvalSample] = []
        ids: Counter[str] = Counter()
        for batch in batches:
            played = self._episodes(batch)
            episodes |= {episode.key: episode for episode in played}
            samples += [self._sample(batch, episode, ids) for episode in played]
        scores = [SOLVED] + ([PROGRESS] if all(PROGRESS in sample.scores for sample in samples) else [])
        metadata: dict[str, Any] = {} if measure is None else {"measure": measure.model_dump()}
        if measure is not None:
            metadata["intervals"] = f"95 %, {self._result.intervals}"
        spent = Usage.total([episode.usage for episode in episodes.values()])
        return self._log(
            name,
            samples,
            {score: "accuracy" if score == SOLVED else "mean" for score in scores},
            spent,
            self._result.actor.label,
            metadata,
        )

    def _episodes(self, batch: _Batch) -> list[Episode]:
        """Return the episodes of a batch in the order of its outcomes.

        Raises:
            RunFolderError: One is missing, or ended otherwise than the result says.
        """
        episodes = []
        for key, outcome in zip(_keys(batch), batch.outcomes, strict=True):
            episode = self._journal.episode(key)
            if episode is None or "01"[episode.trajectory.solved] != outcome:
                problem = "is missing in the journal" if episode is None else "differs from its outcome in the result"
                raise RunFolderError(f"episode {key} {problem}; journal and result are not of one run")
            episodes.append(episode)
        return episodes

    def _sample(self, batch: _Batch, episode: Episode, ids: Counter[str]) -> EvalSample:
        loop, turn_or_prompt = batch.loop, batch.prompt
        prompt = next((p for p in loop.prompts if p.digest == episode.prompt), None)
        text = prompt.text if prompt else next(c.text for c in loop.candidates if c.digest == episode.prompt)
        place = {"family": episode.task.family, "pool": batch.purpose, "loop": loop.index}
        place |= {"turn": turn_or_prompt + 1} if batch.purpose == "experience" else {"prompt": turn_or_prompt}
        kind = "turn" if batch.purpose == "experience" else "prompt"
        name = f"loop{loop.index}-{kind}{place[kind]}-{episode.task.id}"
        # Repeats of a task are epochs; an optimiser may play a task under several prompts in one turn.
        key = f"{name}@{episode.replicate}"
        ids[key] += 1
        return episode_sample(
            episode,
            text,
            place,
            sample_id=name if ids[key] == 1 else f"{name}-{ids[key]}",
            epoch=episode.replicate + 1,
            actor=self._result.actor.label,
            max_steps=self._result.max_steps,
        )

    def _reflection_log(self) -> EvalLog:
        samples, spent = [], []
        for loop in self._family.loops:
            for turn in range(1, len(loop.prompts)):
                reflection = self._journal.reflection(self._family.name, loop.index, turn)
                if reflection is None:
                    place = f"{self._family.name}, loop {loop.index}, turn {turn}"
                    raise RunFolderError(f"the journal lacks the reflection of {place}, which the result counts")
                spent.append(reflection.usage)
                samples.append(
                    reflection_sample(
                        self._family.name,
                        loop,
                        turn,
                        reflection,
                        selection=success_rate(loop.selection[turn]),
                        reflector=self._result.reflector.label,
                    )
                )
        reflector = self._result.reflector.label
        return self._log("reflections", samples, {SELECTION: "mean"}, Usage.total(spent), reflector, {})

    def _log(
        self,
        name: str,
        samples: list[EvalSample],
        metrics: dict[str, str],
        spent: Usage,
        model: str,
        metadata: dict[str, Any],
    ) -> EvalLog:
        """Return a log whose metrics Inspect computed from its samples."""
        result = self._result
        ids = list(dict.fromkeys(str(sample.id) for sample in samples))
        task = f"{result.suite.name}-{self._family.name}-{name}"
        spec = EvalSpec.model_validate(
            {
                "eval_id": digest_of([result.checksum, self._family.name, name], 22),
                "run_id": result.checksum[:22],
                "created": result.host.started,
                "task": task,
                "task_id": digest_of([result.suite.digest, self._family.name, name], 22),
                "task_version": result.suite.name.rpartition("-v")[2],
                "solver": result.reflector.label,
                "tags": [result.profile, self._family.role, name],
                "dataset": EvalDataset(
                    name=f"{result.suite.name}/{self._family.name}", samples=len(ids), sample_ids=ids
                ),
                "model": model,
                "config": EvalConfig(epochs=max(sample.epoch for sample in samples), epochs_reducer=["mean"]),
                "packages": {"ictbench": result.ictbench, **result.versions},
                "metadata": {**_facts(result), "family": self._family.name, "role": self._family.role, **metadata},
                # Without Markdown, which would join the rows of a game's screen.
                "viewer": {"trust_content": False},
                "scorers": [
                    {"name": score, "metrics": [{"name": f"inspect_ai/{metric}"}]} for score, metric in metrics.items()
                ],
            }
        )
        log = EvalLog(
            status="success" if result.complete else "cancelled",
            eval=spec,
            stats=EvalStats(
                started_at=result.host.started, model_usage={model: model_usage(spent)} if spent.calls else {}
            ),
            samples=samples,
        )
        recompute_metrics(log)
        return log


def _test_batch(loop: LoopResult, level: str) -> _Batch:
    prompt = {"base": 0, "best": loop.best, "last": loop.last}[level]
    return _Batch(loop, "test", prompt, loop.test[prompt])


def _keys(batch: _Batch) -> list[str]:
    return keys_for(batch.loop, batch.purpose, batch.prompt)


def _facts(result: Result) -> dict[str, Any]:
    return {
        "suite": result.suite.name,
        "suite_digest": result.suite.digest,
        "profile": result.profile,
        "sizes": result.sizes.model_dump(),
        "actor": result.actor.label,
        "reflector": result.reflector.label,
        "actor_trained_on": format_trained_on(result.actor_trained_on),
        "reflector_trained_on": format_trained_on(result.reflector_trained_on),
        "control": result.control,
        "division": result.division,
        "deviations": list(result.deviations),
        "for_ranking": result.ranked,
        "complete": result.complete,
        "owed": result.owed,
        "checksum_of_the_result": result.checksum,
    }


def _file_name(log: EvalLog) -> str:
    """Return a file name in Inspect's form: time, task, id."""
    time = re.sub(r"[^0-9T+-]", "-", str(log.eval.created)[:25])
    return f"{time}_{re.sub(r'[^A-Za-z0-9.-]', '-', log.eval.task)}_{log.eval.eval_id}.eval"
