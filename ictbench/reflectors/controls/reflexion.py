"""Control: plays the same tasks in every turn.

After Shinn et al., *Reflexion: Language Agents with Verbal Reinforcement Learning* (arXiv 2303.11366): an agent that
failed describes its mistake, remembers the description, and tries the same task again. Around `ace`, which keeps its
bullets word for word, this wrapper is closest to that method, with one memory for all tasks of a batch.
"""

from __future__ import annotations

from ictbench.reflectors.controls.wrapper import WrapperReflector


class ReflexionReflector(WrapperReflector):
    """Shows the inner reflector the same tasks in every turn, each time played under the newest prompt.

    Success per turn on these tasks measures what retrying gains. Base, best and last measure how much of it transfers
    to other tasks.
    """

    control = "it tries the same tasks in every turn, which is another protocol"
    experience = "retried"
