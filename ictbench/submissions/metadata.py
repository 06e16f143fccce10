"""Metadata of a submission, from a run's result and its submitter's statement."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from ictbench.plugins import resolve
from ictbench.records import Record, Usage
from ictbench.submissions.known_players import KNOWN, REFLECTORS, layers_of
from ictbench.submissions.submission_schema import SLUG, Submission, SubmissionCost, SubmittedPlayer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ictbench.records import PluginSpec
    from ictbench.results import Result
    from ictbench.results.schema import Player
    from ictbench.submissions.known_players import PlayerRole
    from ictbench.suites.trained_on import TrainedOn

Weights = Literal["open", "closed"]

DEVICES = {"con", "prn", "aux", "nul", *(f"{name}{number}" for name in ("com", "lpt") for number in range(10))}
"""Device names, which are not valid file names on Windows."""

FROM_RESULT = ("suite", "profile", "reflector_trained_on", "actor_trained_on", "date", "cost", "ictbench")
"""Fields of the metadata that repeat the result."""


class Statement(Record):
    """Statement of a submitter about a run."""

    name: str = ""
    description: str = ""
    links: tuple[str, ...] = ()
    submitted_by: str = ""
    trained_on: tuple[str, ...] = Field(default=())
    """Families of the reflector's training in the notation of `ictbench.suites.trained_on`, or `unknown`; empty if the
    result states them."""
    actor_trained_on: tuple[str, ...] = Field(default=())
    """The same of the actor."""
    reflector_revision: str | None = None
    actor_revision: str | None = None
    reflector_weights: Weights | None = None
    actor_weights: Weights | None = None


def make_slug(name: str) -> str:
    """Return a folder name made from an entry's name; empty if the name has no Latin letters or digits."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64].strip("-")


def slug_problem(slug: str) -> str | None:
    """Return why a folder name is not valid for a submission, or None."""
    if not re.fullmatch(SLUG, slug):
        return f"{slug!a:.80} is not a valid submission name: use 1 to 64 lower-case letters, digits and inner hyphens"
    if slug in DEVICES:
        return f"{slug!r} is not a valid file name on Windows; choose another"
    return None


def metadata(result: Result, statement: Statement, files: Mapping[str, str]) -> dict[str, Any]:
    """Return a submission's metadata as plain JSON; `files` maps file names to SHA-256 digests."""
    return {
        "schema": "ictbench.submission/1",
        "name": statement.name,
        "description": statement.description,
        "links": [*statement.links],
        "submitted_by": statement.submitted_by,
        "reflector": _player(result.reflector, statement.reflector_revision, statement.reflector_weights),
        "actor": _player(result.actor, statement.actor_revision, statement.actor_weights),
        "instruction": reflector_instruction(result.reflector),
        "files": {**files},
        **metadata_from_result(result),
    }


def metadata_file(metadata: dict[str, Any]) -> bytes:
    """Return the content of `submission.json`."""
    return f"{json.dumps(metadata, indent=1, ensure_ascii=False)}\n".encode()


def metadata_from_result(result: Result) -> dict[str, Any]:
    """Return the fields `FROM_RESULT` as plain JSON."""
    total = sum(result.cost.values(), Usage())
    cost = SubmissionCost(
        usd=total.cost,
        calls=total.calls,
        input_tokens=total.input_tokens,
        output_tokens=total.output_tokens,
        unreported=total.unreported,
    )
    trained_on = {
        f"{role}_trained_on": None if families is None else [*families]
        for role, families in training_of(result).items()
    }
    return {
        "suite": result.suite.name,
        "profile": result.profile,
        **trained_on,
        "date": result.host.started[:10],
        "cost": cost.model_dump(mode="json"),
        "ictbench": result.ictbench,
    }


def metadata_mismatches(submission: Submission, result: Result) -> Iterator[str]:
    """Yield where metadata contradict their result."""
    stated, derived = submission.model_dump(mode="json"), metadata_from_result(result)
    for name in FROM_RESULT:
        if stated.get(name) != derived[name]:
            yield f"{name} is {stated.get(name)!r:.80}, but the result says {derived[name]!r:.80}"
    if not submission.instruction.startswith(own := own_instruction(result.reflector)):
        yield f"instruction is {submission.instruction!r:.80}, but the result says {own!r:.80}"
    innermost = [*layers_of(result.reflector)][-1].name
    if submission.instruction and innermost in REFLECTORS and not REFLECTORS[innermost].has_model:
        yield f"instruction is {submission.instruction!r:.80}, but {innermost} is a program, which has none"
    players: tuple[tuple[PlayerRole, SubmittedPlayer, Player], ...] = (
        ("reflector", submission.reflector, result.reflector),
        ("actor", submission.actor, result.actor),
    )
    for role, submitted, player in players:
        if submitted.label != player.label:
            yield f"{role}.label is {submitted.label!r:.80}, but the result says {player.label!r:.80}"
        if player.fingerprint is not None and submitted.revision != player.fingerprint:
            yield f"{role}.revision is {submitted.revision!r:.80}, but the result says {player.fingerprint!r:.80}"
        if player.model is None and player.name in KNOWN[role] and submitted.revision is not None:
            yield f"{role}.revision is {submitted.revision!r:.80}, but {player.name} is a program of ictbench"
        if player.model is None and submitted.open_weights is not None:
            yield f"{role}.open_weights is {submitted.open_weights}, but the result says that it is not a model"
        if player.model is not None and (submitted.open_weights is None or submitted.revision is None):
            yield f"{role} is a model: open_weights and revision are needed"


def training_of(result: Result) -> dict[PlayerRole, TrainedOn | None]:
    """Return the families that the players were trained on, by role; None if unknown."""
    return {"reflector": result.reflector_trained_on, "actor": result.actor_trained_on}


def start_date(result: Result) -> date | None:
    """Return the day on which the run was started, UTC; None if the result holds no valid date."""
    try:
        return date.fromisoformat(result.host.started[:10])
    except ValueError:
        return None


def reflector_instruction(reflector: PluginSpec) -> str:
    """Return the instruction of a reflector's model: that of its class, or with the text that the user gave it.

    Of a wrapper, it is that of the inner reflector.

    The class is imported: `known_players.unlisted_player` says whether that needs the user's word.
    """
    innermost = [*layers_of(reflector)][-1]
    # A plug-in need not state one.
    plugin = resolve("reflector", innermost.name)
    instruction = getattr(plugin, "instruction", "")
    if own := own_instruction(innermost):
        instruction = plugin.instruction_with(own)
    return instruction if isinstance(instruction, str) else ""


def own_instruction(reflector: PluginSpec) -> str:
    """Return the text that a user gave a reflector, or the one that it wraps, as instruction; empty without one."""
    text = [*layers_of(reflector)][-1].options.get("instruction")
    return text if isinstance(text, str) else ""


def _player(player: Player, revision: str | None, weights: Weights | None) -> dict[str, Any]:
    return {
        "label": player.label,
        "revision": player.fingerprint if player.fingerprint is not None else revision,
        "open_weights": None if player.model is None else weights == "open",
    }
