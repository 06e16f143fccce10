"""Figures of a result: success by turn, and gains with their intervals. They need matplotlib (extra `plot`)."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Literal, get_args

from matplotlib.figure import Figure

from ictbench.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ictbench.results.schema import Result

Kind = Literal["curves", "gains"]


class NotebookFigure(Figure):
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
    for family in result.families:
        curve = family.measures.curve
        (line,) = axes.plot([point.value for point in curve], marker="o", label=f"{family.name} ({family.role})")
        bounds = [(turn, point.low, point.high) for turn, point in enumerate(curve)]
        shown = [(turn, low, high) for turn, low, high in bounds if low is not None and high is not None]
        if shown:
            turns, lows, highs = zip(*shown, strict=True)
            axes.fill_between(turns, lows, highs, color=line.get_color(), alpha=0.1, linewidth=0)
    axes.set(xlabel="turn (0: the first prompt)", ylabel="success on selection tasks", ylim=(-0.02, 1.02))
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(fontsize="small")


def _draw_gains(axes: Axes, result: Result) -> None:
    for place, family in enumerate(result.families):
        gain = family.measures.gain
        color = f"C{int(family.role == 'meta-train')}"
        axes.plot(gain.value, place, "o", color=color)
        if gain.low is not None and gain.high is not None:
            axes.hlines(place, gain.low, gain.high, color=color)
    axes.axvline(0, color="0.5", linewidth=1)
    axes.set_yticks(range(len(result.families)), [f"{family.name} ({family.role})" for family in result.families])
    axes.invert_yaxis()
    axes.set(xlabel="gain on test tasks, with 95 % interval", xlim=(-1.02, 1.02))
