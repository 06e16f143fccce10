"""Named choices that records, suites, reflectors and options share. Imports nothing, so that commands start fast."""

from __future__ import annotations

from typing import Literal

ProfileName = Literal["quick", "lite", "standard", "standard-k5"]
"""Named sizes of a run. Only suites that repeat the paper have `standard-k5`: five episodes a turn."""

DecodingName = Literal["free", "grammar", "json", "tools"]
"""Decoding of an actor's replies."""

PastActions = Literal["changed", "none"]
"""Lists of available actions that the actor `react` shows of past turns: those that differ from the current one, or
none."""

MAX_REPEATS = 100
"""Most episodes of one task under one prompt; a result states an interval for each number of them."""

ACTION_FORMAT = 3
"""Version of how the actor `react` reads replies: labels, punctuation, reasoning, and the tokens of chat templates in
`ictbench.models.replies`. In version 1, the last line that starts with `Action:` counted, and reasoning and tokens of
the chat template were part of the text. In version 2, some markers and tokens were not known."""

ExperienceFormat = Literal["full", "events", "tally"]
"""Format of the observations shown to a reflector's model: all of each, only what changed, or what changed by kind of
action, without the order in time and with the outcomes apart."""

FailureKind = Literal["bad_request", "context_overflow", "refused", "empty", "truncated", "timeout"]
"""Failure of an episode that the model causes."""

ExecutorName = Literal["inline", "process", "ray"]
"""Place where episodes are played."""

LogLevel = Literal["debug", "info", "warning", "error"]
