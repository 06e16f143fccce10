"""How the scripted actor follows a line: it does what names most of what the line names, and nothing twice in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.rules_text.rules import Before, Follow, Manner, kind_of, prose, words

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Sequence

    from ictbench.actors.actor import History
    from ictbench.rules_text.rules import Rule


def follow(rules: Sequence[Rule], history: History, rng: random.Random) -> str | None:
    """The action that the line speaks for most; None where no rule or no line says anything."""
    line = next((rule for rule in rules if isinstance(rule, Follow)), None)
    told = _told(line.phrase, history) if line else None
    if told is None:
        return None
    # Little words name nothing: what counts is what actions are about.
    named = told & {word for offered in _offered(history) for word in words(offered)}
    manners = {(rule.kind, rule.how) for rule in rules if isinstance(rule, Manner)}
    done = [step.executed for step in history.steps if step.executed is not None]
    kinds_done = {kind_of(action) for action in done}
    due = [rule for rule in rules if isinstance(rule, Before) and rule.kind in told and rule.kind not in kinds_done]
    renewed = [
        at for at, action in enumerate(done) if (kind_of(action), "and what was done may be done again") in manners
    ]
    recent = done[renewed[-1] :] if renewed else done
    # What is worth undoing is measured by what was last done for the line's sake.
    reached = max((len(named & set(words(action))) for action in (recent[:1] if renewed else recent)), default=0)
    sights = _sights(history, named)

    def open_to(action: str) -> bool:
        kind, own = kind_of(action), words(action)
        if action in recent or any(rule.later == kind for rule in due):
            return False
        once = (kind, "only what the line names, and once") in manners
        if once and any(kind_of(other) == kind for other in recent):
            return False
        reserved = once or (kind, "only what the line names") in manners
        if reserved and (len(own) < 2 or own[1] not in named):
            return False
        return (kind, "only for more of what the line names") not in manners or len(named & set(own)) > reached

    choices = [action for action in history.actions if open_to(action)]
    # While something has to be got ready first, the way to it is worth as much as what the line names.
    ways = {rule.place for rule in due if rule.place} if renewed else set()
    siblings = [kind_of(action) for action in history.actions]

    def weight(action: str) -> tuple[bool, int, float, int]:
        own = words(action)
        shared = len((named & set(own)) | sights.get(action, set()))
        return " ".join(own) in ways, shared, shared / max(1, len(own)), -siblings.count(kind_of(action))

    return _any_of_the_best(choices, weight, rng)


def _told(phrase: str, history: History) -> set[str] | None:
    """The words of the line that begins so, the phrase's own left out."""
    seen = [*(step.observation for step in history.steps), history.observation]
    for text in seen:
        for line in prose(text):
            if line.startswith(phrase):
                return set(words(line.removeprefix(phrase)))
    return None


def _offered(history: History) -> set[str]:
    return {action for step in history.steps for action in step.actions} | set(history.actions)


def _sights(history: History, named: set[str]) -> dict[str, set[str]]:
    """By action done: what the line names that was in sight afterwards, the last time."""
    after = [*(step.observation for step in history.steps[1:]), history.observation]
    pairs = zip(history.steps, after, strict=False)
    return {step.executed: named & set(words(text)) for step, text in pairs if step.executed is not None}


def _any_of_the_best(choices: Iterable[str], weight: object, rng: random.Random) -> str | None:
    weighed = [(weight(action), action) for action in choices]  # type: ignore[operator]
    best = max((one for one, _ in weighed), default=None)
    return rng.choice([action for one, action in weighed if one == best]) if weighed else None
