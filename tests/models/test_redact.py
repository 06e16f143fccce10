from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.errors import UsageError
from ictbench.models.redact import MIN_SECRET_LENGTH, PLACEHOLDERS, Redactor, is_secret, read_header


def test_secrets_are_replaced_and_not_shown_in_the_repr() -> None:
    redact = Redactor("sk-one-11", "", "sk-two-22")
    assert redact("sk-one-11 and sk-two-22, sk-three") == "[key] and [key], sk-three"
    assert "sk-one" not in repr(redact)
    assert Redactor("")("no secret") == "no secret"


def test_a_secret_that_is_part_of_another_does_not_leave_the_rest() -> None:
    assert Redactor("sk-12345678", "sk-12345678-admin")("sk-12345678-admin") == "[key]"


@pytest.mark.parametrize(
    "value", ["x", "EMPTY", "none", "None", "test", "dummy", "a-key", "sk-none", "not-needed", "NO_API_KEY", "********"]
)
def test_short_and_common_values_are_no_secrets(value: str) -> None:
    message = f"max_tokens of {value} is not the test you need"
    assert Redactor(value)(message) == message


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=MIN_SECRET_LENGTH, max_size=40))
def test_no_form_of_a_secret_is_left_in_a_text(secret: str) -> None:
    if not is_secret(secret):
        return
    redact = Redactor(secret)
    for form in (
        secret,
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        base64.b64encode(secret.encode()).decode(),
    ):
        assert redact(f"<<{form}>>") == "<<[key]>>"


@given(st.sampled_from(sorted(PLACEHOLDERS)), st.sampled_from(["", "-", "_", " "]), st.booleans())
def test_placeholders_are_recognised_in_every_spelling(word: str, mark: str, upper: bool) -> None:
    spelled = mark.join([word[:4], word[4:]])
    assert not is_secret(spelled.upper() if upper else spelled)


def test_variables_that_look_like_secrets_are_redacted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "abcdefgh")
    monkeypatch.setenv("AWS_SECRET_ACCESS_VALUE", "ijklmnop")
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    monkeypatch.setenv("PLAIN_SETTING", "qrstuvwx")
    monkeypatch.setenv("HTTPS_PROXY", "http://me:hunter%402024@proxy.test:1")
    redact = Redactor.from_environment()
    assert redact("abcdefgh ijklmnop false qrstuvwx") == "[key] [key] false qrstuvwx"
    assert redact("http://me:hunter%402024@proxy.test:1, hunter@2024") == "http://[key]@proxy.test:1, [key]"


def test_a_header_is_read_without_the_white_space_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOME_ID", raising=False)
    assert read_header("SOME_ID") == ""
    monkeypatch.setenv("SOME_ID", " org-1\r\n")
    assert read_header("SOME_ID") == "org-1"


@pytest.mark.parametrize("value", ["sk-a\nb", "sk-ä", "sk-\x1b[1m", "sk-\u200b1"])
def test_a_value_that_fits_in_no_header_is_an_error_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("SOME_ID", value)
    with pytest.raises(UsageError, match="SOME_ID") as caught:
        read_header("SOME_ID")
    assert "sk-" not in str(caught.value)
