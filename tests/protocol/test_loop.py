from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ictbench.protocol import (
    Audit,
    Loop,
    LoopPlan,
    LoopResult,
    Online,
    Play,
    Reflect,
    Request,
    Score,
    episode_uses,
    keys_for,
)
from ictbench.protocol.candidates import candidate_scores
from ictbench.protocol.loop_result import BatchResult, PromptResult
from ictbench.records import (
    MEMORY_ROOM,
    NO_MEMORY,
    Candidate,
    Memory,
    Reflection,
    ReflectionFailure,
    Task,
    Trajectory,
    prompt_digest,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CAP = 12


def tasks(pool: str, count: int) -> tuple[Task, ...]:
    return tuple(Task(id=f"{pool}-{i}", family="f", env="e", params={"seed": i}) for i in range(count))


def plan(
    turns: int = 3,
    batch: int = 2,
    *,
    test_every_turn: bool = False,
    audit: bool = False,
    online: bool = False,
    repeats: int = 1,
) -> LoopPlan:
    experience = tasks("experience", turns * batch)
    return LoopPlan(
        family="f",
        index=0,
        prompt="p0",
        batches=tuple(experience[i * batch : (i + 1) * batch] for i in range(turns)),
        selection=tasks("selection", 4),
        test=tasks("test", 5),
        prompt_bytes=CAP,
        test_every_turn=test_every_turn,
        audit=audit,
        online=online,
        repeats=repeats,
    )


def texts(result: LoopResult) -> list[str]:
    return [prompt.text for prompt in result.prompts]


def played(solved: bool) -> Trajectory:
    return Trajectory(steps=(), last_observation="", last_digest="", end="solved" if solved else "step_limit")


@dataclass
class World:
    """Answers to requests; whether an episode is solved depends on prompt, task and replicate (`task.1`) only."""

    solves: Callable[[str, str], bool] = lambda prompt, task: len(prompt + task) % 3 == 0
    reflect: Callable[[Reflect], Reflection] = lambda request: Reflection(prompt=f"p{request.turn}")
    requests: list[Request] = field(default_factory=list)

    def answer(self, loop: Loop, request: Request) -> tuple[Request, ...]:
        match request:
            case Play():
                return loop.played(request, [played(self.solves(request.prompt, t.id)) for t in request.tasks])
            case Reflect():
                return loop.reflected(request, self.reflect(request))
            case Score():
                names = [f"{task.id}.{replicate}" if replicate else task.id for task, replicate in request.episodes]
                return loop.scored(request, [self.solves(request.prompt, name) for name in names])
            case Audit():
                return loop.audited(request, [self.solves(request.prompt, task.id) for task in request.tasks])
            case Online():
                return loop.compared(request, [self.solves(request.prompt, task.id) for task in request.tasks])

    def run(self, plan: LoopPlan, choose: Callable[[int], int] = lambda count: 0) -> LoopResult:
        """Run a loop to its end; `choose` picks the next of so many open requests."""
        loop = Loop(plan)
        open_requests = list(loop.start())
        self.requests += open_requests
        while open_requests:
            assert not loop.finished
            following = self.answer(loop, open_requests.pop(choose(len(open_requests))))
            self.requests += following
            open_requests += following
        assert loop.finished
        return loop.result()

    def scores(self, pool: str) -> list[int]:
        return [r.prompt_index for r in self.requests if isinstance(r, Score) and r.pool == pool]

    def of(self, kind: type[Any]) -> Iterator[Any]:
        return (request for request in self.requests if isinstance(request, kind))


def scripted(scores: list[int]) -> World:
    """Return a world in which prompt i solves the first scores[i] selection tasks."""
    return World(solves=lambda prompt, task: int(task.split("-")[1]) < scores[int(prompt[1:])])


@given(
    turns=st.integers(1, 4),
    batch=st.integers(1, 3),
    every=st.booleans(),
    audit=st.booleans(),
    online=st.booleans(),
    salt=st.text(max_size=4),
    failing=st.sets(st.integers(1, 4)),
    data=st.data(),
)
def test_answers_in_any_order_give_the_same_result(
    turns: int, batch: int, every: bool, audit: bool, online: bool, salt: str, failing: set[int], data: st.DataObject
) -> None:
    def solves(prompt: str, task: str) -> bool:
        return sum((salt + prompt + task).encode()) % 2 == 0

    def reflect(request: Reflect) -> Reflection:
        solved = "".join(str(int(trajectory.solved)) for trajectory in request.trajectories)
        new = None if request.turn in failing else f"p{request.turn}{solved}"
        return Reflection(prompt=new, analysis=solved, state=[request.state, solved])

    def choose(count: int) -> int:
        return data.draw(st.integers(0, count - 1))

    whole = plan(turns, batch, test_every_turn=every, audit=audit, online=online)
    world = World(solves, reflect)
    result = world.run(whole, choose)
    assert result == World(solves, reflect).run(whole)

    # In any order, every prompt is scored once on selection, and no prompt twice on test.
    assert sorted(world.scores("selection")) == list(range(turns + 1))
    assert sorted(world.scores("test")) == sorted(result.test)
    assert set(result.test) == (set(range(turns + 1)) if every else {0, result.best, turns})
    assert all(request.prompt == texts(result)[request.prompt_index] for request in world.of(Score))
    # Batches are played in order, each under the prompt of the turn before, and no experience task twice.
    plays = list(world.of(Play))
    assert [request.tasks for request in plays] == list(whole.batches)
    assert [request.prompt for request in plays] == texts(result)[:-1]
    assert max(Counter(task.id for request in plays for task in request.tasks).values()) == 1
    scores = [row.count("1") for row in result.selection]
    assert result.best == scores.index(max(scores))
    assert len(result.batches) == result.last == turns
    # Audit and online measures change nothing else.
    plain = World(solves, reflect).run(replace(whole, audit=False, online=False))
    assert result.model_copy(update={"audit": (), "online": None}) == plain
    if online:
        assert result.online is not None
        for prompt, rows in ((texts(result)[0], result.online.base), (texts(result)[result.best], result.online.best)):
            expected = ["".join(str(int(solves(prompt, task.id))) for task in tasks) for tasks in whole.batches]
            assert list(rows) == expected
        # The batch of turn 1 is not played under prompt[0] again, and nothing twice where prompt[0] is the best.
        assert len(list(world.of(Online))) == turns - 1 + (turns if result.best else 0)


@pytest.mark.parametrize(
    ("scores", "best"),
    [([0, 0, 0, 0], 0), ([1, 3, 3, 2], 1), ([1, 2, 3, 4], 3), ([4, 4, 4, 4], 0), ([2, 1, 4, 4], 2)],
)
def test_best_is_the_highest_on_selection_and_the_earliest_on_ties(scores: list[int], best: int) -> None:
    world = scripted(scores)
    result = world.run(plan())
    assert result.best == best
    assert [row.count("1") for row in result.selection] == scores
    assert sorted(result.test) == sorted({0, best, 3})
    assert sorted(world.scores("test")) == sorted({0, best, 3})


def test_every_prompt_is_tested_on_request() -> None:
    world = scripted([0, 3, 1, 2])
    result = world.run(plan(test_every_turn=True))
    assert result.best == 1
    assert sorted(world.scores("test")) == list(result.test) == [0, 1, 2, 3]
    assert [row.count("1") for row in result.test.values()] == [0, 3, 1, 2]


def test_outcomes_are_in_the_order_of_the_tasks() -> None:
    solved = {"experience-1", "selection-3", "test-0", "test-4"}
    result = World(solves=lambda _, task: task in solved).run(plan(turns=1))
    assert [batch.outcomes for batch in result.batches] == ["01"]
    assert result.selection == ("0001",) * 2
    assert result.test[0] == "10001"


def test_outcomes_of_repeats_stand_together_by_task() -> None:
    solved = {"selection-3", "test-0", "test-0.2", "test-1.1"}
    result = World(solves=lambda _, task: task in solved).run(plan(turns=1, audit=False, repeats=3))
    assert result.selection == ("000000000100",) * 2
    assert result.test[0] == "101010000000000"
    assert [len(batch.outcomes) for batch in result.batches] == [2], "experience is played once"
    digest = result.prompts[0].digest
    keys = keys_for(result, "test", 0)
    assert keys[:4] == [f"test-0@{digest}", f"test-0@{digest}.1", f"test-0@{digest}.2", f"test-1@{digest}"]
    assert len(keys) == len(result.test[0])
    assert keys_for(result, "experience") == [f"experience-0@{digest}", f"experience-1@{digest}"]


def test_every_episode_of_a_score_has_an_outcome() -> None:
    loop = Loop(plan(repeats=2))
    score = next(request for request in loop.start() if isinstance(request, Score))
    with pytest.raises(ValueError, match="4 outcomes of 8 episodes"):
        loop.scored(score, [True] * len(score.tasks))


def test_the_best_prompt_solves_most_episodes_over_all_repeats() -> None:
    # prompt[1] solves more tasks at least once, prompt[2] more episodes.
    solved = {"p1": {"selection-0", "selection-1.1"}, "p2": {"selection-3", "selection-3.1", "selection-3.2"}}
    result = World(solves=lambda prompt, task: task in solved.get(prompt, ())).run(plan(turns=2, repeats=3))
    assert result.best == 2


@pytest.mark.parametrize(
    ("reflection", "counted"),
    [
        (Reflection(prompt=None), "unparseable"),
        (Reflection(prompt=None, failure="unparseable"), "unparseable"),
        (Reflection(prompt=None, failure="truncated"), "truncated"),
        (Reflection(prompt=None, failure="refused"), "refused"),
        (Reflection(prompt="x" * (CAP + 1)), "too_long"),
        # Nine characters, but thirteen bytes.
        (Reflection(prompt="xxxxxéééé"), "too_long"),
    ],
)
def test_an_unusable_reflection_keeps_the_prompt_and_is_counted(
    reflection: Reflection, counted: ReflectionFailure
) -> None:
    def reflect(request: Reflect) -> Reflection:
        if request.turn == 2:
            return reflection.model_copy(update={"analysis": "hm", "state": "kept"})
        return Reflection(prompt=f"p{request.turn}")

    world = World(reflect=reflect)
    result = world.run(plan())
    assert texts(result) == ["p0", "p1", "p1", "p3"]
    assert [prompt.failure for prompt in result.prompts] == [None, None, counted, None]
    assert [prompt.analysis for prompt in result.prompts] == ["", "", "hm", ""]
    # The kept prompt is prompt[2]: it is scored and played under.
    assert sorted(world.scores("selection")) == [0, 1, 2, 3]
    assert [request.state for request in world.of(Reflect)] == [None, None, "kept"]


@pytest.mark.parametrize("prompt", ["x" * CAP, "é" * (CAP // 2), "p0"])
def test_a_prompt_within_the_cap_is_used(prompt: str) -> None:
    result = World(reflect=lambda _: Reflection(prompt=prompt)).run(plan(turns=1))
    assert result.prompts[1] == PromptResult(digest=prompt_digest(prompt), text=prompt)


def test_a_reflector_gets_the_prompt_the_batch_and_its_state() -> None:
    def reflect(request: Reflect) -> Reflection:
        return Reflection(prompt=f"p{request.turn}", state={"turn": request.turn})

    world = World(solves=lambda prompt, task: task == "experience-3", reflect=reflect)
    world.run(plan())
    requests = list(world.of(Reflect))
    assert [request.prompt for request in requests] == ["p0", "p1", "p2"]
    assert [request.state for request in requests] == [None, {"turn": 1}, {"turn": 2}]
    assert [[t.solved for t in r.trajectories] for r in requests] == [[False, False], [False, True], [False, False]]


def test_scoring_does_not_delay_the_next_turn() -> None:
    loop, world = Loop(plan()), World()
    experience: list[Request] = [request for request in loop.start() if isinstance(request, Play)]
    while experience:
        following = world.answer(loop, experience.pop())
        experience += [request for request in following if not isinstance(request, Score)]
    assert loop.turn == 3
    assert not loop.finished
    with pytest.raises(RuntimeError, match="loop 0 of f is not finished"):
        loop.result()


def test_tests_are_requested_as_early_as_possible() -> None:
    loop, world = Loop(plan(turns=1)), World()
    first = loop.start()
    assert [(type(r).__name__, getattr(r, "pool", None)) for r in first] == [
        ("Play", None),
        ("Score", "selection"),
        ("Score", "test"),
    ]
    (reflect,) = world.answer(loop, first[0])
    following = [r for r in world.answer(loop, reflect) if isinstance(r, Score)]
    assert [(r.pool, r.prompt_index) for r in following] == [("selection", 1), ("test", 1)]


def test_a_plan_with_a_repeated_task_is_refused() -> None:
    whole = plan()
    with pytest.raises(ValueError, match="loop 0 of f: an experience task occurs twice"):
        replace(whole, batches=(whole.batches[0], whole.batches[0]))


def test_only_a_retried_loop_repeats_tasks() -> None:
    whole = plan()
    again = replace(whole, batches=(whole.batches[0],) * 3, experience="retried")
    assert [request.tasks for request in Loop(again).start() if isinstance(request, Play)] == [whole.batches[0]]
    result = World(solves=lambda prompt, task: prompt == "p2" and task == "experience-1").run(again)
    assert [batch.outcomes for batch in result.batches] == ["00", "00", "01"]


def test_replays_of_the_reflector_are_recorded_by_turn() -> None:
    def reflect(request: Reflect) -> Reflection:
        return Reflection(prompt=f"p{request.turn}", replays=("a@b",) * (request.turn - 1))

    halved = World(reflect=reflect).run(replace(plan(), experience="halved"))
    assert halved.replays == ((), ("a@b",), ("a@b", "a@b"))
    assert World().run(plan()).replays == ()


def test_an_audit_plays_each_batch_under_the_other_prompt() -> None:
    # prompt[2] solves its own batch, and nothing else is ever solved.
    world = World(solves=lambda prompt, task: prompt == "p2" and task in ("experience-2", "experience-3"))
    result = world.run(plan(audit=True))
    assert [(r.turn, r.batch, r.prompt, [task.id for task in r.tasks]) for r in world.of(Audit)] == [
        (1, "replayed", "p1", ["experience-0", "experience-1"]),
        (1, "fresh", "p0", ["experience-2", "experience-3"]),
        (2, "replayed", "p2", ["experience-2", "experience-3"]),
        (2, "fresh", "p1", ["experience-4", "experience-5"]),
    ]
    assert [(audited.replayed, audited.fresh) for audited in result.audit] == [("00", "00"), ("11", "00")]
    assert World().run(plan()).audit == ()


def test_a_loop_is_not_finished_before_its_audit() -> None:
    loop, world = Loop(plan(turns=2, audit=True)), World()
    requests, audits = list(loop.start()), []
    while requests:
        request = requests.pop()
        if isinstance(request, Audit):
            audits.append(request)
        else:
            requests += world.answer(loop, request)
    assert not loop.finished
    assert [world.answer(loop, audit) for audit in audits] == [(), ()]
    assert loop.finished


def test_online_measures_play_the_experience_under_prompt_0_and_the_best_prompt() -> None:
    # prompt[2] solves everything, prompt[1] only experience-3.
    world = World(solves=lambda prompt, task: prompt == "p2" or (prompt == "p1" and task == "experience-3"))
    result = world.run(plan(online=True))
    assert [batch.outcomes for batch in result.batches] == ["00", "01", "11"]
    assert result.best == 2
    assert result.online is not None
    assert (result.online.base, result.online.best) == (("00", "00", "00"), ("11", "11", "11"))
    assert sorted((r.under, r.turn, r.prompt) for r in world.of(Online)) == [
        ("base", 2, "p0"),
        ("base", 3, "p0"),
        ("best", 1, "p2"),
        ("best", 2, "p2"),
        ("best", 3, "p2"),
    ]
    assert len(keys_for(result, "online", 0)) == len(keys_for(result, "online", 2)) == 6


def test_a_loop_is_not_finished_before_its_online_measures() -> None:
    loop, world = Loop(plan(turns=2, online=True)), World(solves=lambda prompt, task: prompt == "p2")
    requests, online = list(loop.start()), []
    while requests:
        request = requests.pop()
        if isinstance(request, Online):
            online.append(request)
        else:
            requests += world.answer(loop, request)
    assert len(online) == 3
    for request in online:
        assert not loop.finished
        assert world.answer(loop, request) == ()
    assert loop.finished


def remembering(memories: list[Any], prompts: list[str | None] | None = None) -> World:
    """Return a world whose learner returns these memories, and these prompts, turn by turn."""
    texts = prompts or ["p"] * len(memories)

    def reflect(request: Reflect) -> Reflection:
        text = texts[request.turn - 1]
        return Reflection(
            prompt=text, failure=None if text is not None else "unparseable", memory=memories[request.turn - 1]
        )

    return World(reflect=reflect)


def roomy(turns: int = 3, **options: Any) -> LoopPlan:
    return replace(plan(turns, **options), prompt_bytes=MEMORY_ROOM + CAP)


def test_a_memory_goes_with_its_prompt_into_every_request() -> None:
    world = remembering([["a"], ["b"], ["c"]])
    result = world.run(roomy(audit=True, online=True, test_every_turn=True))
    memories = [NO_MEMORY, Memory.of(["a"]), Memory.of(["b"]), Memory.of(["c"])]
    assert [prompt.memory for prompt in result.prompts] == [memory.digest for memory in memories]
    assert [prompt.digest for prompt in result.prompts] == [
        prompt_digest("p0"),
        *(prompt_digest("p", memory.digest) for memory in memories[1:]),
    ]
    assert len({prompt.digest for prompt in result.prompts}) == 4
    for request in world.requests:
        match request:
            case Play() | Reflect():
                assert request.memory == memories[request.turn - 1]
            case Score():
                assert request.memory == memories[request.prompt_index]
            case Audit():
                assert request.memory == memories[request.turn - (request.batch == "fresh")]
            case Online():
                assert request.memory == memories[0 if request.under == "base" else result.best]


@pytest.mark.parametrize(
    ("memories", "prompts", "kept"),
    [
        (["a", None, "c"], ["p", "p", "p"], ["", "a", "a", "c"]),
        (["a", "b", "c"], ["p", None, "p"], ["", "a", "a", "c"]),
        (["a", "b", "c"], ["p", "x" * (CAP + 1), "p"], ["", "a", "a", "c"]),
        ([None, None, "c"], ["p", "p", "p"], ["", "", "", "c"]),
        (["a", None, None], ["p", "x" * (CAP + 1), "p"], ["", "a", "a", "a"]),
    ],
    ids=["none keeps", "no prompt keeps", "too long keeps", "none at first", "a kept memory needs its room"],
)
def test_without_a_usable_reflection_the_memory_stays(
    memories: list[Any], prompts: list[str | None], kept: list[str]
) -> None:
    result = remembering(memories, prompts).run(roomy())
    assert [prompt.memory for prompt in result.prompts] == [Memory.of(value or None).digest for value in kept]
    for prompt, text in zip(result.prompts[1:], prompts, strict=True):
        assert (prompt.failure is None) == (text == "p")


def test_without_a_memory_a_prompt_may_fill_the_whole_cap() -> None:
    whole = "x" * (MEMORY_ROOM + CAP)
    result = remembering([None, "m", "m"], [whole, whole, "x" * CAP]).run(roomy())
    assert [prompt.failure for prompt in result.prompts] == [None, None, "too_long", None]
    assert [bool(prompt.memory) for prompt in result.prompts] == [False, False, False, True]


@given(st.lists(st.recursive(st.none() | st.booleans() | st.text(max_size=3), st.lists, max_leaves=4), min_size=1))
def test_prompts_with_other_memories_have_other_digests(values: list[Any]) -> None:
    memories = {Memory.of(value).digest for value in values}
    assert len({prompt_digest("p", memory) for memory in memories}) == len(memories)
    assert prompt_digest("p", "") == prompt_digest("p")


def test_an_optimiser_plays_its_experience_itself() -> None:
    def reflect(request: Reflect) -> Reflection:
        assert request.trajectories == ()
        assert request.played == tuple(f"experience-{turn}@{prompt_digest('q')}" for turn in range(request.turn - 1))
        return Reflection(
            prompt=f"p{request.turn}",
            replays=(f"experience-{request.turn - 1}@{prompt_digest('q')}",),
            outcomes="01"[request.turn % 2],
            candidates=(Candidate(text="q", parents=("p0",), kept=request.turn > 1, front=(request.turn,)),),
        )

    pooled, world = replace(plan(), experience="pooled"), World(reflect=reflect)
    result = world.run(pooled)
    digest = prompt_digest("q")
    assert not list(world.of(Play))
    assert result.batches == tuple(
        BatchResult(tasks=(f"experience-{turn}",), outcomes="10"[turn % 2], prompts=(digest,)) for turn in range(3)
    )
    assert result.replays == ()
    base, tried = result.candidates
    assert (base.text, base.turn, base.kept) == ("p0", 0, None)
    assert (tried.turn, tried.parents, tried.kept, tried.front) == (1, (base.digest,), 2, (3,))
    assert candidate_scores(result) == {base.digest: (0, 0), digest: (3, 2)}
    uses = [use for use in episode_uses(result) if use.purpose == "experience"]
    assert [(use.prompt, use.key) for use in uses] == [(turn, f"experience-{turn}@{digest}") for turn in range(3)]
    assert [pooled.budget(turn) for turn in range(4)] == [0, 2, 4, 6]
