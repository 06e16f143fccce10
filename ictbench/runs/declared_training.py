"""Training of the players of a run: what the user states, or else what a checkpoint's card or a class declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.errors import ConfigError
from ictbench.models.checkpoint_card import find_card
from ictbench.suites.trained_on import TrainedOn, parse_trained_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.records import ModelSpec, PluginSpec
    from ictbench.runs.options import Options
    from ictbench.runs.player_sampling import PlayerKind
    from ictbench.suites import Suite


def declared_training(
    role: PlayerKind, player: PluginSpec, suite: Suite, stated: Sequence[str] | None, of_class: Sequence[str] | None
) -> TrainedOn | None:
    """Return the families that a player was trained on; None if unknown.

    Args:
        role: Actor or reflector.
        player: The player.
        suite: The suite of the run.
        stated: Names that the user states; None for no statement.
        of_class: Names that the player's class declares; None for unknown.

    Raises:
        ConfigError: The user leaves out a family that the card of the player's model names.
    """
    card = find_card(player.model) if player.model else None
    if stated is None and card:
        # Not checked against suites: those of the card may not be installed here.
        return card.trained_on
    names = of_class if stated is None else stated
    if names is None:
        return None
    # A family of the card is accepted, whatever its suite.
    accepted = set(card.trained_on) & set(names) if card else set()
    families = accepted.union(parse_trained_on([name for name in names if name not in accepted], suite))
    if card and (missing := sorted(set(card.trained_on) - families)):
        raise ConfigError(
            f"{player.label} declares that it was trained on {', '.join(missing)} too: add it to --{role}-trained-on"
        )
    return tuple(sorted(families))


def stated_of_actor(options: Options, actor: PluginSpec, reflector: PluginSpec) -> tuple[str, ...] | None:
    """Return the training of the actor that the user states; that of the reflector, where one model plays both."""
    if options.actor_trained_on is None and actor.model and reflector.model:
        return options.reflector_trained_on if _weights(actor.model) == _weights(reflector.model) else None
    return options.actor_trained_on


def _weights(model: ModelSpec) -> tuple[object, ...]:
    return model.provider, model.model, model.options.get("lora")
