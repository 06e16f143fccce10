"""Control: shows a reflector the episodes of another family.

Modelled on Min et al., *Rethinking the Role of Demonstrations* (arXiv 2202.12837), who give demonstrations wrong labels
to separate what is learned from their content from what is learned from their form.
"""

from __future__ import annotations

from ictbench.reflectors.controls.wrapper import WrapperReflector


class ShuffledReflector(WrapperReflector):
    """Shows the inner reflector another family's episodes, played under the current prompt.

    Its gain is what experience of the environment in general is worth. The rest of the inner reflector's gain comes
    from experience of the family.
    """

    control = "it learns from another family's episodes"
    experience = "foreign"
