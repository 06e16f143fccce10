from __future__ import annotations

import hashlib
import json
import re
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


def write(folder: Path, run: ictbench.Run, edit: Edit, *, reseal: bool = False) -> Path:
    """Write an edited result, with its old checksum or with a matching one."""
    content = json.loads(run.result.to_json())
    edit(content)
    if reseal:
        content["checksum"] = checksum_of(content)
    path = folder / "result.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def read_error(path: Path) -> str:
    with pytest.raises(ResultError) as caught:
        read_result(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_checksum_covers_everything_except_host_and_checksum(run: ictbench.Run, tmp_path: Path) -> None:
    content = json.loads((run.folder / "result.json").read_bytes())
    stated = content.pop("checksum")
    content["host"] = None
    del content["host"]
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert stated == run.result.checksum == hashlib.sha256(canonical.encode()).hexdigest()
    moved = read_result(write(tmp_path, run, lambda content: content["host"].update(folder="elsewhere")))
    assert moved.checksum == stated
    assert moved.host.folder == "elsewhere"


def test_indentation_and_key_order_do_not_matter(run: ictbench.Run, tmp_path: Path) -> None:
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
    message = read_error(write(tmp_path, run, edit))
    assert "result.json was edited: its checksum does not match its content; continue its run" in message


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda content: content.pop("schema"), "no schema is given"),
        (lambda content: content.update(schema="ictbench.run/2"), "its schema is 'ictbench.run/2'"),
        (lambda content: content.update(schema=["x"]), "its schema is ['x']"),
        (lambda content: content.pop("checksum"), "checksum is missing"),
        (lambda content: content["families"][0]["measures"].pop("gain"), "families.0.measures.gain is missing"),
        (lambda content: content["actor"].update(verified=True), "actor.verified is not a known field"),
    ],
)
def test_a_file_with_another_schema_is_refused(run: ictbench.Run, tmp_path: Path, edit: Edit, message: str) -> None:
    assert f"is not a result of schema ictbench.result/2: {message}" in read_error(write(tmp_path, run, edit))


def test_a_file_of_an_older_schema_is_refused_with_a_remedy(run: ictbench.Run, tmp_path: Path) -> None:
    older = write(tmp_path, run, lambda content: content.update(schema="ictbench.result/1"))
    assert read_error(older).endswith(f"which ictbench {ictbench.__version__} does not read; run it again")


@pytest.mark.parametrize("schema", ["ictbench.result/3", "ictbench.result/10"])
def test_a_newer_schema_asks_for_an_update(tmp_path: Path, schema: str) -> None:
    # The content of a newer schema is not validated.
    path = tmp_path / "result.json"
    path.write_text(json.dumps({"schema": schema, "new": 1}), encoding="utf-8")
    assert read_error(path) == (
        f"{path} has schema {schema}, written by a newer ictbench than {ictbench.__version__}; update ictbench"
    )


def test_an_unknown_field_is_reported_with_the_version_that_wrote_it(run: ictbench.Run, tmp_path: Path) -> None:
    edit: Edit = lambda content: content.update(ictbench="9.0.0", news=1)  # noqa: E731
    message = read_error(write(tmp_path, run, edit, reseal=True))
    assert message.endswith(f"news is not a known field; ictbench 9.0.0 wrote it, and this is {ictbench.__version__}")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_non_finite_number_is_refused(run: ictbench.Run, tmp_path: Path, number: str) -> None:
    path = tmp_path / "result.json"
    content = json.loads(run.result.to_json())
    content["families"][1]["measures"]["curve"][2] = "HERE"
    path.write_text(json.dumps(content).replace('"HERE"', number), encoding="utf-8")
    assert re.search(r"(NaN|Infinity) is not a number|the number 1e999 is too large", read_error(path))


@pytest.mark.parametrize("content", [b"", b"not JSON", b"[]", b"\xff\xfe", b"3", b'"a"', b"null"])
def test_a_file_without_a_result_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "result.json"
    path.write_bytes(content)
    assert "is not a result of schema ictbench.result/2" in read_error(path)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_truncated_file_is_refused(run: ictbench.Run, tmp_path: Path, share: float) -> None:
    whole = run.result.to_json().rstrip().encode()
    path = tmp_path / "result.json"
    path.write_bytes(whole[: int(share * len(whole))])
    assert "is cut off: the file" in read_error(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match=r"nothing.json cannot be read: it is not there"):
        read_result(tmp_path / "nothing.json")


