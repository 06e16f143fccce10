"""Spellings of one text that look alike: what a reader cannot tell apart is compared as equal.

Python's Unicode tables cover compatibility forms (full-width letters), case and invisible characters. A short table
adds the letters of other alphabets that look like Latin ones in most fonts.
"""

from __future__ import annotations

import re
import unicodedata

HIDDEN = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
"""Unicode categories of invisible or reordering characters: controls, zero-width and bidirectional marks, private use,
surrogates, line and paragraph separators."""

BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""Invisible characters of other categories: fillers, joiners and variation selectors (Unicode's
Default_Ignorable_Code_Point), and the blank Braille pattern."""

CONTROLS = {code: None for code in (*range(32), 127) if chr(code) not in "\n\t\r"}

CAPITALS = str.maketrans("АВЕЅІЈКМНОРСТУХҺԚԜԌЗΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABESIJKMHOPCTYXHQWG3ABEZHIKMNOPTYX")
"""Cyrillic and Greek capitals that look like Latin ones; case folding would make some of them look different."""

SMALL = str.maketrans(
    "авеѕіјкмнорстухһԛԝԁӏгпѵьαεικνορτυχωγηϲϳօոսհցզıɡɑɩȷƨƽƅƒƿʀǀłđħŧøɨʉ",
    "abesijkmhopctyxhqwdlrnvbaeikvoptuxwyncjonuhgqigaijssbfprlldhtoiu",
)
"""Small Cyrillic, Greek and Armenian letters, and Latin variants, that look like Latin letters."""

LIKE_L = re.compile("[1i|]")
IGNORED_IN_NAMES = re.compile(r"[\s\-_.,'’·‐-―\"]+")
WORD = re.compile(r"[^\W\d_]+")

MAX_MARKS = 4
"""Marks on one letter; languages use up to three, e.g. vowel points with an accent."""

SCRIPTS = {
    "ARABIC",
    "ARMENIAN",
    "BENGALI",
    "BOPOMOFO",
    "CJK",
    "CYRILLIC",
    "DEVANAGARI",
    "ETHIOPIC",
    "GEORGIAN",
    "GREEK",
    "GUJARATI",
    "GURMUKHI",
    "HANGUL",
    "HEBREW",
    "HIRAGANA",
    "KANNADA",
    "KATAKANA",
    "KHMER",
    "LAO",
    "LATIN",
    "MALAYALAM",
    "MYANMAR",
    "ORIYA",
    "SINHALA",
    "TAMIL",
    "TELUGU",
    "THAANA",
    "THAI",
    "TIBETAN",
}
"""Scripts in everyday use, by the first word of their letters' names (Unicode's Recommended Scripts). Others hold whole
alphabets that look like Latin ones (Cherokee, Lisu, Coptic)."""

EVERYDAY_LATIN = re.compile("[A-Za-z\xaa-\u01bf\u01c4-\u024f\u1e00-\u1effɓɖɗəɛɣɨɔɲŋʉʋʌʒ]")
"""Letters of Latin alphabets, without those of phonetics, such as small capitals."""

TOGETHER = ({"CJK", "HIRAGANA", "KATAKANA", "LATIN"}, {"CJK", "HANGUL", "LATIN"}, {"CJK", "BOPOMOFO", "LATIN"})
"""Scripts that one word may mix, as Unicode's highly restrictive level allows."""


def is_hidden(character: str) -> bool:
    """Return whether a character is invisible, or reorders others."""
    return unicodedata.category(character) in HIDDEN or BLANK.match(character) is not None


def normal_form(text: str) -> str:
    """Return a text in Unicode's form NFKC, without invisible characters except white space, and with ASCII digits."""
    if text.isascii():
        return text.translate(CONTROLS)
    visible = "".join(c for c in unicodedata.normalize("NFKC", text) if c in "\n\t\r" or not is_hidden(c))
    digits = ((c, unicodedata.decimal(c, None)) for c in unicodedata.normalize("NFKC", visible))
    return "".join(c if digit is None else str(digit) for c, digit in digits)


def latin_form(text: str) -> str:
    """Return the normal form of a text, case-folded, with letters that look Latin replaced by the Latin ones."""
    return normal_form(text).translate(CAPITALS).casefold().translate(SMALL)


def name_key(name: str) -> str:
    """Return a key that is equal for names that a reader could take for each other."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", latin_form(name)) if not unicodedata.combining(c))
    return LIKE_L.sub("l", IGNORED_IN_NAMES.sub("", plain)).replace("0", "o")


def has_stacked_marks(text: str) -> bool:
    """Return whether a letter has so many marks above or below it that they cover other lines."""
    marks = 0
    for character in unicodedata.normalize("NFD", text):
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks > MAX_MARKS:
            return True
    return False


def mixed_word(text: str) -> str | None:
    """Return the first word that mixes scripts, such as Latin and Cyrillic letters; None if there is none."""
    for word in WORD.findall(unicodedata.normalize("NFKC", text)):
        scripts = {
            unicodedata.name(letter, "").partition(" ")[0] for letter in word if unicodedata.category(letter) != "Lm"
        }
        if len(scripts) > 1 and not any(scripts <= allowed for allowed in TOGETHER):
            return str(word)
    return None


def unusual_letter(text: str) -> str | None:
    """Return the first letter that belongs to no alphabet in everyday use; None if there is none."""
    for letter in unicodedata.normalize("NFKC", text):
        if letter.isascii() or not unicodedata.category(letter).startswith("L") or unicodedata.category(letter) == "Lm":
            continue
        script = unicodedata.name(letter, "").partition(" ")[0]
        if script not in SCRIPTS or (script == "LATIN" and not EVERYDAY_LATIN.match(letter)):
            return letter
    return None
