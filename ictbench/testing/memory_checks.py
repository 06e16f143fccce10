"""Checks of the memories of learners of the division `memory`, and of what they recall."""

from __future__ import annotations

import asyncio
import copy
import json
import time
from typing import TYPE_CHECKING

from ictbench.errors import PluginError
from ictbench.plugin_errors import short_repr
from ictbench.records import MEMORY_BYTES, canonical_json
from ictbench.reflectors import make_reflector
from ictbench.runs.recall import RECALL_SECONDS, recalled
from ictbench.testing.player_checks import open_model_of, run_player, run_player_in_new_process
from ictbench.testing.sample_episodes import HISTORIES
from ictbench.testing.violations import violation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.records import PluginSpec, Reflection

OPENINGS = tuple(dict.fromkeys((history.observation, history.actions) for history in HISTORIES))
"""First observations, with the actions that are available then."""

PURE = "let only memory, observation and actions determine the text"


def check_memory(memory: JsonValue) -> None:
    """Check the size of a memory.

    Raises:
        AssertionError: It is too large.
    """
    if (size := len(canonical_json(memory).encode())) > MEMORY_BYTES:
        raise violation("memory", f"it has {size:,} bytes, of at most {MEMORY_BYTES:,}", "keep less of the episodes")


def check_recall(spec: PluginSpec, reflections: Sequence[Reflection]) -> None:
    """Check that `recall` is a pure function that returns a short text in time, for each memory of a loop.

    Raises:
        AssertionError: It is not, or the loop has no memory.
    """
    recorded = [canonical_json(one.memory) for one in reflections if one.memory is not None]
    memories = [*map(json.loads, recorded)]
    if not memories:
        remedy = "return it with each reflection; `answer` says what its model replies here"
        raise violation("memory", "no reflection has one", remedy)
    first = run_player("recall", lambda: recall_all(spec, memories))
    again = run_player("recall", lambda: recall_all(spec, memories, backwards=True))
    _compare("in another order", first, again, PURE)
    elsewhere = run_player_in_new_process(recall_all_sync, spec, memories)
    _compare("in a new process", first, elsewhere, f"{PURE}, not the order of a set or a hash")


async def recall_all(spec: PluginSpec, memories: Sequence[JsonValue], *, backwards: bool = False) -> list[str]:
    """Return what one instance recalls from each memory for each opening, in their order.

    Args:
        spec: The learner.
        memories: The memories.
        backwards: Whether the last call is made first.
    """
    async with open_model_of(spec) as model:
        learner = make_reflector(spec, model)
        calls = [(memory, *opening) for memory in memories for opening in OPENINGS]
        texts = []
        for memory, observation, actions in reversed(calls) if backwards else calls:
            before, clock = copy.deepcopy(memory), time.monotonic()
            try:
                text = recalled(
                    lambda: learner.recall(memory, observation, actions),  # noqa: B023 - called at once
                    type(learner),
                    spec.label,
                )
            except PluginError as error:
                remedy = "return a short text for any memory of its own, and any observation"
                raise violation("recall", str(error), remedy) from error
            if (seconds := time.monotonic() - clock) > RECALL_SECONDS:
                raise violation("recall", f"it took {seconds:.1f} s", f"take at most {RECALL_SECONDS:g} s")
            if memory != before:
                raise violation("recall", f"it changed {short_repr(before)}", "copy what you want to change")
            texts.append(text)
    return texts[::-1] if backwards else texts


def recall_all_sync(spec: PluginSpec, memories: Sequence[JsonValue]) -> list[str]:
    """Return what `recall_all` returns, for callers without an event loop."""
    return asyncio.run(recall_all(spec, memories))


def _compare(check: str, first: Sequence[str], second: Sequence[str], remedy: str) -> None:
    for number, (before, after) in enumerate(zip(first, second, strict=True)):
        if before != after:
            observed = f"for call {number}, it returns {short_repr(after)}, and returned {short_repr(before)} before"
            raise violation(f"recall {check}", observed, remedy)
