from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reflector_turns import LOST, WON, recalled, run_turns

from ictbench.errors import ModelFailure
from ictbench.models import ModelClient, UsageMeter
from ictbench.models.providers.openai import OpenAIModel
from ictbench.records import ADDED_BYTES, MEMORY_BYTES, ModelSpec, Reflection, Step, Trajectory, canonical_json
from ictbench.reflectors import Context
from ictbench.reflectors.memory.expel import (
    ADDED_TITLE,
    EPISODE_BYTES,
    MAX_EPISODES,
    MAX_OPERATIONS,
    TITLE,
    ExpelReflector,
    Experience,
    Success,
)
from ictbench.reflectors.memory.insight_votes import Insight, apply_operations
from ictbench.reflectors.memory.memory_size import START_CHARACTERS, STARTS_BYTES, beginnings, newest_items
from ictbench.testing import Reply, ScriptedServer, check_reflector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue


def operations(*lines: str) -> str:
    return "\n".join(["OPERATIONS:", *lines])


def insights(*replies: str | Reply, cap: int = 8000) -> list[str]:
    """Return the insights in the last prompt."""
    prompt = run_turns(ExpelReflector, replies, cap=cap)[0][-1].prompt
    assert prompt is not None
    own, _, section = prompt.partition(f"\n\n{TITLE}\n")
    assert own == "Play well."
    return section.splitlines()


def solved(start: str, action: str = "read") -> Trajectory:
    step = Step(observation=start, actions=(action,), digest="", thought="", proposed=action, executed=action)
    return WON.model_copy(update={"steps": (step,)})


def test_insights_are_added_edited_and_voted_on() -> None:
    result = insights(
        operations("ADD: Read scrolls.", "ADD: Eat apples.", "ADD: Sleep."),
        operations("DOWNVOTE 3", "UPVOTE 2", "EDIT 1: Read every scroll."),
        operations("DOWNVOTE 3", "UPVOTE 1"),
    )
    # Votes: read 4 after edit and upvote, eat 3, sleep 0.
    assert result == ["- Read every scroll.", "- Eat apples."]


def test_numbers_refer_to_the_list_that_the_model_was_shown() -> None:
    before = [Insight(text="a", votes=1), Insight(text="b"), Insight(text="c")]
    lines = ["DOWNVOTE 1", "EDIT 3: d", "upvote 2", "Upvote insight 2"]
    assert apply_operations(before, lines) == ([Insight(text="b", votes=4), Insight(text="d", votes=3)], lines)


@pytest.mark.parametrize(
    "line", ["UPVOTE 4", "UPVOTE", "DOWNVOTE 0", "EDIT: x", "EDIT 1", "EDIT 1:", "ADD", "ADD:", "UP 1", ""]
)
def test_an_invalid_operation_is_skipped(line: str) -> None:
    before = [Insight(text="a"), Insight(text="b")]
    after = [Insight(text="b", votes=3), Insight(text="a")]
    assert apply_operations(before, [line, "UPVOTE 2"]) == (after, ["UPVOTE 2"])


@pytest.mark.parametrize("line", ["ADD: b", "EDIT 1: b", "EDIT 2: b", "UPVOTE 2"])
def test_an_insight_that_is_already_there_gets_a_vote(line: str) -> None:
    before = [Insight(text="a"), Insight(text="b")]
    assert apply_operations(before, [line]) == ([Insight(text="b", votes=3), Insight(text="a")], [line])


OPERATION = st.tuples(
    st.sampled_from(["add", "EDIT", "Upvote", "DOWNVOTE"]), st.integers(0, 5), st.sampled_from("abcd")
)


@given(st.lists(OPERATION, max_size=9))
def test_every_insight_has_votes_and_is_unique(operations: list[tuple[str, int, str]]) -> None:
    updated, _ = apply_operations(
        [Insight(text="a"), Insight(text="x", votes=1)], [f"{verb} {n}: {text}" for verb, n, text in operations]
    )
    assert [insight.votes for insight in updated] == sorted((insight.votes for insight in updated), reverse=True)
    assert all(insight.votes > 0 for insight in updated)
    assert len({insight.text for insight in updated}) == len(updated)


