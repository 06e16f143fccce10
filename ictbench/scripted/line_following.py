"""Following a line of text: prefer the available action that shares most words with it, and repeat none in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.rules_text.rules import Before, Follow, Manner, action_kind
from ictbench.rules_text.screen import prose_lines, words

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Sequence

    from ictbench.actors.actor import History
    from ictbench.rules_text.rules import Rule


def follow_line(rules: Sequence[Rule], history: History, rng: random.Random) -> str | None:
    """Choose the available action that fits the line of the first `Follow` rule best; ties are broken at random.

    Returns:
        The action; None without such a rule, without its line in the episode, or where no action is allowed.
    """
    rule = next((rule for rule in rules if isinstance(rule, Follow)), None)
    line_words = _line_words(rule.phrase, history) if rule else None
    if line_words is None:
        return None
    # Function words are in every line: only words that occur in actions can tell them apart.
    named = line_words & {word for action in _offered_actions(history) for word in words(action)}
    manners: set[tuple[str, str]] = {(rule.kind, rule.how) for rule in rules if isinstance(rule, Manner)}
    done = [step.executed for step in history.steps if step.executed is not None]
    kinds_done = {action_kind(action) for action in done}
    due = [
        rule for rule in rules if isinstance(rule, Before) and rule.kind in line_words and rule.kind not in kinds_done
    ]
    resets = [
        index
        for index, action in enumerate(done)
        if (action_kind(action), "and what was done may be done again") in manners
    ]
    recent = done[resets[-1] :] if resets else done
    allowed = _allowed_filter(manners, due, recent, named, after_reset=bool(resets))
    # While something must be prepared first, the way to it is worth as much as a word of the line.
    ways = {rule.place for rule in due if rule.place} if resets else set()
    seen_after = _named_words_seen_after(history, named)
    kinds = [action_kind(action) for action in history.actions]

    def score(action: str) -> tuple[bool, int, float, int]:
        action_words = words(action)
        shared = len((named & set(action_words)) | seen_after.get(action, set()))
        density = shared / max(1, len(action_words))
        return " ".join(action_words) in ways, shared, density, -kinds.count(action_kind(action))

    return _choose_best(filter(allowed, history.actions), score, rng)


def _allowed_filter(
    manners: set[tuple[str, str]], due: Sequence[Before], recent: Sequence[str], named: set[str], *, after_reset: bool
) -> Callable[[str], bool]:
    """Return a predicate that tells whether the rules allow an action now.

    Args:
        manners: Kinds of actions with how to use them.
        due: Orders of which the first kind is still to be done.
        recent: Actions since the last one that allows repetition.
        named: Words of the line that occur in actions.
        after_reset: Whether an action that allows repetition was done; it is then the first of `recent`.
    """
    # What an action would undo is measured by the last action that allowed repetition.
    counted = recent[:1] if after_reset else recent
    reached = max((len(named & set(words(action))) for action in counted), default=0)

    def is_allowed(action: str) -> bool:
        kind, action_words = action_kind(action), words(action)
        if action in recent or any(rule.later == kind for rule in due):
            return False
        once = (kind, "only what the line names, and once") in manners
        if once and any(action_kind(other) == kind for other in recent):
            return False
        reserved = once or (kind, "only what the line names") in manners
        if reserved and (len(action_words) < 2 or action_words[1] not in named):
            return False
        return (kind, "only for more of what the line names") not in manners or len(named & set(action_words)) > reached

    return is_allowed


def _line_words(phrase: str, history: History) -> set[str] | None:
    """Return the words of the first line that begins with `phrase`, without those of the phrase; None if none does."""
    for text in (*(step.observation for step in history.steps), history.observation):
        for line in prose_lines(text):
            if line.startswith(phrase):
                return set(words(line.removeprefix(phrase)))
    return None


def _offered_actions(history: History) -> set[str]:
    return {action for step in history.steps for action in step.actions} | set(history.actions)


def _named_words_seen_after(history: History, named: set[str]) -> dict[str, set[str]]:
    """Return for each action done the named words that were on the screen after it, the last time it was done."""
    after = [*(step.observation for step in history.steps[1:]), history.observation]
    pairs = zip(history.steps, after, strict=False)
    return {step.executed: named & set(words(text)) for step, text in pairs if step.executed is not None}


def _choose_best(
    actions: Iterable[str], score: Callable[[str], tuple[bool, int, float, int]], rng: random.Random
) -> str | None:
    """Return one of the actions with the highest score, at random; None without actions."""
    scored = [(score(action), action) for action in actions]
    best = max((value for value, _ in scored), default=None)
    return rng.choice([action for value, action in scored if value == best]) if scored else None
