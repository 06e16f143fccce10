"""Rehearsal of a model: whether its server accepts the requests of a run, and with which adaptation."""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

from ictbench.errors import EndpointRefusedError, ModelFailure, ModelUnavailableError
from ictbench.models.adaptation import changes_for
from ictbench.models.ignored_decoding import check_decoding

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from ictbench.choices import FailureKind
    from ictbench.errors import IctbenchError
    from ictbench.models.adaptation import Change, Request
    from ictbench.models.chat_model import Completion
    from ictbench.models.model_pool import ModelPool
    from ictbench.records import Adaptation, ModelSpec

REJECTED = frozenset({"bad_request", "context_overflow"})
"""Kinds of failures that every request of this shape would meet; a refusal or an empty reply is an answer."""
REPEAT_TOKENS = 64
"""Maximum tokens of a reply where only its equality matters."""
UNSUPPORTED = re.compile(r"tool|response_format|structured|parameter", re.IGNORECASE)
MIN_START = 4
"""Characters of a begun reply below which a continuation may repeat it by chance."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Part:
    """What a player asks of its model."""

    role: str
    """`actor` or `reflector`."""
    spec: ModelSpec
    requests: tuple[Request, ...]
    """A request of every shape that the player sends."""
    other: Request | None = None
    """A request that shares a part of its beginning with the first one."""


async def rehearse(
    models: ModelPool,
    part: Part,
    *,
    adapt: bool = True,
    accepted: Collection[FailureKind] = (),
    remark: Callable[[str], object] = log.warning,
) -> Adaptation:
    """Send the requests of a player, and return the adaptation with which the server accepts them.

    Args:
        models: Opens the model.
        part: The player's part.
        adapt: Whether requests may be adapted; otherwise the first rejection is final.
        accepted: Kinds of failures that count as the model's own; such a rejection is no error.
        remark: Receives what the user should know and what stops nothing.

    Raises:
        EndpointRefusedError: The server rejects a request, and no harmless change helps; or it ignores a constraint.
        ModelUnavailableError: The server does not answer.
        LimitReachedError: A limit of the whole run is reached.
    """
    adaptation = part.spec.adaptation
    for request in part.requests:
        try:
            negotiation = _Negotiation(models, part, request, adaptation, adapt)
            adaptation = await negotiation.settle()
        except _RejectedError as error:
            if error.kind not in accepted:
                raise
            remark(f"{error}; accepted as the model's own failure")
        if negotiation.reply:
            spec = part.spec.model_copy(update={"adaptation": adaptation})
            adaptation = await check_decoding(
                models, spec, request, negotiation.reply, other=part.other, adapt=adapt, remark=remark
            )
    return adaptation


class _RejectedError(EndpointRefusedError):
    """A rejection that no harmless change removes."""

    kind: FailureKind | None = None


async def repeats(models: ModelPool, part: Part) -> bool | None:
    """Return whether the model gives the same replies to two questions again; None if that does not show.

    Both share a part of their beginning, so that a server that keeps the results of a shared prefix evaluates the rest
    in another way. They are asked one after the other, then at the same time, so that a server that computes in batches
    has another batch. Replies can only be expected to repeat at temperature 0.

    Raises:
        ModelUnavailableError: The server does not answer.
        LimitReachedError: A limit of the whole run is reached.
    """
    if part.spec.temperature != 0 or part.other is None:
        return None
    model = models.open(short_spec(part.spec))

    async def ask(request: Request) -> tuple[str, list[tuple[str, str]]] | None:
        """Return what a player reads of a reply; None if there is nothing, e.g. of a call that was cut off."""
        try:
            reply = await model.complete_uncached(request.messages, seed=request.seed, constraint=request.constraint)
        except ModelFailure:
            return None
        # Ids of calls are different each time.
        return (reply.text, [(c["name"], c["arguments"]) for c in reply.calls]) if reply.text or reply.calls else None

    questions = (part.requests[0], part.other)
    before = [await ask(question) for question in questions]
    again = await asyncio.gather(*map(ask, questions), return_exceptions=True)
    for reply in again:
        if isinstance(reply, BaseException):
            raise reply
    pairs = [(one, other) for one, other in zip(before, again, strict=True) if one is not None or other is not None]
    return all(one == other for one, other in pairs) if pairs else None


async def probe(models: ModelPool, part: Part) -> None:
    """Ask the model once, briefly, in the shape of the player's first request.

    Raises:
        EndpointRefusedError: The endpoint refuses the key, the model or the request.
        ModelUnavailableError: The endpoint does not answer.
        LimitReachedError: A limit of the whole run is reached.
    """
    request = part.requests[0]
    model = models.open(short_spec(part.spec))
    try:
        await model.complete_uncached(request.messages, seed=request.seed, constraint=request.constraint)
    except ModelFailure as failure:
        if failure.kind == "bad_request":
            raise EndpointRefusedError(f"{part.spec.name} rejects our requests: {failure}") from failure


def short_spec(spec: ModelSpec) -> ModelSpec:
    """Return the spec with short replies. An object of a user's own class is not made twice."""
    return spec.model_copy(update={"max_tokens": min(spec.max_tokens, REPEAT_TOKENS)}) if spec.model else spec


