"""The ICT protocol as a state machine without I/O, and the record of a loop."""

from ictbench.protocol.loop import Loop
from ictbench.protocol.loop_episodes import episode_uses, keys_for, played_tasks
from ictbench.protocol.loop_plan import LoopPlan, loop_plan
from ictbench.protocol.loop_result import LoopResult
from ictbench.protocol.requests import Audit, Online, Play, Reflect, Request, Score
from ictbench.protocol.seeds import loop_seed, reflection_seed, sampling_seed

__all__ = [
    "Audit",
    "Loop",
    "LoopPlan",
    "LoopResult",
    "Online",
    "Play",
    "Reflect",
    "Request",
    "Score",
    "episode_uses",
    "keys_for",
    "loop_plan",
    "loop_seed",
    "played_tasks",
    "reflection_seed",
    "sampling_seed",
]
