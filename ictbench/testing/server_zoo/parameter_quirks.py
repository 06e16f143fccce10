"""Quirks of request parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ictbench.testing.server_zoo.quirk import Quirk

if TYPE_CHECKING:
    from ictbench.testing.server_zoo.quirk import Body, Refusal

MISSING = object()


@dataclass(frozen=True, kw_only=True)
class Rejects(Quirk):
    """Rejects a parameter, given as a dotted path, unless its value is one of `allowed`."""

    parameter: str
    refusal: Refusal
    allowed: tuple[Any, ...] = ()
    only_with: str | None = None
    """A parameter without which it accepts this one."""

    @property
    def summary(self) -> str:
        """See `Quirk.summary`."""
        values = ", ".join(f"`{value}`" for value in self.allowed)
        combination = f" together with `{self.only_with}`" if self.only_with else ""
        return f"rejects `{self.parameter}`{f' other than {values}' if values else ''}{combination}"

    def receive(self, body: Body) -> Body:
        """See `Quirk.receive`."""
        if self.only_with is not None and self.only_with not in body:
            return body
        value: Any = body
        for name in self.parameter.split("."):
            value = value.get(name, MISSING) if isinstance(value, dict) else MISSING
        if value is not MISSING and value is not None and value not in self.allowed:
            raise self.refusal.error(parameter=self.parameter, value=value)
        return body


@dataclass(frozen=True, kw_only=True)
class RejectsUnknown(Quirk):
    """Rejects every parameter that it does not know."""

    known: frozenset[str]
    refusal: Refusal

    @property
    def summary(self) -> str:
        """See `Quirk.summary`."""
        return "rejects unknown parameters"

    def receive(self, body: Body) -> Body:
        """See `Quirk.receive`."""
        for name in body:
            if name not in self.known:
                raise self.refusal.error(parameter=name, value=body[name])
        return body


@dataclass(frozen=True, kw_only=True)
class Requires(Quirk):
    """Rejects a request without a parameter."""

    parameter: str
    refusal: Refusal

    @property
    def summary(self) -> str:
        """See `Quirk.summary`."""
        return f"requires `{self.parameter}`"

    def receive(self, body: Body) -> Body:
        """See `Quirk.receive`."""
        if body.get(self.parameter) is None:
            raise self.refusal.error(parameter=self.parameter)
        return body


@dataclass(frozen=True, kw_only=True)
class Ignores(Quirk):
    """Accepts a parameter without any effect, unless its value is one of `respected`."""

    parameter: str
    respected: tuple[Any, ...] = ()

    @property
    def summary(self) -> str:
        """See `Quirk.summary`."""
        values = ", ".join(f"`{value}`" for value in self.respected)
        return f"ignores `{self.parameter}`{f' other than {values}' if values else ''}"

    def receive(self, body: Body) -> Body:
        """See `Quirk.receive`."""
        if body.get(self.parameter) in self.respected:
            return body
        return {name: value for name, value in body.items() if name != self.parameter}
