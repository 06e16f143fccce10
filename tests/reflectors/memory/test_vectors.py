from __future__ import annotations

import base64
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.reflectors.memory.vectors import pack_vector, rerank

NUMBERS = st.floats(-1e6, 1e6).filter(lambda number: number == 0 or abs(number) > 1e-3)


def test_vectors_near_that_of_the_first_text_move_up() -> None:
    vectors = [pack_vector(vector) for vector in ([1, 0.1], [0, 1], [0.9, 0.2], [-1, 0], [1, 0])]
    assert rerank([0, 3, 1, 2, 4], vectors) == (0, 4, 2, 1, 3)


def test_the_length_of_a_vector_does_not_matter() -> None:
    vectors = [pack_vector(vector) for vector in ([1, 0], [1, 0], [0.001, 0.0001], [50, 50])]
    assert rerank([0, 3, 2, 1], vectors) == (0, 1, 2, 3)


def test_of_equals_the_order_decides() -> None:
    vectors = [pack_vector([1, 2])] * 4
    assert rerank([2, 0, 3, 1], vectors) == (2, 0, 3, 1)


@pytest.mark.parametrize("vectors", [[], ["", ""], [pack_vector([1, 2]), ""], [pack_vector([1]), pack_vector([1, 2])]])
def test_without_comparable_vectors_the_order_stays(vectors: list[str]) -> None:
    order = list(range(len(vectors)))[::-1]
    assert rerank(order, vectors) == tuple(order)


@given(st.lists(NUMBERS, min_size=1, max_size=20))
def test_a_packed_vector_points_the_same_way(vector: list[float]) -> None:
    packed = [byte - 256 if byte > 127 else byte for byte in base64.b64decode(pack_vector(vector))]
    assert len(packed) == len(vector)
    if any(vector):
        product = sum(map(lambda one, other: one * other, vector, packed))
        assert product / (math.hypot(*vector) * math.hypot(*packed)) > 0.99


@given(st.lists(st.lists(NUMBERS, min_size=3, max_size=3), min_size=1, max_size=6))
def test_every_text_has_one_rank(vectors: list[list[float]]) -> None:
    order = list(range(len(vectors)))
    assert sorted(rerank(order, [pack_vector(vector) for vector in vectors])) == order
