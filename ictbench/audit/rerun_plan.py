"""Plan of a rerun: the players that a result names, on loops that the submitter could not foresee."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ictbench.choices import ACTION_FORMAT
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

CLASS_NAME = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
"""Name of a user's own class: `package.module:Class`."""


def draw_loops(suite: Suite, digest: str, ranked: int, count: int) -> tuple[int, ...]:
    """Return the indices of the loops that a rerun plays.

    They are drawn by the digest from the loops after the ranked ones. If games are finite, all loops share them, and
    the first loops are run again.

    Raises:
        PoolTooSmallError: The suite has fewer loops.
    """
    available = suite.pools.loops
    if available is None:
        return tuple(range(count))
    if count > available - ranked:
        raise PoolTooSmallError(
            f"suite {suite.name} has {available} loops, {ranked} of them ranked, so {count} others cannot be drawn; "
            f"request at most {available - ranked} with --loops"
        )

    def rank(index: int) -> bytes:
        return hashlib.sha256(f"{digest}/{index}".encode()).digest()

    return tuple(sorted(sorted(range(ranked, available), key=rank)[:count]))


def plan_rerun(
    result: Result, suite: Suite, suite_name: str, indices: tuple[int, ...], access: RerunOptions, *, trust_code: bool
) -> RunPlan:
    """Return the plan of a run of the held-out families of a result, with its own players.

    Args:
        result: Names the players.
        suite: The verifier's own suite.
        suite_name: Name or file of the suite.
        indices: Indices of the loops to run.
        access: How to reach the models. Addresses in the result are not used.
        trust_code: Whether to import the classes, and to use the model options, that the result names.

    Raises:
        UsageError: A player cannot be created, or would run untrusted code.
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
    model_access = {
        "actor": (options.actor_base_url, options.actor_model_options),
        "reflector": (options.reflector_base_url, options.reflector_model_options),
    }
    # The plan is made with placeholders for the players, which have no models.
    no_access: dict[str, Any] = {f"{role}_base_url": None for role in model_access}
    no_access |= {f"{role}_model_options": {} for role in model_access}
    actor, reflector = (
        _player(role, getattr(result, role), *model_access[role], options.request_timeout, trust_code)
        for role in ("actor", "reflector")
    )
    for role in model_access:
        if options.cache and getattr(result, role).reproducible is False:
            raise ConfigError(
                f"the {role}'s model does not repeat its replies, so those of an earlier run prove nothing: "
                "leave out --cache"
            )
    return replace(
        # An adaptation is part of the player: another one would be another player.
        make_plan(replace(options, **no_access, no_adapt=True)),
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
    """Return the spec of a player, with the verifier's own access to its model."""
    spec = PluginSpec.model_validate(player.model_dump(exclude={"fingerprint", "reproducible"}))
    class_name = next(_class_names(spec.model_dump(exclude={"label": True, "model": {"model"}})), None)
    if class_name and not trust_code:
        raise ConfigError(f"{role} {spec.label!r} would import {class_name!r}; review the code, then add --trust-code")
    if spec.model is None:
        if base_url or model_options:
            raise ConfigError(
                f"{role} {spec.label!r} has no model; remove --{role}-base-url and --{role}-model-options"
            )
        return spec
    if spec.model.options and not model_options and not trust_code:
        raise ConfigError(
            f"{role} {spec.label!r} has model options ({', '.join(spec.model.options)}), which may run anything; give "
            f"your own with --{role}-model-options, or add --trust-code"
        )
    action_format = spec.options.get("action_format", 1)
    if role == "actor" and "decoding" in spec.options and action_format != ACTION_FORMAT:
        raise ConfigError(
            f"actor {spec.label!r} read replies in action format {action_format}; this version of ictbench reads them "
            f"in format {ACTION_FORMAT}, which is another player"
        )
    access = {"base_url": base_url, "timeout": timeout, "options": model_options or spec.model.options}
    return spec.model_copy(update={"model": spec.model.model_copy(update=access)})


def _class_names(value: object) -> Iterator[str]:
    """Yield texts that may name a user's own class; `file:PATH` and `blind:NAME` do not."""
    if isinstance(value, dict | list | tuple):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _class_names(inner)
    elif isinstance(value, str) and CLASS_NAME.fullmatch(value):
        yield value
