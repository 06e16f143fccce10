from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from asked import LOST, WON, turns

from ictbench.errors import EnvError, MissingExtraError, ModelFailure, PluginError
from ictbench.reflectors.llm import gepa
from ictbench.reflectors.llm.gepa import GepaReflector
from ictbench.testing import Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ictbench.records import Reflection, Trajectory

BETTER = "```\nRead every scroll.\n```"


class Playing:
    """Plays by a list of who wins, and remembers what it was asked for."""

    left = 2

    def __init__(self, *won: bool) -> None:
        self.won, self.asked = won, list[tuple[str, list[int]]]()

    async def __call__(self, prompt: str, places: Sequence[int]) -> list[Trajectory]:
        self.asked.append((prompt, list(places)))
        return [WON if self.won[place] else LOST for place in places]


def reflect(
    reply: str | Reply, play: Playing, batch: Sequence[Trajectory] = (WON, LOST)
) -> tuple[Reflection, list[str]]:
    (reflection,), asked = turns(GepaReflector, [reply], batch=batch, play=play, cap=100)
    return reflection, asked


def test_a_candidate_that_does_better_on_the_batch_is_the_next_prompt() -> None:
    play = Playing(True, True)
    reflection, asked = reflect(BETTER, play)
    assert (reflection.prompt, reflection.failure) == ("Read every scroll.", None)
    assert reflection.analysis == "1 solved before, 2 with this prompt, which was accepted:\n\nRead every scroll."
    # The seed's episodes are those that were given; the candidate's are played once.
    assert play.asked == [("Read every scroll.", [0, 1])]
    assert (len(asked), reflection.usage.calls) == (1, 1)


@pytest.mark.parametrize("won", [(True, False), (False, True), (False, False)])
def test_a_candidate_that_does_no_better_is_dropped(won: tuple[bool, bool]) -> None:
    reflection, _ = reflect(BETTER, Playing(*won))
    assert reflection.prompt == "Play well."
    assert reflection.failure is None
    assert reflection.analysis.endswith("which was dropped:\n\nRead every scroll.")


def test_after_a_batch_that_is_solved_nobody_is_asked() -> None:
    play = Playing(True, True)
    reflection, asked = reflect(BETTER, play, batch=(WON, WON))
    assert (reflection.prompt, play.asked, asked) == ("Play well.", [], [])
    assert reflection.analysis == "2 of 2 solved, and no other prompt was proposed."
    assert reflection.usage.calls == 0


def test_the_prompt_itself_for_a_candidate_costs_no_episode() -> None:
    play = Playing(True, True)
    reflection, _ = reflect("```\nPlay well.\n```", play)
    assert (reflection.prompt, play.asked) == ("Play well.", [])


def test_a_batch_of_one_is_enough() -> None:
    play = Playing(True)
    assert reflect(BETTER, play, batch=(LOST,))[0].prompt == "Read every scroll."
    assert play.asked == [("Read every scroll.", [0])]


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        ("```\n\n```", "unparseable"),
        (f"```\n{'é' * 51}\n```", "too_long"),
        (Reply(BETTER, finish_reason="length"), "truncated"),
    ],
)
def test_an_unusable_reply_is_not_tried_out(reply: str | Reply, failure: str) -> None:
    play = Playing(True, True)
    reflection, asked = reflect(reply, play)
    assert (reflection.prompt, reflection.failure, play.asked) == (None, failure, [])
    assert (len(asked), reflection.usage.calls) == (1, 1)
    assert reflection.analysis == (reply.text if isinstance(reply, Reply) else reply)


def test_the_model_reads_prompt_and_episodes() -> None:
    _, (asked,) = reflect(f"<think>Hm</think>{BETTER}", Playing(True, True))
    system, request = GepaReflector.instruction.split("\n\nSystem prompt:\n")
    assert asked.startswith(f"{system}\n\nSystem prompt:\nPlay well.\n\nEpisodes:\n")
    assert "Observation 1:\nA?\nAction 1: read\n" in asked
    assert "Success: Yes" in asked
    assert "Success: No" in asked
    assert asked.endswith(request.rpartition("\n\n")[2].replace("{cap}", "100"))


def test_what_the_model_and_the_episodes_raise_is_passed_on() -> None:
    class Broken(Playing):
        async def __call__(self, prompt: str, places: Sequence[int]) -> list[Trajectory]:
            raise EnvError("it hung")

    with pytest.raises(ModelFailure) as caught:
        reflect(Reply(status=422), Playing(True, True))
    assert caught.value.kind == "bad_request"
    with pytest.raises(EnvError, match="it hung"):
        reflect(BETTER, Broken())


def test_it_needs_its_package_and_somebody_to_play(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PluginError, match=r"gepa needs Context\.play"):
        turns(GepaReflector, [BETTER])
    monkeypatch.setattr(gepa, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'ictbench\[gepa\]'"):
        turns(GepaReflector, [BETTER])
