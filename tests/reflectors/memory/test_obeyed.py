"""What a memory learner's model writes reaches the actor: the scripted one obeys it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import ictbench
from ictbench.submissions.episode_records import evidence_of_run
from ictbench.testing import ScriptedServer

if TYPE_CHECKING:
    from pathlib import Path

RULES = ('Walk onto "?".', 'When you see "scroll.", choose "pickup".', 'After you have seen "f -", choose "read".')


def cheatsheet(request: str) -> str:
    return "\n".join(["CHEAT SHEET:", *RULES])


def ace(request: str) -> str:
    if "OPERATIONS:" in request:
        return "\n".join(["OPERATIONS:", *(f"ADD strategy: {rule}" for rule in RULES)])
    return "ANALYSIS:\nScrolls are read.\nTAGS:\nHELPFUL 1, 2, 3"


def reasoningbank(request: str) -> str:
    return "\n".join(["ITEMS:", *(f"TITLE: Rule\nDESCRIPTION: Always.\nCONTENT: {rule}" for rule in RULES)])


@pytest.mark.parametrize("reply", [cheatsheet, ace, reasoningbank])
def test_the_actor_obeys_the_memory(reply: Any, tmp_path: Path) -> None:
    with ScriptedServer(lambda body: reply(body["messages"][-1]["content"]), model="m") as server:
        run = ictbench.run(
            env="minihack",
            families="read",
            turns=2,
            batch_size=2,
            loops=1,
            selection_size=4,
            test_size=8,
            reflector=f"{reply.__name__}:openai/m",
            reflector_base_url=server.url,
            actor="rules",
            executor="inline",
            out=tmp_path / "run",
        )
    (loop,) = run.result.families[0].loops
    assert run.result.division == "memory"
    assert loop.test[0].count("1") <= 3
    assert loop.test[2] == "1" * 8
    assert {prompt.text for prompt in loop.prompts} == {loop.prompts[0].text}, "the memory alone makes the difference"
    assert [bool(prompt.memory) for prompt in loop.prompts] == [False, True, True]
    added = {episode.key: episode.added for episode in evidence_of_run(tmp_path / "run").episodes() if episode.added}
    assert all(rule in text for text in added.values() for rule in RULES)
    assert {key.partition("@")[2] for key in added} == {prompt.digest for prompt in loop.prompts[1:]}
