from __future__ import annotations

import pytest
from reflector_turns import LOST, WON, recalled, run_turns

from ictbench.records import ADDED_BYTES, Step, Trajectory
from ictbench.reflectors.memory.workflows import (
    ADDED_TITLE,
    MAX_STEPS,
    MAX_WORKFLOWS,
    WORKFLOW_BYTES,
    Workflow,
    Workflows,
    WorkflowsReflector,
    read_workflows,
)
from ictbench.testing import Reply, check_reflector

LAMP = """\
WORKFLOWS:
Workflow: light the lamp
- take the {object}
- light it"""
EAT = """\
## Workflows
**Workflow: eat what lies there**
1. walk onto the {food}
2. eat"""


def solved(start: str) -> Trajectory:
    step = Step(observation=start, actions=("go",), digest="", thought="", proposed="go", executed="go")
    return WON.model_copy(update={"steps": (step,)})


def test_workflows_are_added_and_the_prompt_stays() -> None:
    reflections, _ = run_turns(WorkflowsReflector, [LAMP, EAT])
    assert [turn.prompt for turn in reflections] == ["Play well."] * 2
    memory = Workflows.model_validate(reflections[-1].memory)
    assert memory.workflows == (
        Workflow(name="light the lamp", steps=("take the {object}", "light it"), starts=("A?",)),
        Workflow(name="eat what lies there", steps=("walk onto the {food}", "eat"), starts=("A?",)),
    )
    assert reflections[-1].analysis == "Workflow: eat what lies there\n1. walk onto the {food}\n2. eat"


def test_a_workflow_of_the_same_name_replaces_the_earlier_one() -> None:
    again = "WORKFLOWS:\nWorkflow: Light the lamp\n- light it at once"
    memory = run_turns(WorkflowsReflector, [LAMP, EAT, again])[0][-1].memory
    names = [(workflow.name, len(workflow.steps)) for workflow in Workflows.model_validate(memory).workflows]
    assert names == [("eat what lies there", 2), ("Light the lamp", 1)]


@pytest.mark.parametrize("letter", ["x", "\x1b", "\U0001f600"])
def test_all_workflows_of_a_large_batch_are_kept(letter: str) -> None:
    reply = "WORKFLOWS:\n" + "\n".join(f"Workflow: {name}\n- go" for name in "abc")
    batch = [solved(letter * 4_100) for _ in range(20)]
    memory = run_turns(WorkflowsReflector, [LAMP, reply], batch=batch)[0][-1].memory
    assert [workflow.name for workflow in Workflows.model_validate(memory).workflows][-3:] == ["a", "b", "c"]


def test_the_model_reads_only_solved_episodes() -> None:
    first, second = run_turns(WorkflowsReflector, [LAMP, EAT])[1]
    system, _, request = WorkflowsReflector.instruction.partition("\n\nAnswer with")
    assert first.startswith(system)
    assert first.endswith(request)
    assert "PROMPT:\nPlay well.\n\nWORKFLOWS:\n(none)\n\nEPISODES:\n=== Episode 1 ===" in first
    assert "You win." in first
    assert "You lose." not in first
    assert "WORKFLOWS:\nWorkflow: light the lamp\n1. take the {object}\n2. light it\n\nEPISODES:" in second


def test_the_model_is_not_asked_if_no_episode_was_solved() -> None:
    reflections, requests = run_turns(WorkflowsReflector, [LAMP], batch=[LOST], turns=2)
    assert [(turn.prompt, turn.memory, turn.usage.calls) for turn in reflections] == [("Play well.", None, 0)] * 2
    assert requests == []


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        ("Light the lamp.", "unparseable"),
        ("WORKFLOWS:\n- take the lamp", "unparseable"),
        ("WORKFLOWS:\nWorkflow: light it\nWorkflow:\n- take it", "unparseable"),
        (f"{LAMP}\n<think>Or not?", "unparseable"),
        (f"WORKFLOWS:\nWorkflow: wait\n- {'x' * WORKFLOW_BYTES}", "too_long"),
        (Reply(EAT, finish_reason="length"), "truncated"),
    ],
)
def test_an_unusable_reply_keeps_the_workflows(reply: str | Reply, failure: str) -> None:
    (_, second, third), requests = run_turns(WorkflowsReflector, [LAMP, reply, "WORKFLOWS:\nnone"])
    assert (second.prompt, second.memory, second.failure, second.usage.calls) == (None, None, failure, 1)
    assert (third.prompt, third.failure, third.analysis) == ("Play well.", None, "Nothing new.")
    assert [workflow.name for workflow in Workflows.model_validate(third.memory).workflows] == ["light the lamp"]
    assert "Workflow: light the lamp" in requests[2]


