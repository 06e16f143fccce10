"""Labels of players, derived from what a result records of them: a label cannot claim another model or program."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import ValidationError

from ictbench.records import PluginSpec
from ictbench.reflectors.reflector import labelled
from ictbench.submissions.known_players import KNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.results import Result

FILE_LABEL = re.compile(r"file:[^/\\]+")
"""Label of a prompt from a file: its name without the folder, which is not recorded elsewhere."""

MAX_DEPTH = 8
"""Maximum reflectors around each other."""


def label_problems(result: Result) -> Iterator[str]:
    """Yield the labels of a result that differ from what its players are."""
    for role in ("actor", "reflector"):
        player = getattr(result, role)
        labels = list(_labels(player, MAX_DEPTH))
        if player.label not in labels and not (player.name == "file" and FILE_LABEL.fullmatch(player.label)):
            expected = " or ".join(map(repr, labels)) or "that of a reflector"
            yield f"its {role} is labelled {player.label!r:.80}, but it is {expected:.200}; run it under its own name"


def _labels(player: PluginSpec, depth: int) -> Iterator[str]:
    """Yield the labels that `ictbench run` gives a player: those of the model, the program, or the wrapper."""
    if inside := player.options.get("reflector"):
        if depth and (wrapped := _wrapped(inside, player)):
            inner = list(_labels(wrapped, depth - 1))
            if wrapped.name == "file" and FILE_LABEL.fullmatch(wrapped.label):
                inner.append(wrapped.label)
            yield from (f"{player.name}:{label}" for label in inner)
        return
    if player.model is None:
        source = player.options.get("source")
        yield f"{player.name}:{source[:12]}" if isinstance(source, str) else player.name
        return
    # The bare name of a model is that of a built-in player on it, never of a class of the submitter's own.
    if any(player.name in known for known in KNOWN.values()):
        yield labelled(player.model.name, player.options)
    yield labelled(f"{player.name}:{player.model.name}", player.options)


def _wrapped(inside: object, player: PluginSpec) -> PluginSpec | None:
    """Return the reflector that another wraps, on the same model; None if the option does not describe one."""
    try:
        return PluginSpec.model_validate(inside).model_copy(update={"model": player.model})
    except ValidationError:
        return None
