"""Conformance check of reflectors, for their authors: `check_reflector(MyReflector)`."""

from __future__ import annotations

import asyncio
import copy
import json
from functools import partial
from typing import TYPE_CHECKING, Any

from ictbench.plugin_errors import short_repr
from ictbench.records import MEMORY_ROOM, NO_MEMORY, Memory, Reflection
from ictbench.reflectors import Context, Reflector, make_reflector, traits_of
from ictbench.runs.checked_reflection import copied
from ictbench.testing.memory_checks import check_memory, check_recall
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
from ictbench.testing.sample_episodes import PROMPT, TRAJECTORIES
from ictbench.testing.sample_rollouts import SampleLoop
from ictbench.testing.scripted_server import ScriptedServer
from ictbench.testing.violations import violation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import JsonValue

    from ictbench.models import ChatModel
    from ictbench.records import PluginSpec, Trajectory
    from ictbench.testing.scripted_replies import Answer

PROMPT_CAP, SMALL_PROMPT_CAP = 8000, 40
"""Maximum sizes of a prompt in bytes, with what a memory adds to it."""
Batches = tuple[tuple["Trajectory", ...], ...]


def check_reflector(
    reflector: type[Reflector],
    *,
    options: Mapping[str, Any] | None = None,
    answer: Answer | None = None,
    trajectories: Sequence[Trajectory] = TRAJECTORIES,
) -> None:
    """Check that a class keeps the contract of `Reflector`. Starts a process and several event loops.

    Args:
        reflector: The class.
        options: Its options.
        answer: The replies of its model, computed from the body of a request in OpenAI's format; by default the two
            sections that `rewrite` asks for. A reflector gets a model if it `needs_model` or if this is given.
        trajectories: The trajectories that it is shown, in batches.

    Raises:
        AssertionError: The class violates the contract; the message says how, and what to do.
    """
    spec = make_spec("reflector", Reflector, reflector, options or {})
    if not (reflector.trained_on is None or isinstance(reflector.trained_on, tuple)):
        raise violation("trained_on", f"it is {reflector.trained_on!r}", "set it to None or to a tuple of families")
    with_model = reflector.needs_model or answer is not None
    everything = tuple(trajectories)
    batches: Batches = (everything, (), everything[:1] * 2, everything[1:], everything)
    with ScriptedServer(answer or two_sections) as server:
        if with_model:
            spec = with_scripted_model(spec, server)
        check_unknown_option(make_reflector, spec)
        first = run_player("reflect", lambda: play_loop(spec, batches))
        check = partial(compare, names=("prompt", "analysis", "failure", "state", "memory"), first=first)
        remedy = "let only prompt, trajectories, state and the context's seed determine the result"
        check("repeated", second=run_player("reflect", lambda: play_loop(spec, batches)), remedy=remedy)
        restarted = run_player("reflect", lambda: play_loop(spec, batches, restarting=True))
        check(
            "after a restart",
            second=restarted,
            remedy="keep what you remember in the state, or in the memory, as plain JSON",
        )
        interleaved = run_player("reflect", lambda: _play_two_loops(spec, batches))
        check("next to another loop", second=interleaved, remedy="keep no state in the instance: all loops share it")
        elsewhere = run_player_in_new_process(play_loop_sync, spec, batches)
        check("in a new process", second=elsewhere, remedy=f"{remedy}, not the order of a set or a hash")
        run_player("prompt cap", lambda: play_loop(spec, batches, prompt_cap=SMALL_PROMPT_CAP))
        if traits_of(spec).division == "memory":
            check_recall(spec, first)
    if with_model:
        # An optimiser may ask its model late.
        asked = batches if traits_of(spec).division == "optimiser" else batches[:1]
        check_model_faults(
            spec, lambda failing: play_loop(failing, asked), lambda reflections: any(one.failure for one in reflections)
        )


def two_sections(body: dict[str, Any]) -> str:
    """Return a reply in the format that the reflector `rewrite` asks for."""
    return f"ANALYSIS:\nI read {len(body['messages'])} messages.\nIMPROVED PROMPT:\nTake the lamp."


