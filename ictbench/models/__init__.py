"""Language models, each provider behind one small contract, `ChatModel`."""

from ictbench.models.chat_model import ChatModel, Completion, Constraint, ConstraintStyle, Message, ToolCall
from ictbench.models.client import ModelClient, Retry
from ictbench.models.model_pool import ModelPool
from ictbench.models.usage_meter import Limits, UsageMeter

__all__ = [
    "ChatModel",
    "Completion",
    "Constraint",
    "ConstraintStyle",
    "Limits",
    "Message",
    "ModelClient",
    "ModelPool",
    "Retry",
    "ToolCall",
    "UsageMeter",
]
