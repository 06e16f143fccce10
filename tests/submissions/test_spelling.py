from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.submissions.spelling import (
    CAPITALS,
    SMALL,
    has_stacked_marks,
    latin_form,
    mixed_word,
    name_key,
    normal_form,
    unusual_letter,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Scripted pair", "SCRIPTED  PAIR"),
        ("Scripted pair", "scripted-pair."),
        ("Scripted pair", "S\u0441ripted p\u0430ir"),
        ("Scripted pair", "Ｓｃｒｉｐｔｅｄ ｐａｉｒ"),
        ("Scripted pair", "Scr\u200bipted pair"),
        ("Scripted pair", "Scrlpted palr"),
        ("COPA", "\u0421\u041e\u0420\u0410"),
        ("Rules 10", "Rules lO"),
        ("Rules", "\u1e5aules"),
        ("Rules", "𝓡𝓾𝓵𝓮𝓼"),
        ("Rules", "\u01a6ules"),
        ("Scripted pair", "Scr\u0269pted pa\u0268r"),
        ("Label", "\u0141abe\u01c0"),
    ],
)
def test_names_that_look_alike_have_one_key(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Rules", "Ruler"), ("Learner", "Learner+"), ("GPT-5", "GPT-6"), ("規則", "規制"), ("пара", "гора")],
)
def test_different_names_have_different_keys(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


@pytest.mark.parametrize("word", ["S\u0441ripted", "\u03bcP", "p\u0430ir", "Ａ\u0430"])
def test_word_of_several_alphabets_is_found(word: str) -> None:
    assert mixed_word(f"the {word} one") is not None


@pytest.mark.parametrize(
    "name",
    [
        "Scripted pair",
        "GPT日本語版",
        "한국어GPT",
        "TD(λ) learner",
        "Иван Petrov",
        "Łukasz Żółć",
        "ʻOkina",
        "x²",
        "हिन्दी",
    ],
)
def test_honest_names_mix_no_alphabets(name: str) -> None:
    assert mixed_word(name) is None
    assert unusual_letter(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "\ua4e2\ua4da\ua4e3\ua4f2\ua4d1\ua4d4",  # Lisu
        "\u13da\u13df\u13d2\u13a5\u13e2\u13a2",  # Cherokee
        "\u2ca4\u2ca5\u2ca3",  # Coptic
        "\ua731\u1d04\u0280\u026a\u1d18\u1d1b",  # small capitals
        "pa\u01c0r",  # a click
        "pai\uab47",  # a letter of dialectology
    ],
)
def test_alphabets_that_look_like_latin_are_unusual(name: str) -> None:
    assert unusual_letter(name) is not None


def test_digits_of_any_script_are_read() -> None:
    assert normal_form("１2\u0663\u0967") == "1231"
    assert latin_form("z\u0430\u0440") == "zap"
    assert normal_form("a\x00b\tc\u200bd\ne") == "ab\tcd\ne"


def test_tables_lead_to_latin_letters() -> None:
    assert all(chr(code).isascii() for table in (CAPITALS, SMALL) for code in table.values())
    assert not any(chr(code).isascii() for table in (CAPITALS, SMALL) for code in table)


@given(st.text())
def test_forms_of_any_text_are_stable(text: str) -> None:
    assert normal_form(normal_form(text)) == normal_form(text)
    assert name_key(f" \u200b{text}-") == name_key(text)
    mixed_word(text)


@pytest.mark.parametrize(
    "name",
    [
        "Nguy\u1ec5n Th\u1ecb",
        "\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd",
        "\u0939\u093f\u0928\u094d\u0926\u0940",
        "a\u0301\u0323",
    ],
)
def test_marks_of_languages_are_not_stacked(name: str) -> None:
    assert not has_stacked_marks(name)


@pytest.mark.parametrize("name", ["Z" + "\u0302\u0316" * 3, "x" + "\u20dd" * 5])
def test_marks_that_cover_other_lines_are_found(name: str) -> None:
    assert has_stacked_marks(name)
