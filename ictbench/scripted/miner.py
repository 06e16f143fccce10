"""The scripted reflector, which mines rules from past episodes by counting. It is not a language model.

It writes the best supported rules as English sentences of `ictbench.rules_text.rules`, with its reasons.

It works backwards from its goal. To win, it looks for the move or action after which episodes were solved most
reliably; if that action waits for a phrase, the phrase is the next goal; and so on. While there are too few wins to
learn from, it also pursues curiosity: rare phrases that appear after one move or action only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.records import Reflection
from ictbench.reflectors.reflector import Reflector
from ictbench.rules_text.rules import HEADING, Choose, Walk
from ictbench.rules_text.screen import player_symbol
from ictbench.scripted import affordances, rule_evidence
from ictbench.scripted.pattern_lessons import infer_lessons
from ictbench.scripted.rule_evidence import RELIABLE, WIN, Finding, RuleEvidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from ictbench.records import Trajectory
    from ictbench.reflectors.reflector import Context
    from ictbench.scripted.pattern_lessons import Lesson

MAX_DEPTH = 5
"""Most rules in a chain that leads to one goal."""

ENOUGH_WINS = 3
"""Wins behind the winning rule from which curiosity stops."""

MAX_CURIOSITIES = 3
MIN_HITS, MIN_WEIGHT = 2, 3.0
"""A phrase is pursued if a reliable rule has brought it about at least this often, with at least this weight."""


class RulesReflector(Reflector):
    """Rule miner. It uses all trajectories of its loop: its state is its memory of them."""

    trained_on = ()

    async def reflect(
        self, prompt: str, trajectories: Sequence[Trajectory], state: JsonValue, context: Context
    ) -> Reflection:
        """Write as many of the supported rules below the prompt's own text as fit, the most important first."""
        old = state if isinstance(state, dict) else {}
        sights = rule_evidence.add_episodes(old.get("sights"), trajectories, player_symbol(prompt))
        offers = affordances.add_episodes(old.get("offers"), trajectories)
        lessons = infer_lessons(offers)
        findings = plan_rules(RuleEvidence(rule_evidence.moments_of(sights)), curious=not lessons)
        own_text = prompt.split(HEADING)[0].rstrip()
        chosen: list[Finding | Lesson] = [*lessons, *findings]
        while chosen and len(_compose(own_text, chosen).encode()) > context.prompt_cap:
            chosen.pop()
        wins = sum(trajectory.solved for trajectory in trajectories)
        analysis = [f"{wins} of {len(trajectories)} episodes were won.", *(item.reason for item in chosen)]
        return Reflection(
            prompt=_compose(own_text, chosen),
            analysis="\n".join(analysis),
            state={"sights": sights, "offers": offers},
        )


def plan_rules(evidence: RuleEvidence, *, curious: bool = True) -> list[Finding]:
    """Return the chain of rules that leads to winning and, while wins are few, chains that lead to rare phrases.

    Without curiosity, only a winning rule with enough wins counts.
    """
    chain = _chain(evidence, WIN)
    if chain and chain[0].hits >= ENOUGH_WINS:
        return chain
    if not curious:
        return []
    for phrase in _curiosities(evidence, {finding.goal for finding in chain}):
        known = {finding.rule for finding in chain}
        chain += [finding for finding in _chain(evidence, phrase) if finding.rule not in known]
    return chain


def _compose(own_text: str, chosen: Sequence[Finding | Lesson]) -> str:
    """Return the prompt: its own text, and the rules below the heading."""
    return "\n".join([own_text, "", HEADING, *(f"- {item.rule}" for item in chosen)]) if chosen else own_text


def _chain(evidence: RuleEvidence, goal: str) -> list[Finding]:
    """Return rules that lead to a goal, last one first: each leads to the phrase that the rule before it waits for."""
    chain: list[Finding] = []
    while len(chain) < MAX_DEPTH:
        used = frozenset(earlier.rule.action for earlier in chain if isinstance(earlier.rule, Choose))
        finding = evidence.best_rule(goal, without=used)
        if finding is None:
            break
        chain.append(finding)
        if isinstance(finding.rule, Walk) or evidence.is_initial(finding.rule.phrase):
            break
        goal = finding.rule.phrase
    return chain


def _curiosities(evidence: RuleEvidence, pursued: set[str]) -> list[str]:
    """Return the rarest phrases that a rule brings about more often than chance, each by a different rule.

    Phrases of two words are enough: a longer phrase never appears without its beginning.
    """
    by_rule: dict[Walk | Choose, tuple[int, str]] = {}
    for phrase, count in evidence.outcomes.items():
        if count < MIN_HITS or phrase in pursued or len(phrase.split()) != 2:
            continue
        finding = evidence.best_rule(phrase)
        if finding and finding.score >= RELIABLE and finding.hits >= MIN_HITS and finding.weight >= MIN_WEIGHT:
            by_rule[finding.rule] = min(by_rule.get(finding.rule, (count, phrase)), (count, phrase))
    return [phrase for _, phrase in sorted(by_rule.values())[:MAX_CURIOSITIES]]