def test_the_insights_may_fill_the_prompt() -> None:
    # The cap of the context is that of the prompt alone.
    cap = len(f"Play well.\n\n{TITLE}\n- aaaa\n- bbbb".encode())
    added = operations("ADD: aaaa", "ADD: bbbb")
    assert insights(added, operations("UPVOTE 2", "ADD: cccc"), cap=cap) == ["- bbbb", "- cccc"]
    assert insights(added, operations("UPVOTE 2", "ADD: cccc"), cap=cap - 1) == ["- cccc"]


def test_a_full_list_drops_the_oldest_of_those_with_the_fewest_votes_and_says_so() -> None:
    cap = len(f"Play well.\n\n{TITLE}\n- aaaa\n- bbbb\n- cccc".encode())
    replies = [
        operations("ADD: aaaa", "ADD: bbbb", "ADD: cccc"),
        operations("UPVOTE 1", "ADD: dddd"),
        operations("ADD: eeee", f"ADD: {'f' * 99}"),
    ]
    turns, _ = run_turns(ExpelReflector, replies, cap=cap)
    kept = [[insight.text for insight in Experience.model_validate(turn.memory).insights] for turn in turns]
    assert kept == [["aaaa", "bbbb", "cccc"], ["aaaa", "cccc", "dddd"], ["aaaa", "dddd", "eeee"]]
    assert turns[1].analysis == "UPVOTE 1\nADD: dddd\nDropped, no room: bbbb"
    assert (
        turns[2].analysis == f"{replies[2].partition(chr(10))[2]}\nDropped, no room: cccc\nDropped, no room: {'f' * 99}"
    )


def test_a_turn_applies_at_most_four_operations() -> None:
    assert len(insights(operations(*(f"ADD: {letter}" for letter in "abcdef")))) == MAX_OPERATIONS == 4


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        ("Read every scroll.", "unparseable"),
        (operations(), "unparseable"),
        (operations("UPVOTE 7"), "unparseable"),
        ("OPERATIONS:\nADD: Read.\n<think>Or eat?", "unparseable"),
        (Reply(operations("UPVOTE 1"), finish_reason="length"), "truncated"),
    ],
)
def test_an_unusable_reply_keeps_insights_and_episodes(reply: str | Reply, failure: str) -> None:
    turns, requests = run_turns(ExpelReflector, [operations("ADD: Read."), reply, operations("none")])
    first, second, third = turns
    assert (second.prompt, second.memory, second.failure, second.usage.calls) == (None, None, failure, 1)
    assert (third.prompt, third.memory, third.failure, third.analysis) == (
        first.prompt,
        first.memory,
        None,
        "Nothing to change.",
    )
    assert "INSIGHTS:\n1. Read. (2 votes)\n\nEPISODES:" in requests[2]


def test_the_model_reads_insights_with_votes_and_all_episodes() -> None:
    replies = [operations("ADD: Read.", "ADD: Eat."), operations("UPVOTE 1")]
    first, second = run_turns(ExpelReflector, replies)[1]
    system, _, request = ExpelReflector.instruction.partition("\n\nAnswer with")
    assert first.startswith(system)
    assert first.endswith(request)
    assert "PROMPT:\nPlay well.\n\nINSIGHTS:\n(none)\n\nEPISODES:\n=== Episode 1 ===" in first
    assert "Success: Yes" in first
    assert "Success: No" in first
    # The insights are listed once, not again as a part of the prompt.
    assert "PROMPT:\nPlay well.\n\nINSIGHTS:\n1. Read. (2 votes)\n2. Eat. (2 votes)\n\n" in second


