"""Move of a submission's evidence from its folder to a store."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ictbench.errors import SubmissionError
from ictbench.submissions.evidence_location import BOARD, WEB, EvidenceLocation, evidence_files
from ictbench.submissions.evidence_store import fetch, file_name, store_files, write_files
from ictbench.submissions.metadata import metadata_file

if TYPE_CHECKING:
    from pathlib import Path

    from ictbench.submissions.evidence_location import EvidenceFile
    from ictbench.submissions.layout import SubmissionFolder


def elsewhere(files: dict[str, bytes], store: str) -> dict[str, bytes]:
    """Return the files of a submission whose evidence lies in a store: its result, and metadata that name the store."""
    sizes: dict[EvidenceFile, int] = {name: len(files[name]) for name in evidence_files(files)}
    location = EvidenceLocation(store=store, sizes=sizes)
    stated = {**json.loads(files["submission.json"]), "evidence": location.model_dump(mode="json")}
    return {"result.json": files["result.json"], "submission.json": metadata_file(stated)}


def move_evidence(folder: SubmissionFolder, files: dict[str, bytes], store: str, copies: Path) -> dict[str, bytes]:
    """Move the evidence of a complete submission to a store, and read it from there as the board will.

    Nobody can write to a web server in the same way, so the files must be there already.

    Args:
        folder: Folder of the submission, which then holds its metadata and its result.
        files: Content of its files.
        store: `board`, or an address that the board allows.
        copies: Folder to which the evidence is written if a web server does not hold it.

    Returns:
        The content of the files that remain.

    Raises:
        SubmissionError: The store does not take the evidence, or does not return it.
    """
    remaining = elsewhere(files, store)
    stated = json.loads(remaining["submission.json"])
    location = EvidenceLocation.model_validate(stated["evidence"])
    store_files(store, (files[name] for name in location.sizes), folder.board)
    try:
        for name in location.sizes:
            fetch(location, name, stated["files"][name], folder.board, cache=False)
    except SubmissionError as error:
        if store == BOARD or store.partition("://")[0] not in WEB:
            raise
        write_files(copies, {file_name(stated["files"][name]): files[name] for name in location.sizes})
        raise SubmissionError(f"{error}; copy the files of {copies} to {store}, and submit again") from error
    for name in location.sizes:
        (folder.path / name).unlink()
    folder.metadata.write_bytes(remaining["submission.json"])
    return remaining
