from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from ictbench.errors import ConfigError
from ictbench.models.weights_digest import weights_digest

if TYPE_CHECKING:
    from pathlib import Path


def test_the_digest_of_a_file_is_its_sha256(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"weights")
    assert weights_digest(file) == f"sha256:{hashlib.sha256(b'weights').hexdigest()}"


def test_the_digest_of_a_folder_depends_only_on_its_weights(tmp_path: Path) -> None:
    digests = []
    for name, weights, notes in (("a", b"one", "x"), ("b", b"one", "y"), ("c", b"two", "x")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "model-00001-of-00002.safetensors").write_bytes(weights)
        (folder / "model-00002-of-00002.safetensors").write_bytes(b"rest")
        (folder / "training_args.bin").write_text(notes)
        digests.append(weights_digest(folder))
    assert digests[0] == digests[1] != digests[2]


def test_a_file_is_read_again_only_if_its_size_or_time_changes(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"weights")
    first, status = weights_digest(file), file.stat()
    # Different content with the same size and time is not noticed, which shows that the file was not read again.
    file.write_bytes(b"WEIGHTS")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert weights_digest(file) == first
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert weights_digest(file) != first


def test_a_folder_without_weights_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="contains no weights"):
        weights_digest(tmp_path)
    with pytest.raises(ConfigError, match="contains no weights"):
        weights_digest(tmp_path / "missing")
