"""Files written at the end of a session: result, episode records, times, tables."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import platform
from collections import Counter
from typing import IO, TYPE_CHECKING

from ictbench._version import __version__
from ictbench.protocol import episode_uses
from ictbench.records import Usage
from ictbench.results import Result
from ictbench.results.assemble import added_bytes, costs, family_result, role_measures
from ictbench.results.failures import failure_counts
from ictbench.results.invalid_actions import INVALID, all_invalid, words_of
from ictbench.results.outcomes import is_constant
from ictbench.results.schema import CostRole, FamilyResult, Host, Player, SuiteId
from ictbench.runs.deviations import rejected_requests
from ictbench.runs.preregistration import registered
from ictbench.runs.registered_run import run_departures
from ictbench.runs.run_folder import atomic_writer, write_atomically
from ictbench.suites.suite import RANKED_PROFILES

ROLES = ("actor", "reflector")

BEGUN = "begun"
"""Note in the journal of a person's run: how often each episode was begun, by key."""

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence
    from pathlib import Path

    from ictbench.protocol import LoopResult
    from ictbench.records import Episode, PluginSpec, Registered
    from ictbench.runs.journal import Journal
    from ictbench.runs.plan import RunPlan
    from ictbench.runs.run_folder import RunFolder


def build_result(
    plan: RunPlan,
    loops: Mapping[str, Sequence[LoopResult]],
    owed: Mapping[str, str],
    journal: Journal,
    versions: dict[str, str],
    folder: Path,
    of_plan: Sequence[str] | None = None,
) -> Result:
    """Build the result of the finished loops.

    Args:
        plan: Plan of the run.
        loops: Finished loops by family.
        owed: Error messages of what is owed.
        journal: Its journal.
        versions: Versions of the environment's packages.
        folder: Folder of the run.
        of_plan: Deviations of the plan; None if they are to be found, for which the players are imported.
    """
    complete = sum(map(len, loops.values())) == len(plan.families) * plan.sizes.loops
    fingerprints: dict[str, list[str]] = {role: journal.get(f"{role}_fingerprints", []) for role in ROLES}
    reproducible: dict[str, bool | None] = journal.get("reproducible", {})
    resampled: dict[str, int] = journal.get("resampled", {})
    # Of a model that repeats itself a new reply is the old one, of another one it is another draw.
    drawn = [
        f"{count} failures of the {role} were played again on request, and its replies do not repeat"
        for role, count in resampled.items()
        if reproducible.get(role) is False
    ]
    changed = [f"the {role} changed: {', then '.join(seen)}" for role, seen in fingerprints.items() if len(seen) > 1]
    begun: dict[str, int] = journal.get(BEGUN, {})
    again = sum(count - 1 for count in begun.values())
    repeated = [f"episodes that the person stopped and began again: {again}"] if again else []
    constant = is_constant(plan.reflector)
    families: list[FamilyResult] = []
    cost: dict[CostRole, Usage] = {role: Usage() for role in ("experience", "selection", "test")}
    added: Counter[CostRole] = Counter()
    for name in plan.families:
        finished = loops.get(name, [])
        # Episodes of one family at a time: those of a whole run may not fit into memory.
        episodes = journal.summaries({use.key for loop in finished for use in episode_uses(loop)})
        families.append(family_result(name, plan.suite.families[name], finished, episodes, constant=constant))
        for role, usage in costs(finished, episodes).items():
            cost[role] = cost.get(role, Usage()) + usage
        added.update(added_bytes(finished, episodes))
    stated = plan.deviations() if of_plan is None else of_plan
    deviations = (*stated, *changed, *drawn, *repeated, *rejected_requests(families))
    cost["reflector"] = sum((r.usage for r in journal.reflections()), Usage())
    return Result(
        schema="ictbench.result/2",
        ictbench=__version__,
        suite=SuiteId(name=plan.suite.name, digest=plan.suite.digest, deterministic=plan.suite.deterministic),
        versions=versions,
        profile=plan.options.profile,
        sizes=plan.sizes,
        loop_indices=plan.loop_indices,
        intervals="for these games" if plan.suite.pools.shared else "over loops",
        test_every_turn=plan.options.test_every_turn,
        audit=plan.options.audit,
        online=plan.options.online,
        max_steps=plan.max_steps,
        prompt_bytes=plan.prompt_bytes,
        actor=_player(plan.actor, fingerprints["actor"], reproducible.get("actor")),
        reflector=_player(plan.reflector, fingerprints["reflector"], reproducible.get("reflector")),
        reflector_trained_on=plan.trained_on,
        actor_trained_on=plan.actor_trained_on,
        preregistration=_registered(plan),
        experience=plan.traits.experience,
        division=plan.traits.division,
        control=plan.traits.control,
        deviations=deviations,
        ranked=complete and not deviations and not plan.traits.control and plan.options.profile in RANKED_PROFILES,
        complete=complete,
        owed=len(owed),
        retried_failures=journal.get("retried_failures", {}),
        retried_reflections=journal.get("retried_reflections", {}),
        families=tuple(families),
        by_role=role_measures(families, constant=constant),
        cost=cost,
        added_bytes=dict(sorted(added.items())),
        episodes_sha256=journal.get("episodes_sha256", ""),
        host=Host(
            folder=str(folder),
            started=journal.get("started"),
            seconds=journal.get("seconds", 0.0),
            spent=Usage.model_validate(journal.get("spent", {})),
            addresses=journal.get("addresses", {}),
            troubles=tuple(dict.fromkeys(owed.values()))[:5],
            machine={"python": platform.python_version(), "system": platform.platform()},
            failure_words=_failure_words(journal, families, plan.actor),
        ),
    )


