"""Ranking by embeddings that a memory holds.

A model embeds texts in `reflect`, where it may be asked. In `recall` it may not: the function is pure, and who verifies
a run has no model. So the first observation of an episode has no vector of its own; that of the text which BM25 finds
first stands for it. This is pseudo-relevance feedback on vectors, as in Li et al., *Pseudo Relevance Feedback with Deep
Language Models and Dense Retrievers* (arXiv 2108.11044), where the query's own vector counts, too.
"""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def pack_vector(vector: Sequence[float]) -> str:
    """Return a vector as text: each number as a byte, relative to the largest, in base64."""
    largest = max(map(abs, vector), default=0.0) or 1.0
    return b64encode(bytes(round(127 * number / largest) % 256 for number in vector)).decode()


def vector_length(packed: str) -> int:
    """Return the length of a vector from `pack_vector`."""
    return len(b64decode(packed))


def rerank(order: Sequence[int], vectors: Sequence[str]) -> tuple[int, ...]:
    """Return positions by the cosine similarity of their vectors to the vector of the first one.

    The sums are of whole numbers, so that all machines get the same order.

    Args:
        order: Positions, the best first; it decides between equals.
        vectors: Vectors from `pack_vector` by position. Unless all have the same length, the order stays.
    """
    import numpy as np  # 0.1 s

    rows = [np.frombuffer(b64decode(vector), dtype=np.int8) for vector in vectors]
    if len({row.size for row in rows} - {0}) != 1 or any(row.size == 0 for row in rows):
        return tuple(order)
    matrix = np.array(rows, dtype=np.int64)
    products = matrix @ matrix[order[0]]
    lengths = (matrix * matrix).sum(axis=1)
    scores = [int(product) / math.sqrt(length or 1) for product, length in zip(products, lengths, strict=True)]
    return tuple(sorted(order, key=lambda position: -scores[position]))
