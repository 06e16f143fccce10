"""Names of actors and reflectors, parsed into plug-in specifications.

`provider/model` is a language model, used by the standard actor or reflector. A bare name is an installed plug-in, and
`package.module:Name` a class of the user's. After the colon of a reflector comes what it needs: its model in
`ace:provider/model`, the reflector that it wraps in `blind:REFLECTOR`, its prompt in `file:PATH`.
"""

from __future__ import annotations

import difflib
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ictbench.actors.person import HUMAN
from ictbench.choices import ACTION_FORMAT
from ictbench.errors import ConfigError, UnknownNameError, file_problem
from ictbench.models.checkpoint_card import find_card
from ictbench.models.prices import named_models
from ictbench.models.providers.custom import is_model_class
from ictbench.plugins import installed, resolve
from ictbench.records import ModelSpec, PluginSpec
from ictbench.reflectors.reflector import labelled
from ictbench.runs.reflector_instruction import instruction_options
from ictbench.runs.transferred_prompts import TRANSFERRED, transferred_spec
from ictbench.suites.suite import ActorDecoding
from ictbench.user_folders import expand_home

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

    from ictbench.choices import ExperienceFormat
    from ictbench.runs.player_sampling import PlayerKind
    from ictbench.suites.suite import Decoding

NO_SAMPLING: Mapping[str, Any] = {}
STANDARD = {"actor": "react", "reflector": "rewrite"}
"""Plug-ins that turn a language model into an actor or a reflector."""

DEFAULT_FORMAT: ExperienceFormat = "full"
"""Format of the experience where a specification names none."""

FILE = "file"
EXAMPLE = "openai/gpt-4.1-mini"


@dataclass(frozen=True, slots=True)
class ModelAccess:
    """Access to a model."""

    base_url: str | None = None
    options: dict[str, JsonValue] = field(default_factory=dict)
    """Options of the provider."""
    timeout: float = 120.0
    """Seconds one request may take."""

    @property
    def is_set(self) -> bool:
        """Whether the user chose an address or options for this model."""
        return bool(self.base_url or self.options)


def parse_player(
    kind: PlayerKind,
    name: str,
    decoding: Decoding,
    access: ModelAccess,
    experience: ExperienceFormat | None = None,
    sampling: Mapping[str, Any] = NO_SAMPLING,
    instruction: str | None = None,
) -> PluginSpec:
    """Return the plug-in that a name stands for, with its model, if it has one.

    A checkpoint written by `ictbench train` reflects as it was trained.

    Args:
        kind: Actor or reflector.
        name: Name as on the command line.
        decoding: Sampling of the model, as the suite fixes it.
        access: How to reach the model.
        experience: Format in which the reflector's model is shown its experience; None for its default.
        sampling: Sampling parameters that the user chose, by field of the model's spec.
        instruction: Instruction of the reflector's model that the user chose; None for its own.

    Raises:
        UnknownNameError: The plug-in or model provider does not exist.
        ConfigError: A player without a model has a base URL, sampling or model options, a plug-in lacks its model, a
            file cannot be read, a reflector does not support the format, or a checkpoint lacks its card.
    """
    if kind == "actor" and name == HUMAN:
        raise ConfigError(f"actor {name!r} is a person at a terminal: play with `ictbench play --out FOLDER`")
    if names_model(kind, name):
        model = _model(name, decoding, access, sampling)
        if isinstance(decoding, ActorDecoding):
            options: dict[str, JsonValue] = {
                "decoding": decoding.decoding,
                "history": decoding.history,
                "action_format": ACTION_FORMAT,
            }
            if decoding.past_actions != "changed":
                options["past_actions"] = decoding.past_actions
            return PluginSpec(label=name, name=STANDARD[kind], options=options, model=model)
        if card := find_card(model):
            return _reflector_on_model(
                name, card.reflector, model, experience or card.experience, sampling, instruction
            )
        return _reflector_on_model(name, STANDARD[kind], model, experience, sampling, instruction)
    plugin, argument = _split(name) if kind == "reflector" else (name, "")
    _check_model_is_named_with_provider(kind, plugin)
    plugin_class = resolve(kind, plugin)
    if getattr(plugin_class, "wraps", False):
        if not argument:
            raise ConfigError(f"{kind} {name!r} wraps another reflector: name it, e.g. {plugin}:rules")
        inside = parse_player(kind, argument, decoding, access, experience, sampling, instruction)
        if inside.name == TRANSFERRED:
            raise ConfigError(f"{kind} {name!r}: transferred prompts are the same whatever is shown; remove {plugin}:")
        return _wrapped(plugin, inside)
    if getattr(plugin_class, "needs_model", False):
        if not names_model(kind, argument):
            example = f"{plugin}:{EXAMPLE}" if kind == "reflector" else EXAMPLE
            raise ConfigError(f"{kind} {name!r} needs a model: name one as provider/model, e.g. {example}")
        model = _model(argument, decoding, access, sampling)
        if kind == "reflector":
            return _reflector_on_model(name, plugin, model, experience, sampling, instruction)
        return PluginSpec(label=name, name=plugin, model=model)
    instruction_options(name, plugin_class, instruction)
    if experience and not getattr(plugin_class, "formats", ()):
        raise ConfigError(f"{kind} {name!r} has no model: leave out --reflector-experience {experience}")
    if sampling:
        flags = ", ".join(f"--{kind}-{name.replace('_', '-')}" for name in sampling)
        raise ConfigError(f"{kind} {name!r} has no model: leave out {flags}")
    if access.is_set:
        given = [f"--{kind}-base-url {access.base_url}"] if access.base_url else []
        given += [f"--{kind}-model-options {', '.join(access.options)}"] if access.options else []
        raise ConfigError(f"{kind} {name!r} has no model: leave out {' and '.join(given)}")
    if plugin == FILE and argument:
        return PluginSpec(label=f"{FILE}:{Path(argument).name}", name=FILE, options={"text": _read_prompt(argument)})
    if plugin == TRANSFERRED and argument:
        return transferred_spec(argument)
    if argument:
        raise ConfigError(f"{kind} {plugin!r} takes no model and wraps no reflector: leave out {':' + argument!r}")
    return PluginSpec(label=plugin, name=plugin, options=_format_options(name, plugin_class, experience))