def test_a_turn_adds_at_most_three_workflows_of_twelve_steps() -> None:
    lines = [line for name in "abcde" for line in (f"Workflow: {name}", *map(str, range(20)))]
    memory = run_turns(WorkflowsReflector, ["\n".join(["WORKFLOWS:", *lines])])[0][-1].memory
    workflows = Workflows.model_validate(memory).workflows
    assert [workflow.name for workflow in workflows] == ["a", "b", "c"]
    assert [len(workflow.steps) for workflow in workflows] == [MAX_STEPS] * MAX_WORKFLOWS == [12] * 3


def test_the_last_of_two_workflows_of_the_same_name_counts() -> None:
    (workflow,) = read_workflows(["Workflow: a", "one", "workflow: A", "two"], ())
    assert (workflow.name, workflow.steps) == ("A", ("two",))


def test_the_fitting_workflow_comes_first() -> None:
    learned = run_turns(WorkflowsReflector, [LAMP], batch=[solved("A dark stair. |..(.|")])[0][-1]
    lamp = Workflows.model_validate(learned.memory).workflows
    learned = run_turns(WorkflowsReflector, [EAT], batch=[solved("A kitchen. |..%.|")])[0][-1]
    memory = Workflows(workflows=lamp + Workflows.model_validate(learned.memory).workflows).model_dump(mode="json")

    def names(observation: str, *actions: str) -> list[str]:
        title, *lines = recalled(WorkflowsReflector, memory, observation, actions).splitlines()
        assert title == ADDED_TITLE
        return [line.removeprefix("Workflow: ") for line in lines if line.startswith("Workflow: ")]

    # By the first observation of its episodes, by its words, and by the available actions.
    assert names("|.(..@|") == ["light the lamp", "eat what lies there"]
    assert names("|.@.%.|") == ["eat what lies there", "light the lamp"]
    assert names("Here is a lamp.") == ["light the lamp", "eat what lies there"]
    assert names("A room.", "look", "light") == ["light the lamp", "eat what lies there"]
    assert names("A room.", "look", "eat") == ["eat what lies there", "light the lamp"]
    # Of equals, the newest is first.
    assert names("Nothing.") == ["eat what lies there", "light the lamp"]


def test_the_largest_workflow_fits_and_a_larger_one_is_not_kept() -> None:
    room = WORKFLOW_BYTES - len("Workflow: wait\n1. ")
    reply = f"{LAMP}\nWorkflow: wait\n- {'x' * room}\nWorkflow: wait longer\n- {'x' * room}"
    memory = run_turns(WorkflowsReflector, [reply])[0][-1].memory
    assert [workflow.name for workflow in Workflows.model_validate(memory).workflows] == ["light the lamp", "wait"]
    assert f"1. {'x' * room}" in recalled(WorkflowsReflector, memory, "wait")


def test_workflows_that_do_not_fit_are_left_out() -> None:
    workflows = (
        Workflow(name="short", steps=("go",), starts=()),
        Workflow(name="long key", steps=("x" * ADDED_BYTES,), starts=()),
    )
    text = recalled(WorkflowsReflector, Workflows(workflows=workflows).model_dump(mode="json"), "a long key")
    assert text == f"{ADDED_TITLE}\nWorkflow: short\n1. go"


def test_it_keeps_the_contract() -> None:
    check_reflector(WorkflowsReflector, answer=lambda body: f"{LAMP}\n- wait {len(body['messages'][-1]['content'])}")
