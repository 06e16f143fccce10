"""Checks that the author of an actor runs on their own class: check_actor(MyActor)."""

from __future__ import annotations

import asyncio
import copy
from typing import TYPE_CHECKING, Any

from ictbench.actors import Actor, History, make_actor
from ictbench.records import Decision
from ictbench.testing.other_process import elsewhere
from ictbench.testing.player_checks import answered, check_model_faults, check_options, on_server, opened, plain_spec
from ictbench.testing.sample_episodes import HISTORIES, PROMPT
from ictbench.testing.scripted_replies import react_policy
from ictbench.testing.scripted_server import ScriptedServer
from ictbench.testing.violations import broken, excerpt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ictbench.records import PluginSpec
    from ictbench.testing.scripted_replies import Answer

SEED = 3
Asked = tuple[History, ...]


def check_actor(
    actor: type[Actor],
    *,
    options: Mapping[str, Any] | None = None,
    answer: Answer | None = None,
    histories: Sequence[History] = HISTORIES,
) -> None:
    """Hold an actor to the contract of `Actor`. Starts a process, and event loops of its own.

    Args:
        actor: the class.
        options: what it is made with.
        answer: what its model answers, from the body of a request in OpenAI's format; by default a thought and the
            first action. Only for an actor that `needs_model`.
        histories: what it is asked about.

    Raises:
        AssertionError: what is broken, for the author.
    """
    spec = plain_spec("actor", Actor, actor, options or {})
    with ScriptedServer(answer or react_policy(lambda prompt, observation, actions: actions[0])) as server:
        if actor.needs_model:
            spec = on_server(spec, server)
        check_options(make_actor, spec)
        asked = tuple(histories)
        first = answered("act", lambda: decisions(spec, asked))
        remedy = "let prompt, history and seed decide, and nothing else; draw random numbers from the seed"
        _compare("the same again", first, answered("act", lambda: decisions(spec, asked)), remedy)
        backwards = answered("act", lambda: decisions(spec, asked[::-1]))[::-1]
        _compare("in another order", first, backwards, "keep nothing between calls: the history holds all there is")
        together = answered("act", lambda: decisions(spec, asked, at_once=True))
        _compare("many at once", first, together, "keep nothing in the instance: many episodes share it")
        _compare("in another process", first, _elsewhere(spec, asked), f"{remedy}: no order of a set, no hash")
        if actor.cpu_bound:
            _check_cpu_bound(spec, asked[0])
    if actor.needs_model:
        check_model_faults(spec, lambda failing: decisions(failing, asked[:1]), lambda found: False)


async def decisions(spec: PluginSpec, histories: Asked, at_once: bool = False) -> list[Decision]:
    """What one instance answers to each history."""
    async with opened(spec) as model:
        actor = make_actor(spec, model)
        if at_once:
            return list(await asyncio.gather(*(_decide(actor, history) for history in histories)))
        return [await _decide(actor, history) for history in histories]


def decided(spec: PluginSpec, histories: Asked) -> list[Decision]:
    """The same, in an event loop of its own."""
    return asyncio.run(decisions(spec, histories))


async def _decide(actor: Actor, history: History) -> Decision:
    before = copy.deepcopy(history)
    decision = await actor.act(PROMPT, history, SEED)
    if not isinstance(decision, Decision):
        raise broken("act", f"it answers {excerpt(decision)}", "return an ictbench.Decision")
    if history != before:
        raise broken("history", "it changed the history it was given", "copy what you want to change")
    if actor.model is None and decision.usage.calls:
        raise broken("usage", f"it counts {decision.usage.calls} calls without a model", "count what a model cost")
    return decision


def _elsewhere(spec: PluginSpec, asked: Asked) -> list[Decision]:
    try:
        return elsewhere(decided, spec, asked)
    except RuntimeError as error:
        raise broken("in another process", str(error), "let the class be imported and made anywhere") from error


def _compare(check: str, first: Sequence[Decision], again: Sequence[Decision], remedy: str) -> None:
    for number, (one, other) in enumerate(zip(first, again, strict=True)):
        if (one.action, one.thought) != (other.action, other.thought):
            before, after = excerpt((one.action, one.thought)), excerpt((other.action, other.thought))
            raise broken(check, f"history {number} is answered by {after}, and was by {before}", remedy)


def _check_cpu_bound(spec: PluginSpec, history: History) -> None:
    """The engine then runs it without an event loop."""
    coroutine = make_actor(spec, None).act(PROMPT, history, SEED)
    try:
        coroutine.send(None)
    except StopIteration:
        return
    except RuntimeError as error:
        raise broken("cpu_bound", f"it waits for something: {error}", "leave cpu_bound False") from error
    coroutine.close()
    raise broken("cpu_bound", "it waits for something", "leave cpu_bound False")
