"""The ICT protocol, as a state machine without I/O."""

from ictbench.protocol.loop import Audit, Audited, Loop, LoopOutcome, LoopPlan, Play, Reflect, Request, Score
from ictbench.protocol.plan import loop_plan
from ictbench.protocol.seeds import reflection_seed, sampling_seed

__all__ = [
    "Audit",
    "Audited",
    "Loop",
    "LoopOutcome",
    "LoopPlan",
    "Play",
    "Reflect",
    "Request",
    "Score",
    "loop_plan",
    "reflection_seed",
    "sampling_seed",
]
