"""Results and episodes on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.cli.terminal_table import Grid, add_row, grid, print_line, print_table
from ictbench.results.failures import failure_counts, failures_text
from ictbench.results.formatting import cost_in_words, rate, signed, tokens_in_words
from ictbench.results.notes import remarks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.records import Episode
    from ictbench.results.schema import Behaviour, Measures, Result
    from ictbench.runs import Run

COLUMNS = ("family", "role", "base", "best", "last", "gain [95 %]", "invalid", "failed")

PROGRESS_COLUMNS = ("family", "role", "base", "best [95 %]", "last", "gain [95 %]")

STREAM_COLUMNS = ("stream", "family", "base", "after", "last", "forgetting [95 %]", "forward transfer [95 %]")


def print_result(run: Run) -> None:
    """Print the table of a run, remarks on it, and the folder of its files."""
    result = run.current_result()
    if not result.complete:
        _print_state(run, result)
    print_line(
        f"{result.suite.name}, profile {result.profile}: reflector {result.reflector.label}, "
        f"actor {result.actor.label}; success on test tasks"
    )
    print_table(_table(result))
    if streams := _stream_table(result):
        print_line("Test tasks of each family of a stream: under prompt[0], after its last experience, and at the end")
        print_table(streams)
    if progress := _progress_table(result):
        print_line("Progress on test tasks: share of a task that is done at the end")
        print_table(progress)
    for line in [*remarks(result), *_cost(result)]:
        print_line(line)
    print_line(f"Files: {run.folder}")


def _print_state(run: Run, result: Result) -> None:
    """Print how far an unfinished run is, by family, and which episodes are missing."""
    state = run.state
    print_line(f"{state.in_words} The table holds finished loops only.", "bold")
    table = grid(("family", "turns", "loops"), left=("family",))
    loops = {family.name: len(family.loops) for family in result.families}
    for family, done in state.turns_done.items():
        add_row(table, (family, f"{done}/{state.turns}", f"{loops.get(family, 0)}/{result.sizes.loops}"))
    print_table(table)
    if missing := run.missing_episodes():
        counts = " and ".join(f"{count:,} {pool}" for pool, count in missing.items())
        print_line(f"Missing: at least {counts} episodes.")


def episode_pages(episode: Episode) -> Iterator[str]:
    """Yield an episode as pages of plain text: observation, thought, proposed and executed action of each decision."""
    return map(_printable, _pages(episode))


def _pages(episode: Episode) -> Iterator[str]:
    trajectory = episode.trajectory
    steps = trajectory.steps
    end = trajectory.end + (f" ({trajectory.failure})" if trajectory.failure else "")
    progress = "" if episode.progress is None else f", progress {episode.progress:.2f}"
    yield f"{episode.key}: {end} after {len(steps)} decisions, total reward {trajectory.total_reward:g}{progress}\n"
    if episode.added:
        yield f"── added to the prompt by the memory ──\n{episode.added.rstrip()}\n"
    for number, step in enumerate(steps, 1):
        lines = [f"── decision {number} of {len(steps)} ──", step.observation.rstrip(), ""]
        if step.thought:
            lines.append(f"thought:  {step.thought}")
        lines.append(f"proposed: {'(no action)' if step.proposed is None else step.proposed}")
        keys = f"   further keys: {' '.join(map(repr, step.keys))}" if step.keys else ""
        lines.append(f"executed: {step.executed or '(invalid)'}{keys}")
        lines.append(f"reward:   {step.reward:g}")
        yield "\n".join(lines) + "\n"
    yield f"── end: {end} ──\n{trajectory.last_observation.rstrip()}\n"


def _table(result: Result) -> Grid:
    table = grid(COLUMNS, left=("family", "role", "failed"))
    for family in result.families:
        cells = _cells(family.measures, family.behaviour)
        add_row(table, (family.name, family.role, *cells, failures_text(*failure_counts([family])) or "0"))
    table.add_section()
    for role, measures in result.by_role.items():
        add_row(table, ("mean", role, *_cells(measures, None), ""), "bold" if role == "held-out" else None)
    return table


def _progress_table(result: Result) -> Grid | None:
    """Return one row per family or mean whose progress is known; None if there is none."""
    rows = [(family.name, family.role, family.measures) for family in result.families]
    rows += [("mean", role, measures) for role, measures in result.by_role.items()]
    known = [(name, role, measures.progress) for name, role, measures in rows if measures and measures.progress]
    if not known:
        return None
    table = grid(PROGRESS_COLUMNS, left=("family", "role"))
    for name, role, progress in known:
        base, best, last = f"{progress.base.value:.2f}", rate(progress.best), f"{progress.last.value:.2f}"
        add_row(table, (name, role, base, best, last, signed(progress.gain)))
    return table


def _stream_table(result: Result) -> Grid | None:
    """Return one row per family of a stream; None without a stream."""
    streams = [(family.name, family.measures.mixed) for family in result.families if family.measures]
    rows = [(stream, name, one) for stream, mixed in streams if mixed for name, one in mixed.families.items()]
    if not rows:
        return None
    table = grid(STREAM_COLUMNS, left=("stream", "family"))
    for stream, name, one in rows:
        levels = [f"{level.value:.2f}" if level else "" for level in (one.base, one.after, one.last)]
        changes = [signed(change) if change else "" for change in (one.forgetting, one.forward_transfer)]
        add_row(table, (stream, name, *levels, *changes))
    return table


def _cells(measures: Measures | None, behaviour: Behaviour | None) -> list[str]:
    if measures is None:
        return ["…"] * 5
    levels = [f"{measure.value:.2f}" for measure in (measures.base, measures.best, measures.last)]
    invalid = f"{behaviour.invalid_best.value:.1%}" if behaviour and behaviour.invalid_best else ""
    return [*levels, signed(measures.gain), invalid]


def _cost(result: Result) -> Iterator[str]:
    usage = {role: usage for role, usage in result.cost.items() if usage.calls}
    if usage:
        roles = (f"{role} {u.calls} calls, {tokens_in_words(u)}, {cost_in_words(u)}" for role, u in usage.items())
        yield f"Cost: {'; '.join(roles)}."
    spent = result.host.spent
    if others := max(0, spent.calls - sum(u.calls for u in usage.values())):
        yield (
            f"With {others} calls of the rehearsal and of requests that were repeated or in vain: {spent.calls} calls, "
            f"{tokens_in_words(spent)}, {cost_in_words(spent)}."
        )


def _printable(text: str) -> str:
    """Replace control characters, which a terminal would obey."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)
