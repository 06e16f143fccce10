"""The control that learns from the wrong experience.

In the manner of Min et al., *Rethinking the Role of Demonstrations* (arXiv 2202.12837): they gave demonstrations wrong
labels, to see what is learnt from the demonstrations themselves and what from their form alone.
"""

from __future__ import annotations

from ictbench.reflectors.controls.wrapper import WrapperReflector


class ShuffledReflector(WrapperReflector):
    """Lets another reflector learn from episodes of another family, played under the current prompt.

    What it gains is what any experience of this environment is worth; the rest is what experience of the family is.
    """

    control = "it learns from another family's episodes"
    experience = "foreign"
