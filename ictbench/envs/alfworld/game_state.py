"""The facts of a game in progress, and queries over them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Arguments = tuple[str, ...]
"""Arguments of a fact."""

Signature = tuple[str, tuple[str, ...]]
"""A predicate and the types of its arguments."""

Placeholder = tuple[str, str]
"""Name and type."""

Query = tuple[tuple[str, tuple[Placeholder, ...]], ...]
"""A conjunction of predicates with their placeholders."""


class GameState:
    """Facts by signature. As in TextWorld, an action that makes a fact false also adds it as `not_…`."""

    def __init__(self, types: Mapping[str, str], supertypes: Mapping[str, list[str]], descriptions: Mapping[str, Any]):
        """Create a state without facts.

        Args:
            types: Type of each object.
            supertypes: Supertypes of each type.
            descriptions: What expressions of a grammar can read of each object.
        """
        self.descriptions = descriptions
        self._types = types
        self._subtypes = _subtypes(supertypes)
        self._facts: defaultdict[Signature, set[Arguments]] = defaultdict(set)
        self._sorted: dict[Signature, list[Arguments]] = {}

    def add(self, predicate: str, arguments: Arguments) -> None:
        """Add a fact."""
        signature = self._signature(predicate, arguments)
        self._facts[signature].add(arguments)
        self._sorted.pop(signature, None)

    def remove(self, predicate: str, arguments: Arguments) -> None:
        """Remove a fact if it is there."""
        signature = self._signature(predicate, arguments)
        self._facts[signature].discard(arguments)
        self._sorted.pop(signature, None)

    def facts(self, predicate: str) -> Iterator[Arguments]:
        """Yield the arguments of the facts of a predicate, in no order."""
        for (name, _), facts in self._facts.items():
            if name == predicate:
                yield from facts

    def matches(self, query: Query, mapping: Mapping[Placeholder, str]) -> Iterator[dict[Placeholder, str]]:
        """Yield every assignment of distinct objects to placeholders that extends `mapping` and makes the query true.

        Assignments come in the order of sorted facts.
        """
        return self._matches(query, dict(mapping), set(mapping.values()))

    def _matches(
        self, query: Query, mapping: dict[Placeholder, str], used: set[str]
    ) -> Iterator[dict[Placeholder, str]]:
        if not query:
            yield dict(mapping)
            return
        (predicate, placeholders), rest = query[0], query[1:]
        unassigned = [placeholder for placeholder in placeholders if placeholder not in mapping]
        for arguments in self._candidates(predicate, tuple(kind for _, kind in placeholders)):
            for placeholder, value in zip(placeholders, arguments, strict=False):
                assigned = mapping.get(placeholder)
                if assigned is None:
                    if value in used:
                        break
                    mapping[placeholder] = value
                    used.add(value)
                elif assigned != value:
                    break
            else:
                yield from self._matches(rest, mapping, used)
            for placeholder in unassigned:
                if placeholder in mapping:
                    used.discard(mapping.pop(placeholder))

    def _candidates(self, predicate: str, types: tuple[str, ...]) -> list[Arguments]:
        """Return the facts of a predicate over these types or their subtypes, ordered by types, then sorted."""
        signatures = [
            signature for signature in self._facts if signature[0] == predicate and self._fits(signature[1], types)
        ]
        if len(signatures) > 1:
            signatures.sort(
                key=lambda signature: [
                    self._subtypes[kind].index(subtype) for kind, subtype in zip(types, signature[1], strict=True)
                ]
            )
        return [arguments for signature in signatures for arguments in self._sorted_facts(signature)]

    def _sorted_facts(self, signature: Signature) -> list[Arguments]:
        if signature not in self._sorted:
            self._sorted[signature] = sorted(self._facts[signature])
        return self._sorted[signature]

    def _fits(self, subtypes: tuple[str, ...], types: tuple[str, ...]) -> bool:
        if len(subtypes) != len(types):
            return False
        return all(subtype in self._subtypes.get(kind, ()) for subtype, kind in zip(subtypes, types, strict=True))

    def _signature(self, predicate: str, arguments: Arguments) -> Signature:
        return predicate, tuple(self._types[argument] for argument in arguments)


def _subtypes(supertypes: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Return for each type the list of itself and its descendants."""
    return {kind: [kind, *(name for name, above in supertypes.items() if kind in above)] for kind in supertypes}
