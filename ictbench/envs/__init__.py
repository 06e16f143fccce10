"""Environments: one package per world, each behind the `TextEnv` contract."""

from ictbench.envs.text_env import TextEnv

__all__ = ["TextEnv"]
