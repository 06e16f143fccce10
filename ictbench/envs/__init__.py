"""Worlds, each behind one small contract, `TextEnv`."""

from ictbench.envs.text_env import TextEnv

__all__ = ["TextEnv"]
