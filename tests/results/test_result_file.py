from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ictbench
from ictbench.errors import ResultError
from ictbench.results.result_file import read_result
from ictbench.results.schema import checksum_of

if TYPE_CHECKING:
    from pathlib import Path

Edit = Callable[[dict[str, Any]], Any]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ictbench.Run:
    sizes: dict[str, Any] = {"turns": 2, "batch_size": 1, "loops": 2, "selection_size": 2, "test_size": 2}
    out = tmp_path_factory.mktemp("file") / "run"
    return ictbench.run(suite="minihack-v1", families="eat,read", audit=True, out=out, **sizes)


def write(folder: Path, run: ictbench.Run, edit: Edit, *, sealed: bool = False) -> Path:
    """The result, edited, with its old checksum or with one that fits."""
    content = json.loads(run.result.to_json())
    edit(content)
    if sealed:
        content["checksum"] = checksum_of(content)
    path = folder / "result.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ResultError) as caught:
        read_result(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_checksum_covers_all_but_the_host_and_itself(run: ictbench.Run, tmp_path: Path) -> None:
    content = json.loads((run.folder / "result.json").read_bytes())
    stated = content.pop("checksum")
    content["host"] = None
    del content["host"]
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert stated == run.result.checksum == hashlib.sha256(canonical.encode()).hexdigest()
    moved = read_result(write(tmp_path, run, lambda content: content["host"].update(folder="elsewhere")))
    assert moved.checksum == stated
    assert moved.host.folder == "elsewhere"


def test_the_layout_of_the_file_does_not_matter(run: ictbench.Run, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    for indent in (None, 4):
        path.write_text(json.dumps(json.loads(run.result.to_json()), indent=indent, sort_keys=True), encoding="utf-8")
        assert read_result(path) == run.result


@pytest.mark.parametrize(
    "edit",
    [
        lambda content: content["by_role"]["held-out"]["gain"].update(value=0.9),
        lambda content: content["families"][0]["loops"][0]["prompts"][1].update(text="another"),
        lambda content: content["suite"].update(digest="0" * 64),
        lambda content: content.update(checksum="0" * 64),
        lambda content: content.update(episodes_sha256="0" * 64),
    ],
)
def test_an_edited_file_is_refused(run: ictbench.Run, tmp_path: Path, edit: Edit) -> None:
    said = refusal(write(tmp_path, run, edit))
    assert "result.json was edited: its checksum is not that of its content; continue its run" in said


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda content: content.pop("schema"), "it names none"),
        (lambda content: content.update(schema="ictbench.run/1"), "its schema is 'ictbench.run/1'"),
        (lambda content: content.update(schema="ictbench.result/0"), "its schema is 'ictbench.result/0'"),
        (lambda content: content.update(schema=["x"]), "its schema is ['x']"),
        (lambda content: content.pop("checksum"), "checksum: Field required"),
        (lambda content: content["families"][0]["measures"].pop("gain"), "families.0.measures.gain: Field required"),
        (lambda content: content["actor"].update(verified=True), "actor.verified: Extra inputs are not permitted"),
    ],
)
def test_a_file_of_another_shape_is_refused(run: ictbench.Run, tmp_path: Path, edit: Edit, said: str) -> None:
    assert f"is no result of schema ictbench.result/1: {said}" in refusal(write(tmp_path, run, edit))


@pytest.mark.parametrize("schema", ["ictbench.result/2", "ictbench.result/10"])
def test_a_file_of_a_newer_schema_says_what_to_do(tmp_path: Path, schema: str) -> None:
    # What a newer schema holds is not even looked at.
    path = tmp_path / "result.json"
    path.write_text(json.dumps({"schema": schema, "new": 1}), encoding="utf-8")
    assert refusal(path) == (
        f"{path} is of schema {schema}: written by a newer ictbench than {ictbench.__version__}; update ictbench"
    )


def test_a_field_that_another_version_wrote_is_named_with_that_version(run: ictbench.Run, tmp_path: Path) -> None:
    edit: Edit = lambda content: content.update(ictbench="9.0.0", news=1)  # noqa: E731
    said = refusal(write(tmp_path, run, edit, sealed=True))
    assert said.endswith(
        f"news: Extra inputs are not permitted; ictbench 9.0.0 wrote it, and this is {ictbench.__version__}"
    )


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_number_is_refused_and_its_place_named(run: ictbench.Run, tmp_path: Path, number: str) -> None:
    path = tmp_path / "result.json"
    content = json.loads(run.result.to_json())
    content["families"][1]["measures"]["curve"][2] = "HERE"
    path.write_text(json.dumps(content).replace('"HERE"', number), encoding="utf-8")
    assert f"families.1.measures.curve.2 is {float(number)}, which  is not a number" in refusal(path)