def test_the_similar_solved_episodes_are_recalled() -> None:
    starts = ["You see here a lamp.", "You see here an apple.", "A jackal is here.", "It is dark."]
    batch = [*(solved(start, f"do {number}") for number, start in enumerate(starts)), LOST]
    memory = run_turns(ExpelReflector, [operations("none")], batch=batch)[0][-1].memory
    text = recalled(ExpelReflector, memory, "The jackal bites! An apple lies there.")
    title, _, episodes = text.partition("\n")
    assert title == ADDED_TITLE
    assert episodes.count("Episode:") == MAX_EPISODES == 3
    first, second = episodes.split("Episode:\n")[1:3]
    assert {first, second} == {
        f"{start}\ndo {number}: You win. The task was solved.\n" for number, start in [(2, starts[2]), (1, starts[1])]
    }
    assert "You lose." not in text


def test_failed_and_unlabelled_episodes_are_not_recalled() -> None:
    reflection = run_turns(ExpelReflector, [operations("ADD: Read.")], batch=[LOST])[0][-1]
    assert recalled(ExpelReflector, reflection.memory, "A?") == ""


def test_there_is_no_memory_before_there_is_something_in_it() -> None:
    (reflection,) = run_turns(ExpelReflector, [operations("none")], batch=[LOST])[0]
    assert (reflection.prompt, reflection.memory) == ("Play well.", None)


def test_an_episode_that_went_like_an_earlier_one_is_kept_once() -> None:
    reflection = run_turns(ExpelReflector, [operations("ADD: a"), operations("ADD: b")], batch=[WON])[0][-1]
    assert len(Experience.model_validate(reflection.memory).successes) == 1


def test_equal_episodes_of_a_batch_are_kept_once() -> None:
    (reflection,) = run_turns(ExpelReflector, [operations("none")], batch=[WON, solved("B?"), WON])[0]
    assert [one.start for one in Experience.model_validate(reflection.memory).successes] == ["A?", "B?"]


@pytest.mark.parametrize("letter", ["x", "\x1b", "\U0001f600"])
def test_the_newest_episode_is_kept_however_long_it_is(letter: str) -> None:
    batch = [solved("A lamp."), solved(letter * 40_000)]
    memory = run_turns(ExpelReflector, [operations("none")], batch=batch)[0][-1].memory
    starts = [one.start for one in Experience.model_validate(memory).successes]
    assert starts == ["A lamp.", letter * START_CHARACTERS]


def test_of_a_long_episode_the_task_and_the_end_are_recalled() -> None:
    steps = tuple(
        Step(observation=text, actions=("go",), digest="", thought="", proposed=f"go {n}", executed=f"go {n}")
        for n, text in enumerate(["Find the lamp.", *(f"Now you see a wall with number {n}." for n in range(1, 60))])
    )
    long = WON.model_copy(update={"steps": steps})
    text = recalled(ExpelReflector, run_turns(ExpelReflector, [operations("none")], batch=[long])[0][-1].memory, "lamp")
    title, head, first, cut, *lines, last = text.splitlines()
    assert (title, head, first, cut) == (ADDED_TITLE, "Episode:", "Find the lamp.", "…")
    assert last == "go 59: You win. The task was solved."
    assert lines[-1] == "go 58: Now you see a wall with number 59."
    episode = text.partition("Episode:\n")[2]
    assert EPISODE_BYTES - 50 < len(episode.encode()) <= EPISODE_BYTES
    assert len(f"{ADDED_TITLE}\nEpisode:\n{'x' * EPISODE_BYTES}\nEpisode:\n{'x' * EPISODE_BYTES}") <= ADDED_BYTES


def test_an_episode_that_is_too_long_is_left_out_of_the_text() -> None:
    long = Success(start="A jackal.", events="x" * ADDED_BYTES)
    short = Success(start="A lamp.", events="lit")
    memory = Experience(own="p", successes=(long, short)).model_dump(mode="json")
    assert recalled(ExpelReflector, memory, "A jackal.") == f"{ADDED_TITLE}\nEpisode:\nlit"


