"""Prompts that loops start with instead of the suite's own: from a file, or the best ones of another run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ictbench.errors import ConfigError, file_problem
from ictbench.results.result_file import read_result
from ictbench.runs.run_folder import RunFolder
from ictbench.user_folders import expand_home

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ictbench.protocol.loop_result import PromptResult
    from ictbench.results.schema import FamilyResult


def start_prompts(source: str, families: Iterable[str], max_bytes: int) -> dict[str, str]:
    """Return the prompt that the loops of each family start with.

    Args:
        source: A text file, for all families; or the folder of a run, of which each family starts with the best prompt
            of the loop that scores highest on its selection tasks, the earliest on ties.
        families: The families.
        max_bytes: Maximum size of a prompt in UTF-8 bytes.

    Raises:
        ConfigError: There is no such file or run, a family is not in it, or a prompt is empty or too long.
        ResultError: The result of the run is damaged.
    """
    if not source:
        raise ConfigError("--start-prompt is empty; name a text file or the folder of a run, or leave it out")
    path = expand_home(source)
    prompts = _of_run(path, families) if path.is_dir() else dict.fromkeys(families, _of_file(path))
    for family, prompt in prompts.items():
        if (size := len(prompt.encode())) > max_bytes:
            raise ConfigError(f"--start-prompt: the prompt for {family} has {size:,} bytes, of at most {max_bytes:,}")
    return prompts


def _of_file(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--start-prompt {str(path)!r} cannot be read: {file_problem(error)}") from error
    if not text:
        raise ConfigError(f"--start-prompt {str(path)!r} is an empty file")
    return text


def _of_run(path: Path, families: Iterable[str]) -> dict[str, str]:
    folder = RunFolder(path)
    folder.read_config()
    if not folder.result.exists():
        raise ConfigError(f"--start-prompt: the run in {path} has no result yet; export a prompt with ictbench prompts")
    played = {family.name: family for family in read_result(folder.result).families if family.loops}
    if missing := [family for family in families if family not in played]:
        raise ConfigError(f"--start-prompt: the run in {path} has no finished loop of {', '.join(missing)}")
    best = {family: _best(played[family]) for family in families}
    if remembering := [family for family, prompt in best.items() if prompt.memory]:
        raise ConfigError(
            f"--start-prompt: the best prompt of {remembering[0]} in {path} goes with a memory, and a start prompt has "
            "none; name a run without a memory, or a text file"
        )
    return {family: prompt.text for family, prompt in best.items()}


def _best(family: FamilyResult) -> PromptResult:
    def score(number: int) -> float:
        loop = family.loops[number]
        outcomes = loop.selection[loop.best]
        return outcomes.count("1") / len(outcomes)

    loop = family.loops[max(range(len(family.loops)), key=score)]
    return loop.prompts[loop.best]
