"""The facts of a game in progress, and queries over them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Fact = tuple[str, ...]
"""Arguments of a fact."""

Signature = tuple[str, tuple[str, ...]]
"""A predicate and the types of its arguments."""

Placeholder = tuple[str, str]
"""Name and type."""

Query = tuple[tuple[str, tuple[Placeholder, ...]], ...]
"""Predicates, each with its placeholders, all of which must hold."""


class State:
    """Facts by signature. A fact that an action makes false is also true as `not_…`, as in TextWorld."""

    def __init__(self, types: Mapping[str, str], supertypes: Mapping[str, list[str]], descriptions: Mapping[str, Any]):
        self.descriptions = descriptions
        """What expressions read of each object."""
        self._types = types
        self._subtypes = _subtypes(supertypes)
        self._facts: defaultdict[Signature, set[Fact]] = defaultdict(set)
        self._sorted: dict[Signature, list[Fact]] = {}

    def add(self, predicate: str, arguments: Fact) -> None:
        """Make a fact true."""
        signature = self._signature(predicate, arguments)
        self._facts[signature].add(arguments)
        self._sorted.pop(signature, None)

    def remove(self, predicate: str, arguments: Fact) -> None:
        """Make a fact no longer true."""
        signature = self._signature(predicate, arguments)
        self._facts[signature].discard(arguments)
        self._sorted.pop(signature, None)

    def matches(self, query: Query, mapping: Mapping[Placeholder, str]) -> Iterator[dict[Placeholder, str]]:
        """Every way to fill the query's open placeholders; no object stands for two of them."""
        return self._matches(query, dict(mapping), set(mapping.values()))

    def _matches(
        self, query: Query, mapping: dict[Placeholder, str], used: set[str]
    ) -> Iterator[dict[Placeholder, str]]:
        if not query:
            yield dict(mapping)
            return
        (predicate, holes), rest = query[0], query[1:]
        opened = [hole for hole in holes if hole not in mapping]
        for fact in self._candidates(predicate, tuple(kind for _, kind in holes)):
            for hole, value in zip(holes, fact, strict=False):
                known = mapping.get(hole)
                if known is None:
                    if value in used:
                        break
                    mapping[hole] = value
                    used.add(value)
                elif known != value:
                    break
            else:
                yield from self._matches(rest, mapping, used)
            for hole in opened:
                if hole in mapping:
                    used.discard(mapping.pop(hole))

    def _candidates(self, predicate: str, kinds: tuple[str, ...]) -> list[Fact]:
        """Facts of a predicate over types or their subtypes: by types first, then sorted."""
        signatures = [one for one in self._facts if one[0] == predicate and self._fits(one[1], kinds)]
        if len(signatures) > 1:
            signatures.sort(
                key=lambda one: [self._subtypes[kind].index(name) for kind, name in zip(kinds, one[1], strict=True)]
            )
        return [fact for one in signatures for fact in self._in_order(one)]

    def _in_order(self, signature: Signature) -> list[Fact]:
        if signature not in self._sorted:
            self._sorted[signature] = sorted(self._facts[signature])
        return self._sorted[signature]

    def _fits(self, names: tuple[str, ...], kinds: tuple[str, ...]) -> bool:
        if len(names) != len(kinds):
            return False
        return all(name in self._subtypes.get(kind, ()) for name, kind in zip(names, kinds, strict=True))

    def _signature(self, predicate: str, arguments: Fact) -> Signature:
        return predicate, tuple(self._types[argument] for argument in arguments)


def _subtypes(supertypes: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Each type and its descendants."""
    return {kind: [kind, *(name for name, above in supertypes.items() if kind in above)] for kind in supertypes}
