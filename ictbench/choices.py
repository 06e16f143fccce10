"""Named choices that records, suites, reflectors and options share. Imports nothing, so that commands start fast."""

from __future__ import annotations

from typing import Literal

ProfileName = Literal["quick", "lite", "standard"]
"""Named sizes of a run."""

DecodingName = Literal["free", "grammar", "json", "tools"]
"""How an actor's replies are decoded."""

ExperienceFormat = Literal["full", "events"]
"""What a reflector's model sees of an observation: all of it, or only what changed."""

FailureKind = Literal["bad_request", "context_overflow", "refused", "empty", "truncated", "timeout"]
"""How a model can fail an episode."""

ExecutorName = Literal["inline", "process", "ray"]
"""Where episodes are played."""

LogLevel = Literal["debug", "info", "warning", "error"]
