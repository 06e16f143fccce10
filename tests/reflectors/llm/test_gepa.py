from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from reflector_turns import LOST, WON, run_turns

from ictbench.errors import EnvError, MissingExtraError, ModelFailure, PluginError
from ictbench.reflectors.llm import gepa
from ictbench.reflectors.llm.gepa import GepaReflector
from ictbench.testing import Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.records import Reflection, Trajectory

BETTER = "```\nRead every scroll.\n```"


class ScriptedPlayer:
    """`BatchPlayer` with fixed outcomes that records its calls."""

    left = size = 2

    def __init__(self, *won: bool) -> None:
        self.won, self.calls = won, list[tuple[str, list[int]]]()

    def new_episodes(self, prompt: str, indices: Sequence[int]) -> int:
        return len(indices)

    async def __call__(self, prompt: str, indices: Sequence[int]) -> list[Trajectory]:
        self.calls.append((prompt, list(indices)))
        return [WON if self.won[index] else LOST for index in indices]


def reflect(
    reply: str | Reply, play: ScriptedPlayer, batch: Sequence[Trajectory] = (WON, LOST)
) -> tuple[Reflection, list[str]]:
    (reflection,), requests = run_turns(GepaReflector, [reply], batch=batch, play=play, cap=100)
    return reflection, requests


def test_a_candidate_that_solves_more_tasks_is_accepted() -> None:
    play = ScriptedPlayer(True, True)
    reflection, requests = reflect(BETTER, play)
    assert (reflection.prompt, reflection.failure) == ("Read every scroll.", None)
    assert reflection.analysis == "1 solved before, 2 with this prompt, which was accepted:\n\nRead every scroll."
    # Only the candidate is played: the episodes of the current prompt are given.
    assert play.calls == [("Read every scroll.", [0, 1])]
    assert (len(requests), reflection.usage.calls) == (1, 1)


@pytest.mark.parametrize("won", [(True, False), (False, True), (False, False)])
def test_a_candidate_that_solves_no_more_tasks_is_dropped(won: tuple[bool, bool]) -> None:
    reflection, _ = reflect(BETTER, ScriptedPlayer(*won))
    assert reflection.prompt == "Play well."
    assert reflection.failure is None
    assert reflection.analysis.endswith("which was dropped:\n\nRead every scroll.")


def test_a_solved_batch_makes_no_model_call() -> None:
    play = ScriptedPlayer(True, True)
    reflection, requests = reflect(BETTER, play, batch=(WON, WON))
    assert (reflection.prompt, play.calls, requests) == ("Play well.", [], [])
    assert reflection.analysis == "2 of 2 solved, and no other prompt was proposed."
    assert reflection.usage.calls == 0


def test_a_candidate_equal_to_the_prompt_plays_no_episode() -> None:
    play = ScriptedPlayer(True, True)
    reflection, _ = reflect("```\nPlay well.\n```", play)
    assert (reflection.prompt, play.calls) == ("Play well.", [])


def test_a_batch_of_one_is_enough() -> None:
    play = ScriptedPlayer(True)
    assert reflect(BETTER, play, batch=(LOST,))[0].prompt == "Read every scroll."
    assert play.calls == [("Read every scroll.", [0])]


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        ("```\n\n```", "unparseable"),
        (f"```\n{'é' * 51}\n```", "too_long"),
        ("```\nRead.\n<think>\nOr eat?\n```", "unparseable"),
        (Reply(BETTER, finish_reason="length"), "truncated"),
    ],
)
def test_an_unusable_reply_plays_no_episode(reply: str | Reply, failure: str) -> None:
    play = ScriptedPlayer(True, True)
    reflection, requests = reflect(reply, play)
    assert (reflection.prompt, reflection.failure, play.calls) == (None, failure, [])
    assert (len(requests), reflection.usage.calls) == (1, 1)
    assert reflection.analysis == (reply.text if isinstance(reply, Reply) else reply)


def test_the_request_holds_prompt_and_episodes() -> None:
    _, (text,) = reflect(f"<think>Hm</think>{BETTER}", ScriptedPlayer(True, True))
    system, request = GepaReflector.instruction.split("\n\nSystem prompt:\n")
    assert text.startswith(f"{system}\n\nSystem prompt:\nPlay well.\n\nEpisodes:\n")
    assert "Observation 1:\nA?\nAction 1: read\n" in text
    assert "Success: Yes" in text
    assert "Success: No" in text
    assert text.endswith(request.rpartition("\n\n")[2].replace("{cap}", "100"))


def test_errors_of_the_model_and_of_episodes_are_raised() -> None:
    class Broken(ScriptedPlayer):
        async def __call__(self, prompt: str, indices: Sequence[int]) -> list[Trajectory]:
            raise EnvError("it hung")

    with pytest.raises(ModelFailure) as caught:
        reflect(Reply(status=422), ScriptedPlayer(True, True))
    assert caught.value.kind == "bad_request"
    with pytest.raises(EnvError, match="it hung"):
        reflect(BETTER, Broken())


def test_a_missing_package_or_player_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PluginError, match=r"gepa needs Context\.play"):
        run_turns(GepaReflector, [BETTER])
    monkeypatch.setattr(gepa, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'ictbench\[gepa\]'"):
        run_turns(GepaReflector, [BETTER])
