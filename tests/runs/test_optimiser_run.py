"""Runs of an optimiser: which episodes it plays, what is recorded, and how a run is continued."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import pytest
from apart import comparable, complete, reached, start
from optimised import OPTIONS, RULES, optimised_run, propose
from rehearsals import REQUESTS
from watching import wait_for_the_end_of, workers_of

import ictbench
from ictbench.errors import ConfigError, PluginError
from ictbench.protocol.candidates import candidate_scores
from ictbench.runs.player_rehearsal import SAMPLE_END
from ictbench.testing import ScriptedServer

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.protocol import LoopResult


@pytest.fixture(scope="module")
def run() -> ictbench.Run:
    return optimised_run()


def loop_of(run: ictbench.Run) -> LoopResult:
    (loop,) = run.result.families[0].loops
    return loop


def test_the_best_candidate_so_far_is_the_prompt_of_each_turn(run: ictbench.Run) -> None:
    loop = loop_of(run)
    base, walk, eat, *_ = loop.candidates
    assert (walk.text, eat.text) == (f"{base.text}\n{RULES[0]}", f"{base.text}\n{RULES[0]}\n{RULES[1]}")
    assert (walk.parents, eat.parents) == ((base.digest,), (walk.digest,))
    assert (base.turn, base.kept, walk.turn, eat.front) == (0, 1, 2, (0, 1))
    assert walk.kept is not None
    assert eat.kept is not None
    assert [prompt.text for prompt in loop.prompts[eat.kept :]] == [eat.text] * (7 - eat.kept)
    assert [prompt.text for prompt in loop.prompts[: walk.kept]] == [base.text] * walk.kept
    assert run.result.families[0].measures is not None
    assert run.result.families[0].measures.last.value == 1


def test_each_turn_plays_a_batch_of_experience_tasks_and_no_others(run: ictbench.Run) -> None:
    loop, sizes = loop_of(run), run.result.sizes
    scored = {*loop.selection_tasks, *loop.test_tasks}
    keys = [(task, prompt) for batch in loop.batches for task, prompt in zip(batch.tasks, batch.prompts, strict=True)]
    assert [len(batch.tasks) for batch in loop.batches] == [sizes.batch_size] * sizes.turns
    assert len({*keys}) == len(keys) == sizes.turns * sizes.batch_size
    assert not scored & {task for task, _ in keys}
    assert {digest for _, digest in keys} <= {candidate.digest for candidate in loop.candidates}
    assert sum(score.played for score in candidate_scores(loop).values()) == len(keys)


def test_each_proposal_is_asked_for_once(tmp_path: Path) -> None:
    with ScriptedServer(propose, model="m", record=True) as server:
        options = OPTIONS | {"reflector_base_url": server.url}
        run = ictbench.run(**options, out=tmp_path / "run")
        requests = server.requests
        again = ictbench.run(**options, out=tmp_path / "run")
        assert server.requests == requests
        counts = ictbench.dry_run(**options).counts
    assert again.result.model_copy(update={"host": None}) == run.result.model_copy(update={"host": None})
    assert counts["experience_episodes"] == 6 * 2
    # Before the run, the model of the reflector was rehearsed with a request of the same shape.
    rehearsed, *asked = [body["messages"][-1]["content"] for body in server.requests_log[REQUESTS - 1 :]]
    assert rehearsed.startswith("System prompt:\n")
    assert len(asked) == run.result.cost["reflector"].calls <= 6
    assert len({*asked}) == len(asked)


def test_a_killed_run_ends_in_the_same_result(tmp_path: Path) -> None:
    names = {"env", "families", "loops", "turns", "actor", "reflector"}
    options = [text for name in sorted(names) for text in (f"--{name}", str(OPTIONS[name]))]
    options += ["--batch-size", "2", "--selection-size", "3", "--test-size", "4"]
    with ScriptedServer(propose, model="m") as server:
        options += ["--reflector-base-url", server.url]
        complete(tmp_path / "whole", options)
        folder, kills = tmp_path / "killed", 0
        for moment in (3, 8, 20):
            with start("run", *options, "--quiet", "--out", str(folder)) as process:
                if reached(process, folder, moment):
                    workers = workers_of(process.pid)
                    process.kill()
                    kills += 1
                    wait_for_the_end_of(workers)
        complete(folder, options)
    assert kills >= 2
    assert comparable(folder) == comparable(tmp_path / "whole")


def test_the_evidence_of_an_optimiser_is_verified(run: ictbench.Run) -> None:
    verification = ictbench.verify(run.folder, executor="inline")
    assert {check.verdict for check in verification.checks} == {"passed"}
    assert run.result.division == "optimiser"
    assert run.result.control == ""
    assert run.result.families[0].measures is not None
    assert (run.result.families[0].measures.stream, run.result.families[0].measures.stream_success) == ((), None)


def test_an_unusable_reply_keeps_the_prompt_of_its_turn_and_is_counted(tmp_path: Path) -> None:
    refused: list[str] = []

    def reply(body: dict[str, Any]) -> str:
        request = body["messages"][-1]["content"]
        if SAMPLE_END in request or len(refused) == 2:
            return propose(body)
        refused.append(request)
        return f"```\n{'x' * 9_000}\n```"

    with ScriptedServer(reply, model="m") as server:
        run = ictbench.run(**OPTIONS, reflector_base_url=server.url, out=tmp_path / "run")
    loop = loop_of(run)
    failed = [turn for turn, prompt in enumerate(loop.prompts) if prompt.failure]
    assert failed
    for turn in failed:
        assert loop.prompts[turn].failure == "too_long"
        assert loop.prompts[turn].text == loop.prompts[turn - 1].text
    assert [len(batch.tasks) for batch in loop.batches] == [2] * 6
    assert {check.verdict for check in ictbench.verify(run.folder, executor="inline").checks} == {"passed"}


def test_a_proposal_of_the_first_prompt_is_no_candidate_of_its_own(tmp_path: Path) -> None:
    def add_or_remove(body: dict[str, Any]) -> str:
        prompt = body["messages"][-1]["content"].partition("System prompt:\n")[2].partition("\n\nEpisodes:\n")[0]
        rule = f"\n{RULES[0]}"
        return f"```\n{prompt.replace(rule, '') if rule in prompt else prompt + rule}\n```"

    with ScriptedServer(add_or_remove, model="m") as server:
        options = OPTIONS | {"loops": 2, "turns": 8, "selection_size": 1, "test_size": 1}
        run = ictbench.run(**options, reflector_base_url=server.url, out=tmp_path / "run")
    asked_again = False
    for loop in run.result.families[0].loops:
        base, walk = loop.candidates
        assert (base.turn, base.parents, walk.parents) == (0, (), (base.digest,))
        assert walk.kept is not None or {prompt.digest for prompt in loop.prompts} == {base.digest}
        # Both solve equally many tasks of the first batch in some loop: the proposal is preferred.
        asked_again |= walk.kept is not None and loop.prompts[-1].digest == walk.digest
    assert asked_again
    assert {check.verdict for check in ictbench.verify(run.folder, executor="inline").checks} == {"passed"}


PLUGINS = """
from ictbench import Candidate, Reflection, Reflector

