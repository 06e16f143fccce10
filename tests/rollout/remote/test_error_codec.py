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
"""Errors whose constructors take more than a text."""
EMPTY: dict[str, str] = {}
ERROR_TREE = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, IctbenchError)]


def round_trip(error: BaseException) -> IctbenchError:
    return error_from_json(json.loads(json.dumps(error_to_json(error))))


@pytest.mark.parametrize("kind", ERROR_TREE)
def test_every_error_of_the_tree_keeps_its_type_and_text(kind: type[IctbenchError]) -> None:
    error = SPECIAL.get(kind) or kind("it broke: [/] “so”")
    decoded = round_trip(error)
    assert type(decoded) is kind
    assert str(decoded) == str(error)


@pytest.mark.parametrize("usage", [None, Usage(calls=1, input_tokens=900, cost=None), Usage(calls=2, cost=0.25)])
def test_model_failure_keeps_its_kind_and_usage(usage: Usage | None) -> None:
    decoded = round_trip(ModelFailure("context_overflow", "too long", usage))
    assert isinstance(decoded, ModelFailure)
    assert (decoded.kind, decoded.detail, decoded.usage) == ("context_overflow", "too long", usage)


class FloodError(EnvError):
    """An error that a plug-in defines."""


class Literal(EnvError):  # noqa: N818 - a name that `ictbench.errors` uses for something else
    """Another one."""


@pytest.mark.parametrize("kind", [FloodError, Literal])
def test_error_of_a_plug_in_is_decoded_as_its_base_class(kind: type[EnvError]) -> None:
    decoded = round_trip(kind("the room is under water"))
    assert type(decoded) is EnvError
    assert str(decoded) == "the room is under water"


def test_unexpected_error_is_decoded_with_its_traceback() -> None:
    try:
        EMPTY["nothing"]
    except KeyError as error:
        decoded = round_trip(error)
    assert type(decoded) is WorkerError
    assert str(decoded) == "KeyError: 'nothing'"
    (trace,) = decoded.__notes__
    assert trace.startswith("Traceback")
    assert 'EMPTY["nothing"]' in trace
    assert __file__ in trace
