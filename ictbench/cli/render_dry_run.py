"""Counts and estimates of a dry run on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.cli.terminal_table import add_row, grid, print_line, print_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from ictbench.runs.cost_estimate import DryRun, ModelEstimate

UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
REHEARSAL = (
    "Not counted: before the first episode a rehearsal asks each model up to 5 times, and more often if its server "
    "needs other requests."
)
LARGE = ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k"))


def print_dry_run(planned: DryRun) -> None:
    """Print the maximum counts, and what the models would cost."""
    table = grid(("count", ""), left=("count", ""), heading=False)
    for name, count in planned.counts.items():
        add_row(table, (name.replace("_", " "), f"at most {count:,}"))
    print_table(table)
    players = {"actor": planned.actor, "reflector": planned.reflector}
    for role, player in players.items():
        if player:
            print_line(f"{role} {player.model}: {_estimate(player)}")
    print_line(f"time: {range_text(planned.seconds, duration_text)}")
    asked = [player for player in players.values() if player]
    print_line(_basis(planned, asked))
    if asked:
        print_line(REHEARSAL)


def _estimate(player: ModelEstimate) -> str:
    cost = "price unknown" if player.cost is None else range_text(player.cost, dollars_text)
    return (
        f"about {count_text(player.calls)} calls, {range_text(player.input_tokens, count_text)} input tokens, "
        f"{range_text(player.output_tokens, count_text)} output tokens, {cost}, "
        f"{range_text(player.seconds_per_reply, lambda seconds: f'{seconds:.2g}')} s a reply"
    )


def _basis(planned: DryRun, players: list[ModelEstimate]) -> str:
    sample = f"Estimated from {planned.sample_episodes} episodes that actor {planned.sample_actor} played"
    if not players:
        return f"{sample}. Equal prompts are played once, which takes less."
    replies = (
        "replies as measured"
        if all(player.asked for player in players)
        else "replies from a bare action up to the token limit (--ask measures them)"
    )
    return (
        f"{sample}; {replies}. Better players need fewer decisions, and "
        "equal prompts are played once. The least cost assumes that the provider caches repeated prefixes."
    )


def range_text(pair: tuple[float, float], text: Callable[[float], str]) -> str:
    """Return two numbers as a range, or as one text if they read the same."""
    least, most = map(text, pair)
    return least if least == most else f"{least} to {most}"


def count_text(value: float) -> str:
    """Return a count with a unit, e.g. 120k."""
    unit, letter = next(((unit, letter) for unit, letter in LARGE if value >= 10 * unit), (1, ""))
    return f"{value / unit:,.0f}{letter}"


def dollars_text(value: float) -> str:
    """Return US dollars."""
    return f"${value:,.2f}" if value >= 0.01 else f"${value:.4f}"


def duration_text(seconds: float) -> str:
    """Return a duration in its largest fitting unit."""
    unit, letter = next(((unit, letter) for unit, letter in UNITS if seconds >= 2 * unit), UNITS[-1])
    return f"{seconds / unit:.0f} {letter}"
