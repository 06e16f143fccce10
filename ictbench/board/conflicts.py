"""Conflicts between the submissions of a board: equal folder names, names, contents, and removed submissions."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from ictbench.records import digest_of
from ictbench.submissions.spelling import latin_form, name_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ictbench.board.board_log import LogIndex
    from ictbench.results import Result
    from ictbench.submissions.layout import SubmissionFolder
    from ictbench.submissions.submission_schema import Submission


@dataclass(frozen=True, slots=True)
class Identity:
    """Names and content by which a submission is compared with the others of its board."""

    folder: SubmissionFolder
    digest: str
    name: str
    name_key: str
    content: str | None
    """Digest of what was played (`content_digest`)."""

    @classmethod
    def of(cls, folder: SubmissionFolder, submission: Submission, content: str | None) -> Identity:
        """Return the identity of a submission."""
        name = submission.name
        return cls(folder, submission.digest, name, name_key(name), content)

    @property
    def place(self) -> str:
        """Path of the submission within its board."""
        return f"{self.folder.path.parent.name}/{self.folder.slug}"


def content_digest(result: Result) -> str | None:
    """Return a digest of the prompts and outcomes of held-out families, whatever a result says about their origin.

    Spaces, case, invisible characters and look-alike letters of the prompts do not change it. Memories, which are
    compared by their digests, count only if the text of no prompt ever changed: a space in a memory would hide a copy,
    but of learners that keep the prompt, memories are all that they write. None if neither prompt nor memory ever
    changed: every such run of an actor is the same.
    """
    held_out = sorted((f for f in result.families if f.role == "held-out"), key=lambda family: family.name)
    loops = [loop for family in held_out for loop in family.loops]
    if all(prompt.digest == loop.prompts[0].digest for loop in loops for prompt in loop.prompts):
        return None
    texts = [[" ".join(latin_form(prompt.text).split()) for prompt in loop.prompts] for loop in loops]
    if all(text == own for own, *later in texts for text in later):
        texts = [[prompt.memory for prompt in loop.prompts] for loop in loops]
    return digest_of(
        [
            [
                written,
                [[*batch.tasks, batch.outcomes] for batch in loop.batches],
                [*loop.selection],
                [*loop.test_tasks],
                sorted(loop.test.items()),
            ]
            for loop, written in zip(loops, texts, strict=True)
        ]
    )


class IdentityIndex:
    """Identities by what they must not have in common."""

    def __init__(self, identities: Iterable[Identity] = ()) -> None:
        self._by_feature: defaultdict[tuple[str, str], list[Identity]] = defaultdict(list)
        for one in identities:
            self.add(one)

    def add(self, one: Identity) -> None:
        """Add an identity."""
        for feature in _features(one):
            self._by_feature[feature].append(one)

    def alike(self, one: Identity) -> list[Identity]:
        """Return the identities that have a folder name, a name or a content in common with one, each once."""
        found = (other for feature in _features(one) for other in self._by_feature.get(feature, ()))
        return list({other.folder.path: other for other in found}.values())


def _features(one: Identity) -> Iterator[tuple[str, str]]:
    yield "slug", one.folder.slug
    yield "name", one.name_key
    if one.content is not None:
        yield "content", one.content


def conflicts(one: Identity, others: IdentityIndex, log: LogIndex) -> Iterator[str]:
    """Yield why a board cannot hold a submission beside others; those that came onto the board later do not matter."""
    if removal := log.removal(one.digest):
        yield f"it was removed on {removal.date:%Y-%m-%d} ({removal.reason:.200}); a removed submission stays removed"
    position = _position(one, log)
    for other in others.alike(one):
        if other.folder == one.folder or _position(other, log) > position:
            continue
        if other.folder.slug == one.folder.slug:
            yield f"its folder has the name of {other.place}; rename it"
        if other.name_key == one.name_key:
            yield f"its name {one.name!r} looks like {other.name!r}, the name of {other.place}; choose another --name"
        if one.content is not None and other.content == one.content:
            yield f"its prompts and outcomes are those of {other.place}: it is a copy of that run"


def first_come(identities: Iterable[Identity], log: LogIndex) -> list[Identity]:
    """Return identities in the order in which their submissions came onto the board; those not logged come last."""
    return sorted(identities, key=lambda one: (_position(one, log), one.folder.slug, one.place))


def _position(one: Identity, log: LogIndex) -> float:
    return log.position(one.folder.slug, one.digest, inf)
