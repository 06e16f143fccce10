"""Conformance check of actors, for their authors: `check_actor(MyActor)`."""

from __future__ import annotations

import asyncio
import copy
from functools import partial
from typing import TYPE_CHECKING, Any

from ictbench.actors import Actor, History, make_actor
from ictbench.plugin_errors import describe_error, short_repr
from ictbench.records import Decision
from ictbench.testing.player_checks import (
    check_async,
    check_model_faults,
    check_unknown_option,
    compare,
    make_spec,
    open_model_of,
    run_player,
    run_player_in_new_process,
    with_scripted_model,
)
from ictbench.testing.sample_episodes import HISTORIES, PROMPT
from ictbench.testing.scripted_replies import react_policy
from ictbench.testing.scripted_server import ScriptedServer
from ictbench.testing.violations import violation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ictbench.records import PluginSpec
    from ictbench.testing.scripted_replies import Answer

SEED = 3


def check_actor(
    actor: type[Actor],
    *,
    options: Mapping[str, Any] | None = None,
    answer: Answer | None = None,
    histories: Sequence[History] = HISTORIES,
) -> None:
    """Check that a class keeps the contract of `Actor`. Starts a process and several event loops.

    Args:
        actor: The class.
        options: Its options.
        answer: The replies of its model, computed from the body of a request in OpenAI's format; by default a thought
            and the first action. Only for an actor that `needs_model`.
        histories: The histories that it decides on.

    Raises:
        AssertionError: The class violates the contract; the message says how, and what to do.
    """
    spec = make_spec("actor", Actor, actor, options or {})
    if not (actor.trained_on is None or isinstance(actor.trained_on, tuple)):
        raise violation("trained_on", f"it is {actor.trained_on!r}", "set it to None or to a tuple of families")
    inputs = tuple(histories)
    with ScriptedServer(answer or react_policy(lambda prompt, observation, actions: actions[0])) as server:
        if actor.needs_model:
            spec = with_scripted_model(spec, server)
        check_unknown_option(make_actor, spec)
        first = run_player("act", lambda: decide(spec, inputs))
        check = partial(compare, names=("action", "thought"), first=first)
        remedy = "let only prompt, history and seed determine the decision, and draw random numbers from the seed"
        check("repeated", second=run_player("act", lambda: decide(spec, inputs)), remedy=remedy)
        backwards = run_player("act", lambda: decide(spec, inputs[::-1]))[::-1]
        check(
            "in another order", second=backwards, remedy="keep no state between calls: the history contains everything"
        )
        concurrent = run_player("act", lambda: decide(spec, inputs, concurrently=True))
        check("concurrently", second=concurrent, remedy="keep no state in the instance: many episodes share it")
        elsewhere = run_player_in_new_process(decide_sync, spec, inputs)
        check("in a new process", second=elsewhere, remedy=f"{remedy}, not the order of a set or a hash")
        if actor.deterministic:
            other = run_player("act", lambda: decide(spec, inputs, seed=SEED + 1))
            check("with another seed", second=other, remedy="set deterministic to False")
        if actor.cpu_bound:
            _check_cpu_bound(spec, inputs[0])
    if actor.needs_model:
        check_model_faults(spec, lambda failing: decide(failing, inputs[:1]), lambda decisions: False)


async def decide(
    spec: PluginSpec, histories: Sequence[History], *, concurrently: bool = False, seed: int = SEED
) -> list[Decision]:
    """Return one instance's decision for each history."""
    async with open_model_of(spec) as model:
        actor = make_actor(spec, model)
        if concurrently:
            return list(await asyncio.gather(*(_decide(actor, history, seed) for history in histories)))
        return [await _decide(actor, history, seed) for history in histories]


def decide_sync(spec: PluginSpec, histories: Sequence[History]) -> list[Decision]:
    """Return what `decide` returns, for callers without an event loop."""
    return asyncio.run(decide(spec, histories))


async def _decide(actor: Actor, history: History, seed: int) -> Decision:
    before = copy.deepcopy(history)
    decision = await check_async(actor, "act", actor.act(PROMPT, history, seed))
    if not isinstance(decision, Decision):
        raise violation("act", f"it returned {short_repr(decision)}", "return an ictbench.Decision")
    if history != before:
        raise violation("history", "it modified the history", "copy what you want to change")
    if actor.model is None and decision.usage.calls:
        observed = f"it counts {decision.usage.calls} calls, but has no model"
        raise violation("usage", observed, "count only calls of a model")
    return decision


def _check_cpu_bound(spec: PluginSpec, history: History) -> None:
    """Check that `act` never suspends, as workers run it without an event loop."""
    coroutine = make_actor(spec, None).act(PROMPT, history, SEED)
    try:
        coroutine.send(None)
    except StopIteration:
        return
    except RuntimeError as error:
        observed = f"it needs an event loop: {describe_error(error)}"
        raise violation("cpu_bound", observed, "set cpu_bound to False") from error
    coroutine.close()
    raise violation("cpu_bound", "it awaits something", "set cpu_bound to False")
