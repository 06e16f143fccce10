"""Record of a rehearsal in the folder of a run: adaptations in run.json, repetition of replies in the journal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ictbench.errors import RunFolderError
from ictbench.records import NOT_ADAPTED, Adaptation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ictbench.records import PluginSpec
    from ictbench.runs.journal import Journal
    from ictbench.runs.plan import RunPlan
    from ictbench.runs.player_rehearsal import Rehearsed
    from ictbench.runs.run_folder import RunFolder


def with_recorded_adaptations(plan: RunPlan, folder: RunFolder) -> RunPlan:
    """Return the plan with the adaptations that earlier sessions of the run have recorded.

    Raises:
        RunFolderError: The configuration in the folder cannot be read.
    """
    if not folder.config.exists():
        return plan
    config = folder.read_config()
    return replace(
        plan,
        actor=_with_adaptation(plan.actor, config.get("actor")),
        reflector=_with_adaptation(plan.reflector, config.get("reflector")),
    )


def check_rehearsal(rehearsed: Rehearsed, plan: RunPlan, folder: RunFolder, kept: int) -> None:
    """Check that the rehearsal leads to the same requests as those of the recorded episodes.

    Args:
        rehearsed: The outcome of the rehearsal.
        plan: The plan before the rehearsal, with the adaptations of earlier sessions.
        folder: Folder of the run.
        kept: Number of recorded episodes that are not repeated.

    Raises:
        RunFolderError: Episodes are recorded that were played with other requests.
    """
    if kept and rehearsed.plan.identity() != plan.identity():
        needed = "; ".join(f"{part.role}: {part.spec.adaptation.in_words}" for part in rehearsed.parts)
        raise RunFolderError(
            f"the server now requires other requests ({needed}) than those of the {kept} episodes recorded in "
            f"{folder.path}; start a new run with another --out"
        )


def record_rehearsal(
    rehearsed: Rehearsed, plan: RunPlan, folder: RunFolder, journal: Journal, identity: Mapping[str, Any]
) -> RunPlan:
    """Record the outcome of a rehearsal that has been checked, and return the plan with the adapted models.

    Args:
        rehearsed: The outcome.
        plan: The plan before the rehearsal, with the adaptations of earlier sessions.
        folder: Folder of the run.
        journal: Its journal.
        identity: Fields of run.json besides those of the plan.
    """
    if rehearsed.plan.identity() != plan.identity():
        folder.rewrite({**rehearsed.plan.identity(), **identity})
    before: dict[str, bool | None] = journal.get("reproducible", {})
    # Once a reply has differed, later ones that repeat are no evidence against it.
    known = {role: value for role, value in rehearsed.reproducible.items() if before.get(role) is not False}
    if known:
        journal.note("reproducible", {**before, **known})
    return rehearsed.plan


def _with_adaptation(player: PluginSpec, recorded: Any) -> PluginSpec:
    model = recorded.get("model") if isinstance(recorded, dict) else None
    content = model.get("adaptation") if isinstance(model, dict) else None
    if player.model is None or content is None:
        return player
    try:
        adaptation = Adaptation.model_validate(content)
    except ValidationError:
        # The comparison of run.json with the plan will name the field.
        adaptation = NOT_ADAPTED
    return player.model_copy(update={"model": player.model.model_copy(update={"adaptation": adaptation})})
