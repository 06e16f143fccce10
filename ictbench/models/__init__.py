"""Language models, each provider behind one small contract, `ChatModel`."""

from ictbench.models.contract import ChatModel, Completion, Constraint, ConstraintStyle, Message, ToolCall
from ictbench.models.managed import ManagedModel, Retry
from ictbench.models.meter import Limits, Meter
from ictbench.models.pool import ModelPool

__all__ = [
    "ChatModel",
    "Completion",
    "Constraint",
    "ConstraintStyle",
    "Limits",
    "ManagedModel",
    "Message",
    "Meter",
    "ModelPool",
    "Retry",
    "ToolCall",
]