class Greedy(Reflector):
    division, experience = "optimiser", "pooled"
    async def reflect(self, prompt, trajectories, state, context):
        assert not trajectories
        for number in range(3):
            await context.play(f"{prompt} {context.turn} {number}", range(context.play.size))
        return Reflection(prompt=prompt)

class Silent(Greedy):
    "Plays single tasks, in some turns none, and describes no candidate."
    async def reflect(self, prompt, trajectories, state, context):
        if context.turn % 2:
            return Reflection(prompt=prompt)
        tried = f"{prompt}\\nTurn {context.turn}."
        assert context.play.new_episodes(tried, [1, 1]) == 1
        (one,) = await context.play(tried, [1])
        (same,) = await context.play(tried, [1])
        assert one == same and context.play.left == 2 * context.turn - context.turn // 2
        return Reflection(prompt=tried)

class Planner(Greedy):
    "Describes a candidate and its child in the turn before it plays the child, and never plays the candidate."
    async def reflect(self, prompt, trajectories, state, context):
        child = Candidate(text="Child.", parents=("Seed.", prompt), kept=True)
        if context.turn == 2:
            await context.play("Child.", [0])
        return Reflection(prompt=None, failure="unparseable", candidates=(Candidate(text="Seed."), child))

class Far(Greedy):
    async def reflect(self, prompt, trajectories, state, context):
        await context.play(prompt, [-1])

