"""Declaration of an option, from which its flag, its help and the check of its values are derived."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_origin

if TYPE_CHECKING:
    from collections.abc import Mapping

Caller = Literal["run", "rerun", "verify", "collect", "meta", "campaign", "transfer"]
"""Callers that take options: commands (`collect` is `ictbench train collect`) and the meta-environment."""

SELECTION = "What is run"
PLAYERS = "Actor and reflector"
SIZES = "Sizes (instead of the profile's)"
LIMITS = "Limits of the whole run"
WORKERS = "Where episodes are played"
OUTPUT = "Output"
"""Headings under which help texts list options."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Option:
    """One option of a run."""

    name: str
    type: Any
    default: Any
    help: str
    group: str
    """Heading under which help texts list it."""
    default_text: str
    """Meaning of the default where its value does not show it, e.g. None for the suite's value."""
    minimum: float | None
    above: float | None
    """Exclusive lower bound."""
    maximum: float | None
    verbatim: bool
    """Whether a list is taken as it is, without splitting texts at commas."""
    callers: tuple[Caller, ...]
    caller_defaults: Mapping[Caller, Any]
    """Defaults other than `default`, by caller."""

    @property
    def flag(self) -> str:
        """Name of the command-line flag."""
        return "--" + self.name.replace("_", "-")

    @property
    def is_list(self) -> bool:
        """True if it takes several values: a list, or a text with commas."""
        return tuple in (get_origin(kind) for kind in (self.type, *getattr(self.type, "__args__", ())))

    @property
    def is_mapping(self) -> bool:
        """True if it takes pairs: a mapping, or texts KEY=VALUE."""
        return get_origin(self.type) is dict


def option(
    default: Any,
    help: str,  # noqa: A002 - the word of typer and argparse
    group: str,
    *,
    default_text: str = "",
    minimum: float | None = None,
    above: float | None = None,
    maximum: float | None = None,
    verbatim: bool = False,
    also: tuple[Caller, ...] = (),
    **caller_defaults: Any,
) -> Any:
    """Declare an option of `ictbench run` as a field of `Options`.

    Args:
        default: Its value where the user gives none.
        help: One sentence for help texts and docs.
        group: Heading under which help texts list it.
        default_text: Meaning of the default, where its value does not show it.
        minimum: Lower bound of the value, or of each value of a mapping.
        above: Exclusive lower bound.
        maximum: Upper bound.
        verbatim: Whether texts of a list are not split at commas.
        also: Further callers that take it.
        caller_defaults: Defaults of callers where these differ.
    """
    metadata = {
        "help": help,
        "group": group,
        "default_text": default_text,
        "minimum": minimum,
        "above": above,
        "maximum": maximum,
        "verbatim": verbatim,
        "callers": ("run", *also),
        "caller_defaults": caller_defaults,
    }
    if isinstance(default, dict):
        return field(default_factory=dict, metadata=metadata)
    return field(default=default, metadata=metadata)
