"""Language models that are a user's own class, named `package.module:Name`.

    class Parrot:
        def complete(self, messages):
            return messages[-1]["content"]

`complete` may be a coroutine function, or a plain function, which then runs in several threads at once. It returns a
str or a `Completion`. It receives `seed` and `constraint` if it has parameters with these names. The constructor
receives the `ModelSpec` if it has a parameter `spec`; without one, sampling and model options cannot be chosen.
`capabilities`, `supports_prefill`, `fingerprint`, and `aclose` or `close` are optional and have the same meaning as in
`ChatModel`, as have the errors that `ChatModel.complete` raises; an OSError counts as a connection error, and any other
exception stops the run.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ictbench.errors import ConfigError, IctbenchError, PluginError, TransientModelError, UsageError
from ictbench.models.chat_model import ChatModel, Completion, Constraint, ConstraintStyle, Message
from ictbench.models.model_options import SAMPLING
from ictbench.models.replies import clean_name
from ictbench.plugin_errors import describe_error, plugin_error, raised_at
from ictbench.records import UNREPORTED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ictbench.records import ModelSpec

MAX_THREADS = 64
OPTIONAL_PARAMETERS = ("seed", "constraint")


def is_model_class(cls: type[Any]) -> bool:
    """Return whether a class is a language model, of this package or a user's own: it has `complete`."""
    return callable(getattr(cls, "complete", None))


def open_model(cls: type[Any], spec: ModelSpec) -> ChatModel:
    """Return a model of a class: a `ChatModel` itself, an object of any other class wrapped.

    Raises:
        UsageError: The class is not a language model, or its constructor fails.
    """
    return cls(spec) if issubclass(cls, ChatModel) else CustomModel(spec, cls)


class CustomModel(ChatModel):
    """Wraps an object of a user's own class."""

    def __init__(self, spec: ModelSpec, cls: type[Any]) -> None:
        """Create the object.

        Raises:
            UsageError: The class is not a language model, or its constructor fails.
        """
        super().__init__(spec)
        if not is_model_class(cls):
            raise UsageError(f"{spec.provider} is not a language model: it has no method complete(messages)")
        arguments = _accepted(cls, {"spec": spec})
        if not arguments:
            self.unsupported = frozenset(SAMPLING)
            if spec.options:
                raise ConfigError(
                    f"{spec.provider} takes no model options ({', '.join(spec.options)}): its constructor has no "
                    "parameter `spec`"
                )
        try:
            self._model = cls(**arguments)
        except IctbenchError:
            raise
        except Exception as error:
            place = raised_at(error, cls)
            raise UsageError(f"{spec.provider} cannot be created: {describe_error(error)}{place}") from error
        self._complete = self._model.complete
        self._optional = frozenset(_accepted(self._complete, dict.fromkeys(OPTIONAL_PARAMETERS)))
        self._threads: ThreadPoolExecutor | None = None
        self.capabilities = frozenset(map(ConstraintStyle, getattr(self._model, "capabilities", ())))
        self.supports_prefill = bool(getattr(self._model, "supports_prefill", False))
        if self.capabilities and "constraint" not in self._optional:
            raise UsageError(f"{spec.provider} has capabilities, but its complete has no parameter `constraint`")

    async def complete(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        """Call the class's `complete`; see `ChatModel.complete`.

        Raises:
            TransientModelError: It took too long, or raised an OSError.
            PluginError: It raised another exception, or returned something other than a reply.
        """
        offered = {"seed": seed, "constraint": constraint}
        optional = {name: value for name, value in offered.items() if name in self._optional}
        # Copies, as the class must not modify the caller's messages.
        call = functools.partial(self._complete, [Message(**message) for message in messages], **optional)
        name = self.spec.provider
        try:
            async with asyncio.timeout(self.spec.timeout):
                answer = await self._call(call)
        except IctbenchError:
            raise
        except TimeoutError:
            raise TransientModelError("timeout", f"{name}: no answer within {self.spec.timeout:g} s") from None
        except OSError as error:
            raise TransientModelError("connection", f"{name}: {describe_error(error)}") from error
        except Exception as error:
            raise plugin_error(f"model {name}, complete", error, type(self._model)) from error
        completion = Completion(answer, UNREPORTED) if isinstance(answer, str) else answer
        if not isinstance(completion, Completion):
            raise PluginError(f"{name}.complete returned {answer!r:.80}, not a str or a Completion")
        return completion

    @property
    def fingerprint(self) -> str | None:
        """The class's own fingerprint, if it has one."""
        value = getattr(self._model, "fingerprint", None)
        return None if value is None else clean_name(str(value))

    async def aclose(self) -> None:
        """Call the class's `aclose` or `close`, if it has one."""
        threads, self._threads = self._threads, None
        if threads:
            threads.shutdown(wait=False, cancel_futures=True)
        close = getattr(self._model, "aclose", None) or getattr(self._model, "close", None)
        if close is not None and inspect.isawaitable(closing := close()):
            await closing

    async def _call(self, call: Callable[[], Any]) -> Any:
        if inspect.iscoroutinefunction(self._complete):
            return await call()
        if self._threads is None:
            self._threads = ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="custom-model")
        answer = await asyncio.get_running_loop().run_in_executor(self._threads, call)
        # A plain function may still return a coroutine, e.g. under a decorator.
        return await answer if inspect.isawaitable(answer) else answer


def _accepted(function: Callable[..., Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """Return those of the arguments that `function` has a parameter for."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (ValueError, TypeError):
        return {}
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return arguments
    names = {parameter.name for parameter in parameters if parameter.kind is not parameter.POSITIONAL_ONLY}
    return {name: value for name, value in arguments.items() if name in names}
