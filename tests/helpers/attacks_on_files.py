"""Attacks on the program that reads the files: bombs, links, and ambiguous JSON."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import zlib
from typing import TYPE_CHECKING

from attacks import ATTACKS, Attack, attack, attack_on_files
from forgery import pack

if TYPE_CHECKING:
    from collections.abc import Callable

    from forgery import Forgery

    from ictbench.submissions.layout import SubmissionFolder

EPISODES, RESULT, METADATA = "episodes.jsonl.gz", "result.json", "submission.json"
GIGABYTES = 10


def bomb(gigabytes: int, piece: bytes = bytes(1 << 26)) -> bytes:
    """Return a gzip file that unpacks to this many gigabytes and has a thousandth of the size."""
    machine = zlib.compressobj(9, wbits=31)
    head = machine.compress(piece) + machine.flush(zlib.Z_FULL_FLUSH)
    block = machine.compress(piece) + machine.flush(zlib.Z_FULL_FLUSH)
    return head + block * (gigabytes * 10**9 // len(piece))


def named(packed: bytes) -> bytes:
    """Return a gzip file with 100 kB of data as the name in its header."""
    return packed[:3] + b"\x08" + packed[4:10] + os.urandom(100_000).replace(b"\x00", b"") + b"\x00" + packed[10:]


def replace_file(name: str, content: Callable[[Forgery], bytes]) -> Callable[[Forgery], None]:
    """Return an edit that replaces a file and its digest."""

    def forge(f: Forgery) -> None:
        f.files[name] = content(f)

    return forge


def in_result(text: str) -> Callable[[Forgery], bytes]:
    """Return the result with this text as the number of decisions."""
    return lambda f: json.dumps(f.result).replace('"max_steps": 25', f'"max_steps": {text}').encode()


def in_metadata(text: str) -> Callable[[Forgery], bytes]:
    """Return the metadata with this text as the number of calls."""
    return lambda f: json.dumps(f.metadata).replace('"calls": 0', f'"calls": {text}').encode()


def in_episode(text: str) -> Callable[[Forgery], bytes]:
    """Return the records with this text in the first one."""

    def content(f: Forgery) -> bytes:
        first, *rest = (json.dumps(record) for record in f.episodes)
        return gzip.compress("\n".join([first.replace('"seed": ', f'"seed": {text}', 1), *rest, ""]).encode(), 1)

    return content


DEEP = "[" * 1000 + "]" * 1000
INVALID_FILES = {
    "deeply nested JSON in the result": (RESULT, in_result(DEEP), "result.json is nested deeper than 24 levels"),
    "JSON of a million levels in the metadata": (METADATA, in_metadata("[" * 10**6), "nested deeper than 24 levels"),
    "deeply nested JSON in an episode": (
        EPISODES,
        in_episode(DEEP + ', "x": '),
        "line 1 is nested deeper than 24 levels",
    ),
    "a number of 400 digits": (RESULT, in_result("9" * 400), "is too large (beyond 10^15)"),
    "a number of a million digits": (METADATA, in_metadata("9" * 10**6), "is too large (beyond 10^15)"),
    "an infinite number": (RESULT, in_result("1e999"), "is too large (beyond 10^15) or too long"),
    "a fraction of a million digits": (
        EPISODES,
        in_episode("0." + "1" * 150_000 + ', "x": '),
        "too large (beyond 10^15) or too long",
    ),
    "NaN in the result": (RESULT, in_result("NaN"), "NaN is not a number"),
    "infinity in the metadata": (METADATA, in_metadata("-Infinity"), "-Infinity is not a number"),
    "a repeated key in the metadata": (METADATA, in_metadata('0, "calls": 7'), "the key 'calls' occurs twice"),
    "a repeated key in the result": (RESULT, in_result('25, "max_steps": 50'), "the key 'max_steps' occurs twice"),
    "a repeated key in an episode": (EPISODES, in_episode('7, "seed": '), "line 1: the key 'seed' occurs twice"),
    "a lone surrogate": (METADATA, in_metadata('0, "x": "\\ud800"'), "holds a lone surrogate"),
    "a million values": (RESULT, in_result(f"[{'0,' * 10**6}0]"), "holds more than 200,000 values"),
    "invalid UTF-8": (RESULT, lambda f: b'{"schema": "\xff"}', "byte 12 is not UTF-8"),
    "YAML with a tag that runs a command": (
        METADATA,
        lambda f: b"!!python/object/apply:os.system ['id']\n",
        "is not JSON",
    ),
    "Python instead of JSON": (METADATA, lambda f: b"__import__('os').system('id')", "is not JSON"),
    "costs whose sum is infinite": (
        RESULT,
        lambda f: json.dumps(f.result).replace('"cost": 0.0', '"cost": 1.7e308').encode(),
        "is too large (beyond 10^15)",
    ),
    "a payload in the name of a gzip header": (EPISODES, lambda f: named(pack(f.episodes)), "in its gzip header"),
    "a pickle instead of records": (
        EPISODES,
        lambda f: b"cos\nsystem\n(S'id'\ntR.",
        "is not a gzip file, or is damaged",
    ),
    "a gzip bomb of 10 GB": (EPISODES, lambda f: bomb(GIGABYTES), "a line after line 0 is longer than 200,000 bytes"),
    "a line of two megabytes": (
        EPISODES,
        lambda f: gzip.compress(os.urandom(1_000_000).hex().encode(), 1),
        "a line after line 0 is longer than 200,000 bytes",
    ),
    "a million empty records": (EPISODES, lambda f: gzip.compress(b"{}\n" * 10**6), "line 1 does not fit its schema"),
    "a gzip file of two members": (
        EPISODES,
        lambda f: gzip.compress(b"") + gzip.compress(b""),
        "continues after the end of the gzip data",
    ),
    "a truncated gzip file": (EPISODES, lambda f: pack(f.episodes)[:-9], "is truncated"),
    "a truncated record": (EPISODES, lambda f: gzip.compress(b'{"key": '), "does not end with a line feed"),
    "a file of eleven megabytes": (
        EPISODES,
        lambda f: os.urandom(11_000_000),
        "is larger than the maximum of 10,000,000 bytes",
    ),
    "eleven megabytes in two files": (
        EPISODES,
        lambda f: f.files.update({"trajectories.jsonl.gz": os.urandom(6_000_000)}) or os.urandom(6_000_000),
        "a submission has at most 10,000,000",
    ),
    "a result of an unknown schema": (RESULT, lambda f: b'{"schema": "ictbench.result/9"}', "by a newer ictbench"),
    "a list instead of a result": (RESULT, lambda f: b"[]", "is not a result of schema ictbench.result/2"),
}
for name, (file, content, reason) in INVALID_FILES.items():
    ATTACKS.append(Attack(name, "reading", reason, forge=replace_file(file, content)))


@attack("an additional field in the result", "reading", "actor.verified is not a known field")
def extra_field(f: Forgery) -> None:
    f.result["actor"]["verified"] = True


@attack("a missing field in the result", "reading", "measures.gain is missing")
def missing_field(f: Forgery) -> None:
    del f.family()["measures"]["gain"]


@attack("a trillion loops", "reading", "complete, but loop 5 is missing")
def many_loops(f: Forgery) -> None:
    f.result["sizes"]["loops"] = 10**12


@attack("a trillion loops in an incomplete run", "validate", "the run is incomplete")
def many_unfinished_loops(f: Forgery) -> None:
    f.result["sizes"]["loops"] = 10**12
    f.result["complete"] = False


@attack("a result with a wrong checksum", "reading", "was edited: its checksum does not match its content")
def no_checksum(f: Forgery) -> None:
    f.checksum = False
    f.result["by_role"]["held-out"]["best"]["value"] = 0.99


@attack_on_files("a file changed after its digest was recorded", "reading", "result.json was changed: its SHA-256 is")
def change_result(folder: SubmissionFolder) -> None:
    folder.result.write_bytes(folder.result.read_bytes() + b"\n")


@attack_on_files("a missing file", "reading", "lacks trajectories.jsonl.gz")
def remove_file(folder: SubmissionFolder) -> None:
    folder.trajectories.unlink()


@attack_on_files("an additional program", "reading", "holds 'conftest.py', which is not part of a submission")
def add_program(folder: SubmissionFolder) -> None:
    (folder.path / "conftest.py").write_text("raise SystemExit", encoding="utf-8")


@attack_on_files(
    "the submitter's own verification", "reading", "holds 'replayed.json', which is not part of a submission"
)
def add_verification(folder: SubmissionFolder) -> None:
    (folder.path / "replayed.json").write_text("{}", encoding="utf-8")


@attack_on_files("an additional folder", "reading", "holds '.git', which is not part of a submission")
def add_folder(folder: SubmissionFolder) -> None:
    (folder.path / ".git").mkdir()


@attack_on_files("a thousand files", "reading", "holds more than 16 files")
def add_many(folder: SubmissionFolder) -> None:
    for number in range(1000):
        (folder.path / f"{number}").touch()


@attack_on_files("a symbolic link to another file", "reading", "result.json cannot be read: it is a symbolic link")
def link_file(folder: SubmissionFolder) -> None:
    folder.result.unlink()
    folder.result.symlink_to("/etc/passwd")


@attack_on_files("a symbolic link to a device", "reading", "episodes.jsonl.gz cannot be read: it is a symbolic link")
def link_device(folder: SubmissionFolder) -> None:
    folder.episodes.unlink()
    folder.episodes.symlink_to("/dev/zero")


@attack_on_files("a symbolic link instead of the folder", "reading", "is not a folder but a symbolic link")
def link_folder(folder: SubmissionFolder) -> None:
    moved = folder.path.with_name("elsewhere")
    folder.path.rename(moved)
    folder.path.symlink_to(moved)


@attack_on_files("a pipe instead of a file", "reading", "result.json is a pipe, a socket or a device")
def pipe(folder: SubmissionFolder) -> None:
    folder.result.unlink()
    os.mkfifo(folder.result)


@attack_on_files("a folder instead of a file", "reading", "result.json is a folder")
def folder_for_file(folder: SubmissionFolder) -> None:
    folder.result.unlink()
    folder.result.mkdir()


@attack_on_files("metadata with two digests of one file", "reading", "the key 'result.json' occurs twice")
def name_twice(folder: SubmissionFolder) -> None:
    digest = hashlib.sha256(b"").hexdigest()
    text = folder.metadata.read_text("utf-8").replace('"files": {', f'"files": {{"result.json": "{digest}", ')
    folder.metadata.write_text(text, encoding="utf-8")
