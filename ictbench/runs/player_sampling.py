"""Sampling parameters that the user chooses for the model of a player."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ictbench.models.model_options import SAMPLING, not_taken

if TYPE_CHECKING:
    from collections.abc import Collection

    from ictbench.models import ChatModel
    from ictbench.runs.options import Options

PlayerKind = Literal["actor", "reflector"]


def chosen_sampling(options: Options, role: str) -> dict[str, Any]:
    """Return the sampling parameters that the user gives for the model of a player, by field of its spec."""
    values = {name: getattr(options, f"{role}_{name}") for name in SAMPLING}
    return {name: value for name, value in values.items() if value not in (None, ())}


def check_sampling_is_sent(options: Options, role: str, model: ChatModel, omitted: Collection[str] = ()) -> None:
    """Check that requests carry the sampling parameters that the user gives.

    Args:
        options: Options of the run.
        role: `actor` or `reflector`.
        model: Its model.
        omitted: Parameters that its server does not accept.

    Raises:
        ConfigError: A parameter is not sent.
    """
    unsent = {*model.unsupported, *omitted}
    for name in chosen_sampling(options, role):
        if name in unsent:
            raise not_taken(model.spec, name, unsent)
