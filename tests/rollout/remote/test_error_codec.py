from __future__ import annotations

import json

import pytest

from ictbench import errors
from ictbench.errors import (
    EnvError,
    IctbenchError,
    MissingExtraError,
    ModelFailure,
    TransientModelError,
    WorkerError,
    WorkerLostError,
)
from ictbench.records import Usage
from ictbench.rollout.remote.error_codec import error_from_json, error_to_json

SPECIAL: dict[type[IctbenchError], IctbenchError] = {
    MissingExtraError: MissingExtraError("environment 'x'", "x", "No module named 'x'"),
    ModelFailure: ModelFailure("refused", "it would not"),
    TransientModelError: TransientModelError("overloaded", "HTTP 503", 2.0),
    WorkerLostError: WorkerLostError("it died", blamed=False),
}
"""Errors that are made from more than their text."""
FOUND: dict[str, str] = {}
TREE = [found for found in vars(errors).values() if isinstance(found, type) and issubclass(found, IctbenchError)]


def over_the_wire(error: BaseException) -> IctbenchError:
    return error_from_json(json.loads(json.dumps(error_to_json(error))))


@pytest.mark.parametrize("kind", TREE)
def test_every_error_of_the_tree_is_the_same_on_the_other_end(kind: type[IctbenchError]) -> None:
    error = SPECIAL.get(kind) or kind("it broke: [/] “so”")
    again = over_the_wire(error)
    assert type(again) is kind
    assert str(again) == str(error)


@pytest.mark.parametrize("usage", [None, Usage(calls=1, input_tokens=900, cost=None), Usage(calls=2, cost=0.25)])
def test_a_failure_of_the_model_keeps_its_kind_and_what_it_cost(usage: Usage | None) -> None:
    again = over_the_wire(ModelFailure("context_overflow", "too long", usage))
    assert isinstance(again, ModelFailure)
    assert (again.kind, again.detail, again.usage) == ("context_overflow", "too long", usage)


class FloodError(EnvError):
    """A plug-in's own."""


class Literal(EnvError):  # noqa: N818 - the name of something else among our errors
    """Another."""


@pytest.mark.parametrize("kind", [FloodError, Literal])
def test_an_error_of_a_plug_ins_own_means_what_its_base_means(kind: type[EnvError]) -> None:
    again = over_the_wire(kind("the room is under water"))
    assert type(again) is EnvError
    assert str(again) == "the room is under water"


def test_an_error_nobody_foresaw_is_told_with_where_it_arose() -> None:
    try:
        FOUND["nothing"]
    except KeyError as error:
        again = over_the_wire(error)
    assert type(again) is WorkerError
    assert str(again) == "KeyError: 'nothing'"
    (trace,) = again.__notes__
    assert trace.startswith("Traceback")
    assert 'FOUND["nothing"]' in trace
    assert __file__ in trace
