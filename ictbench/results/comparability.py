"""What a result's numbers depend on besides its reflector; the protocol page says what must be equal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ictbench.results.schema import Player, Result

NOTHING = "(none)"
WITHIN = {"suite digest": "suite"}
"""What is not worth telling where the thing itself is another."""


def disagreements(results: Sequence[Result]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What is not the same in all results, the gravest first: its name, and what it is in each."""
    setups = [setup_of(result) for result in results]
    told: set[str] = set()
    for name in dict.fromkeys(name for setup in setups for name in setup):
        values = tuple(setup.get(name, NOTHING) for setup in setups)
        whole = WITHIN.get(name, name.partition("'s ")[0])
        if len(set(values)) > 1 and (whole == name or whole not in told):
            told.add(name)
            yield name, values


def setup_of(result: Result) -> dict[str, str]:
    """All of it, by name, the gravest first: results of equal setups may be compared."""
    return dict(_setup(result))


def _setup(result: Result) -> Iterator[tuple[str, str]]:
    yield "suite", result.suite.name
    yield "suite digest", result.suite.digest[:12]
    yield from result.versions.items()
    yield "profile", result.profile
    yield from ((name, str(size)) for name, size in result.sizes)
    yield "families", ", ".join(family.name for family in result.families) or NOTHING
    yield "max_steps", str(result.max_steps)
    yield "prompt_bytes", str(result.prompt_bytes)
    yield from _actor(result.actor)


def _actor(actor: Player) -> Iterator[tuple[str, str]]:
    """All but how a model is reached."""
    yield "actor", actor.label
    plain = actor.model_dump(mode="json", exclude={"label", "model"})
    model = actor.model.model_dump(mode="json", exclude={"base_url", "timeout", "options"}) if actor.model else {}
    if actor.model:
        model["model options"] = actor.model.options
    yield from ((f"actor's {name}", str(value)) for name, value in {**plain, **model}.items())