class Long(Greedy):
    async def reflect(self, prompt, trajectories, state, context):
        await context.play("x" * 9_000, [0])

class Liar(Greedy):
    async def reflect(self, prompt, trajectories, state, context):
        return Reflection(prompt=prompt, candidates=(Candidate(text=prompt, front=(99,)),))

class Undecided(Greedy):
    division = "reflector"

class Teller(Reflector):
    async def reflect(self, prompt, trajectories, state, context):
        return Reflection(prompt=prompt, candidates=(Candidate(text=prompt),))
"""


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "own_optimisers.py").write_text(PLUGINS, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_optimisers", raising=False)
    return "own_optimisers"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Greedy", "Greedy requests 12 episodes of its own, but has 2 left in this turn"),
        ("Far", "Far requests the task at position -1, but there are only 12"),
        ("Long", "Long plays a prompt of 9,000 bytes, of at most 8,000"),
        ("Liar", "Liar requests the task at position 99, but there are only 12"),
        ("Teller", 'Teller returned candidates; set `experience = "pooled"`'),
    ],
)
def test_what_an_optimiser_cannot_do_stops_the_run(name: str, message: str, plugins: str, tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=re.escape(message)):
        ictbench.run(**OPTIONS | {"reflector": f"{plugins}:{name}"}, out=tmp_path / "run")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reflector": "blind:gepa-loop:openai/m"}, "cannot be wrapped, because it plays its episodes itself"),
        ({"audit": True}, "the experience of reflector openai/m is pooled; omit --audit"),
        ({"online": True}, "chooses its episodes itself; omit --online"),
        ({"reflector": "own_optimisers:Undecided"}, "an optimiser has 'optimiser' and 'pooled'"),
        (
            {"env": None, "suite": "minihack-stream-v1", "families": "held-out"},
            "openai/m is an optimiser, which plays its tasks in an order of its own, and 'blocked' is a stream",
        ),
    ],
)
def test_what_does_not_fit_an_optimiser_is_an_error_before_anything_is_played(
    options: dict[str, Any], message: str, plugins: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=re.escape(message).replace("openai/m", ".*openai/m")):
        ictbench.run(**OPTIONS | options, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_prompts_that_an_optimiser_does_not_mention_are_recorded(plugins: str, tmp_path: Path) -> None:
    run = ictbench.run(**OPTIONS | {"reflector": f"{plugins}:Silent"}, out=tmp_path / "run")
    loop = loop_of(run)
    assert [len(batch.tasks) for batch in loop.batches] == [0, 1, 0, 1, 0, 1]
    assert [(candidate.turn, candidate.kept) for candidate in loop.candidates] == [
        (0, None),
        (2, None),
        (4, None),
        (6, None),
    ]
    assert [candidate.text for candidate in loop.candidates[1:]] == [prompt.text for prompt in loop.prompts[2::2]]
    assert {check.verdict for check in ictbench.verify(run.folder, executor="inline").checks} <= {"passed", "skipped"}


def test_candidates_are_recorded_when_they_are_first_played(plugins: str, tmp_path: Path) -> None:
    run = ictbench.run(**OPTIONS | {"reflector": f"{plugins}:Planner"}, out=tmp_path / "run")
    base, child = loop_of(run).candidates
    assert (child.text, child.turn, child.kept, child.parents) == ("Child.", 2, 2, (base.digest,))
    assert {check.verdict for check in ictbench.verify(run.folder, executor="inline").checks} <= {"passed", "skipped"}
