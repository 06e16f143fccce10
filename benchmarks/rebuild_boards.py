"""Rebuild the entries of a board after the meaning of a measure or the form of a record changed.

    python benchmarks/rebuild_boards.py leaderboards/minihack-v1 --reason "New intervals" [--only SLUG ...]

Where the environment says what distinguishes the start of a task, the shortest episode of each task is played again
from its recorded actions, as records of older versions lack it. A replay that differs from its record stops the rebuild
of that entry, and nothing is written. Records get the fields that the replay adds, measures are computed anew from the
records, and the log of the board gets a line `corrected`. Outcomes, prompts, costs and dates stay.
The verifications of the old files are removed, since they do not belong to the new ones: run `benchmarks/own_boards.sh`
afterwards, which verifies and reruns the entries again.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ictbench.audit.replay_episode import first_mismatch, replay_spec
from ictbench.audit.result_checks import make_plans
from ictbench.board import board_log
from ictbench.envs import TextEnv
from ictbench.errors import SubmissionError
from ictbench.models import ModelPool, UsageMeter
from ictbench.plugins import resolve
from ictbench.records import Episode, task_id_of
from ictbench.results import Result
from ictbench.results.assemble import family_result, role_measures
from ictbench.results.outcomes import is_constant
from ictbench.results.schema import SCHEMA
from ictbench.rollout import Priority
from ictbench.runs.engine import open_executor
from ictbench.runs.options import Options
from ictbench.runs.sync_loop import run_blocking
from ictbench.submissions.episode_records import SUBMISSION_DIGITS, EpisodeRecord
from ictbench.submissions.known_players import control_of
from ictbench.submissions.layout import BoardFolder, SubmissionFolder
from ictbench.submissions.metadata import metadata_from_result
from ictbench.submissions.pack import pack_lines, pack_record
from ictbench.submissions.submission_schema import Submission
from ictbench.suites import load_suite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.records import Task

IN_FLIGHT = 16
"""Episodes sent to each worker at a time."""


def main() -> None:
    """Rebuild the entries of one board."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("board", type=Path, help="folder of the board")
    parser.add_argument("--reason", required=True, help="what changed, for the log of the board")
    parser.add_argument("--by", default="The ictbench authors", help="who rebuilds, for the log of the board")
    parser.add_argument("--only", nargs="*", metavar="SLUG", help="entries to rebuild; all by default")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    board = BoardFolder(arguments.board)
    for place in (board.submissions, board.unranked):
        for path in sorted(place.glob("*/")):
            if arguments.only and path.name not in arguments.only:
                continue
            folder = SubmissionFolder(path)
            digest = rebuild(folder, arguments.workers)
            shutil.rmtree(board.verifications / path.name, ignore_errors=True)
            known = any(line.slug == path.name for line in board_log.read_log(board.log))
            event: board_log.Event = "corrected" if known else "added"
            board_log.append(board.log, event, path.name, by=arguments.by, reason=arguments.reason, submission=digest)
            print(f"{path}: rebuilt", flush=True)


def rebuild(folder: SubmissionFolder, workers: int) -> str:
    """Rebuild one entry in place and return its new digest.

    Raises:
        SubmissionError: A replay differs from its record.
    """
    old = json.loads(folder.result.read_bytes())
    result = Result.model_validate({**old, "schema": SCHEMA})
    suite = load_suite(result.suite.name)
    tasks = {task.id: task for plan in make_plans(result, suite).values() for task in plan.tasks}
    records = [EpisodeRecord.model_validate(line) for line in _lines(folder.episodes)]
    starts = {task_id_of(record.key): "" for record in records}
    if resolve("env", suite.env).start_key.__func__ is not TextEnv.start_key.__func__:  # type: ignore[attr-defined]
        starts = run_blocking(lambda: _starts(_shortest(records), tasks, workers))
    records = [record.model_copy(update={"start": starts[task_id_of(record.key)]}) for record in records]
    summaries = {record.key: record.summary() for record in records}
    constant = is_constant(result.reflector)
    families = tuple(
        family_result(family.name, suite.families[family.name], family.loops, summaries, constant=constant)
        for family in result.families
    )
    control = control_of(result)
    result = result.model_copy(
        update={
            "families": families,
            "by_role": role_measures(families, constant=constant),
            "control": control,
            "ranked": result.ranked and not control,
        }
    )
    _write(folder, result, records, starts)
    return Submission.model_validate_json(folder.metadata.read_bytes()).digest


def _shortest(records: list[EpisodeRecord]) -> list[EpisodeRecord]:
    """Return the record with the fewest decisions of each task."""
    by_task: dict[str, EpisodeRecord] = {}
    for record in sorted(records, key=lambda record: len(record.trajectory.steps)):
        by_task.setdefault(task_id_of(record.key), record)
    return list(by_task.values())


async def _starts(records: list[EpisodeRecord], tasks: dict[str, Task], workers: int) -> dict[str, str]:
    """Replay one record of each task and return the digests of their starts, by task id.

    Raises:
        SubmissionError: A replay differs from its record.
    """
    meter = UsageMeter()
    executor = await open_executor(Options.parse({"workers": workers}), ModelPool(meter), meter)
    waiting, starts = iter(records), dict[str, str]()

    async def play_in_turn() -> None:
        for record in waiting:
            task = tasks[task_id_of(record.key)]
            episode = await executor.play(replay_spec(record, task), Priority.TEST)
            same_start = record.model_copy(update={"start": episode.start[:SUBMISSION_DIGITS]})
            if mismatch := first_mismatch(same_start, episode, SUBMISSION_DIGITS):
                raise SubmissionError(f"{mismatch.key}: {mismatch.aspect}: {mismatch.detail}")
            starts[task.id] = episode.start

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(IN_FLIGHT * workers):
                group.create_task(play_in_turn())
    finally:
        await executor.aclose()
    return starts


def _write(folder: SubmissionFolder, result: Result, records: list[EpisodeRecord], starts: dict[str, str]) -> None:
    shown = [{**line, "start": starts[task_id_of(line["key"])]} for line in _lines(folder.trajectories)]
    files = {
        folder.result: result.to_json().encode(),
        folder.episodes: pack_lines(map(pack_record, records)),
        folder.trajectories: pack_lines(Episode.model_validate(line).model_dump(mode="json") for line in shown),
    }
    metadata: dict[str, Any] = json.loads(folder.metadata.read_bytes())
    metadata |= metadata_from_result(result)
    metadata["files"] = {path.name: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    files[folder.metadata] = f"{json.dumps(metadata, indent=1, ensure_ascii=False)}\n".encode()
    for path, content in files.items():
        path.write_bytes(content)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path) as file:
        yield from map(json.loads, file)


if __name__ == "__main__":
    main()
