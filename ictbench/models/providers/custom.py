"""A language model that is a user's own class: `package.module:Name`.

    class Parrot:
        def complete(self, messages):
            return messages[-1]["content"]

`complete` may be a coroutine function or a plain one, which runs in threads and is called from several at once. It
returns a str or a `Completion`. What it names among its parameters it is given: `seed`, `constraint`. The class is
made with the `ModelSpec` if its constructor names `spec`, with nothing otherwise. `capabilities`, `supports_prefill`,
`fingerprint` and `aclose` or `close` mean what they mean in `ChatModel`, where the class has them. What goes wrong it
tells by the errors that `ChatModel` names; an OSError of its own counts as a connection's, any other error stops the
run.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ictbench.errors import IctbenchError, ModelFailure, PluginError, TransientModelError, UsageError
from ictbench.models.chat_model import ChatModel, Completion, Constraint, ConstraintStyle, Message
from ictbench.records import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ictbench.records import ModelSpec

MOST_THREADS = 64
OFFERED = ("seed", "constraint")


def is_model_class(found: type[Any]) -> bool:
    """Whether a class is a language model, of this package or of a user's own: it has `complete`."""
    return callable(getattr(found, "complete", None))


def open_model(found: type[Any], spec: ModelSpec) -> ChatModel:
    """The model of a class: opened as it is where it keeps the contract itself, wrapped where it does not.

    Raises:
        UsageError: it is no model, or cannot be made.
    """
    return found(spec) if issubclass(found, ChatModel) else CustomModel(spec, found)


class CustomModel(ChatModel):
    """Wraps an object of a user's own class."""

    def __init__(self, spec: ModelSpec, found: type[Any]) -> None:
        """Make the object.

        Raises:
            UsageError: the class is no model, or cannot be made.
        """
        super().__init__(spec)
        if not is_model_class(found):
            raise UsageError(f"{spec.provider} is no model: it has no method complete(messages)")
        try:
            self._model = found(**_named(found, {"spec": spec}))
        except IctbenchError:
            raise
        except Exception as error:
            raise UsageError(f"{spec.provider} cannot be made: {_said(error)}") from error
        self._complete = self._model.complete
        self._offered = frozenset(_named(self._complete, dict.fromkeys(OFFERED)))
        self._threads: ThreadPoolExecutor | None = None
        self.capabilities = frozenset(map(ConstraintStyle, getattr(self._model, "capabilities", ())))
        self.supports_prefill = bool(getattr(self._model, "supports_prefill", False))
        if self.capabilities and "constraint" not in self._offered:
            raise UsageError(f"{spec.provider} has capabilities, but its complete takes no constraint")

    async def complete(
        self, messages: Sequence[Message], *, seed: int | None = None, constraint: Constraint | None = None
    ) -> Completion:
        """Answer `messages`, in one try.

        Raises:
            ModelFailure: empty, or what the class raises itself.
            TransientModelError: it took too long, or raised an OSError, as errors of connections are.
            PluginError: it raised anything else, or returned what is no reply.
        """
        named = {name: value for name, value in (("seed", seed), ("constraint", constraint)) if name in self._offered}
        # Copies: the caller's messages are not the class's to change.
        call = functools.partial(self._complete, [Message(**message) for message in messages], **named)
        try:
            async with asyncio.timeout(self.spec.timeout):
                answer = await self._called(call)
        except IctbenchError:
            raise
        except TimeoutError:
            raise TransientModelError("timeout", f"{self._name}: no answer within {self.spec.timeout:g} s") from None
        except OSError as error:
            raise TransientModelError("connection", f"{self._name}: {_said(error)}") from error
        except Exception as error:
            raise PluginError(f"{self._name}.complete raised {_said(error)}") from error
        completion = Completion(answer, Usage(calls=1, cost=None)) if isinstance(answer, str) else answer
        if not isinstance(completion, Completion):
            raise PluginError(f"{self._name}.complete returned {answer!r:.80}, not a str or a Completion")
        if not completion.text.strip() and not completion.calls and completion.finish_reason != "length":
            raise ModelFailure("empty", usage=completion.usage)
        return completion

    @property
    def fingerprint(self) -> str | None:
        """The class's own, where it has one."""
        own = getattr(self._model, "fingerprint", None)
        return None if own is None else str(own)

    async def aclose(self) -> None:
        """Call the class's `aclose` or `close`, where it has one."""
        threads, self._threads = self._threads, None
        if threads:
            threads.shutdown(wait=False, cancel_futures=True)
        close = getattr(self._model, "aclose", None) or getattr(self._model, "close", None)
        if close is not None and inspect.isawaitable(closing := close()):
            await closing

    @property
    def _name(self) -> str:
        return self.spec.provider

    async def _called(self, call: Callable[[], Any]) -> Any:
        if inspect.iscoroutinefunction(self._complete):
            return await call()
        if self._threads is None:
            self._threads = ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="custom-model")
        answer = await asyncio.get_running_loop().run_in_executor(self._threads, call)
        # A plain function may still return a coroutine, e.g. under a decorator.
        return await answer if inspect.isawaitable(answer) else answer


def _named(call: Callable[..., Any], offered: dict[str, Any]) -> dict[str, Any]:
    """What of `offered` the parameters of `call` name."""
    try:
        parameters = inspect.signature(call).parameters.values()
    except (ValueError, TypeError):
        return {}
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return offered
    takes = {parameter.name for parameter in parameters if parameter.kind is not parameter.POSITIONAL_ONLY}
    return {name: value for name, value in offered.items() if name in takes}


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
