"""A site is built whatever one of its submissions holds."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import Any

import pytest
from boards import make_result, submit
from hypothesis import HealthCheck, given, settings
from mutations import positions, replace_value, values

from ictbench.results.schema import checksum_of
from ictbench.submissions.layout import BoardFolder, SubmissionFolder
from ictbench.web.board import build_site

OUTCOMES = {"read": [("0000", "1111"), ("0000", "1110"), ("0000", "1101")], "zap": [("0000", "1111")] * 3}
RIVAL = {"read": [("0000", "0011")] * 3, "zap": [("0000", "0110")] * 3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> BoardFolder:
    folder = BoardFolder(tmp_path_factory.mktemp("boards") / "rooms-v1")
    submit(folder, "rival", make_result(RIVAL, "rules"))
    return folder


def write_mutated(folder: BoardFolder, position: list[int], new: Any, *, metadata: bool) -> None:
    """Replace a value of a submission or of its result, and make the digests and the badge match where possible."""
    submission = submit(folder, "mutated", make_result(OUTCOMES, "none"))
    mutated: SubmissionFolder = folder.submission("mutated")
    stated = json.loads(mutated.metadata.read_bytes())
    result = json.loads(mutated.result.read_bytes())
    if metadata:
        stated = replace_value(stated, position, new)
    else:
        result = replace_value(result, position, new)
        if isinstance(result, dict):
            result["checksum"] = checksum_of(result)
        mutated.result.write_text(json.dumps(result), encoding="utf-8")
        stated["files"]["result.json"] = hashlib.sha256(mutated.result.read_bytes()).hexdigest()
        digest = type(submission).model_validate(stated).digest
        record = folder.verification("mutated", "replayed")
        badge = json.loads(record.read_bytes())
        badge |= {"submission": digest, "result": result["checksum"] if isinstance(result, dict) else "0" * 64}
        record.write_text(json.dumps(badge), encoding="utf-8")
    mutated.metadata.write_text(json.dumps(stated), encoding="utf-8")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(position=positions, new=values)
@pytest.mark.parametrize("metadata", [False, True])
def test_one_submission_never_stops_the_site(
    folder: BoardFolder, metadata: bool, position: list[int], new: Any
) -> None:
    write_mutated(folder, position, new, metadata=metadata)
    site = folder.path.parent.with_name("site")
    shutil.rmtree(site, ignore_errors=True)
    bad: list[str] = []
    pages = build_site(folder.path.parent, site, on_bad=lambda board, one: bad.append(one.slug))
    entries = [page.stem for page in pages[2:]]
    assert "rival" in entries
    assert sorted([*entries, *bad]) == ["mutated", "rival"]
