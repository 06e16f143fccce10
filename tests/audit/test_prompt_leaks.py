"""Prompts with leaked names, seeds or solutions are found; honest prompts that quote their experience are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from small_run import SUITE, altered, evidence_of, small_run

import ictbench
from ictbench.audit.prompt_leaks import MIN_ACTIONS, MIN_DISTINCT, check_leaks
from ictbench.audit.result_checks import make_plans
from ictbench.records import Reflection
from ictbench.reflectors import Reflector
from ictbench.submissions.episode_records import evidence_of_run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ictbench.records import Trajectory
    from ictbench.reflectors import Context
    from ictbench.submissions.episode_records import EpisodeRecord, Evidence


def leaks(evidence: Evidence, suite: ictbench.Suite = SUITE) -> dict[str, str]:
    checks = check_leaks(evidence, suite, make_plans(evidence.result, suite))
    return {check.name: check.detail for check in checks if check.verdict == "failed"}


def with_prompt(text: str) -> Evidence:
    """Return the small run with this text added to the last prompt of the first loop of `eat`."""

    def edit(result: dict[str, Any]) -> None:
        result["families"][0]["loops"][0]["prompts"][2]["text"] += f"\n{text}"

    return altered(result=edit)


@pytest.mark.parametrize(
    ("text", "check", "detail"),
    [
        ("In eat-20003, go north.", "leaked names", "eat, loop 0, prompt[2] names 'eat-20003'"),
        ("This is MINIHACK-EAT-V0.", "leaked names", "names 'minihack-eat-v0'"),
        ("Also of others: (read-10002)", "leaked names", "names 'read-10002'"),
        ("The seed is 20003.", "leaked seeds", "holds 20003, the seed of eat-20003"),
        ("seed_20003", "leaked seeds", "holds 20003"),
        ("10,002: go north", "leaked seeds", "holds 10002, the seed of eat-10002"),
    ],
)
def test_names_and_seeds_are_found(text: str, check: str, detail: str) -> None:
    assert detail in leaks(with_prompt(text))[check]


@pytest.mark.parametrize("text", ["Read, eat, and step 25 times.", "120003 200031 0.20003", "eat-2", "zap 3-4"])
def test_similar_words_and_numbers_are_not_leaks(text: str) -> None:
    assert leaks(with_prompt(text)) == {}


def actions_of(record: EpisodeRecord) -> list[str]:
    return [step.executed for step in record.trajectory.steps if step.executed is not None]


def solution() -> tuple[list[str], str]:
    """Return a solution that counts as one, of a scoring task of the first loop of `eat`, with the id of the task."""
    loop = evidence_of_run(small_run()).result.families[0].loops[0]
    scoring_tasks = {*loop.selection_tasks, *loop.test_tasks}
    return next(
        (actions, record.task.id)
        for record in evidence_of_run(small_run()).episodes()
        if record.task.id in scoring_tasks and record.trajectory.end == "solved"
        for actions in [actions_of(record)]
        if len(actions) >= MIN_ACTIONS and len(set(actions)) >= MIN_DISTINCT
    )


@pytest.mark.parametrize(
    "write",
    [
        lambda actions: ", ".join(actions),
        lambda actions: " -> ".join(actions).upper(),
        lambda actions: str(actions),
        lambda actions: "\n".join(f"{number}. {action}" for number, action in enumerate(actions, 1)),
        lambda actions: "; ".join(f"{number}) {action}" for number, action in enumerate(actions, 1)),
        lambda actions: "\n\n".join(f"- {action.replace(' ', '_')}" for action in actions),
    ],
)
def test_solution_is_found_in_any_layout(write: Callable[[list[str]], str]) -> None:
    actions, task = solution()
    assert f"prompt[2] holds a solution of {task}: " in leaks(with_prompt(write(actions)))["leaked actions"]


def test_part_of_a_solution_is_not_found() -> None:
    actions, _ = solution()
    assert leaks(with_prompt(", ".join(actions[:-1]))) == {}


def test_solution_may_be_quoted_from_earlier_experience_only() -> None:
    actions, _ = solution()
    evidence = with_prompt(", ".join(actions))
    loop = evidence.result.families[0].loops[0]

    def with_experience(turn: int) -> Evidence:
        """Give an experience episode of this turn the same actions."""
        key = f"{loop.batches[turn].tasks[0]}@{loop.prompts[turn].digest}"
        played = next(r for r in evidence.episodes() if actions_of(r) == actions)
        records = [
            r.model_copy(update={"trajectory": played.trajectory}) if r.key == key else r for r in evidence.episodes()
        ]
        return evidence_of(evidence.result, records)

    assert leaks(with_experience(0)) == leaks(with_experience(1)) == {}
    content = evidence.result.model_dump(mode="json", by_alias=True)
    prompts = content["families"][0]["loops"][0]["prompts"]
    prompts[1]["text"], prompts[2]["text"] = prompts[2]["text"], prompts[1]["text"]
    result = type(evidence.result).model_validate(content)
    later_experience = evidence_of(result, [*with_experience(1).episodes()])
    assert "prompt[1]" in leaks(later_experience)["leaked actions"]


class QuotingReflector(Reflector):
    """Puts whole trajectories into the prompt, as the control `icl` does."""

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: Any, context: Context
    ) -> Reflection:
        quoted = [", ".join(step.executed or "" for step in trajectory.steps) for trajectory in trajectories]
        return Reflection(prompt="\n".join([prompt, "Seen:", *quoted])[:7000])


@pytest.mark.parametrize("suite", ["minihack-v1", "alfworld-procgen-v1"])
def test_honest_prompts_have_no_leaks(suite: str, tmp_path: Path) -> None:
    sizes: dict[str, Any] = {"loops": 2, "turns": 3, "batch_size": 2, "selection_size": 3, "test_size": 3}
    families = ["room-random", "read"] if suite == "minihack-v1" else ["look", "pick"]
    for reflector in ("rules", f"{__name__}:QuotingReflector"):
        run = ictbench.run(
            suite=suite,
            families=families,
            reflector=reflector,
            actor="rules",
            executor="inline",
            out=tmp_path / reflector.replace(":", "-"),
            **sizes,
        )
        assert leaks(evidence_of_run(run.folder), ictbench.load_suite(suite)) == {}
