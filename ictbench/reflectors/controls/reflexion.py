"""The contrast arm that tries the same tasks again and again.

Shinn et al., *Reflexion: Language Agents with Verbal Reinforcement Learning* (arXiv 2303.11366): an agent that failed
says in words what went wrong, keeps these words in its memory, and tries the same task once more. Around `append`,
which keeps what it learnt word for word, this is that method with one memory for all tasks of a batch.
"""

from __future__ import annotations

from ictbench.reflectors.controls.wrapper import WrapperReflector


class ReflexionReflector(WrapperReflector):
    """Lets another reflector learn from the same tasks in every turn, each time played under its newest prompt.

    Success by turn on these tasks is what retrying buys; base, best and last say what of it carries over to others.
    """

    control = "it tries the same tasks in every turn, which is another protocol"
    experience = "retried"
