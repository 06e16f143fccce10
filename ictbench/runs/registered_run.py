"""Departures of a run from its pre-registration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ictbench.models.checkpoint_card import find_card
from ictbench.runs.preregistration import CHECKPOINT, differences, suite_departures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.models.checkpoint_card import TrainingCard
    from ictbench.runs.plan import RunPlan
    from ictbench.runs.preregistration import Preregistration


def run_departures(plan: Preregistration, run: RunPlan) -> Iterator[str]:
    """Yield a sentence for each point in which a run departs from the pre-registration."""
    yield from suite_departures(plan, run.suite.name, run.suite.digest)
    sizes = plan.sizes
    yield from differences(
        {"profile": sizes.profile, "families": _families(plan, run)},
        {"profile": run.options.profile, "families": sorted(run.families)},
    )
    fixed = sizes.model_dump(exclude={"profile", "families"}, exclude_none=True)
    profile = run.suite.profiles[sizes.profile].model_dump() if sizes.profile in run.suite.profiles else {}
    yield from differences({**profile, **fixed}, run.sizes.model_dump())
    planned = plan.start_prompt.strip() if plan.start_prompt else run.suite.prompt
    if other := [family for family in run.families if run.start_prompts.get(family, run.suite.prompt) != planned]:
        yield f"prompt[0] is another one in {', '.join(other)}"
    experience = run.reflector.options.get("experience") if run.reflector.model else None
    if experience is not None and experience != plan.digest:
        yield f"digest is {experience} instead of {plan.digest}"
    card = find_card(run.reflector.model) if run.reflector.model else None
    if not any(_is_arm(arm, run.reflector.label, card, plan) for arm in plan.arms):
        yield f"the reflector {run.reflector.label} is not one of the arms ({', '.join(plan.arms)})"
    if card is not None:
        yield from _card_departures(plan, card)


def _card_departures(plan: Preregistration, card: TrainingCard) -> Iterator[str]:
    """Yield how the training of a checkpoint departs, as its card says."""
    if card.preregistration is None:
        yield "the checkpoint was not trained under a pre-registration"
    elif card.preregistration.digest != plan.file_digest:
        yield f"the checkpoint was trained under another pre-registration ({card.preregistration.digest})"
    else:
        yield from (f"training: {departure}" for departure in card.preregistration.departures)
    if plan.training is not None:
        steps = plan.training.steps if plan.training.checkpoint == "last" else plan.training.checkpoint
        yield from differences({"step": steps}, {"step": card.step})
        last = card.config.get("round") or 1
        yield from differences({"round": plan.training.rounds}, {"round": last})


def _is_arm(arm: str, label: str, card: TrainingCard | None, plan: Preregistration) -> bool:
    if CHECKPOINT not in arm:
        return arm == label
    pattern = re.escape(arm).replace(re.escape(CHECKPOINT), ".+")
    return card is not None and re.fullmatch(pattern, label) is not None


def _families(plan: Preregistration, run: RunPlan) -> list[str]:
    families = plan.sizes.families
    return sorted(run.suite.select_families([families] if isinstance(families, str) else list(families)))
