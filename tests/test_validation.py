"""Refused values are described in plain English: place, value, what is wrong."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ictbench.validation import validation_message, validation_problems


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid")

    turns: int = Field(2, ge=1)
    cost: float = Field(1.0, gt=0, allow_inf_nan=False)
    profile: Literal["quick", "lite"] = "quick"
    kind: Literal["form"] = "form"
    families: tuple[str, ...] = ()
    name: str = "x"

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        if name == "bad":
            raise ValueError("it is reserved")
        return name


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("turns", 0, "turns: 0 is below the minimum of 1"),
        ("turns", "many", "turns: 'many' is not a whole number"),
        ("turns", 1.5, "turns: 1.5 is not a whole number"),
        ("cost", 0, "cost: 0 is not greater than 0.0"),
        ("cost", float("nan"), "cost: nan is not a finite number"),
        ("profile", "qick", "profile: 'qick' is not one of quick, lite; did you mean 'quick'?"),
        ("profile", "huge", "profile: 'huge' is not one of quick, lite"),
        ("kind", "from", "kind: 'from' is not 'form'; did you mean 'form'?"),
        ("families", None, "families: None is not a list"),
        ("name", 3, "name: 3 is not a text"),
        ("name", "bad", "name: it is reserved: 'bad'"),
        ("other", 1, "other is not a known field"),
    ],
)
def test_a_refused_value_is_described(field: str, value: Any, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Form.model_validate({field: value})
    assert validation_message(caught.value) == message


def test_several_problems_are_counted() -> None:
    with pytest.raises(ValidationError) as caught:
        Form.model_validate({"turns": 0, "name": 3, "other": 1})
    assert validation_message(caught.value) == "other is not a known field (and 2 more)"
    assert len(validation_problems(caught.value, 2)) == 2


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    max_steps: int
    schema_: str = Field("", alias="schema")


class Whole(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limits: Part | None = None
    parts: dict[str, Part] = {}
    several: tuple[Part, ...] = ()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"limit": {}}, "limit is not a known field; did you mean 'limits'?"),
        ({"limits": {"max_step": 3}}, "limits.max_step is not a known field; did you mean 'max_steps'? (and 1 more)"),
        ({"limits": {"max_steps": 3, "shema": 1}}, "limits.shema is not a known field; did you mean 'schema'?"),
        (
            {"parts": {"a": {"max_steps": 1, "maxsteps": 1}}},
            "parts.a.maxsteps is not a known field; did you mean 'max_steps'?",
        ),
        ({"several": [{"max_steps": 1, "xyz": 1}]}, "several.0.xyz is not a known field"),
    ],
)
def test_an_unknown_field_comes_first_and_the_likely_one_is_suggested(content: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Whole.model_validate(content)
    assert validation_message(caught.value, Whole) == message


def test_control_characters_in_the_name_of_a_field_are_replaced() -> None:
    with pytest.raises(ValidationError) as caught:
        Form.model_validate({"\x7fbservation": 1})
    assert validation_message(caught.value) == "\N{REPLACEMENT CHARACTER}bservation is not a known field"
