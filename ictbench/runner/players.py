"""Names on the command line → actors and reflectors as plain data.

`provider/model` is a language model, played by the standard actor or reflector; a bare name is an installed
plug-in; `package.module:Name` a class of one's own; `file:PATH` a hand-written prompt.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ictbench.errors import ConfigError
from ictbench.records import ModelSpec, PluginSpec
from ictbench.resolve import installed, resolve

if TYPE_CHECKING:
    from ictbench.suites.suite import Decoding

STANDARD = {"actor": "react", "reflector": "rewrite"}
"""Which plug-in turns a language model into an actor or a reflector."""

PlayerKind = Literal["actor", "reflector"]


def parse_player(kind: PlayerKind, name: str, decoding: Decoding, base_url: str | None = None) -> PluginSpec:
    """The plug-in that a name asks for, with the suite's decoding where it is a model.

    Raises:
        UnknownNameError: no such plug-in or model provider.
        ConfigError: a base URL for something that is no model, a plug-in that needs a model, an unreadable file.
    """
    if _is_model(name):
        return PluginSpec(label=name, name=STANDARD[kind], model=_model(name, decoding, base_url))
    if base_url is not None:
        raise ConfigError(f"{kind} {name!r} is no model, so it has no base URL ({base_url!r}); leave that out")
    if kind == "reflector" and name.startswith("file:"):
        return PluginSpec(label=name, name="file", options={"text": _read_prompt(name.removeprefix("file:"))})
    if resolve(kind, name).needs_model:
        raise ConfigError(f"{kind} {name!r} needs a model: name one as provider/model, e.g. openai/gpt-4.1-mini")
    return PluginSpec(label=name, name=name)


def default_actor(reflector: str, base_url: str | None) -> tuple[str, str | None]:
    """The actor's name and base URL when none is given: the reflector's own model, or its scripted partner.

    Raises:
        ConfigError: the reflector has neither.
    """
    if _is_model(reflector):
        return reflector, base_url
    if reflector in installed("actor"):
        return reflector, None
    raise ConfigError(f"reflector {reflector!r} has no model to act with: name an actor, e.g. --actor rules")


def _is_model(name: str) -> bool:
    """`file:a/b` is no model, `openai/a:b` is one."""
    return "/" in name.partition(":")[0]


def _model(name: str, decoding: Decoding, base_url: str | None) -> ModelSpec:
    provider, _, model = name.partition("/")
    if provider not in installed("model"):
        resolve("model", provider)
    if not model:
        raise ConfigError(f"{name!r} names no model: write {provider}/MODEL")
    return ModelSpec(
        provider=provider,
        model=model,
        base_url=base_url,
        temperature=decoding.temperature,
        max_tokens=decoding.max_tokens,
    )


def _read_prompt(path: str) -> str:
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"prompt file {path!r} cannot be read: {error}") from error
    if not text:
        raise ConfigError(f"prompt file {path!r} is empty")
    return text
