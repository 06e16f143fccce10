"""The dry run of a campaign: episodes, tokens, dollars and time, by cell and for all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from small_campaign import SIZES, journal_keys, small_campaign, small_matrix

from ictbench.campaigns import dry_run
from ictbench.models.prices import Price

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.campaigns.dry_run_campaign import CellDryRun

PRICES = {"openai/small": Price(1e-6, 4e-6, cached=1e-7), "openai/large": Price(5e-6, 2e-5, cached=5e-7)}


def models(**options: Any) -> dict[str, Any]:
    """Return the content of a file with two models as actors, and one of them as reflector."""
    return {
        "name": "models",
        "options": {"suite": "minihack-v1", "families": "read", "executor": "inline", **SIZES, **options},
        "matrix": {
            "model": [
                {"name": "small", "actor": "openai/small", "actor_base_url": "http://127.0.0.1:9/v1"},
                {"name": "large", "actor": "openai/large", "actor_base_url": "http://127.0.0.1:9/v1"},
            ],
            "reflector": [
                "none",
                {"name": "asks", "reflector": "openai/large", "reflector_base_url": "http://127.0.0.1:9/v1"},
            ],
        },
    }


def dollars(cell: CellDryRun, end: int) -> float:
    """Return the cost of all tokens of a cell without a cache."""
    players = [player for player in (cell.planned.actor, cell.planned.reflector) if player]
    prices = [PRICES[player.model] for player in players]
    return sum(
        player.input_tokens[end] * price.input + player.output_tokens[end] * price.output
        for player, price in zip(players, prices, strict=True)
    )


def test_the_dry_run_counts_what_cells_share_and_what_is_there(tmp_path: Path) -> None:
    planned = dry_run(small_matrix(), out=tmp_path / "none")
    assert not (tmp_path / "none").exists()
    cells = {cell.name: cell for cell in planned.cells}
    # Two experience tasks, three selection tasks and four test tasks under prompt[0], in each of three loops.
    assert [cells[name].shared for name in ("none--read", "rules--read", "blind-rules--read")] == [0, 27, 27]
    assert {cell.status for cell in planned.cells} == {"missing"}
    assert planned.tokens is None
    longest = max(cell.seconds[0] for cell in planned.cells)
    # On one worker, the cells take their times together.
    assert longest < planned.seconds[0] == pytest.approx(sum(cell.seconds[0] for cell in planned.cells))
    assert planned.seconds[0] == planned.seconds[1]
    there = dry_run(small_matrix(), out=small_campaign().folder)
    assert {cell.status for cell in there.cells} == {"complete"}
    assert there.seconds == (0, 0)
    assert [cell.recorded for cell in there.cells] == [
        len(journal_keys(cell.folder)) for cell in small_campaign().cells.values()
    ]


def test_the_dry_run_states_the_dollars_of_what_is_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("ictbench.runs.cost_estimate.find_price", lambda spec: PRICES[spec.name])
    planned = dry_run(models(), out=tmp_path / "none")
    cells = {cell.name: cell for cell in planned.cells}
    assert [*cells] == ["small--none", "small--asks", "large--none", "large--asks"]
    for cell in cells.values():
        assert cell.cost is not None
        assert cell.tokens is not None
        # The rest is played in an earlier cell of the same actor.
        assert cell.left == 1 - cell.shared / cell.planned.counts["episodes"]
        assert cell.cost[1] == pytest.approx(dollars(cell, 1) * cell.left, rel=0.01)
        assert 0 < cell.cost[0] < dollars(cell, 0)
    assert cells["large--none"].cost == pytest.approx([5 * end for end in cells["small--none"].cost or ()])
    assert planned.cost == pytest.approx(
        [sum(cell.cost[end] for cell in cells.values() if cell.cost) for end in (0, 1)]
    )
    tokens = [sum(cell.tokens[end] for cell in cells.values() if cell.tokens) for end in (0, 1)]
    assert planned.tokens == tuple(tokens)


def test_one_unknown_price_makes_the_total_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(
        "ictbench.runs.cost_estimate.find_price", lambda spec: None if spec.model == "large" else PRICES[spec.name]
    )
    planned = dry_run(models(), out=tmp_path / "none")
    assert [cell.cost is None for cell in planned.cells] == [False, True, True, True]
    assert planned.cost is None


def test_connections_are_shared_by_all_cells(tmp_path: Path) -> None:
    slow, fast = (dry_run(models(max_connections=count), out=tmp_path / "none") for count in (1, 64))
    # On one connection all requests wait for each other; on many, the longest chain of requests counts.
    assert slow.seconds[0] == pytest.approx(sum(cell.seconds[0] for cell in slow.cells))
    assert slow.seconds[0] > fast.seconds[0] >= max(cell.seconds[0] for cell in fast.cells)
