"""Plan of a rerun: the players that a result names, on loops that the submitter could not foresee."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ictbench.actors.person import is_person
from ictbench.choices import ACTION_FORMAT
from ictbench.errors import ConfigError, PoolTooSmallError
from ictbench.records import PluginSpec
from ictbench.reflectors import traits_of
from ictbench.runs.options import Options
from ictbench.runs.plan import RunPlan, make_plan
from ictbench.submissions.known_models import model_problems, unlisted_name, unlisted_options
from ictbench.submissions.known_players import KNOWN, unlisted_player

if TYPE_CHECKING:
    from pydantic import JsonValue

    from ictbench.records import ModelSpec
    from ictbench.results import Result
    from ictbench.results.schema import Player
    from ictbench.runs.option_types import RerunOptions
    from ictbench.submissions.known_players import PlayerRole
    from ictbench.suites import Suite

GAME_LOOPS = 10_000
"""Loops from which a rerun on finite games draws: each meets the same experience games in an order of its own."""


@dataclass(frozen=True, slots=True)
class OwnModels:
    """Models that the verifier names in place of those in the result, e.g. the folder of the same weights here."""

    actor: str | None = None
    """`provider/model`; None for the model that the result names."""
    reflector: str | None = None


NO_OWN_MODELS = OwnModels()


def draw_loops(suite: Suite, digest: str, salt: str, ranked: int, count: int) -> tuple[int, ...]:
    """Return the indices of the loops that a rerun plays, drawn by salt and digest from those after the ranked ones.

    Nobody who does not know the salt can predict them. They determine the order of the experience tasks and, unless the
    games are finite, the tasks themselves.

    Raises:
        PoolTooSmallError: The suite has fewer loops.
    """
    available = suite.loops
    if available is not None and count > available - ranked:
        raise PoolTooSmallError(
            f"suite {suite.name} has {available} loops, {ranked} of them ranked, so {count} others cannot be drawn; "
            f"request at most {available - ranked} with --loops"
        )
    end = ranked + GAME_LOOPS if available is None else available

    def rank(index: int) -> bytes:
        return hashlib.sha256(f"{salt}/{digest}/{index}".encode()).digest()

    return tuple(sorted(sorted(range(ranked, end), key=rank)[:count]))


def plan_rerun(
    result: Result,
    suite: Suite,
    suite_name: str,
    indices: tuple[int, ...],
    access: RerunOptions,
    *,
    salt: str = "",
    own_models: OwnModels = NO_OWN_MODELS,
    trust_code: bool = False,
) -> RunPlan:
    """Return the plan of a run of the held-out families of a result, with its own players.

    Args:
        result: Names the players.
        suite: The verifier's own suite.
        suite_name: Name or file of the suite.
        indices: Indices of the loops to run.
        access: How to reach the models. Addresses in the result are not used.
        salt: What the indices were drawn with, for the folder of the run.
        own_models: Models that the verifier names in place of those in the result.
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
        _player(
            role,
            getattr(result, role),
            getattr(own_models, role),
            *model_access[role],
            options.request_timeout,
            trust_code=trust_code,
        )
        for role in KNOWN
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
        actor_trained_on=result.actor_trained_on,
        loop_indices=indices,
        rerun_salt=salt,
    )


def _player(
    role: PlayerRole,
    player: Player,
    own_model: str | None,
    base_url: str | None,
    model_options: dict[str, JsonValue],
    timeout: float,
    *,
    trust_code: bool,
) -> PluginSpec:
    """Return the spec of a player, with the verifier's own access to its model.

    Everything that the result names is compared with lists before anything is imported.
    """
    spec = PluginSpec.model_validate(player.model_dump(exclude={"fingerprint", "reproducible"}))
    if spec.name == "transferred":
        raise ConfigError(
            f"{role} {spec.label!r:.120} has prompts for the loops of its own run only, so there is nothing to rerun; "
            "verify replays it"
        )
    label = f"{role} {spec.label!r:.120}"
    if is_person(spec):
        raise ConfigError(f"{label} is a person, whom no rerun repeats; `ictbench verify` replays the episodes")
    if not trust_code and (problem := unlisted_player(role, spec)):
        raise ConfigError(f"{label} {problem}; review the code, then add --trust-code")
    if spec.model is None:
        if base_url or model_options or own_model:
            raise ConfigError(
                f"{label} has no model; remove --{role}-model, --{role}-base-url and --{role}-model-options"
            )
        return spec
    model = _own_model(role, spec.model, own_model) if own_model else spec.model
    if not (trust_code or own_model) and (problem := unlisted_name(model, base_url)):
        raise ConfigError(f"{label} {problem}; name the model with --{role}-model, or add --trust-code")
    unlisted = unlisted_options(model)
    if unlisted and not model_options and not trust_code:
        raise ConfigError(
            f"{label} has model options ({', '.join(unlisted):.200}), which may run anything; give "
            f"your own with --{role}-model-options, or add --trust-code"
        )
    if problem := next(model_problems(model), None):
        raise ConfigError(f"{label}: {problem}")
    action_format = spec.options.get("action_format", 1)
    if role == "actor" and "decoding" in spec.options and action_format != ACTION_FORMAT:
        raise ConfigError(
            f"{label} read replies in action format {action_format}; this version of ictbench reads them "
            f"in format {ACTION_FORMAT}, which is another player"
        )
    access = {"base_url": base_url, "timeout": timeout, "options": model_options or model.options}
    return spec.model_copy(update={"model": model.model_copy(update=access)})


def _own_model(role: str, model: ModelSpec, name: str) -> ModelSpec:
    """Return the model with the verifier's own name for it.

    Raises:
        ConfigError: The name is not `provider/model`.
    """
    provider, slash, own = name.partition("/")
    if not (provider and slash and own) or ":" in provider:
        raise ConfigError(f"--{role}-model is provider/model, not {name!r}")
    return model.model_copy(update={"provider": provider, "model": own})
