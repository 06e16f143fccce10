from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.models.redact import Redactor

if TYPE_CHECKING:
    import pytest


def test_secrets_are_replaced_and_not_shown_in_the_repr() -> None:
    redact = Redactor("sk-one", "", "sk-two")
    assert redact("sk-one and sk-two, sk-three") == "[key] and [key], sk-three"
    assert "sk-one" not in repr(redact)
    assert Redactor("")("no secret") == "no secret"


def test_variables_that_look_like_secrets_are_redacted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "abcdefgh")
    monkeypatch.setenv("AWS_SECRET_ACCESS_VALUE", "ijklmnop")
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    monkeypatch.setenv("PLAIN_SETTING", "qrstuvwx")
    assert Redactor.from_environment()("abcdefgh ijklmnop false qrstuvwx") == "[key] [key] false qrstuvwx"
