"""Refusal of repeats that are known to be identical: they would cost as much and show nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.errors import ConfigError

if TYPE_CHECKING:
    from ictbench.actors import Actor
    from ictbench.runs.plan import RunPlan


def refuse_identical_repeats(plan: RunPlan, actor: Actor) -> None:
    """Refuse repeats of an actor that declares itself deterministic.

    Raises:
        ConfigError: Every repeat of an episode would be identical.
    """
    if plan.sizes.repeats > 1 and actor.deterministic:
        raise ConfigError(
            f"actor {plan.actor.label!r} is deterministic, so all {plan.sizes.repeats} repeats of an episode would be "
            "identical; leave out --repeats"
        )


def refuse_reproducible_repeats(plan: RunPlan, reproducible: bool | None) -> None:
    """Refuse repeats of a model that was found to repeat its replies at temperature 0.

    Args:
        plan: Plan of the run.
        reproducible: What the rehearsals of the actor's model found; None if that is unknown.

    Raises:
        ConfigError: Every repeat of an episode would be identical.
    """
    if plan.sizes.repeats > 1 and plan.actor.model and reproducible:
        raise ConfigError(
            f"{plan.actor.model.name} repeats its replies at temperature 0, so all {plan.sizes.repeats} repeats of an "
            "episode would be identical; leave out --repeats, or sample with --actor-temperature above 0"
        )
