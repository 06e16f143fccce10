"""`gepa-loop` with scripted outcomes and replies: what it plays, asks, keeps and remembers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from reflector_turns import LOST, WON, run_turns

from ictbench.errors import EnvError, MissingExtraError, PluginError
from ictbench.models import ModelClient, Retry, UsageMeter
from ictbench.models.providers.openai import OpenAIModel
from ictbench.records import ModelSpec, Reflection
from ictbench.reflectors import Context
from ictbench.reflectors.llm import gepa
from ictbench.reflectors.llm.gepa_loop import GepaLoopReflector
from ictbench.testing import Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ictbench.records import Trajectory

TURNS, SIZE = 4, 2


class ScriptedPlayer:
    """`BatchPlayer` of a whole loop: a prompt solves the tasks whose number it contains."""

    def __init__(self) -> None:
        self.size, self.turn, self.played = TURNS * SIZE, 0, list[tuple[str, int]]()

    @property
    def left(self) -> int:
        return self.turn * SIZE - len(self.played)

    def new_episodes(self, prompt: str, indices: Sequence[int]) -> int:
        return len({(prompt, index) for index in indices} - {*self.played})

    async def __call__(self, prompt: str, indices: Sequence[int]) -> list[Trajectory]:
        self.played += [(prompt, index) for index in indices if (prompt, index) not in self.played]
        assert self.left >= 0
        return [WON if str(index) in prompt else LOST for index in indices]


def optimise(
    reply: Callable[[str], str | Reply], player: ScriptedPlayer | None = None
) -> tuple[list[Reflection], list[str]]:
    """Run a loop; return its reflections and the requests to the model."""
    player = player or ScriptedPlayer()
    reflections: list[Reflection] = []

    def answer(body: dict[str, Any]) -> str | Reply:
        return reply(body["messages"][-1]["content"])

    async def loop(url: str) -> None:
        spec = ModelSpec(provider="openai", model="scripted", base_url=url)
        model = ModelClient(OpenAIModel(spec), UsageMeter(), retry=Retry(base_wait=0.0))
        prompt, state = "Play", None
        try:
            for player.turn in range(1, TURNS + 1):
                context = Context(player.turn, 100, player, player.turn, 5)
                # A new instance in each turn, as after a restart.
                reflections.append(await GepaLoopReflector(model).reflect(prompt, (), state, context))
                prompt, state = reflections[-1].prompt or prompt, reflections[-1].state
        finally:
            await model.aclose()

    with ScriptedServer(answer, record=True) as server:
        asyncio.run(loop(server.url))
    return reflections, [body["messages"][-1]["content"] for body in server.requests_log]


def current(request: str) -> str:
    return request.partition("System prompt:\n")[2].partition("\n\nEpisodes:\n")[0]


def test_a_candidate_is_kept_if_it_solves_more_of_the_minibatch() -> None:
    player = ScriptedPlayer()
    reflections, requests = optimise(lambda request: f"```\n{current(request)} 0\n```", player)
    assert [reflection.prompt for reflection in reflections] == ["Play", "Play 0", "Play 0", "Play 0"]
    # Seed on the Pareto set; candidate on it; the candidate, now a parent, on the next batch; its own candidate there.
    assert player.played == [
        *(("Play", 0), ("Play", 1), ("Play 0", 0), ("Play 0", 1)),
        *(("Play 0", 2), ("Play 0", 3), ("Play 0 0", 2), ("Play 0 0", 3)),
    ]
    assert [current(request) for request in requests] == ["Play", "Play 0"]
    last = reflections[-1]
    assert [(one.text, one.parents, one.kept, one.front) for one in last.candidates] == [
        ("Play", (), True, (1,)),
        ("Play 0", ("Play",), True, (0, 1)),
        ("Play 0 0", ("Play 0",), False, ()),
    ]
    assert last.analysis == (
        "Prompts proposed: 2, kept: 1. Solved of the 2 tasks of the Pareto set, under the first prompt and those kept: "
        "0, 1."
    )
    assert sum(reflection.usage.calls for reflection in reflections) == 2


def test_no_proposal_is_asked_for_that_cannot_be_played() -> None:
    _, requests = optimise(lambda request: f"```\n{current(request)} 01234567\n```")
    # Its candidate solves everything, so nothing more is asked.
    assert [current(request) for request in requests] == ["Play"]


def test_the_budget_ends_the_search_however_often_nothing_is_proposed() -> None:
    player = ScriptedPlayer()
    reflections, requests = optimise(lambda request: "```\nPlay\n```", player)
    assert len(player.played) == TURNS * SIZE
    assert len(requests) <= TURNS
    assert [reflection.prompt for reflection in reflections] == ["Play"] * TURNS


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        ("```\n\n```", "unparseable"),
        (f"```\n{'é' * 51}\n```", "too_long"),
        ("```\nRead.\n<think>\nOr eat?\n```", "unparseable"),
        (Reply("```\nPlay 0\n```", finish_reason="length"), "truncated"),
        (Reply(status=422), "bad_request"),
    ],
)
def test_an_unusable_reply_ends_the_iteration_and_is_counted(reply: str | Reply, failure: str) -> None:
    replies = iter([reply])
    reflections, requests = optimise(lambda request: next(replies, f"```\n{current(request)} 01234567\n```"))
    failed = [turn for turn, reflection in enumerate(reflections, 1) if reflection.failure]
    assert failed == [2]
    assert (reflections[1].prompt, reflections[1].failure) == (None, failure)
    assert reflections[1].usage.calls == 1
    assert reflections[-1].prompt == "Play 01234567"
    assert reflections[-1].candidates[-1].kept
    assert len(requests) == 2, "the unusable reply is not asked for again"


def test_prompts_and_episodes_with_placeholders_reach_the_model_unchanged() -> None:
    _, requests = optimise(lambda request: f"```\n{current(request)} <side_info> {{cap}} 0\n```")
    assert current(requests[1]) == "Play <side_info> {cap} 0"
    assert requests[1].count("<side_info>") == 1
    assert "at most 100 bytes" in requests[1]
    assert "=== Episode 1 ===" in requests[1]


def test_an_episode_that_cannot_be_played_is_an_error_of_the_turn() -> None:
    class Broken(ScriptedPlayer):
        async def __call__(self, prompt: str, indices: Sequence[int]) -> list[Trajectory]:
            raise EnvError("it hung")

    with pytest.raises(EnvError, match="it hung"):
        optimise(lambda request: "", Broken())


def test_a_missing_package_or_player_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PluginError, match=r"gepa-loop needs Context\.play"):
        run_turns(GepaLoopReflector, ["no"])
    monkeypatch.setattr(gepa, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"reflector gepa-loop.*pip install 'ictbench\[gepa\]'"):
        run_turns(GepaLoopReflector, ["no"])
