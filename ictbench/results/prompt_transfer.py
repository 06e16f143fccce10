"""Gain of prompts for the actor they were learned with, beside their gain for another actor on the same tasks."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from ictbench.errors import ResultError
from ictbench.records import Record, Role
from ictbench.results.comparability import disagreements
from ictbench.results.comparison import compare
from ictbench.results.formatting import INTERVAL_MEANING, markdown_table, markdown_text, p_value, signed
from ictbench.results.intervals import Sample, mean_interval
from ictbench.results.measures import measure
from ictbench.results.pairing import bounds, pair, share_games
from ictbench.results.samples import SHARE_BOUNDS, changes
from ictbench.results.schema import Interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ictbench.protocol import LoopResult
    from ictbench.results.pairing import PairedFamily
    from ictbench.results.schema import Measures, Result

T = TypeVar("T")

REFLECTOR = "transferred"
MAY_DIFFER = ("actor", "turns", "batch_size")
"""Parts of the setup in which the two runs may differ; those of the actor begin with its name."""
COLUMNS = ("family", "loops", "gain of {learner}", "gain of {player}", "difference [95 %]", "p", "Holm", "last gains")


class TransferRow(Record):
    """Prompts of one family, or on average over the families of a role."""

    family: str | None
    """None for the mean over the families of the role."""
    role: Role
    loops: int
    """Number of loops, over all families of the row."""
    gain: Interval
    """Gain of the best prompts for the actor they were learned with."""
    transferred_gain: Interval
    """Gain of the same prompts for the other actor."""
    difference: Interval
    """transferred_gain − gain, paired by loop."""
    p: float
    p_corrected: float
    """Corrected after Holm."""
    last_gain: Interval
    """The same of the last prompts."""
    transferred_last_gain: Interval


class PromptTransfer(Record):
    """Comparison of two actors under the same prompts."""

    suite: str
    profile: str
    reflector: str
    """Reflector that wrote the prompts."""
    learner: str
    """Actor with which they were learned."""
    player: str
    """Actor that plays them."""
    source: str
    """Checksum of the result that they come from."""
    rows: tuple[TransferRow, ...]

    def head(self) -> tuple[str, ...]:
        """Return the heads of the table."""
        return tuple(head.format(learner=self.learner, player=self.player) for head in COLUMNS)

    def cells(self) -> list[list[str]]:
        """Return the table as text, one row a family and one a role."""
        return [
            [
                row.family or f"mean {row.role}",
                str(row.loops),
                signed(row.gain),
                signed(row.transferred_gain),
                signed(row.difference),
                p_value(row.p),
                p_value(row.p_corrected),
                f"{signed(row.last_gain)}, {signed(row.transferred_last_gain)}",
            ]
            for row in self.rows
        ]

    @property
    def title(self) -> str:
        """One line above the table."""
        return (
            f"{self.suite}, profile {self.profile}: prompts that {self.reflector} learned with {self.learner}, "
            f"played by {self.player} on the same test tasks"
        )

    def records(self) -> list[dict[str, Any]]:
        """Return one plain record per row, with the ends of intervals in columns of their own."""
        common = {
            name: getattr(self, name) for name in ("suite", "profile", "reflector", "learner", "player", "source")
        }
        return [common | _flat(row) for row in self.rows]

    @property
    def has_intervals(self) -> bool:
        """Whether a value has an interval: a family of fewer than 3 loops has none."""
        return any(value.low is not None for row in self.rows for _, value in row if isinstance(value, Interval))

    def markdown(self) -> str:
        """Return title and table as Markdown, ending in a newline."""
        lines = [markdown_text(self.title), "", markdown_table(self.head(), self.cells()), ""]
        lines += [INTERVAL_MEANING, ""] if self.has_intervals else []
        return "\n".join(lines)


def transfers_to(played: Result, others: Iterable[Result]) -> Iterator[PromptTransfer]:
    """Yield the transfer that a result shows, if its source is among the others and both are comparable."""
    if played.reflector.name != REFLECTOR:
        return
    for source in others:
        if source.checksum == played.reflector.options.get("source"):
            with suppress(ResultError):
                yield prompt_transfer(source, played)


def prompt_transfer(source: Result, played: Result) -> PromptTransfer:
    """Return the gains of prompts for two actors.

    Args:
        source: Result of the run that learned the prompts.
        played: Result of the run in which another actor played them.

    Raises:
        ResultError: The prompts are not those of the source, or the tasks or versions are not the same.
    """
    if played.reflector.name != REFLECTOR or played.reflector.options.get("source") != source.checksum:
        raise ResultError(
            f"the run of {played.reflector.label} did not play the prompts of the result {source.checksum[:12]}; name "
            "the run whose prompts were transferred"
        )
    for name, (before, after) in disagreements((source, played)):
        if name.partition("'s ")[0] not in MAY_DIFFER:
            raise ResultError(
                f"the two actors did not play the same: {name} is {before} in one run and {after} in the other"
            )
    view = _as_recorded(source, played)
    arm = compare(source, view, measure="gain", force=True).arms[0]
    gains, learned = _by_place(view), _by_place(source)
    paired, shared = pair(source, view), share_games(source, view)
    return PromptTransfer(
        suite=source.suite.name,
        profile=source.profile,
        reflector=source.reflector.label,
        learner=source.actor.label,
        player=played.actor.label,
        source=source.checksum,
        rows=tuple(
            TransferRow(
                family=row.family,
                role=row.role,
                loops=row.loops,
                gain=learned[row.family, row.role].gain,
                transferred_gain=gains[row.family, row.role].gain,
                difference=_difference(
                    [one for one in paired if one.role == row.role and row.family in (None, one.name)], shared
                ),
                p=row.p,
                p_corrected=row.p_corrected,
                last_gain=learned[row.family, row.role].last_gain,
                transferred_last_gain=gains[row.family, row.role].last_gain,
            )
            for row in arm.rows
        ),
    )


def _flat(row: TransferRow) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for name, value in row:
        if isinstance(value, Interval):
            plain |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
        else:
            plain[name] = value
    return plain


def _by_place(result: Result) -> dict[tuple[str | None, Role], Measures]:
    """Return the measures by family and role; those of a role have no family."""
    by_place: dict[tuple[str | None, Role], Measures] = {
        (family.name, family.role): family.measures for family in result.families if family.measures
    }
    return by_place | {(None, role): measures for role, measures in result.by_role.items()}


def _difference(families: Sequence[PairedFamily], shared: bool) -> Interval:
    """Return the gain for the other actor minus that for the first; each actor has its own level under prompt[0]."""
    levels = [
        mean_interval([Sample(getattr(family, arm)["base"], SHARE_BOUNDS) for family in families], shared=shared)
        for arm in ("other", "reference")
    ]
    samples = []
    for family in families:
        other, reference = (
            changes(arm["best"], arm["base"], arm.kept["best"], level=level)
            for arm, level in zip((family.other, family.reference), levels, strict=True)
        )
        samples.append(Sample(family.difference("gain"), bounds("gain"), (other, -reference)))
    return mean_interval(samples, shared=shared)


def _as_recorded(source: Result, played: Result) -> Result:
    """Return the played result with the recorded best and last prompts in the places of its own.

    Raises:
        ResultError: A loop is missing, has other test tasks, or played another prompt.
    """
    recorded = {(family.name, loop.index): loop for family in source.families for loop in family.loops}
    families = []
    for family in played.families:
        loops = tuple(_loop(family.name, recorded.pop((family.name, loop.index), None), loop) for loop in family.loops)
        families.append(family.model_copy(update={"loops": loops, "measures": measure([loops])}))
    if recorded or not (played.complete and source.complete):
        raise ResultError("one of the two runs is incomplete, or has loops that the other has not; continue it")
    roles = dict.fromkeys(family.role for family in families)
    by_role = {role: measure([family.loops for family in families if family.role == role]) for role in roles}
    return played.model_copy(update={"families": tuple(families), "by_role": by_role})


def _loop(family: str, recorded: LoopResult | None, played: LoopResult) -> LoopResult:
    """Return a loop in which prompt[1] is the recorded best prompt and prompt[2] the recorded last one."""
    if recorded is None or recorded.test_tasks != played.test_tasks or set(played.test) != {0, 1, 2}:
        raise ResultError(f"loop {played.index} of {family} was not played on the test tasks of the recorded one")
    order = (0, 2, 1)
    expected = [recorded.prompts[index].digest for index in (0, recorded.best, recorded.last)]
    if [played.prompts[index].digest for index in order] != expected:
        raise ResultError(f"loop {played.index} of {family} was not played under the recorded prompts")
    return played.model_copy(
        update={
            "prompts": _reordered(played.prompts, order),
            "selection": _reordered(played.selection, order),
            "test": {place: played.test[index] for place, index in enumerate(order)},
            "progress": {place: played.progress[index] for place, index in enumerate(order) if played.progress},
            "best": 1,
        }
    )


def _reordered(values: Sequence[T], order: Sequence[int]) -> tuple[T, ...]:
    return tuple(values[index] for index in order)
