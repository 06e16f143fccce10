"""Names on the command line → actors and reflectors as plain data.

`provider/model` is a language model, played by the standard actor or reflector; a bare name is an installed
plug-in; `package.module:Name` a class of one's own; `file:PATH` a hand-written prompt; `blind:REFLECTOR` any
reflector that is shown no trajectory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ictbench.errors import ConfigError
from ictbench.models.custom import is_model
from ictbench.records import ModelSpec, PluginSpec
from ictbench.resolve import installed, resolve
from ictbench.suites.suite import ActorDecoding

if TYPE_CHECKING:
    from pydantic import JsonValue

    from ictbench.suites.suite import Decoding

STANDARD = {"actor": "react", "reflector": "rewrite"}
"""Which plug-in turns a language model into an actor or a reflector."""

BLIND = "blind:"

PlayerKind = Literal["actor", "reflector"]


@dataclass(frozen=True, slots=True)
class Access:
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


def parse_player(kind: PlayerKind, name: str, decoding: Decoding, access: Access) -> PluginSpec:
    """The plug-in that a name asks for, with the suite's decoding where it is a model.

    Raises:
        UnknownNameError: no such plug-in or model provider.
        ConfigError: access to something that is no model, a plug-in that needs a model, an unreadable file.
    """
    if kind == "reflector" and name.startswith(BLIND):
        return _blind(parse_player(kind, name.removeprefix(BLIND), decoding, access))
    if names_model(kind, name):
        options: dict[str, JsonValue] = {}
        if isinstance(decoding, ActorDecoding):
            options = {"decoding": decoding.decoding, "history": decoding.history}
        return PluginSpec(label=name, name=STANDARD[kind], options=options, model=_model(name, decoding, access))
    if access.given:
        raise ConfigError(f"{kind} {name!r} is no model, so it has no base URL and no model options ({access.given})")
    if kind == "reflector" and name.startswith("file:"):
        path = name.removeprefix("file:")
        return PluginSpec(label=f"file:{Path(path).name}", name="file", options={"text": _read_prompt(path)})
    if getattr(resolve(kind, name), "needs_model", False):
        raise ConfigError(f"{kind} {name!r} needs a model: name one as provider/model, e.g. openai/gpt-4.1-mini")
    return PluginSpec(label=name, name=name)


def default_actor(reflector: str, access: Access) -> tuple[str, Access]:
    """The actor's name and access when none is given: the reflector's own model, or its scripted partner.

    Raises:
        ConfigError: the reflector has neither.
    """
    reflector = reflector.removeprefix(BLIND)
    if names_model("reflector", reflector):
        return reflector, access
    if reflector in installed("actor"):
        return reflector, Access()
    raise ConfigError(f"reflector {reflector!r} has no model to act with: name an actor, e.g. --actor rules")


def names_model(kind: PlayerKind, name: str) -> bool:
    """Whether a name is `provider/model`, or a class of one's own that is a model: `file:a/b` is neither."""
    if "/" in name.partition(":")[0]:
        return True
    return ":" in name and not name.startswith("file:") and is_model(resolve(kind, name))


def _blind(seeing: PluginSpec) -> PluginSpec:
    """The same reflector without trajectories, on the same model."""
    options: dict[str, JsonValue] = {"reflector": seeing.model_dump(mode="json", exclude={"model"})}
    return PluginSpec(label=f"{BLIND}{seeing.label}", name="blind", options=options, model=seeing.model)


def _model(name: str, decoding: Decoding, access: Access) -> ModelSpec:
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
