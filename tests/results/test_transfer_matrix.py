"""Transfer matrices of real runs of the scripted pair with made-up statements of training."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import yaml

import ictbench
from ictbench.cli.app import main
from ictbench.errors import ConfigError
from ictbench.results import Result
from ictbench.results.transfer_matrix import LEGEND, Cell, legend, matrix, transfer

if TYPE_CHECKING:
    from collections.abc import Callable

    from ictbench.suites.trained_on import TrainedOn

WORLDS = Path(__file__).parents[2] / "examples" / "campaigns" / "worlds.yaml"
META = ("minihack-v1/eat", "minihack-v1/room-random", "minihack-v1/wear", "minihack-v1/wield")
SIZES: dict[str, Any] = {"turns": 2, "batch_size": 2, "loops": 3, "selection_size": 3, "test_size": 4}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ictbench.Run:
    out = tmp_path_factory.mktemp("transfer") / "run"
    return ictbench.run(suite="minihack-v1", families="eat,room-random,read", out=out, **SIZES)


def trained(result: Result, trained_on: TrainedOn | None, **changes: Any) -> Result:
    return result.model_copy(update={"reflector_trained_on": trained_on, **changes})


def with_gains(result: Result, family: str, outcomes: list[tuple[str, str]]) -> Result:
    """Return the result with other outcomes of the first and the best prompt in one family."""
    content = json.loads(result.to_json())
    (changed,) = (one for one in content["families"] if one["name"] == family)
    gains = []
    for loop, (base, best) in zip(changed["loops"], outcomes, strict=True):
        loop.update(best=1, test={"0": base, "1": best, "2": best})
        gains.append((best.count("1") - base.count("1")) / len(base))
    value = sum(gains) / len(gains)
    for name in ("gain", "last_gain"):
        changed["measures"][name] = {"value": value, "low": value - 0.1, "high": value + 0.1}
    return Result.model_validate(content)


def pick(cells: tuple[Cell, ...], run: str, family: str | None, role: str = "held-out") -> Cell:
    (cell,) = (cell for cell in cells if (cell.run, cell.family, cell.role) == (run, family, role))
    return cell


def test_cells_hold_the_measures_of_the_result(run: ictbench.Run) -> None:
    cells = transfer({"a": run.result})
    assert [(cell.role, cell.family) for cell in cells] == [
        ("meta-train", "room-random"),
        ("meta-train", "eat"),
        ("meta-train", None),
        ("held-out", "read"),
        ("held-out", None),
    ]
    for cell in cells:
        measures = next((f.measures for f in run.result.families if f.name == cell.family), None)
        measures = measures or run.result.by_role[cell.role]
        for name in ("base", "best", "last", "gain", "last_gain"):
            assert getattr(cell, name) == getattr(measures, name).value
        assert (cell.gain_low, cell.gain_high) == (measures.gain.low, measures.gain.high)
        assert (cell.reflector, cell.trained_on, cell.suite, cell.loops) == ("rules", "nothing", "minihack-v1", 3)
        assert cell.seen is False
        assert cell.ranked
    loops = run.tables()["loops"]
    for family in ("eat", "read"):
        role = "meta-train" if family == "eat" else "held-out"
        below = (loops[loops["family"] == family]["gain"] < 0).mean()
        assert pick(cells, "a", family, role).negative_transfer == below


def test_rows_are_families_and_columns_are_trainings(run: ictbench.Run) -> None:
    runs = {"a": trained(run.result, ()), "b": trained(run.result, META), "c": trained(run.result, None)}
    head, rows = matrix(transfer(runs))
    assert head == ["suite", "family", "role", "nothing", "minihack-v1/meta-train", "unknown"]
    assert [row[1:3] for row in rows] == [
        ["room-random", "meta-train"],
        ["eat", "meta-train"],
        ["mean", "meta-train"],
        ["read", "held-out"],
        ["mean", "held-out"],
    ]
    eat = rows[1]
    # The second reflector was trained on it; of the third this is unknown.
    assert eat[4] == f"{eat[3]} †"
    assert eat[5] == eat[3]
    assert rows[3][4] == rows[3][3]


def test_a_held_out_family_used_for_training_is_marked_and_unranked(run: ictbench.Run) -> None:
    cells = transfer({"a": trained(run.result, ("minihack-v1/read",))})
    for family in ("read", None):
        cell = pick(cells, "a", family)
        assert (cell.seen, cell.ranked) == (True, False)
        assert cell.marks("gain").endswith("‡")
    assert pick(cells, "a", "eat", "meta-train").ranked
    assert legend(cells) == {"‡": LEGEND["‡"]}


def test_negative_transfer_is_marked(run: ictbench.Run) -> None:
    slight = with_gains(run.result, "read", [("1100", "0000"), ("0001", "1001"), ("0001", "0001")])
    cell = pick(transfer({"a": slight}), "a", "read")
    assert cell.gain == pytest.approx(-1 / 12)
    assert cell.negative_transfer == pytest.approx(1 / 3)
    assert cell.marks("gain") == "▼"
    assert legend([cell]) == {"▼": LEGEND["▼"]}
    sure = with_gains(run.result, "read", [("1111", "0001")] * 3)
    cell = pick(transfer({"a": sure}), "a", "read")
    assert (cell.marks("gain"), cell.negative_transfer, cell.negative_last_transfer) == ("▼▼", 1, 1)
    assert set(legend([cell])) == {"▼▼"}
    both = transfer({"a": trained(slight, ("minihack-v1/read",)), "b": sure})
    _, rows = matrix(both)
    assert [row[3:] for row in rows if row[1] == "read"] == [["-0.08 [-0.18, +0.02] ▼‡", "-0.75 [-0.85, -0.65] ▼▼"]]
    assert set(legend(both)) == {"▼", "▼▼", "‡"}


def test_every_suite_has_its_own_rows(run: ictbench.Run) -> None:
    other = json.loads(run.result.to_json())
    other["suite"] = {"name": "mine-v1", "digest": "0" * 64}
    runs = {"a": run.result, "b": trained(Result.model_validate(other), META)}
    head, rows = matrix(transfer(runs))
    assert head[3:] == ["nothing", "minihack-v1/meta-train"]
    assert [row[0] for row in rows] == ["minihack-v1"] * 5 + ["mine-v1"] * 5
    assert all(row[4] == "" for row in rows[:5])
    assert all(row[3] == "" for row in rows[5:])


def test_several_reflectors_are_named_in_the_head(run: ictbench.Run) -> None:
    named = run.result.reflector.model_copy(update={"label": "mine:Arm"})
    head, _ = matrix(transfer({"a": run.result, "b": trained(run.result, (), reflector=named)}))
    assert head[3:] == ["nothing (rules)", "nothing (mine:Arm)"]


def test_fewer_than_three_loops_have_no_interval(run: ictbench.Run) -> None:
    content = json.loads(run.result.to_json())
    for measures in (*(family["measures"] for family in content["families"]), *content["by_role"].values()):
        measures["gain"].update(low=None, high=None)
    _, rows = matrix(transfer({"a": Result.model_validate(content)}))
    assert all("[" not in cell for row in rows for cell in row[3:])


def test_a_family_without_finished_loops_has_no_cell(run: ictbench.Run) -> None:
    content = json.loads(run.result.to_json())
    content.update(complete=False, owed=1)
    content["families"][2].update(loops=[], measures=None, behaviour=None)
    del content["by_role"]["held-out"]
    assert {cell.role for cell in transfer({"a": Result.model_validate(content)})} == {"meta-train"}


def test_incomparable_runs_are_refused(run: ictbench.Run) -> None:
    result = run.result
    with pytest.raises(ConfigError, match="a and b are both of rules, trained on nothing, on minihack-v1; omit one"):
        transfer({"a": result, "b": result})
    with pytest.raises(ConfigError, match="needs runs of one reflector"):
        transfer({})
    sizes = result.sizes.model_copy(update={"turns": 7})
    actor = result.actor.model_copy(update={"label": "other"})
    for changes, message in (
        ({"sizes": sizes}, "turns is 2 in the first and 7 in the second"),
        ({"actor": actor}, "actor is rules in the first and other in the second"),
    ):
        with pytest.raises(ConfigError, match=f"a and b are not comparable: {message}"):
            transfer({"a": result, "b": trained(result, META, **changes)})


@pytest.fixture
def folders(run: ictbench.Run, tmp_path: Path) -> tuple[str, str]:
    """Return the result as a file and in a folder, with different statements of training."""
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta" / "result.json").write_text(trained(run.result, META).to_json(), encoding="utf-8")
    path = tmp_path / "plain.json"
    path.write_text(run.result.to_json(), encoding="utf-8")
    return str(path), str(tmp_path / "meta")


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    monkeypatch.setenv("COLUMNS", "160")

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["ictbench", "transfer", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        return (int(caught.value.code or 0), *capsys.readouterr())

    return call


def test_the_command_prints_the_matrix_in_every_format(
    call: Callable[..., tuple[int, str, str]], folders: tuple[str, str], run: ictbench.Run
) -> None:
    gain = run.result.by_role["meta-train"].gain
    text = f"{gain.value:+.2f} [{gain.low:+.2f}, {gain.high:+.2f}]"
    for form in ("table", "md"):
        code, out, err = call(*folders, "--format", form)
        assert (code, err) == (0, "")
        (row,) = [line for line in out.splitlines() if "mean" in line and "meta-train" in line and "[" in line]
        assert row.count(text) == 2
        assert row.rstrip(" |").endswith("†")
        assert "† the reflector was trained on this family" in out
        assert "minihack-v1/meta-train" in out
    code, out, err = call(*folders, "--format", "csv")
    cells = transfer({folders[0]: run.result, folders[1]: trained(run.result, META)})
    frame = pd.read_csv(StringIO(out))
    assert list(frame["gain"]) == pytest.approx([cell.gain for cell in cells])
    assert list(frame.columns) == [*Cell.model_fields, "ranked"]
    code, out, err = call(*folders, "--format", "json")
    assert json.loads(out) == [{**cell.model_dump(mode="json"), "ranked": cell.ranked} for cell in cells]


def test_training_can_be_stated_for_the_matrix(
    call: Callable[..., tuple[int, str, str]], folders: tuple[str, str]
) -> None:
    code, out, _ = call(folders[0], "--trained-on", f"{folders[0]}=read,other:x", "--format", "json")
    assert code == 0
    assert {cell["trained_on"] for cell in json.loads(out)} == {"minihack-v1/read, other:x"}
    assert [cell["ranked"] for cell in json.loads(out)] == [True, True, True, False, False]


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("read", "--trained-on 'read' is not of the form RUN=NAMES, e.g. "),
        ("elsewhere=read", "'elsewhere' is not one of the runs"),
        ("RUN=raed", "has no family 'raed'; did you mean 'read'?"),
    ],
)
def test_a_wrong_statement_of_training_is_refused(
    call: Callable[..., tuple[int, str, str]], folders: tuple[str, str], pair: str, said: str
) -> None:
    code, out, err = call(folders[0], "--trained-on", pair.replace("RUN", folders[0]))
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert said in err


def test_training_can_be_stated_when_a_run_is_continued(tmp_path: Path) -> None:
    sizes: dict[str, Any] = {"turns": 1, "batch_size": 1, "loops": 1, "selection_size": 1, "test_size": 1}
    plain = ictbench.run(families="eat", out=tmp_path / "run", **sizes)
    assert plain.result.reflector_trained_on == ()
    files = {path.name: path.read_bytes() for path in (tmp_path / "run").glob("*.json*")}
    stated = ictbench.run(families="eat", out=tmp_path / "run", reflector_trained_on="zap,other:x", **sizes)
    assert stated.result.reflector_trained_on == ("minihack-v1/zap", "other:x")
    assert stated.result.deviations == (*plain.result.deviations, "reflector trained on held-out zap")
    assert stated.result.families == plain.result.families
    assert (tmp_path / "run" / "run.json").read_bytes() == files["run.json"]


def test_a_campaign_over_worlds_is_one_matrix(call: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    content = yaml.safe_load(WORLDS.read_text(encoding="utf-8"))
    assert content["matrix"]["suite"] == ["minihack-v1", "alfworld-procgen-v1", "babyai-v1", "textworld-v1"]
    content["options"] |= {"loops": 1, "turns": 1, "batch_size": 1, "selection_size": 1, "test_size": 2}
    content["options"] |= {"max_steps": 5, "executor": "inline"}
    content["matrix"] = {
        "suite": [
            {"name": "minihack", "suite": "minihack-v1", "families": ["read"]},
            {"name": "babyai", "suite": "babyai-v1", "families": ["maze", "corridor"]},
        ],
        "reflector": content["matrix"]["reflector"],
    }
    del content["options"]["families"]
    finished = ictbench.campaign(content, out=tmp_path / "worlds")
    code, out, err = call(str(finished.folder), "--format", "json")
    assert (code, err) == (0, "")
    cells = {(cell["suite"], cell["family"], cell["reflector"]) for cell in json.loads(out)}
    families = {"minihack-v1": ("read", None), "babyai-v1": ("maze", "corridor", None)}
    places = {(suite, family) for suite, names in families.items() for family in names}
    assert cells == {(*place, reflector) for place in places for reflector in ("rules", "copy")}
    code, out, _ = call(str(finished.folder), "--format", "md")
    assert code == 0
    assert "nothing (copy) | nothing (rules)" in out


def test_a_campaign_without_results_is_an_error(call: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    (tmp_path / "campaign.json").write_text("{}")
    code, _, err = call(str(tmp_path))
    assert code == 2
    assert f"no cell of campaign {tmp_path} has a result yet; run the campaign to its end" in " ".join(err.split())
