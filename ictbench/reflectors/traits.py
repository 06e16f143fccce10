"""Properties of a reflector that are known before it is created."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast, get_args

from ictbench.errors import ConfigError
from ictbench.models.checkpoint_card import find_card
from ictbench.plugin_errors import check_base
from ictbench.plugins import resolve
from ictbench.records import Division, PluginSpec
from ictbench.reflectors.reflector import Reflector

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench.reflectors.reflector import Experience


@dataclass(frozen=True, slots=True)
class Traits:
    """Properties of a reflector together with its wrappers."""

    experience: Experience
    prompt_cap: int | None
    """Maximum size of its prompts in UTF-8 bytes. None means the suite's cap."""
    control: str
    """Why it is a control, which is never ranked. Empty if it may be ranked."""
    trained_on: tuple[str, ...] | None
    """Families it was trained on, as its class or its model's checkpoint card declares. None means unknown."""
    division: Division = "reflector"
    memory_version: int = 1
    """Version of the format of its memory, if it is of the division `memory`."""
    embeds: bool = False
    """Whether it embeds texts if its model does."""


def traits_of(spec: PluginSpec) -> Traits:
    """Return the traits of a reflector.

    Raises:
        UsageError: The name is not a reflector, the checkpoint card of its model is missing, or it wraps a reflector
            whose experience is not `fresh`.
    """
    classes = list(_classes(spec))
    for inner in classes[1:]:
        if inner.experience != "fresh":
            raise ConfigError(
                f"reflector {spec.label}: {inner.__name__} cannot be wrapped, because "
                f"{inner.control or 'it plays its episodes itself'}; remove the wrapper"
            )
    _check_division(spec, classes[-1])
    _check_varied(spec, classes)
    _check_memory(spec, classes)
    card = find_card(spec.model) if spec.model else None
    return Traits(
        experience=classes[0].experience,
        prompt_cap=next((cls.prompt_cap for cls in classes if cls.prompt_cap is not None), None),
        control="; ".join(cls.control for cls in classes if cls.control),
        trained_on=card.trained_on if card else classes[-1].trained_on,
        division=classes[-1].division,
        memory_version=classes[-1].memory_version,
        embeds=any(cls.embeds for cls in classes),
    )


def _check_division(spec: PluginSpec, learner: type[Reflector]) -> None:
    """Check that an optimiser, and nothing else, has the experience of one.

    Raises:
        ConfigError: It is not so.
    """
    if (learner.division == "optimiser") != (learner.experience == "pooled"):
        raise ConfigError(
            f"reflector {spec.label}: {learner.__name__} has the division {learner.division!r} and the experience "
            f"{learner.experience!r}; an optimiser has 'optimiser' and 'pooled', and nothing else has either"
        )


def _check_varied(spec: PluginSpec, classes: Sequence[type[Reflector]]) -> None:
    """Check that no control changes what the reflector inside it never reads.

    Raises:
        ConfigError: One does.
    """
    for depth, wrapper in enumerate(classes):
        if not getattr(wrapper, "varies", ""):
            continue
        for inner in classes[depth + 1 :]:
            if inner.ignores:
                unread = "how episodes ended" if inner.ignores == "outcomes" else "the episodes"
                raise ConfigError(
                    f"reflector {spec.label}: {wrapper.__name__} changes how episodes ended, and {inner.__name__} does "
                    f"not read {unread}, so the result would be that of the reflector itself; remove the wrapper"
                )


def _check_memory(spec: PluginSpec, classes: Sequence[type[Reflector]]) -> None:
    """Check that the division of a learner agrees with what it can do.

    Raises:
        ConfigError: It does not.
    """
    learner, where = classes[-1], f"reflector {spec.label}"
    if learner.division not in get_args(Division):
        raise ConfigError(
            f"{where}: `division` is {learner.division!r:.60}; set it to one of {', '.join(get_args(Division))}"
        )
    remembers, recalls = learner.division == "memory", learner.recall is not Reflector.recall
    if remembers and not recalls:
        raise ConfigError(f"{where}: {learner.__name__} is of the division `memory` and has no recall(); add it")
    if recalls and not remembers:
        raise ConfigError(f'{where}: {learner.__name__} has recall(); set `division = "memory"` in the class')
    if remembers and (wrapper := next((cls for cls in classes if cls.experience == "halved"), None)):
        raise ConfigError(
            f"{where}: {wrapper.__name__} plays episodes of its own, which a learner with a memory cannot: they would "
            "be played without it"
        )


def reflector_class(spec: PluginSpec) -> type[Reflector]:
    """Return the class that a specification names.

    Raises:
        UsageError: It does not exist or is not a reflector.
    """
    cls = resolve("reflector", spec.name)
    check_base(f"reflector {spec.label}", cls, Reflector)
    return cast("type[Reflector]", cls)


def _classes(spec: PluginSpec) -> Iterator[type[Reflector]]:
    """Yield the classes of a reflector and those that it wraps, outermost first."""
    cls = reflector_class(spec)
    yield cls
    if cls.wraps:
        yield from _classes(PluginSpec.model_validate(spec.options["reflector"]))
