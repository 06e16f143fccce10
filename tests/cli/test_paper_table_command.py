"""The campaigns of the paper's tables, planned in full, and played at tiny sizes with a scripted model."""

from __future__ import annotations

import json
import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from ictbench.campaigns import plan_campaign as planning
from ictbench.campaigns.plan_campaign import plan_campaign
from ictbench.testing import ScriptedServer, react_policy

if TYPE_CHECKING:
    from command_line import CommandLine

FOLDER = Path(__file__).parents[2] / "examples" / "paper"
TRAIN_GAMES = Path(os.environ.get("ALFWORLD_DATA") or "nowhere") / "json_2.1.1" / "train"
FILES = sorted(FOLDER.glob("*.yaml"))
EXAMPLES = pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
TINY = {"loops": 3, "turns": 2, "selection_size": 3, "test_size": 4, "max_steps": 5, "executor": "inline"}
QWEN = "Qwen/Qwen2.5-7B-Instruct"


@pytest.fixture(autouse=True)
def vllm_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planning looks for the program, and starts nothing."""
    monkeypatch.setenv("ICTBENCH_VLLM", "true")
    monkeypatch.delenv("VLLM_BASE_URL", raising=False)


def test_there_is_a_file_per_table() -> None:
    assert [file.stem for file in FILES] == ["alfworld", "cross-benchmark", "minihack"]


@EXAMPLES
def test_cells_are_the_papers(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The official games are a download; the loops, and so all tasks, are planned without them.
    monkeypatch.setattr(planning, "check_playable", lambda plan, loops: {})
    plan = plan_campaign(file)
    assert plan.name == {"cross-benchmark": "paper-cross"}.get(file.stem, f"paper-{file.stem}")
    assert len(plan.cells) == (12 if file.stem == "cross-benchmark" else 6)
    for cell in plan.cells:
        run = cell.plan
        k = 5 if "k5" in cell.name.split("--") else 3
        assert (run.sizes.turns, run.sizes.batch_size, run.sizes.loops, run.max_steps) == (10, k, 10, 25)
        assert run.actor.model is not None
        assert (run.actor.name, run.actor.model.model, run.actor.model.max_tokens) == ("react", QWEN, 500)
        assert run.deviations() == (), "a finished cell can be ranked"
        prompt = cell.cell.labels["prompt"]
        if prompt == "initial":
            assert run.reflector.name == "none"
            continue
        assert run.reflector.name == "rewrite"
        assert run.reflector.model is not None
        if prompt == "untrained":
            assert (run.reflector.model.model, run.trained_on) == (QWEN, ())
            # The untrained reflector and the actor share a server.
            assert run.reflector.model.options == run.actor.model.options
        else:
            assert prompt.endswith(f"k{k}"), "a trained reflector has the batch size of its training"
            own = run.suite.name.removesuffix("-paper-v1")
            benchmark = prompt.rpartition("-")[0].replace("trained", own)
            assert {name.partition("/")[0] for name in run.trained_on or ()} == {f"{benchmark}-paper-v1"}
            assert (benchmark == own) == (file.stem != "cross-benchmark")
            assert run.reflector.model.model == f"trained/{benchmark}-k{k}/checkpoint-256"
    families = {(cell.plan.suite.name, cell.plan.families) for cell in plan.cells}
    if file.stem == "cross-benchmark":
        assert sorted(len(names) for _, names in families) == [6, 8]
    else:
        held_out = {"alfworld": ("cool", "pick-two"), "minihack": ("room-dark", "read", "puton", "zap")}[file.stem]
        assert families == {(f"{file.stem}-paper-v1", held_out)}


def test_the_dry_run_of_minihack_checks_every_task(call: CommandLine) -> None:
    code, out, err = call("campaign", str(FOLDER / "minihack.yaml"), "--dry-run", "--json")
    assert (code, err) == (0, "")
    cells = {cell["name"]: cell["planned"]["counts"] for cell in json.loads(out)["cells"]}
    # 4 families x 10 loops: 30 experience, 11 x 100 selection and 3 x 100 test episodes at most.
    assert {name: cell["episodes"] for name, cell in cells.items() if name.startswith("k3")} == dict.fromkeys(
        ("k3--initial", "k3--untrained", "k3--trained-k3"), 4 * 10 * (30 + 1100 + 300)
    )


@pytest.mark.skipif(not TRAIN_GAMES.is_dir(), reason="the official ALFWorld games of train are missing: ALFWORLD_DATA")
@pytest.mark.parametrize(("name", "cells"), [("alfworld", 6), ("cross-benchmark", 12)])
def test_the_dry_run_of_alfworld_checks_every_game(call: CommandLine, name: str, cells: int) -> None:
    code, out, err = call("campaign", str(FOLDER / f"{name}.yaml"), "--dry-run", "--json")
    assert (code, err) == (0, "")
    counts = {cell["name"]: cell["planned"]["counts"]["episodes"] for cell in json.loads(out)["cells"]}
    assert len(counts) == cells
    if name == "alfworld":
        # cool has 25 and 21 games of valid_seen and valid_unseen, pick-two 24 and 17.
        assert counts["k3--untrained"] == 10 * (2 * 30 + 11 * (25 + 24) + 3 * (21 + 17))
        assert counts["k5--trained-k5"] == 10 * (2 * 50 + 11 * (25 + 24) + 3 * (21 + 17))


def tiny(file: Path, server: ScriptedServer, family: str) -> dict[str, Any]:
    """Return the content of a file with tiny sizes, one family, and a scripted model in place of each model."""
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    options = content["options"]
    del options["actor_model_options"]
    options |= {**TINY, "families": family, "actor": "openai/tiny", "actor_base_url": server.url}
    for value in content["matrix"]["prompt"]:
        if value["reflector"] != "none":
            del value["reflector_model_options"]
            value["reflector"] = f"openai/{value['name']}"
            value["reflector_base_url"] = server.url
    return content  # type: ignore[no-any-return]


def test_a_finished_campaign_gives_the_papers_table(call: CommandLine, tmp_path: Path) -> None:
    def decide(prompt: str, observation: str, actions: list[str]) -> str:
        return actions[zlib.crc32(f"{prompt}{observation}".encode()) % len(actions)]

    act = react_policy(decide)

    def model(body: dict[str, Any]) -> Any:
        last = body["messages"][-1]["content"]
        if "IMPROVED PROMPT:" not in last:
            return act(body)
        return f"ANALYSIS:\nSeen by {body['model']}.\nIMPROVED PROMPT:\nTry number {zlib.crc32(last.encode())}."

    with ScriptedServer(model) as server:
        file = tmp_path / "tiny.yaml"
        file.write_text(yaml.safe_dump(tiny(FOLDER / "minihack.yaml", server, "zap")), encoding="utf-8")
        assert call("campaign", str(file), "--out", "done", "--quiet").code == 0
    code, out, err = call("paper-table", "done", "--format", "json")
    assert (code, err) == (0, "")
    table = json.loads(out)
    rows = [(row["batch_size"], row["arm"], row["reflector"], row["paper"], row["loops"]) for row in table["rows"]]
    assert rows == [
        (3, "initial", "", None, 3),
        (3, "untrained", "openai/untrained", 18.8, 3),
        (3, "trained", "openai/trained-k3", 14.1, 3),
        (5, "initial", "", None, 3),
        (5, "untrained", "openai/untrained", None, 3),
        (5, "trained", "openai/trained-k5", None, 3),
    ]
    for row in table["rows"]:
        result = json.loads(Path(row["run"], "result.json").read_bytes())
        (family,) = result["families"]
        which = "base" if row["arm"] == "initial" else "best"
        assert row["test"] == pytest.approx(100 * family["measures"][which]["value"])
        # All loops select on the same three tasks, so the paper's validation is a mean over loops of their success.
        tasks = {tuple(loop["selection_tasks"]) for loop in family["loops"]}
        assert tasks == {("zap-10000", "zap-10001", "zap-10002")}
        chosen = [loop["selection"][0 if which == "base" else loop["best"]] for loop in family["loops"]]
        assert row["validation"] == pytest.approx(100 * sum(text.count("1") for text in chosen) / 9)
    text = call("paper-table", "done").out
    assert "NOT the paper's setup, so not a replication of its figures:" in text
    assert "actor openai/tiny instead of Qwen2.5-7B-Instruct" in text
    assert "turns 2 instead of 10" in text
    assert call("paper-table", "done", "--format", "md").out.count("\n| minihack-paper-v1 |") == 6
    assert len(call("paper-table", "done", "--format", "csv").out.splitlines()) == 7


def test_a_campaign_without_results_is_refused_and_missing_cells_are_named(call: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "new" / "cells" / "a").mkdir(parents=True)
    (tmp_path / "new" / "campaign.json").touch()
    code, _, err = call("paper-table", "new")
    assert (code, err.startswith("ictbench: no cell of campaign new has a result yet")) == (2, True)


def test_what_is_neither_a_campaign_nor_a_run_is_refused_and_both_are_named(call: CommandLine, tmp_path: Path) -> None:
    code, _, err = call("paper-table", "nope")
    assert (code, err) == (
        2,
        "ictbench: there is no nope; name the folder of a campaign or of a run, or the file of a result\n",
    )
    (tmp_path / "empty").mkdir()
    code, _, err = call("paper-table", str(tmp_path / "empty"))
    assert code == 2
    assert "is neither the folder of a campaign nor that of a run; name one of them" in err
