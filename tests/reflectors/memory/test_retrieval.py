"""Retrieval by BM25, and the text that fits."""

from __future__ import annotations

import itertools
import math
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from ictbench.records import ADDED_BYTES
from ictbench.reflectors.memory.added_text import fitting
from ictbench.reflectors.memory.retrieval import rank, terms

ROOMS = (
    "You see here a lamp.\n-----\n|.(@|\n-----",
    "You see here an apple.\n-----\n|@.%|\n-----",
    "A jackal bites!\n-----\n|@d.|\n-----",
)


def test_the_most_similar_text_comes_first() -> None:
    assert rank("There is an apple here.", ROOMS)[0] == 1
    assert rank("The jackal!", ROOMS)[0] == 2


def test_symbols_of_a_map_are_terms() -> None:
    assert rank("-------\n|....(|\n|..@..|\n-------", ROOMS)[0] == 0
    assert rank("-------\n|...d.|\n|.@...|\n-------", ROOMS)[0] == 2
    # D is a dragon, and d is a dog.
    assert rank("|..D.@|", ["|@.d|", "|@.D|"]) == (1, 0)


def test_a_term_in_all_texts_weighs_less_than_a_rare_one() -> None:
    texts = ["room room room room", "room key", "room room"]
    assert rank("room key", texts)[0] == 1


def test_terms_are_words_and_symbols() -> None:
    assert terms("Eat the  APPLE: `%'? [ynq]") == [
        "eat", "the", "apple", ":", "`", "%", "'", "?", "[", "ynq", "]",
    ]  # fmt: skip
    assert terms("|......@..|") == ["|", ".", "@", ".", "|"]
    assert terms("Größe_1 D d") == ["grösse_1", "D", "d"]


def test_texts_that_share_nothing_with_the_query_keep_their_order() -> None:
    assert rank("zebra", ROOMS) == (0, 1, 2)
    assert rank("", ROOMS) == (0, 1, 2)
    assert rank("zebra", ["", " \n"]) == (0, 1)
    assert rank("zebra", []) == ()


def test_equal_texts_keep_their_order() -> None:
    assert rank("b c", ["b", "a", "b", "c", "b"]) == (3, 0, 2, 4, 1)


@given(st.text(max_size=30), st.lists(st.text(max_size=30), max_size=8))
def test_every_text_has_one_rank_and_ranks_repeat(query: str, texts: list[str]) -> None:
    order = rank(query, texts)
    assert sorted(order) == list(range(len(texts)))
    assert rank(query, list(texts)) == order


WORDS = st.lists(st.sampled_from("abcde"), max_size=12).map(" ".join)


@given(WORDS, st.lists(WORDS, min_size=1, max_size=8))
def test_ranks_are_those_of_the_formula(query: str, texts: list[str]) -> None:
    """Another version of `bm25s` that ranked differently would make recorded runs impossible to verify."""
    order = rank(query, texts)
    scores = bm25(query, texts)
    for better, worse in itertools.pairwise(order):
        tied = abs(scores[better] - scores[worse]) < 1e-5
        assert scores[better] > scores[worse] or tied
        if tied and round(scores[better], 6) == round(scores[worse], 6) and texts[better] == texts[worse]:
            assert better < worse


def bm25(query: str, texts: list[str], k: float = 1.5, b: float = 0.75) -> list[float]:
    """Return the scores by Lucene's variant of BM25."""
    found = [terms(text) for text in texts]
    mean = sum(map(len, found)) / len(texts)

    def weight(term: str, text: list[str]) -> float:
        containing = sum(term in other for other in found)
        rarity = math.log(1 + (len(texts) - containing + 0.5) / (containing + 0.5))
        count = text.count(term)
        return rarity * count / (count + k * (1 - b + b * len(text) / mean)) if count else 0.0

    return [sum(weight(term, text) for term in set(terms(query))) for text in found]


@given(st.lists(st.sampled_from(["red key", "blue key", "door", "a lamp on the table"]), min_size=1, max_size=8))
def test_a_text_is_most_similar_to_itself(texts: list[str]) -> None:
    assert all(texts[rank(text, texts)[0]] == text for text in texts)


def test_ranks_are_the_same_in_several_threads() -> None:
    queries = [f"item {number}" for number in range(40)]
    texts = [f"an item that is {number}" for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        ranks = list(pool.map(lambda query: rank(query, texts), queries))
    assert ranks == [rank(query, texts) for query in queries]
    assert [order[0] for order in ranks] == list(range(40))


def test_blocks_that_do_not_fit_are_left_out() -> None:
    assert fitting("Title:", ["aaa", "bbbbbb", "cc"], cap=len("Title:\naaa\ncc")) == "Title:\naaa\ncc"
    assert fitting("Title:", ["ä" * 4], cap=14) == ""
    assert fitting("Title:", ["ä" * 4], cap=15) == "Title:\nää" + "ää"
    assert fitting("Title:", []) == ""


@given(st.lists(st.text(alphabet="aä\U0001f600", max_size=1200), max_size=6))
def test_the_text_is_within_the_limit(blocks: list[str]) -> None:
    assert len(fitting("T", blocks).encode()) <= ADDED_BYTES
