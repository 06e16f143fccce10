from __future__ import annotations

import pytest
from reflector_turns import recalled, run_turns

from ictbench.errors import ModelFailure
from ictbench.reflectors.memory.ace import CURATOR, CURATOR_REQUEST, REFLECTOR, REFLECTOR_REQUEST, AceReflector
from ictbench.reflectors.memory.playbook import TITLE
from ictbench.testing import Reply, check_reflector


def reflection(*tags: str, analysis: str = "Doors lead on.") -> str:
    return "\n".join(["ANALYSIS:", analysis, "TAGS:", *(tags or ["none"])])


def operations(*lines: str) -> str:
    return "\n".join(["OPERATIONS:", *(lines or ["none"])])


FIRST = (reflection(), operations("ADD strategy: Read.", "ADD mistake: Do not sleep."))


def test_the_reflector_counts_and_the_curator_adds() -> None:
    replies = [*FIRST, reflection("HELPFUL 1", "HARMFUL 2"), operations("ADD environment: Doors open.")]
    (first, second), _ = run_turns(AceReflector, replies, turns=2)
    assert (first.prompt, second.prompt) == ("Play well.", "Play well.")
    assert (first.usage.calls, second.usage.calls) == (2, 2)
    assert second.memory == {
        "bullets": [
            {"id": 1, "kind": "strategy", "text": "Read.", "helpful": 1, "harmful": 0},
            {"id": 2, "kind": "mistake", "text": "Do not sleep.", "helpful": 0, "harmful": 1},
            {"id": 3, "kind": "environment", "text": "Doors open.", "helpful": 0, "harmful": 0},
        ],
        "last_id": 3,
    }
    assert recalled(AceReflector, first.memory) == f"{TITLE}\n- mistake: Do not sleep.\n- strategy: Read."
    assert recalled(AceReflector, second.memory) == f"{TITLE}\n- strategy: Read.\n- environment: Doors open."
    assert second.analysis == "Doors lead on.\n\n- environment: Doors open."


def test_both_roles_read_what_they_need() -> None:
    replies = [*FIRST, reflection("HARMFUL 2", analysis="Sleep heals."), operations()]
    _, _, reflector, curator = run_turns(AceReflector, replies, turns=2)[1]
    assert reflector.startswith(REFLECTOR)
    assert reflector.endswith(REFLECTOR_REQUEST)
    assert "PLAYBOOK:\n[1] strategy: Read. (helpful 0, harmful 0)\n[2] mistake: Do not sleep." in reflector
    assert "EPISODES:\n=== Episode 1 ===\nObservation 1:\nA?" in reflector
    assert curator.startswith(CURATOR)
    assert curator.endswith(CURATOR_REQUEST)
    assert "[2] mistake: Do not sleep. (helpful 0, harmful 1, not shown)\n\nANALYSIS:\nSleep heals.\n\n" in curator
    assert "EPISODES" not in curator
    assert all(text in AceReflector.instruction for text in (REFLECTOR, REFLECTOR_REQUEST, CURATOR, CURATOR_REQUEST))


def test_an_empty_playbook_is_no_memory() -> None:
    ((turn,), _) = run_turns(AceReflector, [reflection(), operations()], turns=1)
    assert (turn.prompt, turn.failure, turn.memory) == ("Play well.", None, None)
    assert turn.analysis.endswith("\n\nNothing new.")


def test_without_episodes_no_bullet_has_a_vote() -> None:
    replies = [*FIRST, reflection("HELPFUL 1"), operations()]
    (first, second), _ = run_turns(AceReflector, replies, turns=2, batch=())
    assert first.memory == second.memory


@pytest.mark.parametrize(
    ("replies", "failure", "calls"),
    [
        (["Doors lead on."], "unparseable", 1),
        ([Reply(reflection(), finish_reason="length")], "truncated", 1),
        ([reflection(), "ADD strategy: Read."], "unparseable", 2),
        ([reflection(), operations("READ: everything")], "unparseable", 2),
        ([reflection(), Reply(operations(), finish_reason="length")], "truncated", 2),
    ],
)
def test_an_unusable_reply_keeps_the_playbook_and_every_call_is_counted(
    replies: list[str | Reply], failure: str, calls: int
) -> None:
    ((turn,), _) = run_turns(AceReflector, replies, turns=1)
    assert (turn.prompt, turn.memory, turn.failure, turn.usage.calls) == (None, None, failure, calls)


def test_a_failure_of_the_curator_carries_the_usage_of_both_calls() -> None:
    with pytest.raises(ModelFailure) as caught:
        run_turns(AceReflector, [reflection(), Reply("", finish_reason="content_filter")], turns=1)
    assert caught.value.usage is not None
    assert caught.value.usage.calls == 2


@pytest.mark.parametrize(
    "reply",
    [
        "## Analysis\nDoors lead on.\n## Tags\n- helpful: [1], [2]",
        "<think>ANALYSIS: no</think>**ANALYSIS:** Doors lead on.\n**TAGS:**\n1. Helpful 1\n2. helpful 2.",
        "ANALYSIS:\nDoors lead on.\nTAGS:\nHELPFUL 1, 2, 2, 9\nHELPFUL 1",
        "ANALYSIS:\nDoors lead on.\nTAGS:\n- **Helpful:** [1] and #2.\nHARMFUL none",
    ],
)
def test_tags_are_read_in_any_markup(reply: str) -> None:
    (_, second), _ = run_turns(AceReflector, [*FIRST, reply, operations()], turns=2)
    assert isinstance(second.memory, dict)
    assert [bullet["helpful"] for bullet in second.memory["bullets"]] == [1, 1]  # type: ignore[index, call-overload, union-attr]
    assert second.analysis.startswith("Doors lead on.\n")


def test_it_keeps_the_contract() -> None:
    def answer(body: dict[str, object]) -> str:
        text = str(body["messages"])
        return operations(f"ADD strategy: Read {len(text)} letters.") if "OPERATIONS" in text else reflection()

    check_reflector(AceReflector, answer=answer)