async def reflect_once(url: str, batch: Sequence[Trajectory], **options: str) -> Reflection:
    spec = ModelSpec(provider="openai", model="scripted", base_url=url, options={**options})
    model = ModelClient(OpenAIModel(spec), UsageMeter())
    try:
        return await ExpelReflector(model).reflect("Play.", batch, None, Context(seed=0, prompt_cap=8000))
    finally:
        await model.aclose()


def test_an_unusable_or_failed_reply_counts_the_embeddings_before_it() -> None:
    batch = [solved("A cave.")]
    with ScriptedServer(["Hm."], embed=lambda text: [1.0, 2.0]) as server:
        unusable = asyncio.run(reflect_once(server.url, batch, embedding_model="small"))
    assert (unusable.failure, unusable.usage.calls) == ("unparseable", 2)
    with (
        ScriptedServer([Reply("no", status=400)], embed=lambda text: [1.0, 2.0]) as server,
        pytest.raises(ModelFailure) as caught,
    ):
        asyncio.run(reflect_once(server.url, batch, embedding_model="small"))
    assert caught.value.usage is not None
    # Two words, which are tokens of the scripted server.
    assert (caught.value.usage.calls, caught.value.usage.input_tokens) == (2, 2)


def test_embeddings_decide_which_episodes_go_with_the_most_similar_one() -> None:
    """The word kitchen is in one text only, but the vectors of two texts say that both are about food."""
    starts = ["A kitchen.", "An apple and a pear.", "A cave with bats.", "A cellar with rats."]
    batch = [solved(start, f"do {number}") for number, start in enumerate(starts)]
    food = {"A kitchen.": [1.0, 0.0], "An apple and a pear.": [0.9, 0.1]}

    async def learn(url: str, **options: str) -> Reflection:
        return await reflect_once(url, batch, **options)

    with ScriptedServer([operations("none")], embed=lambda text: food.get(text, [0.0, 1.0])) as server:
        plain = asyncio.run(learn(server.url))
        assert server.embedded == []
        embedded = asyncio.run(learn(server.url, embedding_model="small"))
        assert server.embedded == starts
    assert (plain.usage.calls, embedded.usage.calls) == (1, 2)

    def positions(memory: JsonValue) -> list[str]:
        return re.findall(r"^do (\d)", recalled(ExpelReflector, memory, "Another kitchen."), re.MULTILINE)

    # Without vectors, the newest comes after the one that shares a word with the query.
    assert positions(plain.memory) == ["0", "3", "2"]
    assert positions(embedded.memory) == ["0", "1", "3"]


@given(st.lists(st.integers(0, 40_000), max_size=12), st.sampled_from("aä\n\U0001f600"))
def test_the_newest_items_stay_within_the_cap(sizes: list[int], letter: str) -> None:
    items = [Success(start=str(number), events=letter * size) for number, size in enumerate(sizes)]
    kept = newest_items(items)
    assert kept == tuple(items[len(items) - len(kept) :])
    memory = Experience(own="x" * 8000, insights=(Insight(text="y" * 6000),), successes=kept)
    assert len(canonical_json(memory.model_dump(mode="json")).encode()) <= MEMORY_BYTES
    if sum(sizes) < 50_000:
        assert len(kept) == len(items)


@given(st.lists(st.text(max_size=60).map(lambda text: text * 99), max_size=20))
def test_the_beginnings_of_episodes_stay_within_an_item(starts: list[str]) -> None:
    found = beginnings(starts)
    assert all(start.startswith(beginning) for start, beginning in zip(starts, found, strict=True))
    assert len(canonical_json(found).encode(errors="replace")) <= STARTS_BYTES + len(starts) + 2
    assert max(map(len, found), default=0) <= START_CHARACTERS
    if len(canonical_json(starts).encode(errors="replace")) <= STARTS_BYTES // max(len(starts), 1):
        assert [*found] == [start[:START_CHARACTERS] for start in starts]


def test_it_keeps_the_contract() -> None:
    check_reflector(ExpelReflector, answer=lambda body: operations(f"ADD: {len(body['messages'][-1]['content'])}"))
