"""Sample episodes with every kind of end, for the checks of actors and reflectors."""

from __future__ import annotations

from ictbench.actors import History
from ictbench.records import Observation, Step, Trajectory

PROMPT = "Find the way out."
ACTIONS = ("go on", "take the lamp", "wait")
MAX_STEPS = 25


def _steps(*steps: tuple[str, str | None, str]) -> tuple[Step, ...]:
    """Return steps from tuples of observation, proposed action and thought."""
    return tuple(
        Step(
            observation=text,
            actions=ACTIONS,
            digest=Observation(text=text, actions=ACTIONS).digest,
            thought=thought,
            proposed=proposed,
            executed=proposed if proposed in ACTIONS else None,
        )
        for text, proposed, thought in steps
    )


def _trajectory(steps: tuple[Step, ...], last: str, **ended: object) -> Trajectory:
    digest = Observation(text=last, actions=ACTIONS).digest
    return Trajectory.model_validate({"steps": steps, "last_observation": last, "last_digest": digest, **ended})


SOLVED = _trajectory(
    _steps(
        ("A dark stair. A lamp is here.", "take the lamp", "It is dark."),
        ("You have the lamp.", "go on", "Now I see."),
        ("A bright hall.\n\n  |..@..|\n", "go on", ""),
    ),
    "You are out.",
    end="solved",
)
STEP_LIMIT = _trajectory(
    _steps(
        ("A dark stair. A lamp is here.", "jump", "Perhaps."),
        ('"jump" is not one of the available actions. Nothing happened.\n\nA dark stair.', None, ""),
        ("", "wait", "Nothing is shown."),
        ("Really wait? [yn] [/b] {x} – très bien ☃", "wait", "Odd characters."),
    ),
    "A dark stair.",
    end="step_limit",
)
DIED = _trajectory(_steps(("A dark stair.", "go on", "I go.")), "You fall. You die.", end="died")
ENV_ENDED = _trajectory(_steps(("A dark stair.", "wait", "I stay.")), "The lamp burns out.", end="env_ended")
FAILED = _trajectory((), "A dark stair.", end="failed", failure="context_overflow")

TRAJECTORIES = (SOLVED, STEP_LIMIT, DIED, ENV_ENDED, FAILED)
"""One trajectory for each kind of end."""

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
"""Every history that an actor meets in these episodes."""
