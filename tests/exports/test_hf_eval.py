"""Entries of `.eval_results/`, read back with the parser of huggingface_hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from command_line import Completed
from huggingface_hub import parse_eval_result_entries
from synthetic import result

from ictbench.cli.app import main
from ictbench.errors import ConfigError
from ictbench.exports import export_hf_eval
from ictbench.runs import Run

if TYPE_CHECKING:
    from huggingface_hub import EvalResultEntry

FAMILIES = {"read": [("0000", "1111"), ("0001", "1110"), ("0000", "1100")], "eat": [("0000", "1000")] * 3}
ROLES: Any = {"read": "held-out", "eat": "meta-train"}
URL = "https://example.org/report"


def exported(out: Path, source_url: str | None = URL, **changes: Any) -> dict[str, EvalResultEntry]:
    run = Run(out, result(FAMILIES, roles=ROLES, **changes))
    file = export_hf_eval(run, out / "eval", dataset="me/ict", source_url=source_url)
    assert file.parent == out / "eval" / ".eval_results"
    entries = parse_eval_result_entries(yaml.safe_load(file.read_text("utf-8")))
    return {entry.task_id: entry for entry in entries}


def test_entries_hold_the_mean_over_held_out_families_and_each_family(tmp_path: Path) -> None:
    entries = exported(tmp_path)
    assert {task: entry.value for task, entry in entries.items()} == {
        "held-out": pytest.approx(9 / 12),
        "read": pytest.approx(9 / 12),
        "eat": pytest.approx(3 / 12),
    }
    made = result(FAMILIES, roles=ROLES)
    for entry in entries.values():
        assert (entry.dataset_id, entry.source_url, entry.source_name) == ("me/ict", URL, f"ictbench {made.ictbench}")
        assert entry.date == made.host.started


def test_notes_say_how_to_read_the_number(tmp_path: Path) -> None:
    made = result(FAMILIES, roles=ROLES)
    best, gain = made.by_role["held-out"].best, made.by_role["held-out"].gain
    notes = str(exported(tmp_path)["held-out"].notes)
    assert f"best prompt, 95 % interval [{best.low:.3f}, {best.high:.3f}]; first prompt 0.083; gain +0.667" in notes
    assert f"[{gain.low:.3f}, {gain.high:.3f}]; actor " in notes
    assert "; not for ranking" in notes


def test_notes_name_the_division_of_other_learners_than_reflectors(tmp_path: Path) -> None:
    assert "division" not in str(exported(tmp_path / "reflector")["read"].notes)
    assert "; division memory; " in str(exported(tmp_path / "memory", division="memory")["read"].notes)


def test_notes_name_deviations(tmp_path: Path) -> None:
    assert "deviates from its profile: turns 2 instead of 5" in str(
        exported(tmp_path, deviations=("turns 2 instead of 5",))["read"].notes
    )


@pytest.mark.parametrize(
    ("dataset", "url", "changes", "message"),
    [
        ("ict", URL, {}, "--dataset 'ict' is not a valid OWNER/NAME"),
        ("me/../ict", URL, {}, "is not a valid OWNER/NAME"),
        ("me/ict", "http://example.org", {}, "--source-url 'http://example.org' is not an https:// address"),
        ("me/ict", URL, {"complete": False, "owed": 3}, "the run is incomplete: 3 owed; continue it"),
    ],
)
def test_what_would_mislead_is_refused(
    dataset: str, url: str, changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    run = Run(tmp_path, result(FAMILIES, roles=ROLES, **changes))
    with pytest.raises(ConfigError) as caught:
        export_hf_eval(run, tmp_path / "eval", dataset=dataset, source_url=url)
    assert message in str(caught.value)
    assert not (tmp_path / "eval").exists()


def test_an_existing_folder_is_kept(tmp_path: Path) -> None:
    exported(tmp_path)
    with pytest.raises(ConfigError, match="eval exists; name another folder with --out"):
        exported(tmp_path)


def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> Completed:
    monkeypatch.setattr("sys.argv", ["ictbench", "export", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    return Completed(int(caught.value.code or 0), *capsys.readouterr())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--format", "hf-eval"), "--format hf-eval needs --dataset OWNER/NAME"),
        (("--format", "hf-eval", "--dataset", "me/ict", "--public"), "upload the entries with `hf upload"),
        (("--dataset", "me/ict"), "--dataset and --source-url are for --format hf-eval"),
    ],
)
def test_contradictory_options_are_one_line(
    options: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = Run(tmp_path, result(FAMILIES, roles=ROLES))
    monkeypatch.setattr("ictbench.load_run", lambda folder: made)
    code, out, err = call(monkeypatch, capsys, str(tmp_path), *options)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_the_command_prints_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Run(tmp_path, result(FAMILIES, roles=ROLES))
    monkeypatch.setattr("ictbench.load_run", lambda folder: made)
    code, out, err = call(monkeypatch, capsys, str(tmp_path), "--format", "hf-eval", "--dataset", "me/ict")
    assert (code, err) == (0, "")
    (entry, *_) = parse_eval_result_entries(yaml.safe_load(Path(out.removeprefix("File: ").strip()).read_text("utf-8")))
    assert (entry.task_id, entry.source_url) == ("held-out", None)
