"""Roles of arms in the gate: what a result is to the reflector that is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from ictbench.results.gate_schema import MissingArm, Requirement
from ictbench.results.outcomes import is_constant
from ictbench.results.pairing import wrapper_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ictbench.results.schema import Result

REQUIREMENTS: tuple[Requirement, ...] = get_args(Requirement)
OUTCOME_WRAPPERS = ("unlabelled", "flipped")
WRAPPERS = ("blind", "shuffled", *OUTCOME_WRAPPERS)
SCRIPTS = ("copy", "copy-last", "copy-commonest")
LOSSES = "losses"
"""Reported and no requirement: learning from failure is learning."""
DEFAULT_TEXT = "events"
"""Digest that the scripts read for reflectors that are shown whole trajectories."""
DIGESTS = ("events", "tally")
OTHER = "other:"


def role_of(arm: Result, reflector: Result) -> str:
    """Return the role of an arm: a requirement, `losses`, or empty if it has none."""
    name = arm.reflector.name
    if name in SCRIPTS:
        return name if arm.reflector.options.get("experience", DEFAULT_TEXT) == text_of(reflector) else ""
    if name == "file":
        return "constant"
    if is_untrained_self(arm, reflector):
        return "untrained"
    wrapper = wrapper_of(arm, reflector)
    return wrapper if wrapper in (*WRAPPERS, LOSSES) and not _have_other_weights(arm, reflector) else ""


def text_of(reflector: Result) -> str:
    """Return the digest that scripts must have read to have seen the same text."""
    experience = reflector.reflector.options.get("experience")
    return str(experience) if experience in DIGESTS else DEFAULT_TEXT


def is_trained(result: Result) -> bool:
    """Return whether a reflector was trained on families, as its result says."""
    return any(not name.startswith(OTHER) for name in result.reflector_trained_on or ())


def is_untrained_self(arm: Result, reflector: Result) -> bool:
    """Return whether an arm is the same reflector on a model that was not trained on families."""
    same = (arm.reflector.name, arm.reflector.options) == (reflector.reflector.name, reflector.reflector.options)
    return same and is_trained(reflector) and not is_trained(arm) and arm.reflector.model is not None


def _have_other_weights(arm: Result, reflector: Result) -> bool:
    """Return whether the models are known to differ although they have one name, e.g. a folder that was overwritten."""
    return len({arm.reflector.fingerprint, reflector.reflector.fingerprint} - {None}) > 1


def missing_arms(reflector: Result, roles: Iterable[str]) -> Iterator[MissingArm]:
    """Yield the required arms that are not among these roles."""
    given = {*roles}
    for role in REQUIREMENTS:
        trained = is_trained(reflector) or reflector.reflector_trained_on is None
        if role in given or (role == "untrained" and not trained):
            continue
        yield _missing(role, reflector)


def _missing(role: Requirement, reflector: Result) -> MissingArm:
    """Return a missing arm with what supplies it, or why nothing can."""
    label = reflector.reflector.label
    if role in WRAPPERS:
        if reflector.experience != "fresh":
            why = f"{label} cannot be wrapped, because {reflector.control or 'it plays its episodes itself'}"
            return MissingArm(role=role, reason=f"cannot exist: {why}")
        if role in OUTCOME_WRAPPERS and is_constant(reflector.reflector):
            return MissingArm(role=role, reason=f"cannot exist: {label} does not read how episodes ended")
        return _playable(role, f"{role}:{_plain_name(reflector)}", *_own_options(reflector))
    if role in SCRIPTS:
        return _playable(role, role, "--reflector-experience", text_of(reflector))
    if role == "constant":
        return _playable(role, "file:PATH", ending=" with the best constant prompt of the meta-train families")
    if reflector.reflector_trained_on is None:
        why = f"what {label} was trained on is unknown; state it with --reflector-trained-on, e.g. other:NAME"
        return MissingArm(role=role, reason=why)
    return MissingArm(role=role, reason="run the same reflector on the model before its training")


def _playable(role: Requirement, name: str, *options: str, ending: str = "") -> MissingArm:
    arguments = ("--reflector", name, *options)
    return MissingArm(role=role, reason=f"run {' '.join(arguments)}{ending}", arguments=arguments)


def _plain_name(reflector: Result) -> str:
    """Return the name of a reflector as on the command line: its label without the mark of an instruction."""
    return reflector.reflector.label.partition(" (instruction ")[0]


def _own_options(reflector: Result) -> Iterator[str]:
    """Yield the options by which a wrapped reflector is the same as without its wrapper."""
    options = reflector.reflector.options
    if isinstance(text := options.get("experience"), str):
        yield from ("--reflector-experience", text)
    if "instruction" in options:
        yield from ("--reflector-instruction", "FILE")
