"""Worlds, each behind one small contract, `TextEnv`."""

from ictbench.envs.contract import TextEnv

__all__ = ["TextEnv"]
