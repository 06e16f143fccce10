"""A run of a language model that makes mistakes, fails, and writes text that a page must not interpret."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import ictbench
from ictbench.testing import Reply, ScriptedServer, react_policy

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = "</script><script>window.injected = 1; alert(1)</script><img src=x onerror='window.injected = 2; alert(2)'>"
HIDDEN = "\u202eevil\u202c \u2028 \u2029 \u200b \x1b[31m \x00 \x7f {{script}}"
HOSTILE = f"{SCRIPT} {HIDDEN}"
LABEL = "openai/<b onmouseover=alert(3)>model</b>"


def answer(body: dict[str, Any]) -> str | Reply:
    """Reflect by growing the prompt; act by the digest of the observation, one time in eight with an invalid action."""
    last = str(body["messages"][-1]["content"])
    if "IMPROVED PROMPT:" in last:
        return f"ANALYSIS:\nThey wandered. {HOSTILE}\nIMPROVED PROMPT:\n{HOSTILE}\nLook for >. {len(last)}\n"
    draw = int(hashlib.sha256(last.encode()).hexdigest(), 16)
    if draw % 40 == 0:
        return Reply("", finish_reason="content_filter")
    reply = react_policy(lambda prompt, observation, actions: _action(draw, actions))(body)
    return str(reply).replace("This is scripted.", HOSTILE)


def _action(draw: int, actions: list[str]) -> str | None:
    return {0: None, 1: SCRIPT}.get(draw % 8, actions[draw // 8 % len(actions)])


def hostile_run(out: Path) -> ictbench.Run:
    """Run two families and three loops with every failure that does not stop a run."""
    with ScriptedServer(answer, model="model") as server:
        return ictbench.run(
            suite="minihack-v1",
            families="room-random,read",
            turns=2,
            batch_size=2,
            loops=3,
            selection_size=3,
            test_size=4,
            max_steps=6,
            reflector=LABEL,
            actor=LABEL,
            reflector_base_url=server.url,
            actor_base_url=server.url,
            out=out,
        )
