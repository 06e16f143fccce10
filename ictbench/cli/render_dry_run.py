"""Counts and estimates of a dry run on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.cli.terminal_table import add_row, grid, print_line, print_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from ictbench.runs.cost_estimate import DryRun, ModelEstimate

UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
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
    if planned.seconds:
        print_line(f"time: {_range(planned.seconds, _duration)}")
    if asked := [player for player in players.values() if player]:
        print_line(_basis(planned.sample_episodes, asked))


def _estimate(player: ModelEstimate) -> str:
    cost = "price unknown" if player.cost is None else _range(player.cost, _dollars)
    return (
        f"about {_count(player.calls)} calls, {_range(player.input_tokens, _count)} input tokens, "
        f"{_range(player.output_tokens, _count)} output tokens, {cost}, "
        f"{_range(player.seconds_per_reply, lambda seconds: f'{seconds:.2g}')} s a reply"
    )


def _basis(episodes: int, players: list[ModelEstimate]) -> str:
    replies = (
        "replies as measured"
        if all(player.asked for player in players)
        else "replies from a bare action up to the token limit (--ask measures them)"
    )
    return (
        f"Estimated from {episodes} episodes of a random player; {replies}. Better players need fewer decisions, and "
        "equal prompts are played once. The least cost assumes that the provider caches repeated prefixes."
    )


def _range(pair: tuple[float, float], text: Callable[[float], str]) -> str:
    least, most = map(text, pair)
    return least if least == most else f"{least} to {most}"


def _count(value: float) -> str:
    unit, letter = next(((unit, letter) for unit, letter in LARGE if value >= 10 * unit), (1, ""))
    return f"{value / unit:,.0f}{letter}"


def _dollars(value: float) -> str:
    return f"${value:,.2f}" if value >= 0.01 else f"${value:.4f}"


def _duration(seconds: float) -> str:
    unit, letter = next(((unit, letter) for unit, letter in UNITS if seconds >= 2 * unit), UNITS[-1])
    return f"{seconds / unit:.0f} {letter}"