def default_actor(reflector: str, access: ModelAccess) -> tuple[str, ModelAccess]:
    """Return name and access of the default actor: the reflector's own model, or the actor of the reflector's name.

    Raises:
        ConfigError: The reflector has neither.
    """
    innermost = reflector
    while (parts := _split(innermost))[1] and parts[0] not in (FILE, TRANSFERRED):
        innermost = parts[1]
    if names_model("reflector", innermost):
        return innermost, access
    if innermost in installed("actor"):
        return innermost, ModelAccess()
    raise ConfigError(f"reflector {reflector!r} has no model that could act: name an actor, e.g. --actor rules")


def names_model(kind: PlayerKind, name: str) -> bool:
    """Return whether a name is `provider/model` or a class of the user's that is a model; `file:a/b` is neither."""
    if "/" in name.partition(":")[0]:
        return True
    return ":" in name and _split(name)[0] == name and is_model_class(resolve(kind, name))


def _check_model_is_named_with_provider(kind: PlayerKind, name: str) -> None:
    """Check that an unknown name does not look like a model without its provider.

    Raises:
        UnknownNameError: It does.
    """
    if name in installed(kind) or ":" in name:
        return
    models = named_models()
    closest = difflib.get_close_matches(name, [*installed(kind), *models], n=1)
    if closest and closest[0] in models:
        raise UnknownNameError(f"unknown {kind} {name!r}; did you mean {models[closest[0]]!r}?")


def _split(reflector: str) -> tuple[str, str]:
    """Return the name of a reflector, and its argument after a colon; the name `module:Class` has a colon itself."""
    parts = reflector.split(":")
    plugins = installed("reflector")
    in_name = 1 if parts[0] in plugins and not _is_class_in_namesake(parts, plugins[parts[0]]) else 2
    if "/" in parts[0]:
        in_name = len(parts)
    return ":".join(parts[:in_name]), ":".join(parts[in_name:])


def _is_class_in_namesake(parts: list[str], target: str) -> bool:
    """Return whether `module:Class` names a class, where the module has the name of the plug-in in it."""
    if len(parts) == 1 or target.partition(":")[0] != parts[0]:
        return False
    return isinstance(getattr(sys.modules[resolve("reflector", parts[0]).__module__], parts[1], None), type)


def _reflector_on_model(
    label: str,
    plugin: str,
    model: ModelSpec,
    experience: ExperienceFormat | None,
    sampling: Mapping[str, Any],
    instruction: str | None,
) -> PluginSpec:
    """Return a reflector on a model, shown its experience in a format."""
    plugin_class = resolve("reflector", plugin)
    options, max_tokens = (
        _format_options(label, plugin_class, experience),
        getattr(plugin_class, "max_tokens", None),
    )
    if max_tokens is not None and "max_tokens" not in sampling:
        model = model.model_copy(update={"max_tokens": max_tokens})
    options |= instruction_options(label, plugin_class, instruction)
    return PluginSpec(label=labelled(label, options), name=plugin, options=options, model=model)


def _format_options(label: str, plugin_class: type[Any], experience: ExperienceFormat | None) -> dict[str, JsonValue]:
    """Return the options that name the format of a reflector's experience; none for the usual one."""
    formats = getattr(plugin_class, "formats", ())
    if experience and experience not in formats:
        raise ConfigError(
            f"reflector {label!r} does not support --reflector-experience {experience} "
            f"(it supports: {', '.join(formats) or 'none'})"
        )
    default = next(iter(formats), DEFAULT_FORMAT)
    chosen = experience or default
    return {} if chosen == default == DEFAULT_FORMAT else {"experience": chosen}


def _wrapped(wrapper: str, inside: PluginSpec) -> PluginSpec:
    """Return a reflector inside a wrapper, on the same model."""
    options: dict[str, JsonValue] = {"reflector": inside.model_dump(mode="json", exclude={"model"})}
    return PluginSpec(label=f"{wrapper}:{inside.label}", name=wrapper, options=options, model=inside.model)


def _model(name: str, decoding: Decoding, access: ModelAccess, sampling: Mapping[str, Any]) -> ModelSpec:
    provider, slash, model = name.partition("/") if "/" in name.partition(":")[0] else (name, "", "")
    resolve("model", provider)
    if not all(sampling.get("stop", ())):
        raise ConfigError(f"{name!r}: a text of --actor-stop or --reflector-stop is empty; remove it")
    if slash and not model:
        raise ConfigError(f"{name!r} lacks the name of a model: write {provider}/MODEL")
    return ModelSpec(
        provider=provider,
        model=model,
        base_url=access.base_url,
        timeout=access.timeout,
        options=access.options,
        **{"temperature": decoding.temperature, "max_tokens": decoding.max_tokens, **sampling},
    )


def _read_prompt(path: str) -> str:
    try:
        text = expand_home(path).read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"prompt file {path!r} cannot be read: {file_problem(error)}") from error
    if not text:
        raise ConfigError(f"prompt file {path!r} is empty")
    return text
