"""Prompts that an optimiser tries in a loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ictbench.protocol.loop_result import CandidateResult
from ictbench.records import Candidate, prompt_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ictbench.protocol.loop_result import LoopResult


class CandidateScore(NamedTuple):
    """Episodes of a candidate among the experience of a loop."""

    played: int
    solved: int


def updated(
    known: Mapping[str, CandidateResult], prompt: str, candidates: Iterable[Candidate], turn: int
) -> dict[str, CandidateResult]:
    """Return the candidates of a loop by digest, in the order of their first use.

    Args:
        known: Those of earlier turns.
        prompt: prompt[0].
        candidates: Those that the optimiser describes now; their descriptions replace earlier ones.
        turn: The current turn.
    """
    by_digest = dict(known) or {prompt_digest(prompt): _candidate(Candidate(text=prompt), 0)}
    for candidate in candidates:
        digest = prompt_digest(candidate.text)
        before = by_digest.get(digest)
        by_digest[digest] = _candidate(candidate, before.turn if before else turn)
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
    """Return the candidates that the optimiser of a loop has first tried in a turn, as it described them at the end."""
    texts = {candidate.digest: candidate.text for candidate in loop.candidates}
    return tuple(
        Candidate(
            text=candidate.text,
            parents=tuple(texts[parent] for parent in candidate.parents if parent in texts),
            kept=candidate.kept,
            front=candidate.front,
        )
        for candidate in loop.candidates
        # What the optimiser says about prompt[0], too.
        if candidate.turn == turn or (turn == 1 and candidate.turn == 0)
    )


def _candidate(candidate: Candidate, turn: int) -> CandidateResult:
    return CandidateResult(
        digest=prompt_digest(candidate.text),
        text=candidate.text,
        turn=turn,
        parents=tuple(map(prompt_digest, candidate.parents)),
        kept=candidate.kept,
        front=candidate.front,
    )