@pytest.mark.parametrize("content", [b"", b"not JSON", b"[]", b"\xff\xfe", b"3", b'"a"', b"null"])
def test_a_file_that_is_no_result_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "result.json"
    path.write_bytes(content)
    assert "is no result of schema ictbench.result/1" in refusal(path)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_cut_short_anywhere_is_refused(run: ictbench.Run, tmp_path: Path, share: float) -> None:
    whole = run.result.to_json().rstrip().encode()
    path = tmp_path / "result.json"
    path.write_bytes(whole[: int(share * len(whole))])
    assert "is truncated: line " in refusal(path) or "is not UTF-8" in refusal(path)


def test_a_result_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match=r"nothing.json cannot be read: No such file"):
        read_result(tmp_path / "nothing.json")


def loop(content: dict[str, Any], index: int = 1) -> Any:
    return content["families"][1]["loops"][index]


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda c: c["families"].append(c["families"][0]), "families: 'eat' is there twice"),
        (lambda c: c["families"][1]["loops"].pop(), "family read: complete, but loop 1 is missing"),
        (lambda c: c["families"][1].update(loops=[]), "family read: complete, but loop 0 is missing"),
        (lambda c: loop(c).update(index=0), "family read: loop 0 is there twice"),
        (lambda c: loop(c).update(index=7), "family read: loop 7 is there, of 2 loops from 0"),
        (lambda c: c.update(loop_indices=[3, 9]), "family eat: loop 0 is there, of 2 loops 3, 9"),
        (lambda c: c.update(loop_indices=[1, 0]), "loop_indices: (1, 0), which are not 2 in ascending order from 0 or"),
        (lambda c: c.update(loop_indices=[-1, 0]), "loop_indices: (-1, 0), which are not 2 in ascending order"),
        (lambda c: c.update(loop_indices=[]), "loop_indices: (), which are not 2 in ascending order"),
        (lambda c: c["sizes"].update(loops=10**18), "family eat: complete, but loop 2 is missing"),
        (lambda c: c["sizes"].update(turns=10**18), "family eat: loop 0: 3 prompts of 1000000000000000000 turns"),
        (lambda c: c["families"][1].update(measures=None), "family read: 2 loops, but measures and behaviour"),
        (lambda c: c.update(owed=3), "complete, with 3 owed"),
        (lambda c: c["by_role"].pop("held-out"), "by_role: means of meta-train, families of held-out, meta-train"),
        (lambda c: loop(c)["prompts"].pop(), "family read: loop 1: 2 prompts of 2 turns"),
        (lambda c: loop(c)["selection"].pop(), "family read: loop 1: 2 selection of 2 turns"),
        (lambda c: loop(c)["batches"].pop(), "family read: loop 1: 1 batches of 2 turns"),
        (lambda c: loop(c)["audit"].pop(), "family read: loop 1: 0 audit of 2 turns"),
        (lambda c: c.update(audit=False), "family eat: loop 0: 1 audit of 2 turns"),
        (lambda c: loop(c)["audit"][0].update(replayed="01"), "audit of prompt[1]: 1 tasks and the outcomes '01'"),
        (lambda c: loop(c)["audit"][0].update(fresh="?"), "audit of prompt[0]: 1 tasks and the outcomes '?'"),
        (lambda c: loop(c)["test"].pop("0"), r"family read: loop 1: prompt[0] has no test"),
        (lambda c: loop(c)["test"].update({"5": "01"}), "family read: loop 1: a test of prompt[5], of 2 turns"),
        (lambda c: loop(c)["test"].update({"0": "011"}), "test of prompt[0]: 2 tasks and the outcomes '011'"),
        (lambda c: loop(c)["test"].update({"0": "0x"}), "test of prompt[0]: 2 tasks and the outcomes '0x'"),
        (lambda c: loop(c)["batches"][1].update(outcomes=""), "experience of prompt[1]: 1 tasks and the outcomes ''"),
        (
            lambda c: loop(c).update(best=0, selection=["00", "10", "11"]),
            "best is prompt[0], and selection says prompt[2]",
        ),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(run: ictbench.Run, tmp_path: Path, edit: Edit, said: str) -> None:
    """Even under a checksum that fits."""
    message = refusal(write(tmp_path, run, edit, sealed=True))
    assert "result.json contradicts itself: " in message
    assert said in message


def test_an_incomplete_run_may_lack_loops(run: ictbench.Run, tmp_path: Path) -> None:
    def stop(content: dict[str, Any]) -> None:
        content.update(complete=False, owed=1, by_role={"meta-train": content["by_role"]["meta-train"]})
        content["families"][1].update(loops=[], measures=None, behaviour=None)
        content["families"][0]["loops"].pop(0)

    result = read_result(write(tmp_path, run, stop, sealed=True))
    assert [len(family.loops) for family in result.families] == [1, 0]


def test_a_damaged_result_is_one_line_of_the_command(run: ictbench.Run, tmp_path: Path) -> None:
    for name in ("run.json", "result.json"):
        (tmp_path / name).write_bytes((run.folder / name).read_bytes())
    write(tmp_path, run, lambda content: content.update(owed=1))
    with pytest.raises(ResultError, match="contradicts itself: complete, with 1 owed"):
        _ = ictbench.load_run(tmp_path).result
