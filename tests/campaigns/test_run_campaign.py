"""Campaigns that are played: what is shared, what fails, what is continued."""

from __future__ import annotations

import json
import random
import shutil
from collections import defaultdict
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from recalled_rules import RECALLED_RULES
from small_campaign import SIZES, Broken, journal_keys, small_campaign, small_matrix

import ictbench
from ictbench.campaigns import campaign, dry_run, load_campaign
from ictbench.errors import ConfigError, RunFolderError
from ictbench.records import Usage
from ictbench.runs.journal import Journal
from ictbench.testing import ScriptedServer, react_policy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLAY = react_policy(lambda prompt, observation, actions: random.Random(observation).choice(actions))


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(PLAY, model="scripted") as server:
        yield server


def states(finished: Any) -> dict[str, str]:
    return {state.name: state.status for state in finished.states}


def test_each_cell_is_the_run_that_its_options_describe(tmp_path: Path) -> None:
    finished = small_campaign()
    assert set(states(finished).values()) == {"complete"}
    for name, cell in finished.cells.items():
        options = json.loads((finished.folder / "campaign.json").read_text())["cells"][name]["options"]
        alone = ictbench.run(**options, executor="inline", out=tmp_path / name).result
        assert cell.result.families == alone.families
        assert cell.result.cost == alone.cost
        assert cell.result.episodes_sha256 == alone.episodes_sha256
        assert (cell.folder / "episodes.jsonl.gz").read_bytes() == (tmp_path / name / "episodes.jsonl.gz").read_bytes()


def test_cells_of_one_actor_share_episodes_and_each_is_played_once() -> None:
    finished = small_campaign()
    keys = {name: journal_keys(cell.folder) for name, cell in finished.cells.items()}
    distinct = set().union(*keys.values())
    assert finished.played == len(distinct)
    assert finished.found == sum(map(len, keys.values())) - len(distinct) > 0


def test_other_actors_share_nothing(tmp_path: Path) -> None:
    matrix = {"actor": ["rules", {"name": "short", "actor": "rules", "max_steps": 5}], "families": ["read"]}
    options = {"suite": "minihack-v1", "reflector": "none", "executor": "inline", **SIZES}
    finished = campaign({"options": options, "matrix": matrix}, out=tmp_path / "campaign")
    assert set(states(finished).values()) == {"complete"}
    assert finished.found == 0


def test_models_of_one_name_at_two_addresses_share_nothing(server: ScriptedServer, tmp_path: Path) -> None:
    options = {"suite": "minihack-v1", "reflector": "none", "executor": "inline", "max_steps": 3, **SIZES, "loops": 1}
    del options["batch_size"]
    with ScriptedServer(PLAY, model="scripted") as other:
        values = [
            {"name": name, "actor": "openai/scripted", "actor_base_url": url, "batch_size": size}
            for name, url, size in (("a", server.url, 2), ("b", other.url, 3))
        ]
        content = {"options": options, "matrix": {"actor": values, "families": ["read"]}}
        finished = campaign(content, out=tmp_path / "campaign")
        assert set(states(finished).values()) == {"complete"}
        assert finished.found == 0
        assert other.requests > 0
    assert server.url not in (tmp_path / "campaign/campaign.json").read_text()


def test_cells_that_join_later_take_the_episodes_that_are_there(tmp_path: Path) -> None:
    first = campaign(small_matrix(), out=tmp_path / "campaign", cells=["none--read"])
    assert states(first) == {"none--read": "complete"}
    second = campaign(small_matrix(), out=tmp_path / "campaign", cells=["rules--read"])
    before, after = (journal_keys(second.folder / "cells" / name) for name in ("none--read", "rules--read"))
    assert second.played == len(after - before)
    assert second.found == len(after & before) > 0
    assert [*second.cells] == ["none--read", "rules--read"]


def test_a_cell_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    matrix = {"reflector": ["none", Broken, "rules"], "families": ["read"]}
    finished = campaign(small_matrix(matrix=matrix), out=tmp_path / "campaign")
    assert states(finished) == {"none": "complete", "Broken": "failed", "rules": "complete"}
    (broken,) = (state for state in finished.states if state.name == "Broken")
    assert "ZeroDivisionError" in broken.reason
    assert "a bug" in broken.reason
    again = campaign(small_matrix(matrix=matrix), out=tmp_path / "campaign")
    assert states(again) == states(finished)
    assert "Broken` | started" in (tmp_path / "campaign/report.md").read_text()
    assert set(load_campaign(tmp_path / "campaign").results()) == {"none", "rules"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"options": {"suite": "minihack-v1", "actor": "rules", "executor": "inline", **SIZES, "turns": 1}},
            "turns was 2",
        ),
        ({"matrix": {"reflector": ["none", "rules", "copy"], "families": ["read", "zap"]}}, "copy--read is new"),
        ({"exclude": [{"reflector": "rules", "families": "zap"}]}, "rules--zap is no longer asked for"),
    ],
)
def test_a_changed_file_is_refused_with_what_changed(change: dict[str, Any], told: str) -> None:
    before = (small_campaign().folder / "campaign.json").read_bytes()
    for function in (campaign, dry_run):
        with pytest.raises(RunFolderError, match=f"or another file has the same name.*{told}.*another name or --out"):
            function(small_matrix(**change), out=small_campaign().folder)
    assert (small_campaign().folder / "campaign.json").read_bytes() == before


def test_limits_and_texts_may_change(tmp_path: Path) -> None:
    shutil.copytree(small_campaign().folder, tmp_path / "small")
    again = campaign(small_matrix(description="Other words."), out=tmp_path / "small", max_connections=3)
    assert set(states(again).values()) == {"complete"}
    assert again.played == 0


