"""Training of reflectors: reflection states from in-context training, rewards from played episodes, GRPO."""

from ictbench.train.collect import collect
from ictbench.train.settings import TrainingSettings
from ictbench.train.states import ReflectionState, StateDataset

__all__ = ["ReflectionState", "StateDataset", "TrainingSettings", "collect"]
