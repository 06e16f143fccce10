"""Checks that the author of a reflector runs on their own class: check_reflector(MyReflector)."""

from __future__ import annotations

import asyncio
import copy
import json
from typing import TYPE_CHECKING, Any

from ictbench.records import Reflection
from ictbench.reflectors import Context, Reflector, make_reflector
from ictbench.testing.other_process import elsewhere
from ictbench.testing.player_checks import answered, check_model_faults, check_options, on_server, opened, plain_spec
from ictbench.testing.sample_episodes import PROMPT, TRAJECTORIES
from ictbench.testing.scripted_server import ScriptedServer
from ictbench.testing.violations import broken, excerpt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import JsonValue

    from ictbench.models import ChatModel
    from ictbench.records import PluginSpec, Trajectory
    from ictbench.testing.scripted_replies import Answer

CAP, SMALL_CAP = 8000, 40
"""Bytes a prompt may have."""
Batches = tuple[tuple["Trajectory", ...], ...]


def check_reflector(
    reflector: type[Reflector],
    *,
    options: Mapping[str, Any] | None = None,
    answer: Answer | None = None,
    trajectories: Sequence[Trajectory] = TRAJECTORIES,
) -> None:
    """Hold a reflector to the contract of `Reflector`. Starts a process, and event loops of its own.

    Args:
        reflector: the class.
        options: what it is made with.
        answer: what its model answers, from the body of a request in OpenAI's format; by default the two sections
            that `rewrite` asks for. A reflector that `needs_model` has one, and any where this is given.
        trajectories: what it is shown, in batches.

    Raises:
        AssertionError: what is broken, for the author.
    """
    spec = plain_spec("reflector", Reflector, reflector, options or {})
    if not (reflector.trained_on is None or isinstance(reflector.trained_on, tuple)):
        raise broken("trained_on", f"it is {reflector.trained_on!r}", "let it be None, or a tuple of families")
    with_model = reflector.needs_model or answer is not None
    shown = tuple(trajectories)
    batches: Batches = (shown, (), shown[:1] * 2, shown[1:], shown)
    with ScriptedServer(answer or two_sections) as server:
        if with_model:
            spec = on_server(spec, server)
        check_options(make_reflector, spec)
        first = answered("reflect", lambda: turns(spec, batches))
        remedy = "let prompt, trajectories, state and the context's seed decide, and nothing else"
        _compare("the same again", first, answered("reflect", lambda: turns(spec, batches)), remedy)
        resumed = answered("reflect", lambda: turns(spec, batches, resumed=True))
        _compare("continued after a restart", first, resumed, "keep what you remember in the state, as plain JSON")
        beside = answered("reflect", lambda: _beside_another_loop(spec, batches))
        _compare("beside another loop", first, beside, "keep nothing in the instance: all loops share it")
        _compare("in another process", first, _elsewhere(spec, batches), f"{remedy}: no order of a set, no hash")
        answered("prompt cap", lambda: turns(spec, batches, cap=SMALL_CAP))
    if with_model:
        check_model_faults(spec, lambda failing: turns(failing, batches[:1]), lambda found: bool(found[0].failure))


def two_sections(body: dict[str, Any]) -> str:
    """A new prompt, as `rewrite` asks a model for it."""
    return f"ANALYSIS:\nI read {len(body['messages'])} messages.\nIMPROVED PROMPT:\nTake the lamp."


async def turns(spec: PluginSpec, batches: Batches, *, cap: int = CAP, resumed: bool = False) -> list[Reflection]:
    """One loop, a turn a batch, by one instance or by a new one every turn."""
    async with opened(spec) as model:
        return await _turns(spec, model, None if resumed else make_reflector(spec, model), batches, cap)


def turned(spec: PluginSpec, batches: Batches) -> list[Reflection]:
    """The same, in an event loop of its own."""
    return asyncio.run(turns(spec, batches))


async def _turns(
    spec: PluginSpec, model: ChatModel | None, kept: Reflector | None, batches: Batches, cap: int = CAP
) -> list[Reflection]:
    prompt, found = PROMPT, list[Reflection]()
    state: JsonValue = None
    for turn, batch in enumerate(batches):
        reflector = kept or make_reflector(spec, model)
        before = copy.deepcopy(state)
        reflection = await reflector.reflect(prompt, batch, state, Context(seed=turn, prompt_cap=cap))
        if state != before:
            raise broken("state", "it changed the state it was given", "copy what you want to change")
        state = _checked_state(_checked(reflection, prompt, cap))
        prompt = reflection.prompt or prompt
        found.append(reflection)
    return found


def _checked(reflection: Any, prompt: str, cap: int) -> Reflection:
    if not isinstance(reflection, Reflection):
        raise broken("reflect", f"it answers {excerpt(reflection)}", "return an ictbench.Reflection")
    written, failure = reflection.prompt, reflection.failure
    if (written is None) != (failure is not None):
        seen = f"prompt is {excerpt(written)} and failure {failure!r}"
        raise broken("failure", seen, "give a prompt, or None and in `failure` why there is none")
    if written is None:
        return reflection
    if not written.strip():
        raise broken("prompt", f"it is {written!r}", "give the old prompt, or None and a failure")
    size = len(written.encode("utf-8", "replace"))
    if size > cap and written != prompt:
        remedy = "mind context.prompt_cap, or say failure='too_long'"
        raise broken("prompt cap", f"the prompt has {size} bytes of {cap}", remedy)
    return reflection


def _checked_state(reflection: Reflection) -> JsonValue:
    try:
        read: JsonValue = json.loads(json.dumps(reflection.state, allow_nan=False))
    except ValueError as error:
        raise broken("state", f"it is no plain JSON: {error}", "use finite numbers, texts, lists, dicts") from error
    if read != reflection.state:
        raise broken("state", f"it does not survive JSON: {excerpt(reflection.state)}", "let keys be texts")
    return read


async def _beside_another_loop(spec: PluginSpec, batches: Batches) -> list[Reflection]:
    """What the first of two loops gets that one instance serves by turns."""
    async with opened(spec) as model:
        shared = make_reflector(spec, model)
        # The other one first: what it leaves behind in the instance is then found.
        await _turns(spec, model, shared, batches[::-1])
        both = await asyncio.gather(_turns(spec, model, shared, batches), _turns(spec, model, shared, batches[::-1]))
        return both[0]


def _elsewhere(spec: PluginSpec, batches: Batches) -> list[Reflection]:
    try:
        return elsewhere(turned, spec, batches)
    except RuntimeError as error:
        raise broken("in another process", str(error), "let the class be imported and made anywhere") from error


def _compare(check: str, first: Sequence[Reflection], again: Sequence[Reflection], remedy: str) -> None:
    for turn, (one, other) in enumerate(zip(first, again, strict=True), start=1):
        for name in ("prompt", "analysis", "failure", "state"):
            before, after = getattr(one, name), getattr(other, name)
            if before != after:
                raise broken(check, f"in turn {turn}, {name} is {excerpt(after)}, and was {excerpt(before)}", remedy)