def test_a_damaged_result_is_written_again(tmp_path: Path) -> None:
    shutil.copytree(small_campaign().folder, tmp_path / "small")
    path = tmp_path / "small/cells/rules--zap/result.json"
    whole = json.loads(path.read_text())
    path.write_text(path.read_text()[:100])
    with pytest.raises(ictbench.UsageError, match=r"result\.json"):
        load_campaign(tmp_path / "small").results()
    again = campaign(small_matrix(), out=tmp_path / "small")
    assert set(states(again).values()) == {"complete"}
    assert again.played == 0
    assert json.loads(path.read_text())["families"] == whole["families"]


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '{"schema": "ictbench.campaign/1"}', '{"schema": "ictbench.campaign/2"}']
)
def test_a_damaged_campaign_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "campaign.json").write_text(text)
    with pytest.raises(RunFolderError, match=r"campaign\.json"):
        load_campaign(tmp_path)
    with pytest.raises(RunFolderError, match=r"campaign\.json"):
        campaign(small_matrix(), out=tmp_path)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RunFolderError, match=r"notes\.txt"):
        campaign(small_matrix(), out=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_no_cell_at_a_time_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="side_by_side is 0"):
        campaign(small_matrix(), out=tmp_path / "campaign", side_by_side=0)


def test_an_unknown_cell_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"rules--raed.*rules--read"):
        campaign(small_matrix(), out=tmp_path / "campaign", cells=["rules--raed"])
    assert not (tmp_path / "campaign").exists()


def test_a_budget_holds_for_all_cells_and_the_rest_is_continued(server: ScriptedServer, tmp_path: Path) -> None:
    options = {
        "suite": "minihack-v1",
        "actor": "openai/scripted",
        "actor_base_url": server.url,
        "max_steps": 4,
        "executor": "inline",
        **SIZES,
        "loops": 1,
    }
    content = {"options": options, "matrix": {"reflector": ["none", "copy"], "families": ["read", "eat"]}}
    before = server.requests
    free = campaign(content, out=tmp_path / "free")
    spent = spent_of(free.folder)
    assert spent.calls == server.requests - before, "the ledger counts every request of all cells"
    used = spent.tokens
    limited = campaign(content, out=tmp_path / "limited", max_tokens=int(0.6 * used), side_by_side=1)
    by_state = defaultdict(list)
    for state in limited.states:
        by_state[state.status].append(state)
    assert by_state["complete"]
    assert by_state["stopped"]
    assert all("--max-tokens" in state.reason for state in by_state["stopped"])
    assert any(state.reason.startswith("not started") for state in by_state["stopped"])
    assert 0.6 * used <= spent_of(limited.folder).tokens < 0.8 * used
    done = campaign(content, out=tmp_path / "limited", max_tokens=10 * used)
    assert set(states(done).values()) == {"complete"}
    assert [cell.result.families for cell in done.cells.values()] == [
        cell.result.families for cell in free.cells.values()
    ]
    planned = dry_run(content, out=tmp_path / "new")
    assert planned.tokens is not None
    assert planned.tokens[1] > used / 2


def spent_of(folder: Path) -> Usage:
    with closing(Journal(folder / "ledger.sqlite")) as ledger:
        return Usage.model_validate(ledger.get("spent"))


def test_a_log_is_of_one_cell_and_that_of_the_campaign_of_all() -> None:
    folder = small_campaign().folder
    for name in ("none--read", "rules--zap"):
        family, other = name.split("--")[1], {"read": "zap", "zap": "read"}[name.split("--")[1]]
        text = (folder / "cells" / name / "run.log").read_text()
        assert f"reflection {family} loop 0" in text
        assert f"reflection {other}" not in text
        assert text.count("session starts") == 1
    assert (folder / "campaign.log").read_text().count("session starts") == 6


def test_two_sessions_at_once_are_refused(tmp_path: Path) -> None:
    from ictbench.campaigns.campaign_folder import CampaignFolder
    from ictbench.campaigns.plan_campaign import plan_campaign

    with (
        CampaignFolder(tmp_path / "campaign").claim(plan_campaign(small_matrix())),
        pytest.raises(RunFolderError, match="another ictbench"),
    ):
        campaign(small_matrix(), out=tmp_path / "campaign")


def test_learners_with_a_memory_share_what_is_played_without_it(tmp_path: Path) -> None:
    """Other learners add other texts: what is played with a memory belongs to its cell."""
    learners = [RECALLED_RULES, f"unlabelled:{RECALLED_RULES}", "none"]
    options = {"suite": "minihack-v1", "actor": "rules", "executor": "inline", **SIZES, "loops": 1}
    content = {"options": options, "matrix": {"reflector": learners, "families": ["eat"]}}
    finished = campaign(content, out=tmp_path / "campaign")
    assert set(states(finished).values()) == {"complete"}
    cells = [*finished.cells.values()]
    with_memory, keys = 0, []
    for cell in cells:
        (loop,) = cell.result.families[0].loops
        own = {prompt.digest for prompt in loop.prompts if prompt.memory}
        cell_keys = journal_keys(cell.folder)
        with_memory += sum(key.rpartition("@")[2] in own for key in cell_keys)
        keys.append({key for key in cell_keys if key.rpartition("@")[2] not in own})
    assert with_memory > 0
    # Starts of tasks, from which memories recall, are no episodes.
    assert finished.played == with_memory + len(set().union(*keys))
    assert finished.found == sum(map(len, keys)) - len(set().union(*keys)) > 0
    alone = ictbench.run(**options, families=["eat"], reflector=RECALLED_RULES, out=tmp_path / "alone").result
    assert cells[0].result.families == alone.families
    assert cells[0].result.episodes_sha256 == alone.episodes_sha256
