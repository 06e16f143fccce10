from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.records import ADDED_BYTES, MEMORY_BYTES
from ictbench.reflectors.memory.playbook import BULLET_BYTES, MAX_ADDED, MAX_BULLETS, TITLE, Playbook, are_duplicates


def playbook(*texts: str) -> Playbook:
    book = Playbook()
    for text in texts:
        book = book.extended([f"ADD strategy: {text}"])
    return book


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Read every scroll that you find.", "read every scroll you find", True),
        ('Walk onto "?".', 'Walk onto "?"', True),
        ('Walk onto "?".', 'Walk onto "%".', False),
        ("Wait 3 turns.", "Wait 4 turns.", False),
        ("Open the heavy iron door in the north.", "Do not open the heavy iron door in the north.", False),
        ("Eat before you read the old scroll.", "Eat after you read the old scroll.", False),
        ("Read scrolls.", "Eat apples.", False),
        ("?", "!", True),
    ],
)
def test_duplicates_have_nearly_the_same_words_and_the_same_meaning(one: str, other: str, same: bool) -> None:
    assert are_duplicates(one, other) is are_duplicates(other, one) is same


def test_a_duplicate_keeps_the_older_bullet_with_its_counters() -> None:
    book = playbook("Read every scroll that you find.", "Eat apples.").tagged(["HELPFUL 1"])
    again = book.extended(["ADD mistake: Read every scroll you find.", "ADD strategy: Rest."])
    assert [(bullet.id, bullet.text, bullet.helpful) for bullet in again.bullets] == [
        (1, "Read every scroll that you find.", 1),
        (2, "Eat apples.", 0),
        (3, "Rest.", 0),
    ]


@pytest.mark.parametrize(
    "line", ["ADD: Read.", "ADD magic: Read.", "ADD strategy", "strategy: Read.", "", f"ADD strategy: {'x' * 601}"]
)
def test_an_invalid_line_adds_nothing(line: str) -> None:
    assert playbook("Eat.").extended([line]) == playbook("Eat.")


@pytest.mark.parametrize(
    "line",
    [
        "add Strategy: Walk.",
        "**ADD strategy:** Walk.",
        "ADD strategies: Walk.",
        "`ADD` strategy: Walk.",
        "ADD: strategy: Walk.",
    ],
)
def test_an_operation_is_read_in_any_markup(line: str) -> None:
    assert [bullet.line for bullet in Playbook().extended([line]).bullets] == ["- strategy: Walk."]


def test_a_turn_adds_a_few_bullets() -> None:
    assert len(Playbook().extended([f"ADD strategy: {letter}" for letter in "abcdefg"]).bullets) == MAX_ADDED == 4


@pytest.mark.parametrize("line", ["HELPFUL", "HELPFUL x", "HELPFUL 7", "GOOD 1", "1", "HELPFUL 1: it was"])
def test_an_invalid_tag_counts_nothing(line: str) -> None:
    assert playbook("Eat.").tagged([line]) == playbook("Eat.")


def test_the_best_bullets_are_shown_first_and_harmful_ones_are_hidden() -> None:
    book = playbook("Eat.", "Read.", "Rest.", "Dig.").tagged(["HELPFUL 1, 2", "HARMFUL 2, 3"])
    assert book.added_text() == f"{TITLE}\n- strategy: Eat.\n- strategy: Dig.\n- strategy: Read."
    assert book.shown() == {1, 2, 4}


def test_a_bullet_that_no_episode_showed_has_no_vote() -> None:
    book = playbook("Eat.").tagged(["HARMFUL 1"])
    assert book.shown() == frozenset()
    assert book.tagged(["HELPFUL 1"]) == book


LINE = st.builds(
    "{} {}: {}".format,
    st.sampled_from(["ADD", "add"]),
    st.sampled_from(["strategy", "mistake", "environment"]),
    st.text(st.characters(codec="utf-8"), max_size=700),
)
TAG = st.builds("{} {}".format, st.sampled_from(["HELPFUL", "HARMFUL"]), st.integers(0, 30))


@given(st.lists(st.tuples(st.lists(TAG, max_size=6), st.lists(LINE, max_size=6)), max_size=6))
def test_numbers_stay_unique_and_limits_hold_whatever_the_model_writes(
    turns: list[tuple[list[str], list[str]]],
) -> None:
    book = Playbook()
    for tags, lines in turns:
        before = book.tagged(tags)
        book = before.extended(lines)
        assert set(before.bullets) <= set(book.bullets)
    numbers = [bullet.id for bullet in book.bullets]
    assert numbers == sorted(set(numbers))
    assert len(book.added_text().encode()) <= ADDED_BYTES
    assert all(len(bullet.text.encode()) <= BULLET_BYTES for bullet in book.bullets)


def test_a_full_playbook_drops_the_worst_bullets_and_stays_within_the_memory() -> None:
    text = "\u00e9" * (BULLET_BYTES // 2 - 10)
    book = playbook(*(f"{number} {text}" for number in range(MAX_BULLETS))).tagged([f"HARMFUL {MAX_BULLETS}"])
    assert len(book.model_dump_json().encode()) < MEMORY_BYTES
    grown = book.extended(["ADD strategy: Rest."])
    assert len(grown.bullets) == MAX_BULLETS
    assert {bullet.id for bullet in book.bullets} - {bullet.id for bullet in grown.bullets} == {MAX_BULLETS}
    assert grown.bullets[-1].text == "Rest."
