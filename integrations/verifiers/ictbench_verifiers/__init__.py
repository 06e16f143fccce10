"""Loops of in-context training as an environment of verifiers; its id is `ictbench-verifiers`."""

from ictbench_verifiers.env import LoopEnv
from ictbench_verifiers.harness import ChatHarness
from ictbench_verifiers.taskset import LoopTaskset

__all__ = ["ChatHarness", "LoopEnv", "LoopTaskset"]
