"""Training of reflectors: reflection states from in-context training, rewards from playing, GRPO."""

from ictbench.train.collect import collect
from ictbench.train.settings import Settings
from ictbench.train.states import State, States

__all__ = ["Settings", "State", "States", "collect"]
