"""Episodes of every kind that actors and reflectors are checked with."""

from __future__ import annotations

from ictbench.actors import History
from ictbench.records import Observation, Step, Trajectory

PROMPT = "Do what brings you on."
ACTIONS = ("go on", "take the lamp", "wait")
MAX_STEPS = 25


def _steps(*told: tuple[str, str | None, str]) -> tuple[Step, ...]:
    """Steps from what was seen, proposed and thought."""
    return tuple(
        Step(
            observation=text,
            actions=ACTIONS,
            digest=Observation(text=text, actions=ACTIONS).digest,
            thought=thought,
            proposed=proposed,
            executed=proposed if proposed in ACTIONS else None,
        )
        for text, proposed, thought in told
    )


def _trajectory(steps: tuple[Step, ...], last: str, **ended: object) -> Trajectory:
    digest = Observation(text=last, actions=ACTIONS).digest
    return Trajectory.model_validate({"steps": steps, "last_observation": last, "last_digest": digest, **ended})


WON = _trajectory(
    _steps(
        ("A dark stair. A lamp is here.", "take the lamp", "It is dark."),
        ("You have the lamp.", "go on", "Now I see."),
        ("A bright hall.\n\n  |..@..|\n", "go on", ""),
    ),
    "You are out.",
    end="solved",
)
SPENT = _trajectory(
    _steps(
        ("A dark stair. A lamp is here.", "jump", "Perhaps."),
        ('"jump" is not one of the available actions. Nothing happened.\n\nA dark stair.', None, ""),
        ("", "wait", "Nothing is shown."),
        ("Really wait? [yn] [/b] {x} – très bien ☃", "wait", "Odd characters."),
    ),
    "A dark stair.",
    end="step_limit",
)
DEAD = _trajectory(_steps(("A dark stair.", "go on", "I go.")), "You fall. You die.", end="died")
OVER = _trajectory(_steps(("A dark stair.", "wait", "I stay.")), "The lamp burns out.", end="env_ended")
FAILED = _trajectory((), "A dark stair.", end="failed", failure="context_overflow")

TRAJECTORIES = (WON, SPENT, DEAD, OVER, FAILED)
"""One of each end."""

HISTORIES = tuple(
    History(
        steps=list(trajectory.steps[:number]),
        observation=[*(step.observation for step in trajectory.steps), trajectory.last_observation][number],
        actions=ACTIONS,
        max_steps=MAX_STEPS,
        solution=("take the lamp", "go on", "go on"),
    )
    for trajectory in TRAJECTORIES
    for number in range(len(trajectory.steps) + 1)
)
"""All that an actor meets on the way."""
