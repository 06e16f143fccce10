"""Leads over the seeds of an experiment, and the matrix across worlds."""

from __future__ import annotations

import csv
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import ictbench

if TYPE_CHECKING:
    from types import ModuleType

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("seeds_table")


@pytest.fixture
def matrix(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("worlds_matrix")


def test_one_or_two_seeds_show_nothing(table: ModuleType) -> None:
    for leads in ([0.2], [0.2, 0.3]):
        with pytest.raises(ValueError, match="at least 3 are needed"):
            table.Lead.over(leads)


def test_a_lead_has_the_interval_of_students_t(table: ModuleType) -> None:
    # t = 0.2 / (0.1 / sqrt(3)) = 3.46 with 2 degrees of freedom; its 97.5 % quantile is 4.303.
    lead = table.Lead.over([0.1, 0.2, 0.3])
    assert lead[:4] == pytest.approx((0.2, 0.2 - 0.24842, 0.2 + 0.24842, 0.07418), abs=1e-4)
    assert not lead.shown


@pytest.mark.parametrize(
    ("leads", "shown"),
    [((0.2, 0.2, 0.2), True), ((0.0, 0.0, 0.0), False), ((-0.2, -0.2, -0.2), False), ((0.2, 0.21, 0.2), True)],
)
def test_equal_leads_have_no_width_and_only_a_positive_one_is_shown(
    table: ModuleType, leads: tuple[float, ...], *, shown: bool
) -> None:
    assert table.Lead.over(leads).shown == shown


@pytest.mark.parametrize(
    ("prompt", "family", "named"),
    [
        ('After you have seen "You see here", choose "zap".', "zap", True),
        ('After you have seen "You see here", choose "zap".', "read", False),
        ('Do "cool" before "move".', "cool", True),
        ('Do "use" before "move".', "look", True),
        ('Do "cool" before "move".', "pick-two", None),
        ('Do "clean or heat or cool or use" before "move".', "cool", False),
        ('If the line names "cool", do "cool <named> with <other>" before "move <named>".', "cool", True),
        ('Walk onto ">".', "room-dark", None),
        ('Do "fly" before "move".', "fly", None),
    ],
)
def test_what_names_the_solving_action(table: ModuleType, prompt: str, family: str, *, named: bool | None) -> None:
    assert table.names_solution(prompt, family) is named


def test_the_matrix_names_the_arms_that_are_not_led(matrix: ModuleType, table: ModuleType) -> None:
    level = dict.fromkeys(("base", *table.MEASURES), 0.5)
    arms = {(name, seed, "zap"): dict(level) for name in ("none", *table.REQUIRED) for seed in (0, 1, 2)}
    arms |= {("trained", seed, "zap"): dict.fromkeys(level, 0.9) for seed in (0, 1, 2)}
    for seed in (0, 1, 2):
        arms["random action", seed, "zap"]["best"] = 0.9
    ((family, first, untrained, trained, missed),) = matrix.cell_rows(arms, (0, 1, 2))
    assert (family, first, untrained, trained) == ("zap", "0.50, 0.50, 0.50", "0.50, 0.50, 0.50", "0.90, 0.90, 0.90")
    assert missed == "random action (best)"


def write_arms(file: Path, table: ModuleType, trained: float, seeds: str = "012") -> None:
    """Write an `arms.csv` in which every other arm has 0.5."""
    file.parent.mkdir(parents=True)
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["arm", "seed", "family", "base", *table.MEASURES])
        for arm, success in {**dict.fromkeys(("none", *table.REQUIRED), 0.5), "trained": trained}.items():
            writer.writerows([arm, seed, "zap", 0.5, *[success] * 3] for seed in seeds)


