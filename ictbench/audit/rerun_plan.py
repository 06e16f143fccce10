"""The plan of a rerun: the players that a result names, on loops that whoever submitted it could not know."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ictbench.errors import ConfigError, PoolTooSmallError
from ictbench.records import PluginSpec
from ictbench.reflectors import traits_of
from ictbench.runs.options import Options
from ictbench.runs.plan import RunPlan, make_plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import JsonValue

    from ictbench.results import Result
    from ictbench.results.schema import Player
    from ictbench.runs.option_types import RerunOptions
    from ictbench.suites import Suite

CODE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
"""How a class of somebody's own is named."""


def later_loops(suite: Suite, digest: str, ranked: int, count: int) -> tuple[int, ...]:
    """Which loops a rerun plays: drawn by the digest from those beyond the ranked ones that have blocks of their own.

    Where games are finite, and all loops share them, these are the first ones again.

    Raises:
        PoolTooSmallError: the suite has not so many.
    """
    there = suite.pools.loops
    if there is None:
        return tuple(range(count))
    if count > there - ranked:
        raise PoolTooSmallError(
            f"suite {suite.name} has {there} loops, {ranked} of them ranked: {count} more are wanted; ask for fewer"
        )

    def rank(index: int) -> bytes:
        return hashlib.sha256(f"{digest}/{index}".encode()).digest()

    return tuple(sorted(sorted(range(ranked, there), key=rank)[:count]))


def plan_again(
    result: Result, suite: Suite, suite_name: str, indices: tuple[int, ...], access: RerunOptions, *, trust_code: bool
) -> RunPlan:
    """A run of the held-out families of a result, by its own players, on loops of these indices.

    Args:
        result: names the players.
        suite: the result's, as it is here.
        suite_name: its name or file.
        indices: of the loops.
        access: how models are reached. Addresses that the result may name are not used.
        trust_code: whether classes may be imported, and model options used, that the result names.

    Raises:
        UsageError: a player cannot be made, or may not be.
    """
    options = Options.parse(
        {
            **access,
            **result.sizes.model_dump(),
            "suite": suite_name,
            "profile": result.profile,
            "families": [family.name for family in result.families if family.role == "held-out"],
            "loops": len(indices),
            "max_steps": result.max_steps,
            "reflector": "none",
            "actor": "rules",
        }
    )
    access_of = {
        "actor": (options.actor_base_url, options.actor_model_options),
        "reflector": (options.reflector_base_url, options.reflector_model_options),
    }
    # Those two who stand in for the players until these are put in their place have no model.
    without: dict[str, Any] = {f"{role}_base_url": None for role in access_of}
    without |= {f"{role}_model_options": {} for role in access_of}
    actor, reflector = (
        _player(role, getattr(result, role), *access_of[role], options.request_timeout, trust_code)
        for role in ("actor", "reflector")
    )
    return replace(
        make_plan(replace(options, **without)),
        actor=actor,
        reflector=reflector,
        traits=traits_of(reflector),
        trained_on=result.reflector_trained_on,
        loop_indices=indices,
    )


def _player(
    role: str,
    player: Player,
    base_url: str | None,
    model_options: dict[str, JsonValue],
    timeout: float,
    trust_code: bool,
) -> PluginSpec:
    """A player as plain data, with our own way to its model."""
    spec = PluginSpec.model_validate(player.model_dump(exclude={"fingerprint"}))
    if not trust_code and (found := next(_code_in(spec.model_dump(exclude={"label": True, "model": {"model"}})), None)):
        raise ConfigError(f"{role} {spec.label!r} would import {found!r}: look at it, then say --trust-code")
    if spec.model is None:
        if base_url or model_options:
            raise ConfigError(f"{role} {spec.label!r} has no model, so it has no base URL and no model options")
        return spec
    if spec.model.options and not model_options and not trust_code:
        raise ConfigError(
            f"{role} {spec.label!r} has model options ({', '.join(spec.model.options)}), which may run anything: give "
            f"your own with --{role}-model-options, or say --trust-code"
        )
    ours = {"base_url": base_url, "timeout": timeout, "options": model_options or spec.model.options}
    return spec.model_copy(update={"model": spec.model.model_copy(update=ours)})


def _code_in(value: object) -> Iterator[str]:
    """Texts that may name a class of somebody's own; `file:` and `blind:` are no modules."""
    if isinstance(value, dict | list | tuple):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _code_in(inner)
    elif isinstance(value, str) and CODE.fullmatch(value):
        yield value