async def play_loop(
    spec: PluginSpec, batches: Batches, *, prompt_cap: int = PROMPT_CAP, restarting: bool = False
) -> list[Reflection]:
    """Return the reflections of one loop with one turn per batch, by one instance, or by a new one in every turn."""
    async with open_model_of(spec) as model:
        return await _turns(spec, model, None if restarting else make_reflector(spec, model), batches, prompt_cap)


def play_loop_sync(spec: PluginSpec, batches: Batches) -> list[Reflection]:
    """Return what `play_loop` returns, for callers without an event loop."""
    return asyncio.run(play_loop(spec, batches))


async def _play_two_loops(spec: PluginSpec, batches: Batches) -> list[Reflection]:
    """Return the reflections of the first of two loops that one instance serves at the same time."""
    async with open_model_of(spec) as model:
        shared = make_reflector(spec, model)
        # One whole loop before, so that state which it leaves in the instance has an effect.
        await _turns(spec, model, shared, batches[::-1])
        first, _ = await asyncio.gather(
            _turns(spec, model, shared, batches), _turns(spec, model, shared, batches[::-1])
        )
        return first


async def _turns(
    spec: PluginSpec,
    model: ChatModel | None,
    instance: Reflector | None,
    batches: Batches,
    prompt_cap: int = PROMPT_CAP,
) -> list[Reflection]:
    prompt, reflections = PROMPT, list[Reflection]()
    state: JsonValue = None
    memory = NO_MEMORY
    division = traits_of(spec).division
    if division == "memory":
        prompt_cap = max(prompt_cap - MEMORY_ROOM, SMALL_PROMPT_CAP)
    sample = SampleLoop(traits_of(spec).experience, batches, max(prompt_cap, len(PROMPT.encode())))
    for turn in range(1, len(batches) + 1):
        reflector = instance or make_reflector(spec, model)
        before = copy.deepcopy(state)
        rollouts = sample.rollouts(turn)
        context = Context(seed=turn - 1, prompt_cap=prompt_cap, play=rollouts, turn=turn, memory=copied(memory))
        reflection = await check_async(
            reflector, "reflect", reflector.reflect(prompt, sample.batch(turn), state, context)
        )
        sample.played.update(rollouts.outcomes if rollouts else ())
        if state != before:
            raise violation("state", "it modified the state", "copy what you want to change")
        _check_reflection(reflection, prompt, prompt_cap)
        state = _through_json("state", reflection.state)
        if reflection.memory is not None:
            if division != "memory":
                raise violation("memory", "it returned one", 'set `division = "memory"` in the class')
            check_memory(reflection.memory)
            memory = Memory.of(_through_json("memory", reflection.memory)) if reflection.prompt else memory
        prompt = reflection.prompt or prompt
        reflections.append(reflection)
    return reflections


def _check_reflection(reflection: Any, previous_prompt: str, prompt_cap: int) -> None:
    if not isinstance(reflection, Reflection):
        raise violation("reflect", f"it returned {short_repr(reflection)}", "return an ictbench.Reflection")
    prompt, failure = reflection.prompt, reflection.failure
    if (prompt is None) != (failure is not None):
        observed = f"prompt is {short_repr(prompt)} and failure is {failure!r}"
        raise violation("failure", observed, "return either a prompt, or None and the reason in `failure`")
    if prompt is None:
        return
    if not prompt.strip():
        raise violation("prompt", f"it is {prompt!r}", "return the old prompt, or None and a failure")
    size = len(prompt.encode("utf-8", "replace"))
    if size > prompt_cap and prompt != previous_prompt:
        remedy = "stay within context.prompt_cap, or return failure='too_long'"
        raise violation("prompt cap", f"the prompt has {size} bytes, more than {prompt_cap}", remedy)


def _through_json(name: str, value: JsonValue) -> JsonValue:
    try:
        kept: JsonValue = json.loads(json.dumps(value, allow_nan=False, sort_keys=name == "memory"))
    except ValueError as error:
        remedy = "use finite numbers, strings, lists and dicts"
        raise violation(name, f"it is not plain JSON: {error}", remedy) from error
    if kept != value:
        raise violation(name, f"{short_repr(value)} changes on the way through JSON", "use strings as keys")
    return kept
