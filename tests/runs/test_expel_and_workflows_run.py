"""Runs of `expel` and `workflows` on MiniHack: the scripted actor obeys the rules that their model writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import ictbench
from ictbench.audit.usage_checks import reflector_usage_problems
from ictbench.records import ADDED_BYTES, extended_prompt
from ictbench.reflectors.memory import expel, workflows
from ictbench.runs.journal import Journal
from ictbench.testing import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ictbench.records import Episode

RULES = ('When you see "f -", choose "wear".', 'When you see "see here", choose "pickup".', 'Walk onto "[".')
OPTIONS: Mapping[str, Any] = {
    "env": "minihack",
    "families": "wear",
    "loops": 1,
    "turns": 2,
    "batch_size": 4,
    "selection_size": 3,
    "test_size": 8,
    "actor": "rules",
    "executor": "inline",
}


def play(folder: Path, reflector: str, reply: str) -> tuple[ictbench.Run, list[Episode]]:
    """Run a learner whose model always gives the same reply."""
    with ScriptedServer(lambda body: reply, model="m") as server:
        run = ictbench.run(**OPTIONS, out=folder, reflector=f"{reflector}:openai/m", reflector_base_url=server.url)
    journal = Journal(folder / "journal.sqlite", read_only=True)
    try:
        return run, list(journal.episodes())
    finally:
        journal.close()


@pytest.mark.parametrize(
    ("name", "reply", "title"),
    [
        ("expel", "\n".join(["OPERATIONS:", *(f"ADD: {rule}" for rule in RULES)]), expel.ADDED_TITLE),
        (
            "workflows",
            "\n".join(["WORKFLOWS:", "Workflow: wear what lies there", *(f"- {rule}" for rule in RULES)]),
            workflows.ADDED_TITLE,
        ),
    ],
)
def test_the_actor_obeys_what_is_learned(tmp_path: Path, name: str, reply: str, title: str) -> None:
    run, episodes = play(tmp_path / "run", name, reply)
    assert run.result.division == "memory"
    (loop,) = run.result.families[0].loops
    assert all(prompt.failure is None for prompt in loop.prompts)
    # An episode of the first batch was solved by chance, so that there is something to recall.
    assert [batch.outcomes for batch in loop.batches] == ["0100", "1111"]
    assert (loop.test[0], loop.test[2]) == ("0" * 8, "1" * 8)
    by_prompt = {prompt.digest: prompt for prompt in loop.prompts}
    for episode in episodes:
        prompt = by_prompt[episode.prompt]
        assert episode.added.startswith(title) if prompt.memory else episode.added == ""
        assert len(episode.added.encode()) <= ADDED_BYTES
        system_prompt = extended_prompt(prompt.text, episode.added)
        assert all(rule in system_prompt for rule in RULES) == (prompt is not loop.prompts[0])
        # `expel` rewrites the prompt; `workflows` leaves it as it is.
        assert (RULES[0] in prompt.text) == (name == "expel" and prompt is not loop.prompts[0])
    # No model is asked: what was added is recalled from the memories.
    verification = ictbench.verify(run, executor="inline")
    assert {check.verdict for check in verification.checks} == {"passed"}
    (added,) = (check.detail for check in verification.checks if check.name == "added")
    recalled = sum(bool(by_prompt[episode.prompt].memory) for episode in episodes)
    assert added == f"as the memories add them, in {recalled} episodes"


def test_embeddings_are_requests_of_the_reflector(tmp_path: Path) -> None:
    with ScriptedServer(["OPERATIONS:\nnone"], model="m", embed=lambda text: [1.0, len(text)]) as server:
        run = ictbench.run(
            **OPTIONS,
            out=tmp_path / "run",
            reflector="expel:openai/m",
            reflector_base_url=server.url,
            reflector_model_options={"embedding_model": "small"},
        )
        (loop,) = run.result.families[0].loops
        # The one solved episode of the first turn.
        assert loop.batches[0].outcomes == "0100"
        embedded = len(server.embedded)
    assert run.result.reflector.model is not None
    assert run.result.reflector.model.options == {"embedding_model": "small"}
    assert run.result.cost["reflector"].calls == len(loop.batches) + sum("1" in b.outcomes for b in loop.batches)
    # The rehearsal embeds two texts, which is no request of a reflection.
    assert embedded - 2 == sum(batch.outcomes.count("1") for batch in loop.batches)
    assert list(reflector_usage_problems(run.result)) == []
