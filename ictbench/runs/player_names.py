"""Names on the command line → actors and reflectors as plain data.

`provider/model` is a language model, played by the standard actor or reflector; a bare name is an installed
plug-in; `package.module:Name` a class of one's own. Behind a reflector's colon comes what it is made of:
`append:provider/model` its model, `blind:REFLECTOR` the reflector that it wraps, `file:PATH` its prompt.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ictbench.errors import ConfigError
from ictbench.models.checkpoint_card import find_card
from ictbench.models.providers.custom import is_model_class
from ictbench.plugins import installed, resolve
from ictbench.records import ModelSpec, PluginSpec
from ictbench.suites.suite import ActorDecoding

if TYPE_CHECKING:
    from pydantic import JsonValue

    from ictbench.choices import ExperienceFormat
    from ictbench.suites.suite import Decoding

STANDARD = {"actor": "react", "reflector": "rewrite"}
"""Which plug-in turns a language model into an actor or a reflector."""

USUAL: ExperienceFormat = "full"
"""How experience is shown where a spec does not say so."""

FILE = "file"
EXAMPLE = "openai/gpt-4.1-mini"

PlayerKind = Literal["actor", "reflector"]


@dataclass(frozen=True, slots=True)
class ModelAccess:
    """How to reach a model: what its name does not say."""

    base_url: str | None = None
    options: dict[str, JsonValue] = field(default_factory=dict)
    """What only the provider knows."""
    timeout: float = 120.0
    """Seconds one request may take."""

    @property
    def given(self) -> str:
        """What the user said of this one model, in words; empty if nothing."""
        return ", ".join([*([repr(self.base_url)] if self.base_url else []), *self.options])


def parse_player(
    kind: PlayerKind, name: str, decoding: Decoding, access: ModelAccess, experience: ExperienceFormat | None = None
) -> PluginSpec:
    """The plug-in that a name asks for, with the suite's decoding where it is a model.

    A checkpoint that `ictbench train` wrote reflects as it was trained to; `experience` is how a reflector's model is
    shown it, None for its usual way.

    Raises:
        UnknownNameError: no such plug-in or model provider.
        ConfigError: access to something that is no model, a plug-in that needs a model, an unreadable file, an
            experience that the reflector cannot be shown so, a checkpoint without its card.
    """
    if names_model(kind, name):
        model = _model(name, decoding, access)
        if isinstance(decoding, ActorDecoding):
            options: dict[str, JsonValue] = {"decoding": decoding.decoding, "history": decoding.history}
            return PluginSpec(label=name, name=STANDARD[kind], options=options, model=model)
        card = find_card(model)
        own = card.experience if card else None
        return _reflecting(name, card.reflector if card else STANDARD[kind], model, experience or own)
    plugin, behind = _split(name) if kind == "reflector" else (name, "")
    found = resolve(kind, plugin)
    if getattr(found, "wraps", False):
        if not behind:
            raise ConfigError(f"{kind} {name!r} wraps another: name it, e.g. {plugin}:rules")
        return _around(plugin, parse_player(kind, behind, decoding, access, experience))
    if getattr(found, "needs_model", False):
        if not names_model(kind, behind):
            example = f"{plugin}:{EXAMPLE}" if kind == "reflector" else EXAMPLE
            raise ConfigError(f"{kind} {name!r} needs a model: name one as provider/model, e.g. {example}")
        model = _model(behind, decoding, access)
        if kind == "reflector":
            return _reflecting(name, plugin, model, experience)
        return PluginSpec(label=name, name=plugin, model=model)
    if experience:
        raise ConfigError(f"{kind} {name!r} has no model that could be shown its experience as {experience}")
    if access.given:
        raise ConfigError(f"{kind} {name!r} is no model, so it has no base URL and no model options ({access.given})")
    if plugin == FILE and behind:
        return PluginSpec(label=f"{FILE}:{Path(behind).name}", name=FILE, options={"text": _read_prompt(behind)})
    if behind:
        raise ConfigError(f"{kind} {plugin!r} has no model and wraps no other: leave {':' + behind!r} out")
    return PluginSpec(label=plugin, name=plugin)


def default_actor(reflector: str, access: ModelAccess) -> tuple[str, ModelAccess]:
    """The actor's name and access when none is given: the reflector's own model, or its scripted partner.

    Raises:
        ConfigError: the reflector has neither.
    """
    innermost = reflector
    while (parts := _split(innermost))[1] and parts[0] != FILE:
        innermost = parts[1]
    if names_model("reflector", innermost):
        return innermost, access
    if innermost in installed("actor"):
        return innermost, ModelAccess()
    raise ConfigError(f"reflector {reflector!r} has no model to act with: name an actor, e.g. --actor rules")


def names_model(kind: PlayerKind, name: str) -> bool:
    """Whether a name is `provider/model`, or a class of one's own that is a model: `file:a/b` is neither."""
    if "/" in name.partition(":")[0]:
        return True
    return ":" in name and _split(name)[0] == name and is_model_class(resolve(kind, name))


def _split(reflector: str) -> tuple[str, str]:
    """The name of a reflector, and what stands behind its colon; the name of a class of one's own has one itself."""
    words = reflector.split(":")
    names = installed("reflector")
    # A plug-in's module may have the name of the plug-in: then MODULE:CLASS is the plug-in itself.
    own = 1 if words[0] in names and ":".join(words[:2]) not in names.values() else 2
    if "/" in words[0]:
        own = len(words)
    return ":".join(words[:own]), ":".join(words[own:])


def _reflecting(label: str, plugin: str, model: ModelSpec, experience: ExperienceFormat | None) -> PluginSpec:
    """A reflector on a model, shown its experience as it is asked for."""
    found = resolve("reflector", plugin)
    formats, most = getattr(found, "formats", ()), getattr(found, "max_tokens", None)
    if experience and experience not in formats:
        raise ConfigError(f"reflector {label!r} cannot be shown its experience as {experience}")
    if most is not None:
        model = model.model_copy(update={"max_tokens": most})
    usual = next(iter(formats), USUAL)
    shown = experience or usual
    options: dict[str, JsonValue] = {} if shown == usual == USUAL else {"experience": shown}
    return PluginSpec(label=label, name=plugin, options=options, model=model)


def _around(wrapper: str, inside: PluginSpec) -> PluginSpec:
    """The same reflector on the wrapper's terms, on the same model."""
    options: dict[str, JsonValue] = {"reflector": inside.model_dump(mode="json", exclude={"model"})}
    return PluginSpec(label=f"{wrapper}:{inside.label}", name=wrapper, options=options, model=inside.model)


def _model(name: str, decoding: Decoding, access: ModelAccess) -> ModelSpec:
    provider, slash, model = name.partition("/") if "/" in name.partition(":")[0] else (name, "", "")
    resolve("model", provider)
    if slash and not model:
        raise ConfigError(f"{name!r} names no model: write {provider}/MODEL")
    return ModelSpec(
        provider=provider,
        model=model,
        base_url=access.base_url,
        temperature=decoding.temperature,
        max_tokens=decoding.max_tokens,
        timeout=access.timeout,
        options=access.options,
    )


def _read_prompt(path: str) -> str:
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"prompt file {path!r} cannot be read: {error}") from error
    if not text:
        raise ConfigError(f"prompt file {path!r} is empty")
    return text
