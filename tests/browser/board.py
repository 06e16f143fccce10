"""A board with every kind of entry, made from a real run, and its site."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from boards import submit, verify, with_metadata

from ictbench.board import board_log as log
from ictbench.board.entries import Board, Entry, read_board
from ictbench.board.ranking import rank
from ictbench.records import ModelSpec, Usage
from ictbench.results.assemble import role_measures
from ictbench.results.measures import measure
from ictbench.results.schema import Player
from ictbench.submissions.shown_episodes import shown_episode_keys
from ictbench.web.board.build_site import write_site

from .hostile import HOSTILE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ictbench import Result, Run
    from ictbench.audit.verification import Verification
    from ictbench.protocol import LoopResult
    from ictbench.results.schema import FamilyResult
    from ictbench.submissions.layout import BoardFolder
    from ictbench.submissions.read_submission import SubmissionContent

MODEL = ModelSpec(provider="openai", model="learns")
SEES = Player(label="openai/learns", name="rewrite", model=MODEL, fingerprint="2026-01")
BLIND = Player(
    label="blind:openai/learns",
    name="blind",
    model=MODEL,
    fingerprint="2026-01",
    options={"reflector": {"label": "openai/learns", "name": "rewrite", "options": {}}},
)


@dataclass(frozen=True)
class Site:
    """A built site and the board that it shows."""

    folder: Path
    board: Board

    def page(self, path: str) -> Path:
        """Return the path of a page."""
        return self.folder / path

    def entry(self, slug: str) -> Entry:
        """Return the entry with a slug."""
        return next(entry for entry in self.board.entries if entry.slug == slug)

    def track(self, name: str) -> str:
        """Return the key of the track with a name."""
        return next(track.key for track in rank(self.board.entries) if track.name == name)


def make_board(folder: BoardFolder, run: Run) -> Board:
    """Write a board: three entries of different ranks, one of another actor, one of every kind that is not ranked."""
    base = run.result.model_copy(update={"profile": "lite", "ranked": True, "deviations": ()})
    learned, half, nothing = (with_best(base, solved) for solved in ("1111", "1100", "0000"))
    games = [run.episode(key) for key in shown_episode_keys(run.result)]
    sees = spent(learned, 400_000, None).model_copy(update={"reflector": SEES})
    added = submit(
        folder,
        "learns",
        sees,
        badges=("replayed", "rerun"),
        trajectories=games,
        name="Learns",
        links=("https://example.org/paper",),
        reflector={"label": SEES.label, "revision": "2026-01", "open_weights": True},
        instruction="Rewrite the prompt.",
    )
    seen = {"reflector_trained_on": ("minihack-v1/room-random",)}
    other = spent(half, 20_000, 0.04).model_copy(
        update={**seen, "reflector": Player(label="mine:Half", name="mine:Half")}
    )
    closed = {"label": "mine:Half", "open_weights": False}
    sampled = submit(folder, "half", other, badges=(), name="Learns half", reflector=closed)
    sample = {"episodes": 600, "of": 3000, "decisions": 9000, "sample_seed": "seed-1"}
    verify(folder, "half", "replayed", sampled, other, replayed=sample)
    submit(folder, "nothing", nothing, name="Learns nothing")
    actor = Player(label="openai/actor", name="react", model=MODEL.model_copy(update={"model": "actor"}))
    submit(folder, "model", reworded(learned, "model").model_copy(update={"actor": actor}), name="Of a model")
    blind = reworded(nothing, "blind").model_copy(update={"reflector": BLIND})
    submit(folder, "blind", blind, badges=("replayed", "rerun"), name="Blind")
    trained = {"reflector_trained_on": ("minihack-v1/read",)}
    submit(folder, "seen", reworded(learned, "seen").model_copy(update=trained), name="Has seen it")
    claims = reworded(learned, "claims")
    submit(folder, "claims", claims, name="Claims")
    submit(folder, "claims", claims, badges=(), name="Claims", description="More than before.")
    submit(
        folder,
        "quick",
        reworded(run.result, "quick").model_copy(update={"profile": "quick"}),
        name="Quick",
        unranked=True,
    )
    log.append(folder.log, "added", "learns", by="maintainers", reason="First submission.", submission=added.digest)
    log.append(folder.log, "attempted", "forged", by="the board", reason="read-20003, decision 3: another screen.")
    return read_board(folder)


def reworded(result: Result, word: str) -> Result:
    """Return a result whose last prompts end with a word: a board refuses copies of one run."""
    families = []
    for family in result.families:
        loops = []
        for loop in family.loops:
            last = loop.prompts[-1].model_copy(update={"text": f"{loop.prompts[-1].text} {word}"})
            loops.append(loop.model_copy(update={"prompts": (*loop.prompts[:-1], last)}))
        families.append(family.model_copy(update={"loops": tuple(loops)}))
    return result.model_copy(update={"families": tuple(families)})


def make_site(board: Board, folder: Path) -> Site:
    """Write the site of a board."""
    write_site([board], folder)
    return Site(folder, board)


def with_hostile_texts(board: Board) -> Board:
    """Return a board with hostile text in every field, even where the schema would refuse it."""
    player = {"label": HOSTILE, "revision": HOSTILE}
    for entry in board.entries:
        submission = entry.submission
        changes = {
            "name": HOSTILE,
            "description": HOSTILE,
            "submitted_by": HOSTILE,
            "instruction": HOSTILE,
            "ictbench": HOSTILE,
            "links": ("javascript:alert(4)", HOSTILE, "https://example.org/"),
            "reflector": submission.reflector.model_copy(update=player),
            "actor": submission.actor.model_copy(update=player),
            "reflector_trained_on": (f"other:{HOSTILE}",),
        }
        board = with_metadata(board, entry.slug, **changes)
    entries = [_with_hostile_result(entry) for entry in board.entries]
    lines = [line.model_copy(update={"by": HOSTILE, "reason": HOSTILE, "slug": HOSTILE}) for line in board.log]
    return replace(board, entries=tuple(map(_hostile_badges, entries)), log=tuple(lines))


class HostileEntry(Entry):
    """Entry whose files hold a hostile result."""

    def read(self) -> SubmissionContent:
        """Return the content of its folder with the hostile result."""
        content = super().read()
        vars(content)["result"] = _hostile_result(content.result)
        return content


def _with_hostile_result(entry: Entry) -> Entry:
    """Return an entry with a hostile result, in the section where it was: as if a check of labels had missed it."""
    fields = {field.name: getattr(entry, field.name) for field in dataclasses.fields(entry)}
    hostile = HostileEntry(**{**fields, "result": _hostile_result(entry.result)})
    vars(hostile)["why_unranked"] = entry.why_unranked
    return hostile


def _hostile_result(result: Result) -> Result:
    reflector = result.reflector.model_copy(update={"label": HOSTILE})
    actor = result.actor.model_copy(update={"label": HOSTILE})
    families = [family.model_copy(update={"note": HOSTILE}) for family in result.families]
    return result.model_copy(update={"reflector": reflector, "actor": actor, "families": tuple(families)})


def _hostile_badges(entry: Entry) -> Entry:
    def hostile(record: Verification) -> Verification:
        checks = tuple(check.model_copy(update={"name": HOSTILE, "detail": HOSTILE}) for check in record.checks)
        return record.model_copy(update={"by": HOSTILE, "checks": checks, "versions": {HOSTILE: HOSTILE}})

    held = {badge: hostile(record) for badge, record in entry.badges.held.items()}
    hostile_entry = replace(entry, badges=replace(entry.badges, held=held, remarks=(*entry.badges.remarks, HOSTILE)))
    vars(hostile_entry)["why_unranked"] = entry.why_unranked
    return hostile_entry


def with_best(result: Result, solved: str) -> Result:
    """Return a result with these test outcomes of best and last prompt in every loop, and none solved before."""
    return with_tests(result, lambda: solved)


def with_tests(result: Result, solved: Callable[[], str]) -> Result:
    """Return a result with generated test outcomes, one call per loop."""
    families = tuple(_family(family, solved) for family in result.families)
    return result.model_copy(update={"families": families, "by_role": role_measures(families)})


def _family(family: FamilyResult, solved: Callable[[], str]) -> FamilyResult:
    loops = tuple(_loop(loop, solved()) for loop in family.loops)
    return family.model_copy(update={"loops": loops, "measures": measure([loops])})


def _loop(loop: LoopResult, solved: str) -> LoopResult:
    base = solved if loop.best == 0 else "0" * len(solved)
    return loop.model_copy(update={"test": {**dict.fromkeys(loop.test, solved), 0: base}})


def spent(result: Result, tokens: int, dollars: float | None) -> Result:
    """Return a result with this cost of its reflector."""
    usage = Usage(calls=tokens // 1000, input_tokens=tokens // 2, output_tokens=tokens // 2, cost=dollars)
    cost: dict[Any, Usage] = {**result.cost, "reflector": usage}
    return result.model_copy(update={"cost": cost})
