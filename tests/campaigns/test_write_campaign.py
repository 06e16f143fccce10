"""Tables, comparisons and verdicts of a campaign."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from small_campaign import small_campaign, small_matrix

import ictbench
from ictbench.campaigns import campaign
from ictbench.campaigns.campaign_folder import CampaignFolder
from ictbench.campaigns.campaign_results import read_results
from ictbench.campaigns.cell_comparisons import compare_cells, groups_of
from ictbench.campaigns.learned_cells import judge_cells
from ictbench.campaigns.write_campaign import write_campaign
from ictbench.errors import ResultError
from ictbench.results.all_pairs import all_pairs_p
from ictbench.results.outcomes import outcomes_by_prompt

if TYPE_CHECKING:
    from pathlib import Path


def test_the_long_table_holds_the_measures_of_every_cell() -> None:
    finished = small_campaign()
    table = finished.table()
    assert [*table.columns] == [
        "cell", "reflector", "families", "suite", "family", "role", "measure", "value", "low", "high", "loops",
    ]  # fmt: skip
    rows = {(row["cell"], row["family"], row["measure"]): row for row in table.to_dict("records")}
    for name, result in finished.results().items():
        (family,) = result.families
        assert family.measures
        for measure in ("base", "best", "gain"):
            interval = getattr(family.measures, measure)
            row = rows[name, family.name, measure]
            assert (row["value"], row["low"], row["high"]) == (interval.value, interval.low, interval.high)
            assert rows[name, "mean", measure]["value"] == pytest.approx(interval.value)
            assert row["reflector"] == result.reflector.label
    assert set(table.cell) == set(finished.cells)


def test_the_table_is_also_csv_markdown_and_parquet() -> None:
    folder, table = small_campaign().folder / "tables", small_campaign().table()
    assert pd.read_parquet(folder / "cells.parquet").equals(table)
    from_csv = pd.read_csv(folder / "cells.csv", keep_default_na=False, na_values=[""])
    assert [*from_csv.columns] == [*table.columns]
    assert from_csv["value"].to_numpy() == pytest.approx(table["value"].to_numpy(float), rel=1e-5)
    assert (folder / "cells.md").read_text().count("\n") == len(table) + 2


def test_pairs_on_the_same_tasks_are_corrected_together_and_over_the_campaign() -> None:
    results = small_campaign().results()
    groups = groups_of(results)
    assert groups == [[f"{arm}--{family}" for arm in ("none", "rules", "blind-rules")] for family in ("read", "zap")]
    pairs = {(pair.reference, pair.cell): pair for pair in compare_cells(results)}
    assert len(pairs) == 6
    for group in groups:
        outcomes = [outcomes_by_prompt(results[name].families[0].loops)["best"] for name in group]
        expected = all_pairs_p([np.stack(outcomes)])
        for (i, one), (j, other) in ((a, b) for a in enumerate(group) for b in enumerate(group) if a < b):
            pair = pairs[one, other]
            assert pair.p_same_tasks == pytest.approx(expected[i, j])
            assert pair.p_campaign == pytest.approx(min(1, 2 * expected[i, j]))
            (arm,) = ictbench.compare(results[one], results[other]).arms
            assert (pair.difference, pair.p) == (arm.means[0].difference.value, arm.means[0].p)
            assert pair.p <= pair.p_same_tasks + 1e-9


def test_a_cell_compared_with_its_like_shows_no_difference() -> None:
    results = small_campaign().results()
    twins = {"one": results["rules--read"], "two": results["rules--read"]}
    (pair,) = compare_cells(twins)
    assert (pair.difference, pair.p, pair.p_same_tasks, pair.p_campaign) == (0, 1, 1, 1)


def test_the_verdict_names_the_controls_that_were_played() -> None:
    verdicts = {verdict.cell: verdict for verdict in small_campaign().learned()}
    assert set(verdicts) == {"rules--read", "rules--zap"}
    assert verdicts["rules--read"].arms == ("blind-rules--read",)
    assert verdicts["rules--read"].gate
    recorded = json.loads((small_campaign().folder / "learned.json").read_text())
    assert [verdict["cell"] for verdict in recorded] == ["rules--read", "rules--zap"]


def test_a_reflector_without_a_control_is_named_with_the_control_to_add() -> None:
    (verdict,) = judge_cells({"rules--read": small_campaign().results()["rules--read"]})
    assert verdict.sentence.endswith("e.g. blind:rules.")


def test_the_report_shows_all_cells() -> None:
    folder = small_campaign().folder
    page, summary = ((folder / name).read_text() for name in ("report.html", "report.md"))
    for name in small_campaign().cells:
        assert name in page
        assert f"`{name}`" in summary
    assert "6 of 6 cells are complete" in summary
    assert "0 of 6 pairs differ" in summary


def test_a_page_shows_a_limited_number_of_cells_and_the_summary_names_all_pages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = shutil.copytree(small_campaign().folder, tmp_path / "copy")
    monkeypatch.setattr("ictbench.campaigns.write_campaign.MOST_RUNS", 4)
    write_campaign(CampaignFolder(folder))
    pages = {name: (folder / name).read_text() for name in ("report.html", "report-2.html")}
    for number, name in enumerate(small_campaign().cells):
        assert [f'"{name}"' in page for page in pages.values()] == [number < 4, number >= 4]
    summary = (folder / "report.md").read_text()
    assert "- [report.html](report.html): `none--read` to `rules--zap`" in summary
    assert "- [report-2.html](report-2.html): `blind-rules--read` to `blind-rules--zap`" in summary
    assert "report-2.html" not in (small_campaign().folder / "report.md").read_text()


def test_results_are_read_back_and_an_edited_one_is_refused(tmp_path: Path) -> None:
    path = small_campaign().folder / "results.json"
    assert read_results(path) == small_campaign().results()
    content: dict[str, Any] = json.loads(path.read_text())
    content["cells"]["rules--read"]["owed"] = 1
    (tmp_path / "edited.json").write_text(json.dumps(content))
    with pytest.raises(ResultError, match=r"checksum|contradicts"):
        read_results(tmp_path / "edited.json")


def test_names_and_texts_of_the_file_are_only_text_in_the_summary(tmp_path: Path) -> None:
    matrix = {"reflector": [{"name": "a|<b>", "reflector": "none"}], "families": ["read"]}
    finished = campaign(small_matrix(matrix=matrix, description="<script>x</script>"), out=tmp_path / "campaign")
    summary = (finished.folder / "report.md").read_text()
    assert "<script>" not in summary
    assert {*finished.table()["reflector"]} == {"a|<b>"}