def _failure_words(journal: Journal, families: Sequence[FamilyResult], actor: PluginSpec) -> dict[str, str]:
    """Return the words about each kind of failure in the result; a failure that was played again has none."""
    failed, unusable = failure_counts(families)
    kinds = {*(f"actor {kind}" for kind in failed), *(f"reflector {kind}" for kind in unusable)}
    words: dict[str, str] = journal.get("failure_words", {})
    shown = {kind: said for kind, said in sorted(words.items()) if kind in kinds and said}
    if actor.model and all_invalid(families):
        first = next(step for episode in journal.episodes() for step in episode.trajectory.steps)
        shown[INVALID] = words_of(first)
    return shown


def _registered(plan: RunPlan) -> Registered | None:
    planned = plan.preregistration
    return registered(planned, run_departures(planned, plan)) if planned else None


def _player(spec: PluginSpec, fingerprints: list[str], reproducible: bool | None) -> Player:
    """Return a player as the result names it: without its address, which the result keeps under `host`."""
    plain = spec.model_dump()
    if plain["model"]:
        plain["model"]["base_url"] = None
    return Player(**plain, fingerprint=fingerprints[-1] if fingerprints else None, reproducible=reproducible)


def write_episodes(folder: RunFolder, journal: Journal, keys: Container[str] | None = None) -> None:
    """Write the episode records one at a time, and note the SHA-256 of their uncompressed text.

    Args:
        folder: Folder of the run.
        journal: Its journal.
        keys: Keys of the episodes to write; None for all.
    """
    digest = hashlib.sha256()
    with (
        atomic_writer(folder.episodes) as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as compressed,
    ):
        for episode in journal.episodes():
            if keys is not None and episode.key not in keys:
                continue
            compressed.write(line := f"{episode_line(episode)}\n".encode())
            digest.update(line)
    journal.note("episodes_sha256", digest.hexdigest())


def write_outcome(folder: RunFolder, journal: Journal, result: Result) -> None:
    """Write times, tables and result, each in one step, the result last."""
    from ictbench.results.table_text import csv_text, markdown_of
    from ictbench.results.tables import tables  # pandas takes long to import

    with atomic_writer(folder.times) as file:
        _write_times(file, journal)
    folder.tables.mkdir(exist_ok=True)
    for name, table in tables(result).items():
        write_atomically(folder.tables / f"{name}.csv", csv_text(table))
        write_atomically(folder.tables / f"{name}.md", markdown_of(table) + "\n")
    write_atomically(folder.result, result.to_json())


def episode_line(episode: Episode) -> str:
    """Return the record of an episode: what a replay without a model needs, with observations as hashes."""
    record = episode.model_dump(
        mode="json",
        exclude={
            "trajectory": {"steps": {"__all__": {"observation", "actions"}}, "last_observation": True},
            "failure_detail": True,
        },
    )
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def _write_times(file: IO[bytes], journal: Journal) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["key", "started", "seconds"])
    writer.writerows((key, f"{started:.3f}", f"{seconds:.4f}") for key, started, seconds in journal.times())
    text.detach()
