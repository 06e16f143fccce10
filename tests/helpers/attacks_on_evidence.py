"""Attacks with evidence that lies outside the submission."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

from attacks import ATTACKS, Attack, attack_on_files
from evidence_server import allow, lasting_server, move_out, repacked

if TYPE_CHECKING:
    from collections.abc import Callable

    from ictbench.submissions.layout import SubmissionFolder

EPISODES = "episodes.jsonl.gz"


def at(folder: str) -> Callable[[SubmissionFolder], None]:
    """Return an edit that lets the evidence lie in a folder of a server that the board lists."""

    def forge(submission: SubmissionFolder) -> None:
        server = lasting_server()
        allow(submission.board, server.url)
        server.files |= move_out(submission, server.address(folder))

    return forge


def named(address: str) -> Callable[[SubmissionFolder], None]:
    """Return an edit that names an address on a board that reads from one host."""

    def forge(submission: SubmissionFolder) -> None:
        allow(submission.board, "https://example.org/evidence/", "hf://datasets/", private=False)
        move_out(submission, address)

    return forge


def with_metadata(edit: Callable[[Any], object]) -> Callable[[SubmissionFolder], None]:
    """Return an edit of the metadata of a submission whose evidence lies on a server that the board lists."""

    def forge(submission: SubmissionFolder) -> None:
        at("good")(submission)
        metadata = json.loads(submission.metadata.read_bytes())
        edit(metadata)
        submission.metadata.write_text(json.dumps(metadata), encoding="utf-8")

    return forge


SERVERS = {
    "evidence that is not there": ("missing", "the server answers with HTTP status 404"),
    "other evidence than was submitted": ("wrong", "is not what was submitted: its SHA-256 is"),
    "evidence that is cut": ("short", "and submission.json says"),
    "evidence without end": ("endless", "the reply is longer than"),
    "evidence that redirects to another host": ("redirect", "redirects to http://localhost"),
}
for name, (folder, reason) in SERVERS.items():
    ATTACKS.append(Attack(name, "reading", reason, forge_files=at(folder)))

ADDRESSES = {
    "evidence on a host that the board does not list": ("https://evil.org/x", "the board reads no evidence from"),
    "evidence on a host whose name begins as a listed one": (
        "https://example.org.evil.org/evidence/x",
        "the board reads no evidence from https://example.org.evil.org",
    ),
    "evidence at a metadata service of a cloud": ("http://169.254.169.254/latest", "the board reads no evidence from"),
    "evidence at an address with credentials": ("https://example.org@evil.org/evidence/", "without credentials"),
    "evidence above the listed folder": ("https://example.org/evidence/../private/", "hidden folders"),
    "evidence behind a chain of protocols": ("simplecache::https://example.org/evidence/x", "chains protocols (::)"),
    "evidence in an archive behind a chain of protocols": ("zip://x::https://example.org/evidence/y.zip", "chains"),
    "evidence in a file of the reader": ("file:///etc", "does not begin with https://"),
    "evidence on another machine of the reader": ("ssh://localhost/etc", "does not begin with https://"),
    "evidence in the program's memory": ("memory://x", "does not begin with https://"),
}
for name, (address, reason) in ADDRESSES.items():
    ATTACKS.append(Attack(name, "reading", reason, forge_files=named(address)))

METADATA = {
    "evidence of a terabyte": (
        lambda m: m["evidence"]["sizes"].update({EPISODES: 10**12}),
        "is above the maximum of 10000000",
    ),
    "evidence of a stated size of 0": (
        lambda m: m["evidence"]["sizes"].update({EPISODES: 0}),
        "is below the minimum of 1",
    ),
    "evidence of two files that are too large together": (
        lambda m: m["evidence"]["sizes"].update(dict.fromkeys(m["evidence"]["sizes"], 9_000_000)),
        "a submission has at most 10,000,000",
    ),
    "evidence without a size": (lambda m: m["evidence"]["sizes"].pop(EPISODES), "evidence.sizes lacks one of"),
    "evidence without a digest": (lambda m: m["files"].pop(EPISODES), "files lacks a digest"),
    "a stated size below that of the evidence": (
        lambda m: m["evidence"]["sizes"].update({EPISODES: 100}),
        "the reply is longer than 100 bytes",
    ),
}
for name, (edit, reason) in METADATA.items():
    ATTACKS.append(Attack(name, "reading", reason, forge_files=with_metadata(edit)))


@attack_on_files("evidence both in the submission and elsewhere", "reading", "names another place of it")
def evidence_twice(submission: SubmissionFolder) -> None:
    contents = {path: path.read_bytes() for path in (submission.episodes, submission.trajectories)}
    at("good")(submission)
    for path, content in contents.items():
        path.write_bytes(content)


@attack_on_files("evidence neither in the submission nor elsewhere", "reading", "lacks episodes.jsonl.gz")
def no_evidence(submission: SubmissionFolder) -> None:
    submission.episodes.unlink()
    submission.trajectories.unlink()


@attack_on_files("a gzip bomb as evidence", "reading", "a line after line 0 is longer than 200,000 bytes")
def bomb_elsewhere(submission: SubmissionFolder) -> None:
    replace_evidence(submission, gzip.compress(bytes(100_000_000), 6, mtime=0))


@attack_on_files("evidence that is no records", "reading", "is not a gzip file, or is damaged")
def noise_elsewhere(submission: SubmissionFolder) -> None:
    replace_evidence(submission, os.urandom(10_000))


@attack_on_files("evidence that is a link in the board's folder", "reading", "it is a symbolic link")
def link_in_board(submission: SubmissionFolder) -> None:
    board = submission.board
    board.evidence.mkdir(parents=True)
    for name in move_out(submission, "board"):
        (board.evidence / name).symlink_to("/proc/self/environ")


@attack_on_files("evidence packed anew under its old digest", "reading", "is not what was submitted: its SHA-256 is")
def repack_elsewhere(submission: SubmissionFolder) -> None:
    content = repacked(submission.episodes.read_bytes())
    metadata = json.loads(submission.metadata.read_bytes())
    board, digest = submission.board, metadata["files"][EPISODES]
    files = move_out(submission, "board")
    board.evidence.mkdir(parents=True)
    for name, data in files.items():
        (board.evidence / name).write_bytes(content if name.startswith(digest) else data)
    moved = json.loads(submission.metadata.read_bytes())
    moved["evidence"]["sizes"][EPISODES] = len(content)
    submission.metadata.write_text(json.dumps(moved), encoding="utf-8")


def replace_evidence(submission: SubmissionFolder, content: bytes) -> None:
    """Move the evidence to a server, with other records and their digest."""
    metadata = json.loads(submission.metadata.read_bytes())
    metadata["files"][EPISODES] = hashlib.sha256(content).hexdigest()
    submission.metadata.write_text(json.dumps(metadata), encoding="utf-8")
    submission.episodes.write_bytes(content)
    at("good")(submission)