class _Negotiation:
    """Search for the smallest set of changes with which a server accepts one request."""

    def __init__(self, models: ModelPool, part: Part, request: Request, start: Adaptation, adapt: bool) -> None:
        self._models, self._part, self._request, self._start, self._adapt = models, part, request, start, adapt
        self.reply: Completion | None = None
        """The last reply of the model; None if it failed."""
        self._changes = [change for change in changes_for(part.spec, request) if change.apply(start) != start]

    async def settle(self) -> Adaptation:
        """Return the adaptation; see `rehearse`."""
        chosen: list[Change] = []
        first = last = await self._rejection(chosen)
        while last is not None:
            if not self._adapt or _is_overflow(last):
                raise self._refusal(last)
            named = self._named(str(last), chosen)
            if named is None:
                found = await self._search(chosen) if isinstance(last, ModelFailure) else None
                if found is None:
                    raise self._refusal(last)
                chosen, last = found, None
            else:
                chosen.append(named)
                last = await self._rejection(chosen)
        chosen = await self._smallest(chosen)
        adaptation = self._apply(chosen)
        if first:
            what = (
                f"the server rejects a request as it is ({first}); adapted: {adaptation.in_words}"
                if chosen
                else f"the server rejected a request ({first}), and accepted the same one later; not adapted"
            )
            log.warning("%s %s: %s", self._part.role, self._part.spec.name, what)
        return adaptation

    def _named(self, message: str, chosen: Sequence[Change]) -> Change | None:
        """Return the change that the server's message names first."""
        named = [
            (found.start(), number)
            for number, change in enumerate(self._changes)
            if change not in chosen and (found := change.words.search(message))
        ]
        return self._changes[min(named)[1]] if named else None

    async def _search(self, chosen: Sequence[Change]) -> list[Change] | None:
        """Try the other changes one by one, then all together."""
        others = [change for change in self._changes if change not in chosen]
        for change in others:
            if await self._rejection([*chosen, change]) is None:
                return [*chosen, change]
        alternatives: list[Change | None] = [change for change in others if change.is_alternative]
        for left_out in alternatives or [None]:
            everything = [*chosen, *(change for change in others if change is not left_out)]
            if await self._rejection(everything) is None:
                return everything
        return None

    async def _smallest(self, chosen: list[Change]) -> list[Change]:
        """Leave out each change that is not necessary, as none is if the server rejected a request in passing."""
        for change in list(chosen):
            fewer = [other for other in chosen if other is not change]
            if await self._rejection(fewer) is None:
                chosen = fewer
        return chosen

    async def _rejection(self, chosen: Sequence[Change]) -> ModelFailure | ModelUnavailableError | None:
        """Send the request with some changes, and return how it was rejected; None if it was answered.

        Some servers report an error of the chat template with status 500, so such an error counts as a rejection if
        its message names a change.
        """
        request = self._request
        model = self._models.open(self._part.spec.model_copy(update={"adaptation": self._apply(chosen)}))
        try:
            reply = await model.complete_uncached(request.messages, seed=request.seed, constraint=request.constraint)
        except ModelFailure as failure:
            if failure.kind in REJECTED:
                return failure
            self.reply = None
            return None
        except EndpointRefusedError as error:
            # Routers answer 404 if none of their providers supports a parameter.
            if request.constraint and UNSUPPORTED.search(error.words):
                raise self._refusal(error) from error
            raise
        except ModelUnavailableError as error:
            if not (self._adapt and self._named(str(error), chosen)):
                raise
            return error
        start = request.messages[-1]["content"].strip() if request.begins_reply else ""
        if len(start) >= MIN_START and reply.text.lstrip().startswith(start):
            raise EndpointRefusedError(
                f"{self._part.spec.name} does not continue a reply that was begun for it, but starts anew: "
                f"{reply.text[:80]!r}; choose a reflector that begins no reply, e.g. rewrite"
            )
        self.reply = reply
        return None

    def _apply(self, chosen: Sequence[Change]) -> Adaptation:
        return reduce(lambda adaptation, change: change.apply(adaptation), chosen, self._start)

    def _refusal(self, rejection: IctbenchError) -> EndpointRefusedError:
        part = self._part
        ways = "; ".join(_ways_out(part, self._request, rejection, adapt=self._adapt))
        error = _RejectedError(f"{part.spec.name} rejects the requests of the {part.role}: {rejection} ({ways})")
        error.kind = rejection.kind if isinstance(rejection, ModelFailure) else None
        return error


def _is_overflow(rejection: IctbenchError) -> bool:
    return isinstance(rejection, ModelFailure) and rejection.kind == "context_overflow"


def _ways_out(part: Part, request: Request, rejection: IctbenchError, *, adapt: bool) -> list[str]:
    """Return what the user can do about a rejection."""
    ways = []
    if not adapt and any(change.words.search(str(rejection)) for change in changes_for(part.spec, request)):
        ways.append("an adapted request may be accepted, which --no-adapt and a rerun forbid")
    if _is_overflow(rejection):
        ways.append(f"the context is too short for a reply of {part.spec.max_tokens} tokens: use a longer context")
    if request.constraint:
        ways.append(f"choose another decoding than {request.constraint.style}, e.g. --actor-decoding free")
    if request.begins_reply:
        ways.append("choose a reflector that begins no reply, e.g. rewrite")
    if part.spec.options:
        ways.append(f"check --{part.role}-model-options ({', '.join(part.spec.options)})")
    return ways or ["choose another model, or another server for it"]
