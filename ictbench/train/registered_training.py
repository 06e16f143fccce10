"""Departures of a training from its pre-registration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.runs.preregistration import differences, read_preregistration, registered, suite_departures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.choices import ExperienceFormat
    from ictbench.records import Registered
    from ictbench.runs.preregistration import Preregistration
    from ictbench.train.settings import TrainingSettings
    from ictbench.train.states import StatesInfo


def registered_training(
    settings: TrainingSettings, info: StatesInfo, experience: ExperienceFormat
) -> Registered | None:
    """Return the reference to the pre-registration of the settings; None if they name none.

    Raises:
        UsageError: The pre-registration cannot be used.
    """
    if settings.preregistration is None:
        return None
    plan = read_preregistration(settings.preregistration)
    return registered(plan, _departures(plan, settings, info, experience))


def _departures(
    plan: Preregistration, settings: TrainingSettings, info: StatesInfo, experience: ExperienceFormat
) -> Iterator[str]:
    yield from suite_departures(plan, info.suite_name, info.suite_digest)
    yield from differences({"digest": plan.digest}, {"digest": experience})
    if info.start_prompt != (plan.start_prompt.strip() if plan.start_prompt else None):
        yield "prompt[0] of the states is another one"
    training = plan.training
    if training is None:
        yield "no training is planned"
        return
    done = settings.model_dump(mode="json")
    yield from differences({"steps": training.steps, "rounds": training.rounds}, done)
    if settings.seed not in training.seeds:
        yield f"seed {settings.seed} is not one of {', '.join(map(str, training.seeds))}"
    yield from differences(training.settings, done)
    yield from differences({str(name): size for name, size in training.states.items()}, info.model_dump())
