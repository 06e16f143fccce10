"""List of the runs in a folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from ictbench.errors import RunFolderError, UsageError
from ictbench.results.result_file import read_result
from ictbench.runs.folder_lock import is_locked
from ictbench.runs.read_run import open_journal
from ictbench.runs.run_folder import RunFolder
from ictbench.runs.run_state import read_state

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.records import Role, Usage
    from ictbench.results import Result
    from ictbench.runs.run_state import Status


@dataclass(frozen=True, slots=True)
class ListedRun:
    """One run of a list; what is not known is None or empty."""

    folder: Path
    status: Status | Literal["unreadable"]
    suite: str = ""
    reflector: str = ""
    actor: str = ""
    turns_done: int | None = None
    turns: int | None = None
    """Planned turns, over all loops."""
    gain: float | None = None
    """Gain of a complete run, mean over the families of one role."""
    gain_role: Role | Literal[""] = ""
    """Role of these families: held-out, or meta-train if no family is held out."""
    spent: Usage | None = None
    problem: str = ""
    """Why it cannot be read."""

    def as_json(self) -> dict[str, Any]:
        """Return the fields as plain JSON; the cost is None if a price is unknown."""
        return {
            "folder": str(self.folder),
            "state": self.status,
            "suite": self.suite,
            "reflector": self.reflector,
            "actor": self.actor,
            "turns_done": self.turns_done,
            "turns": self.turns,
            "gain": self.gain,
            "gain_role": self.gain_role,
            "calls": self.spent.calls if self.spent else None,
            "cost": self.spent.cost if self.spent else None,
            "problem": self.problem,
        }


def list_runs(folder: Path) -> list[ListedRun]:
    """Return the runs whose folders lie in `folder`, sorted by name, which begins with the time of the start.

    Raises:
        RunFolderError: The folder does not exist, cannot be read, or is itself that of a run.
    """
    if RunFolder(folder).config.exists():
        raise RunFolderError(
            f"{folder} is itself the folder of a run: `ictbench show` shows it; name the folder above it"
        )
    try:
        paths = sorted(path for path in folder.iterdir() if (path / RunFolder(path).config.name).exists())
    except OSError as error:
        raise RunFolderError(f"{folder} cannot be listed ({error.strerror}); name a folder that holds runs") from error
    return [_listed(RunFolder(path)) for path in paths]


def _listed(folder: RunFolder) -> ListedRun:
    unreadable = ListedRun(folder.path, "unreadable")
    try:
        config = folder.read_config()
        unreadable = replace(
            unreadable,
            suite=str(config.get("suite", "")),
            reflector=_label(config.get("reflector")),
            actor=_label(config.get("actor")),
        )
        return _with_counts(unreadable, folder)
    except UsageError as error:
        return replace(unreadable, problem=str(error))


def _with_counts(run: ListedRun, folder: RunFolder) -> ListedRun:
    if folder.result.exists() and (result := read_result(folder.result)).complete and not is_locked(folder.path):
        turns = sum(len(family.loops) for family in result.families) * result.sizes.turns
        role, gain = _gain(result)
        return replace(
            run,
            status="complete",
            turns_done=turns,
            turns=turns,
            gain=gain,
            gain_role=role,
            spent=result.host.spent,
        )
    with open_journal(folder) as journal:
        state = read_state(folder, journal)
    return replace(
        run,
        status=state.status,
        turns_done=sum(state.turns_done.values()),
        turns=state.turns * len(state.turns_done),
        spent=state.spent,
    )


def _label(player: object) -> str:
    return str(player.get("label", "")) if isinstance(player, dict) else ""


def _gain(result: Result) -> tuple[Role | Literal[""], float | None]:
    """Return the first role that has measures, and its mean gain."""
    roles: tuple[Role, ...] = ("held-out", "meta-train")
    measured = ((role, result.by_role[role].gain.value) for role in roles if role in result.by_role)
    return next(measured, ("", None))
