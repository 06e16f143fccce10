"""In what runs differ that makes their numbers hard to compare; the protocol page says what must be equal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench.results.schema import Player, Result


def differences(results: Sequence[Result]) -> Iterator[str]:
    """One line a difference, the gravest first; none for one run."""
    stated = [_stated(result) for result in results]
    for name in stated[0]:
        values = [each[name] for each in stated]
        if any(value != values[0] for value in values):
            yield f"{name}: {' / '.join(values)}"


def _stated(result: Result) -> dict[str, str]:
    sizes = result.sizes.model_dump()
    return {
        "suite": f"{result.suite.name} ({result.suite.digest[:12]})",
        "families": ", ".join(family.name for family in result.families),
        "profile": result.profile,
        **{name.replace("_", " "): str(value) for name, value in sizes.items()},
        "finished loops": _loops(result),
        "actor": _actor(result.actor),
        "decisions": str(result.max_steps),
        "prompt cap": f"{result.prompt_bytes} bytes",
        "environment packages": _pairs(result.versions),
    }


def _loops(result: Result) -> str:
    """Each set of loop indices once: families usually have the same."""
    sets = dict.fromkeys(str([loop.index for loop in family.loops]) for family in result.families)
    return " and ".join(sets)


def _actor(actor: Player) -> str:
    return f"{actor.label} ({_pairs(actor.model_dump(mode='json', exclude={'label'}))})"


def _pairs(values: dict[str, Any]) -> str:
    """Names and values, nested ones too, without those that are not set."""
    told = (
        _pairs(value) if isinstance(value, dict) else f"{name.replace('_', ' ')} {value}"
        for name, value in values.items()
        if value not in (None, {}, "")
    )
    return ", ".join(filter(None, told))
