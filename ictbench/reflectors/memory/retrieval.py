"""Retrieval of texts by BM25.

Lù, *BM25S: Orders of magnitude faster lexical search via eager sparse scoring* (arXiv 2407.03618). Terms are words and
symbols: a map of a text game consists of symbols, and what makes two maps similar is which of them are there. There are
no stop words and no stemming; a term that is in most texts has almost no weight anyway.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

INDICES = 64
"""Indices that are kept: one for each list of texts, i.e. for each memory in use."""

RUN = re.compile(r"([^\w\s])\1+")
TERM = re.compile(r"\w+|[^\w\s]")


def rank(query: str, texts: Sequence[str]) -> tuple[int, ...]:
    """Return the positions of all texts, the most similar to the query first; of equals, the earlier text is first.

    The index of the texts is kept, so that only the first query takes the time to build it.
    """
    scores = _scores(query, tuple(texts))
    return tuple(sorted(range(len(texts)), key=lambda position: -scores[position]))


def terms(text: str) -> list[str]:
    """Return words in lower case, and symbols; a letter alone, which may be a symbol of a map, keeps its case.

    Equal symbols in a row, such as a floor or a line, are one term.
    """
    return [term if len(term) == 1 else term.casefold() for term in TERM.findall(RUN.sub(r"\1", text))]


def _scores(query: str, texts: tuple[str, ...]) -> list[float]:
    index = _index(texts)
    known = [term for term in dict.fromkeys(terms(query)) if index and term in index.vocab_dict]
    if not known:
        return [0.0] * len(texts)
    # Rounded, so that the last bits of a logarithm, which differ between machines, decide nothing.
    return [round(float(score), 6) for score in index.get_scores(known)]


@functools.lru_cache(maxsize=INDICES)
def _index(texts: tuple[str, ...]) -> Any:
    """Return the index of texts; None if they have no terms."""
    import bm25s  # 0.1 s

    found = [terms(text) for text in texts]
    if not any(found):
        return None
    index = bm25s.BM25(k1=1.5, b=0.75, method="lucene", dtype="float64")
    index.index(found, show_progress=False)
    return index
