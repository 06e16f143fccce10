"""Figures of a result: success by turn, and gains with their intervals. They need matplotlib (extra `plot`)."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Literal, get_args

from matplotlib.figure import Figure

from ictbench.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ictbench.results.schema import Measures, Result

Kind = Literal["curves", "gains"]


class NotebookFigure(Figure):  # type: ignore[misc]
    """A figure that a notebook shows without pyplot."""

    def _repr_png_(self) -> bytes:
        image = BytesIO()
        self.savefig(image, format="png")
        return image.getvalue()


def draw_figure(result: Result, kind: Kind = "curves") -> Figure:
    """Return a figure of a result.

    Args:
        result: What to show.
        kind: `curves` for success on selection tasks by turn, one line per family, or `gains` for best − base on test
            tasks with 95 % intervals.

    Raises:
        ConfigError: There is no such kind.
    """
    if kind not in get_args(Kind):
        raise ConfigError(f"{kind!r} is not a kind of figure ({', '.join(get_args(Kind))})")
    drawn = NotebookFigure(figsize=(7, 4), layout="constrained")
    axes = drawn.add_subplot()
    (_draw_curves if kind == "curves" else _draw_gains)(axes, result)
    axes.set_title(f"{result.suite.name}: {result.reflector.label}, actor {result.actor.label}", fontsize="medium")
    return drawn


def _draw_curves(axes: Axes, result: Result) -> None:
    for name, measures in _measured(result):
        curve = measures.curve
        (line,) = axes.plot([point.value for point in curve], marker="o", label=name)
        bounds = [(turn, point.low, point.high) for turn, point in enumerate(curve)]
        shown = [(turn, low, high) for turn, low, high in bounds if low is not None and high is not None]
        if shown:
            turns, lows, highs = zip(*shown, strict=True)
            axes.fill_between(turns, lows, highs, color=line.get_color(), alpha=0.1, linewidth=0)
    axes.set(xlabel="turn (0: the first prompt)", ylabel="success on selection tasks", ylim=(-0.02, 1.02))
    axes.xaxis.get_major_locator().set_params(integer=True)
    if axes.get_lines():
        axes.legend(fontsize="small")


def _draw_gains(axes: Axes, result: Result) -> None:
    families = _measured(result)
    for place, (_, measures) in enumerate(families):
        gain = measures.gain
        axes.plot(gain.value, place, "o", color="C0")
        if gain.low is not None and gain.high is not None:
            axes.hlines(place, gain.low, gain.high, color="C0")
    axes.axvline(0, color="0.5", linewidth=1)
    axes.set_yticks(range(len(families)), [name for name, _ in families])
    axes.invert_yaxis()
    axes.set(xlabel="gain on test tasks, with 95 % interval", xlim=(-1.02, 1.02))


def _measured(result: Result) -> list[tuple[str, Measures]]:
    """Return the families with a finished loop: their names with their roles, and their measures."""
    return [(f"{family.name} ({family.role})", family.measures) for family in result.families if family.measures]
