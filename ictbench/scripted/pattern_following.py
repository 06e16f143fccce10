"""Following rules about patterns of actions, below a declaration of the line that says what matters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ictbench.rules_text.patterns import matches
from ictbench.rules_text.rules import Act, Before, Hold, Line, action_kind
from ictbench.rules_text.screen import prose_lines, words

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from ictbench.actors.actor import History
    from ictbench.rules_text.rules import Rule


@dataclass(frozen=True, slots=True)
class Situation:
    """What rules about patterns depend on."""

    history: History
    named: frozenset[str]
    """Words of the line."""
    holding: bool
    """Whether something is held; always true without a rule that says when."""
    done: tuple[str, ...]
    """Actions since what is held, or what is due, last changed; the one that changed it included."""
    due: tuple[Before, ...]
    """Orders that the line asks for, of which the first action is still to be done."""

    @classmethod
    def of(cls, rules: Sequence[Rule], history: History) -> Situation | None:
        """Return the situation; None without a rule that declares a line, or where no line begins so."""
        declared = next((rule for rule in rules if isinstance(rule, Line)), None)
        named = _line_words(declared.phrase, history) if declared else None
        if named is None:
            return None
        holds = [rule for rule in rules if isinstance(rule, Hold)]
        done = tuple(step.executed for step in history.steps if step.executed is not None)
        orders = [rule for rule in rules if isinstance(rule, Before) and (not rule.word or rule.word in named)]
        holding, start, due = not holds, 0, list(orders)
        for index, action in enumerate(done):
            for hold in holds:
                taken = matches(hold.taking, action, named)
                if taken or matches(hold.giving, action, named):
                    holding, start, due = taken, index, list(orders)
            left = [order for order in due if not matches(order.first, action, named)]
            if holding and left != due:
                start, due = index, left
        return cls(history, named, holding, done[start:], tuple(due))

    def choose(self, rule: Act | Before, rng: random.Random) -> str | None:
        """Return an available action by which the rule is followed; None if there is none.

        Actions not done before in the episode are preferred, then those of which fewest alike are offered, as numbers
        apart; ties are broken at random.
        """
        allowed = [
            action
            for action in self.history.actions
            if action not in self.done and not any(matches(order.later, action, self.named) for order in self.due)
        ]
        found = self._by_act(rule, allowed) if isinstance(rule, Act) else self._by_order(rule, allowed)
        alike = [words(action) for action in self.history.actions]
        # Where something is due, actions may lead to what they did not lead to before.
        before = [] if self.due else [step.executed for step in self.history.steps]
        scored = [((before.count(action), alike.count(words(action))), action) for action in found]
        best = min((score for score, _ in scored), default=None)
        return rng.choice([action for score, action in scored if score == best]) if scored else None

    def _by_act(self, rule: Act, allowed: Sequence[str]) -> list[str]:
        if (rule.word and rule.word not in self.named) or (rule.held and (rule.held == "something") != self.holding):
            return []
        found = [action for action in allowed if matches(rule.pattern, action, self.named)]
        if rule.offered:
            return [action for action in found if self._led_to(action, rule.pattern, rule.offered)]
        return found

    def _by_order(self, rule: Before, allowed: Sequence[str]) -> list[str]:
        if rule not in self.due or not self.holding:
            return []
        found = [action for action in allowed if matches(rule.first, action, self.named)]
        found = found or [action for action in allowed if matches(rule.place, action, self.named)]
        return found or [action for action in allowed if self._led_to(action, action_kind(action), rule.first)]

    def _led_to(self, action: str, pattern: str, offered: str) -> bool:
        """Check whether, after `action` and before the next that matches `pattern`, one that matches `offered` was
        offered that is still undone.
        """
        steps, done = self.history.steps, {step.executed for step in self.history.steps}
        last = max((index for index, step in enumerate(steps) if step.executed == action), default=None)
        if last is None:
            return False
        for index in range(last + 1, len(steps) + 1):
            offers = steps[index].actions if index < len(steps) else self.history.actions
            if any(offer not in done and matches(offered, offer, self.named) for offer in offers):
                return True
            executed = steps[index].executed if index < len(steps) else None
            if executed is not None and matches(pattern, executed, self.named):
                return False
        return False


def _line_words(phrase: str, history: History) -> frozenset[str] | None:
    """Return the words of the first line that begins with `phrase`, without those of the phrase; None if none does."""
    for text in (*(step.observation for step in history.steps), history.observation):
        for line in prose_lines(text):
            if line.startswith(phrase):
                return frozenset(words(line.removeprefix(phrase)))
    return None