def test_the_matrix_reads_both_worlds_and_both_crossings(
    matrix: ModuleType,
    table: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for number, folder in enumerate(("cave", "cave/from-house", "house", "house/from-cave")):
        write_arms(tmp_path / folder / "arms.csv", table, 0.5 + number / 10)
    monkeypatch.chdir(tmp_path / "cave")
    monkeypatch.setattr("sys.argv", ["worlds_matrix.py", ".", "../house"])
    matrix.main()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in capsys.readouterr().out.splitlines()[2:]]
    assert [(*row[:2], row[5], row[6]) for row in rows] == [
        ("cave", "cave", "0.50, 0.50, 0.50", "all"),
        ("house", "cave", "0.60, 0.60, 0.60", "none"),
        ("cave", "house", "0.80, 0.80, 0.80", "none"),
        ("house", "house", "0.70, 0.70, 0.70", "none"),
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seeds", "0"], "--seeds: 1 given, leads over seeds need at least 3"),
        (["--seeds", "0,x"], "'0,x': expected numbers separated by commas"),
        (["--seeds", "0,1,7"], "arms.csv has no row of"),
        ([], "arms.csv: No such file or directory (train_demo.py writes it)"),
    ],
)
def test_the_matrix_says_what_is_missing(
    matrix: ModuleType,
    table: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    write_arms(tmp_path / "cave" / "arms.csv", table, 0.9)
    monkeypatch.setattr("sys.argv", ["worlds_matrix.py", str(tmp_path / "cave"), str(tmp_path / "house"), *options])
    with pytest.raises(SystemExit):
        matrix.main()
    assert message in capsys.readouterr().err


def test_a_family_passes_where_every_required_lead_is_shown(table: ModuleType, tmp_path: Path) -> None:
    options: dict[str, Any] = {"families": "eat", "actor": "rules", "executor": "inline"}
    options |= {"turns": 1, "batch_size": 1, "loops": 1, "selection_size": 1, "test_size": 2}
    (tmp_path / "idle.txt").write_text('When you see "Dlvl", choose "search".', encoding="utf-8")
    solving = BENCHMARKS.parent / "examples" / "prompts" / "minihack.txt"
    runs = {
        file.stem: ictbench.run(reflector=f"file:{file}", out=tmp_path / file.stem, **options)
        for file in (solving, tmp_path / "idle.txt")
    }
    arms = [
        table.ArmRun(name, seed, runs["minihack" if name == "trained" else "idle"])
        for name in ("trained", *table.REQUIRED)
        for seed in range(3)
    ]
    assert "Every required lead is shown in 1 of 1 families: eat.\n" in table.families_text(arms)
    without = [arm for arm in arms if arm.name != "copy-last"]
    assert "shown in 0 of 1 families.\nMissing arms: copy-last." in table.families_text(without)
    led = [table.ArmRun(arm.name, arm.seed, runs["minihack"]) if arm.name == "copy" else arm for arm in arms]
    assert "- eat: not shown over copy (turns), copy (last), copy (best)\n" in table.families_text(led)
    assert "Every required lead" not in table.families_text([arm for arm in arms if arm.seed < 2])
    file = tmp_path / "by-turn.csv"
    table.write_turns(file, arms)
    with file.open(encoding="utf-8") as stream:
        rows = {(row["arm"], row["turn"]): row for row in csv.DictReader(stream)}
    assert (rows["trained", "1"]["success"], rows["trained", "1"]["named"]) == ("1.0000", "1.0000")
    assert (rows["copy", "1"]["success"], rows["copy", "1"]["named"]) == ("0.0000", "0.0000")


def test_the_picture_has_a_panel_for_each_family(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    curves = importlib.import_module("turn_curves")
    rows = ["arm,seed,family,turn,success,named"]
    rows += [
        f"{arm},0,{name},{turn},0.5," for arm in ("trained", "rules") for name in ("zap", "read") for turn in (0, 1)
    ]
    (tmp_path / "turns.csv").write_text("\n".join(rows), encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["turn_curves.py", str(tmp_path / "turns.csv"), str(tmp_path / "turns.svg")])
    curves.main()
    picture = (tmp_path / "turns.svg").read_text("utf-8")
    assert picture.count('id="axes_') == 2
    assert "<!-- zap -->" in picture
    monkeypatch.setattr("sys.argv", ["turn_curves.py", str(tmp_path / "none.csv"), str(tmp_path / "turns.svg")])
    with pytest.raises(SystemExit):
        curves.main()
    assert "none.csv is not a file (train_demo.py writes it)" in capsys.readouterr().err
