"""The scripted reflector. It is no language model: it counts what was on screen, what was done and what then
happened, and writes the best supported rules of `ictbench.rules_text.rules` as English, with its reasons.

It works backwards from what it wants. To win it looks for the move or the action after which episodes were won
most reliably; if that action needs a phrase to have been seen, it looks for what made the phrase appear, and so
on. While wins are too few to learn from, it also wants what is rare: phrases that appear in one situation only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.records import Reflection
from ictbench.reflectors.reflector import Reflector
from ictbench.rules_text.rules import HEADING, Choose, Walk, player_symbol
from ictbench.scripted.affordances import Lesson, lessons, remember_offers
from ictbench.scripted.rule_evidence import RELIABLE, WON, Evidence, Finding, recall, remember

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.records import Trajectory
    from ictbench.reflectors.reflector import Context

MAX_DEPTH = 5
"""Longest chain of rules that leads to one wish."""

ENOUGH_WINS = 3
"""With fewer wins behind the rule that wins, curiosity goes on."""

MAX_CURIOSITIES = 3
MIN_HITS, MIN_WEIGHT = 2, 3.0
"""A phrase is worth pursuing if a reliable rule has brought it about this often, with this much evidence."""


class RulesReflector(Reflector):
    """Mines all trajectories of its loop; its state is what it remembers of them."""

    trained_on = ()

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Write the rules that the evidence supports below the prompt's own text, as many as fit."""
        old = state if isinstance(state, dict) else {}
        memory = remember(old.get("sights"), trajectories, player_symbol(prompt))
        offers = remember_offers(old.get("offers"), trajectories)
        learned = lessons(offers)
        findings = plan(Evidence(recall(memory)), curious=not learned)
        own_text = prompt.split(HEADING)[0].rstrip()
        found: list[Finding | Lesson] = [*findings, *learned]
        # What matters most comes first.
        while found and len(_written(own_text, found).encode()) > context.prompt_cap:
            found.pop()
        wins = sum(trajectory.solved for trajectory in trajectories)
        analysis = [f"{wins} of {len(trajectories)} episodes were won.", *(one.reason for one in found)]
        return Reflection(
            prompt=_written(own_text, found),
            analysis="\n".join(analysis),
            state={"sights": memory, "offers": offers},
        )


def _written(own_text: str, found: Sequence[Finding | Lesson]) -> str:
    """A prompt's own text, and the rules below it."""
    return "\n".join([own_text, "", HEADING, *(f"- {one.rule}" for one in found)]) if found else own_text


def plan(evidence: Evidence, *, curious: bool = True) -> list[Finding]:
    """The chain of rules that leads to winning and, while wins are few, chains that lead to rare phrases.

    Without curiosity, as there is a line to follow, only what has won often enough is worth a rule.
    """
    chain = _chain(evidence, WON)
    if chain and chain[0].hits >= ENOUGH_WINS:
        return chain
    if not curious:
        return []
    for phrase in _curiosities(evidence, {finding.wish for finding in chain}):
        known = {finding.rule for finding in chain}
        chain += [finding for finding in _chain(evidence, phrase) if finding.rule not in known]
    return chain


def _chain(evidence: Evidence, wish: str) -> list[Finding]:
    """Rules that bring `wish` about, last first: each later one brings about what an earlier one waits for."""
    chain: list[Finding] = []
    while len(chain) < MAX_DEPTH:
        used = frozenset(earlier.rule.action for earlier in chain if isinstance(earlier.rule, Choose))
        finding = evidence.best_rule(wish, without=used)
        if finding is None:
            break
        chain.append(finding)
        if isinstance(finding.rule, Walk) or evidence.is_given(finding.rule.phrase):
            break
        wish = finding.rule.phrase
    return chain


def _curiosities(evidence: Evidence, pursued: set[str]) -> list[str]:
    """The rarest phrases that some rule brings about, and chance does not, each by a rule of its own.

    Two words are enough: a longer phrase never appears without its beginning.
    """
    by_rule: dict[Walk | Choose, tuple[int, str]] = {}
    for phrase, count in evidence.outcomes.items():
        if count < MIN_HITS or phrase in pursued or len(phrase.split()) != 2:
            continue
        finding = evidence.best_rule(phrase)
        if finding and finding.score >= RELIABLE and finding.hits >= MIN_HITS and finding.weight >= MIN_WEIGHT:
            by_rule[finding.rule] = min(by_rule.get(finding.rule, (count, phrase)), (count, phrase))
    return [phrase for _, phrase in sorted(by_rule.values())[:MAX_CURIOSITIES]]