def loop(content: dict[str, Any], index: int = 1) -> Any:
    return content["families"][1]["loops"][index]


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda c: c["families"].append(c["families"][0]), "families: 'eat' occurs twice"),
        (lambda c: c["families"][1]["loops"].pop(), "family read: complete, but loop 1 is missing"),
        (lambda c: c["families"][1].update(loops=[]), "family read: complete, but loop 0 is missing"),
        (lambda c: loop(c).update(index=0), "family read: loop 0 occurs twice"),
        (lambda c: loop(c).update(index=7), "family read: loop 7 exists, but the run has 2 loops from 0"),
        (lambda c: c.update(loop_indices=[3, 9]), "family eat: loop 0 exists, but the run has 2 loops 3, 9"),
        (lambda c: c.update(loop_indices=[1, 0]), "loop_indices: (1, 0), not 2 indices in ascending order from 0 or"),
        (lambda c: c.update(loop_indices=[-1, 0]), "loop_indices: (-1, 0), not 2 indices in ascending order"),
        (lambda c: c.update(loop_indices=[]), "loop_indices: (), not 2 indices in ascending order"),
        (lambda c: c["sizes"].update(loops=10**14), "family eat: complete, but loop 2 is missing"),
        (lambda c: c["sizes"].update(turns=10**14), "loop 0: prompts has 3 entries, not 100000000000001"),
        (lambda c: c["families"][1].update(measures=None), "family read: 2 loops, but measures and behaviour"),
        (lambda c: c.update(owed=3), "complete, with 3 owed"),
        (lambda c: c["by_role"].pop("held-out"), "by_role: means of meta-train, but families of held-out, meta-train"),
        (lambda c: loop(c)["prompts"].pop(), "family read: loop 1: prompts has 2 entries, not 3"),
        (lambda c: loop(c)["selection"].pop(), "family read: loop 1: selection has 2 entries, not 3"),
        (lambda c: loop(c)["batches"].pop(), "family read: loop 1: batches has 1 entries, not 2"),
        (lambda c: loop(c)["audit"].pop(), "family read: loop 1: audit has 0 entries, not 1"),
        (lambda c: c.update(audit=False), "family eat: loop 0: audit has 1 entries, not 0"),
        (lambda c: loop(c)["audit"][0].update(replayed="01"), "audit of prompt[1]: 1 tasks and the outcomes '01'"),
        (lambda c: loop(c)["audit"][0].update(fresh="?"), "audit of prompt[0]: 1 tasks and the outcomes '?'"),
        (lambda c: loop(c)["test"].pop("0"), r"family read: loop 1: prompt[0] has no test"),
        (
            lambda c: loop(c)["test"].update({"5": "01"}),
            "loop 1: a test of prompt[5], but the last prompt is prompt[2]",
        ),
        (lambda c: loop(c)["test"].update({"0": "011"}), "test of prompt[0]: 2 tasks and the outcomes '011'"),
        (lambda c: loop(c)["test"].update({"0": "0x"}), "test of prompt[0]: 2 tasks and the outcomes '0x'"),
        (lambda c: loop(c)["batches"][1].update(outcomes=""), "experience of prompt[1]: 1 tasks and the outcomes ''"),
        (
            lambda c: loop(c).update(best=0, selection=["00", "10", "11"]),
            "best is prompt[0], but by selection it is prompt[2]",
        ),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(run: ictbench.Run, tmp_path: Path, edit: Edit, message: str) -> None:
    error = read_error(write(tmp_path, run, edit, reseal=True))
    assert "result.json contradicts itself: " in error
    assert message in error


def test_an_incomplete_run_may_miss_loops(run: ictbench.Run, tmp_path: Path) -> None:
    def stop(content: dict[str, Any]) -> None:
        content.update(complete=False, owed=1, by_role={"meta-train": content["by_role"]["meta-train"]})
        content["families"][1].update(loops=[], measures=None, behaviour=None)
        content["families"][0]["loops"].pop(0)

    result = read_result(write(tmp_path, run, stop, reseal=True))
    assert [len(family.loops) for family in result.families] == [1, 0]


def test_a_run_with_a_contradictory_result_is_refused(run: ictbench.Run, tmp_path: Path) -> None:
    for name in ("run.json", "result.json"):
        (tmp_path / name).write_bytes((run.folder / name).read_bytes())
    write(tmp_path, run, lambda content: content.update(owed=1))
    with pytest.raises(ResultError, match="contradicts itself: complete, with 1 owed"):
        _ = ictbench.load_run(tmp_path).result
