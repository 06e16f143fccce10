"""What the checks of actors and of reflectors have in common."""

from __future__ import annotations

import asyncio
import pickle
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal

from ictbench.errors import EndpointRefusedError, IctbenchError, ModelFailure, UsageError
from ictbench.models import ModelPool
from ictbench.plugins import resolve
from ictbench.records import ModelSpec, PluginSpec
from ictbench.testing.faults import Fault, Faults
from ictbench.testing.scripted_server import ScriptedServer
from ictbench.testing.violations import broken, raised

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Mapping

    from ictbench.models import ChatModel

NO_OPTION = "no_such_option"
MODEL_FAULTS: Mapping[Fault, type[IctbenchError]] = {
    Fault.OVERFLOW: ModelFailure,
    Fault.UNAUTHORIZED: EndpointRefusedError,
}
"""How a model fails, and what becomes of that."""


def plain_spec(
    kind: Literal["actor", "reflector"], base: type[Any], found: type[Any], options: Mapping[str, Any]
) -> PluginSpec:
    """The spec of a class, checked to be plain data that leads back to it.

    Raises:
        AssertionError: it is not.
    """
    if not (isinstance(found, type) and issubclass(found, base)):
        raise broken("class", f"{found!r} is no subclass of ictbench.{base.__name__}", "derive it")
    name = f"{found.__module__}:{found.__qualname__}"
    try:
        named = resolve(kind, name)
    except IctbenchError as error:
        raise broken("name", str(error), "define the class at the top of a module that can be imported") from error
    if named is not found:
        raise broken("name", f"{name} is {named!r}", "let the module's name lead to the class")
    spec = PluginSpec(label=found.__name__, name=name, options=dict(options))
    if PluginSpec.model_validate_json(spec.model_dump_json()) != spec or pickle.loads(pickle.dumps(spec)) != spec:
        raise broken("pickling", f"its options do not travel: {options!r}", "let them be plain JSON")
    return spec


def check_options(made: Callable[[PluginSpec, ChatModel | None], object], spec: PluginSpec) -> None:
    """An option that the class does not have is refused.

    Raises:
        AssertionError: it is not.
    """

    async def make() -> None:
        wrong = spec.model_copy(update={"options": {**spec.options, NO_OPTION: 1}})
        async with opened(spec) as model:
            made(wrong, model)

    try:
        asyncio.run(make())
    except UsageError:
        return
    remedy = "hand options that you do not know to super().__init__"
    raise broken("options", f"it takes an option {NO_OPTION!r}, as if that meant something", remedy)


@asynccontextmanager
async def opened(spec: PluginSpec) -> AsyncIterator[ChatModel | None]:
    """The model of a spec, where it has one."""
    models = ModelPool()
    try:
        yield models.open(spec.model) if spec.model else None
    finally:
        await models.aclose()


def on_server(spec: PluginSpec, server: ScriptedServer) -> PluginSpec:
    """The same player, on the scripted model."""
    model = ModelSpec(provider="openai", model="scripted", base_url=server.url)
    return spec.model_copy(update={"model": model})


def answered(check: str, call: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """What a call answers in an event loop of its own.

    Raises:
        AssertionError: it raised an error.
    """
    try:
        return asyncio.run(call())
    except AssertionError:
        raise
    except Exception as error:
        raise broken(check, f"it {raised(error)}", "answer; of errors, only a model's may pass") from error


def check_model_faults(
    spec: PluginSpec, call: Callable[[PluginSpec], Coroutine[Any, Any, Any]], told: Callable[[Any], bool]
) -> None:
    """A model that fails makes the player fail: neither may be taken for an answer.

    Args:
        spec: the player.
        call: asks it something, by its spec.
        told: whether an answer says that the model failed.

    Raises:
        AssertionError: it does not.
    """
    for fault, error in MODEL_FAULTS.items():
        with ScriptedServer([""], faults=Faults({fault: 1.0})) as server:
            try:
                found = asyncio.run(call(on_server(spec, server)))
            except error:
                continue
            except Exception as other:
                remedy = f"let {error.__name__} pass"
                raise broken(f"model that fails ({fault})", f"it {raised(other)}", remedy) from other
        if error is ModelFailure and told(found):
            continue
        raise broken(f"model that fails ({fault})", f"it answers {found!r:.200}", f"let {error.__name__} pass")
