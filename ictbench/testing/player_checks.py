"""Checks shared by actors and reflectors."""

from __future__ import annotations

import asyncio
import inspect
import pickle
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ictbench.errors import EndpointRefusedError, IctbenchError, ModelFailure, UsageError
from ictbench.models import ModelPool
from ictbench.plugin_errors import describe_error, not_async, raised_at, short_repr
from ictbench.plugins import resolve
from ictbench.records import ModelSpec, PluginSpec
from ictbench.testing.faults import Fault, Faults
from ictbench.testing.other_process import run_in_new_process
from ictbench.testing.scripted_server import ScriptedServer
from ictbench.testing.violations import violation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence

    from ictbench.models import ChatModel

T = TypeVar("T")

UNKNOWN_OPTION = "no_such_option"
MODEL_FAULTS: Mapping[Fault, type[IctbenchError]] = {
    Fault.OVERFLOW: ModelFailure,
    Fault.UNAUTHORIZED: EndpointRefusedError,
}
"""Faults of a model, and the error that a player must let through for each."""


def make_spec(
    kind: Literal["actor", "reflector"], base: type[Any], cls: type[Any], options: Mapping[str, Any]
) -> PluginSpec:
    """Return the spec of a class, checked to be plain data from which any process finds the class.

    Raises:
        AssertionError: It is not.
    """
    if not (isinstance(cls, type) and issubclass(cls, base)):
        raise violation("class", f"{cls!r} is not a subclass of ictbench.{base.__name__}", "derive it from that class")
    name = f"{cls.__module__}:{cls.__qualname__}"
    try:
        resolved = resolve(kind, name)
    except IctbenchError as error:
        remedy = "define the class at the top of a module that can be imported"
        raise violation("name", str(error), remedy) from error
    if resolved is not cls:
        raise violation("name", f"{name} is {resolved!r}", "the module's attribute of that name must be the class")
    spec = PluginSpec(label=cls.__name__, name=name, options=dict(options))
    if PluginSpec.model_validate_json(spec.model_dump_json()) != spec or pickle.loads(pickle.dumps(spec)) != spec:
        raise violation("pickling", f"the options {options!r} change on the way through JSON", "use plain JSON values")
    return spec


def check_unknown_option(make: Callable[[PluginSpec, ChatModel | None], object], spec: PluginSpec) -> None:
    """Check that an option that the class does not have is an error.

    Raises:
        AssertionError: It is not.
    """

    async def make_with_unknown_option() -> None:
        wrong = spec.model_copy(update={"options": {**spec.options, UNKNOWN_OPTION: 1}})
        async with open_model_of(spec) as model:
            make(wrong, model)

    try:
        asyncio.run(make_with_unknown_option())
    except UsageError:
        return
    remedy = "pass options that the class does not know to super().__init__, which refuses them"
    raise violation("options", f"the unknown option {UNKNOWN_OPTION!r} is accepted", remedy)


@asynccontextmanager
async def open_model_of(spec: PluginSpec) -> AsyncIterator[ChatModel | None]:
    """Open the model of a player; None if it has none."""
    models = ModelPool()
    try:
        yield models.open(spec.model) if spec.model else None
    finally:
        await models.aclose()


def with_scripted_model(spec: PluginSpec, server: ScriptedServer) -> PluginSpec:
    """Return the spec of the same player with the server's scripted model."""
    model = ModelSpec(provider="openai", model="scripted", base_url=server.url)
    return spec.model_copy(update={"model": model})


def run_player(check: str, call: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Return the result of a call in a new event loop.

    Raises:
        AssertionError: The call raised an error.
    """
    try:
        return asyncio.run(call())
    except AssertionError:
        raise
    except Exception as error:
        remedy = "return a result; only errors of the model may be raised"
        raise violation(check, f"it raised {describe_error(error)}{raised_at(error)}", remedy) from error


def run_player_in_new_process(function: Callable[[PluginSpec, Any], T], spec: PluginSpec, data: Any) -> T:
    """Return the result of a call in a new process.

    Raises:
        AssertionError: The call raised an error there.
    """
    try:
        return run_in_new_process(function, spec, data)
    except RuntimeError as error:
        remedy = "make sure that any process can import and create the class"
        raise violation("in a new process", str(error), remedy) from error


def check_async(player: object, method: str, answer: Awaitable[T]) -> Awaitable[T]:
    """Return the answer of a coroutine function.

    Raises:
        AssertionError: It cannot be awaited.
    """
    if not inspect.isawaitable(answer):
        raise violation(method, not_async(type(player), method), "await what it needs, and return the result")
    return answer


def compare(check: str, names: Sequence[str], first: Sequence[Any], second: Sequence[Any], remedy: str) -> None:
    """Check that two lists of decisions or reflections, for the same inputs, agree in the attributes `names`.

    Raises:
        AssertionError: They do not.
    """
    for number, (one, other) in enumerate(zip(first, second, strict=True)):
        for name in names:
            before, after = getattr(one, name), getattr(other, name)
            if before != after:
                observed = f"for input {number}, {name} is {short_repr(after)}, but was {short_repr(before)} before"
                raise violation(check, observed, remedy)


def check_model_faults(
    spec: PluginSpec, call: Callable[[PluginSpec], Coroutine[Any, Any, T]], reports_failure: Callable[[T], bool]
) -> None:
    """Check that errors of the model are raised, and that no result hides them.

    Args:
        spec: The player.
        call: Calls the player of a spec.
        reports_failure: Whether a result says that the model failed.

    Raises:
        AssertionError: An error of the model is not raised.
    """
    for fault, error in MODEL_FAULTS.items():
        check, remedy = f"failing model ({fault})", f"let {error.__name__} through"
        with ScriptedServer([""], faults=Faults({fault: 1.0})) as server:
            try:
                result = asyncio.run(call(with_scripted_model(spec, server)))
            except error:
                continue
            except Exception as other:
                raise violation(check, f"it raised {describe_error(other)}{raised_at(other)}", remedy) from other
        if error is ModelFailure and reports_failure(result):
            continue
        raise violation(check, f"it returned {short_repr(result)}", remedy)
