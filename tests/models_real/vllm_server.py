"""A launched vLLM with SmolLM2, for tests: small, quick to start, and quiet."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ictbench.models.providers.smollm2 import smollm2_folder
from ictbench.models.providers.vllm import VLLMModel
from ictbench.records import ModelSpec

if TYPE_CHECKING:
    import pytest

# Eager: without compiling the model, which takes minutes where other programs run.
SERVER_ARGS = "--dtype bfloat16 --enforce-eager --max-num-seqs 16"


def set_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set vLLM's variables; the same for all tests, as only models with equal environments share a server."""
    for name in ("VLLM_BASE_URL", "VLLM_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
    monkeypatch.setenv("VLLM_NO_USAGE_STATS", "1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    # Set by MiniHack's import.
    monkeypatch.setenv("PYGAME_HIDE_SUPPORT_PROMPT", "hide")


def missing_instructions() -> str | None:
    """Return what the processor lacks for vLLM's wheel, which has code for AVX2 and for AVX-512; None if nothing."""
    cpuinfo = Path("/proc/cpuinfo")
    if platform.machine() != "x86_64" or not cpuinfo.exists() or " avx2 " in cpuinfo.read_text():
        return None
    return "vLLM's CPU wheel needs the instructions AVX2, which this processor does not have"


def spec(**fields: Any) -> ModelSpec:
    options = {"server_args": SERVER_ARGS, **fields.pop("options", {})}
    return ModelSpec(provider="vllm", model=str(smollm2_folder()), options=options, **{"max_tokens": 200, **fields})


def model(**fields: Any) -> VLLMModel:
    # pytest changes this variable for every test, and servers are shared only in equal environments.
    os.environ["PYTEST_CURRENT_TEST"] = "vllm"
    return VLLMModel(spec(**fields))


def descendants(process: int) -> dict[int, str]:
    """Return the commands of all processes below one, by process id."""
    listing = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listing.splitlines()]
    found = {process: ""}
    while more := {int(pid): args for pid, ppid, args in rows if int(ppid) in found and int(pid) not in found}:
        found |= more
    del found[process]
    return found


def alive(processes: dict[int, str]) -> dict[int, str]:
    """Return those of the processes that still run."""
    listing = subprocess.run(["ps", "-eo", "pid=,stat="], capture_output=True, text=True, check=True).stdout
    running = {int(pid) for pid, state in map(str.split, listing.splitlines()) if not state.startswith("Z")}
    return {pid: args for pid, args in processes.items() if pid in running}
