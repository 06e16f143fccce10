"""Prompts that an optimiser tries in a loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ictbench.protocol.loop_result import CandidateResult
from ictbench.records import Candidate, prompt_digest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from ictbench.protocol.loop_result import LoopResult


class CandidateScore(NamedTuple):
    """Episodes of a candidate among the experience of a loop."""

    played: int
    solved: int


def updated(
    known: Mapping[str, CandidateResult],
    prompt: str,
    candidates: Iterable[Candidate],
    turn: int,
    played: Collection[str],
) -> dict[str, CandidateResult]:
    """Return the candidates of a loop by digest, in the order of their first use.

    A prompt of which no episode was played yet is not recorded, neither as a candidate nor as a parent.

    Args:
        known: Those of earlier turns.
        prompt: prompt[0].
        candidates: Those that the optimiser describes now; their descriptions replace earlier ones.
        turn: The current turn.
        played: Digests of the prompts under which an episode was played so far.
    """
    first = prompt_digest(prompt)
    by_digest = dict(known) or {first: CandidateResult(digest=first, text=prompt, turn=0)}
    for candidate in candidates:
        digest = prompt_digest(candidate.text)
        if digest != first and digest not in played:
            continue
        before = by_digest.get(digest)
        kept_before = before.kept if before else None
        by_digest[digest] = CandidateResult(
            digest=digest,
            text=candidate.text,
            turn=before.turn if before else turn,
            parents=tuple(one for one in map(prompt_digest, candidate.parents) if one == first or one in played),
            kept=(turn if kept_before is None else kept_before) if candidate.kept else None,
            front=candidate.front,
        )
    return by_digest


def candidate_scores(loop: LoopResult) -> dict[str, CandidateScore]:
    """Return the episodes of each candidate of a loop, by digest."""
    scores = {candidate.digest: CandidateScore(0, 0) for candidate in loop.candidates}
    for batch in loop.batches:
        for digest, outcome in zip(batch.prompts, batch.outcomes, strict=False):
            played, solved = scores.get(digest, (0, 0))
            scores[digest] = CandidateScore(played + 1, solved + (outcome == "1"))
    return scores


def candidates_of(loop: LoopResult, turn: int) -> tuple[Candidate, ...]:
    """Return the candidates that an optimiser must have described in a turn for the loop to have those it has."""
    texts = {candidate.digest: candidate.text for candidate in loop.candidates}
    return tuple(
        Candidate(
            text=candidate.text,
            parents=tuple(texts[parent] for parent in candidate.parents if parent in texts),
            kept=candidate.kept is not None and candidate.kept <= turn,
            front=candidate.front,
        )
        for candidate in loop.candidates
        if candidate.turn <= turn
    )
