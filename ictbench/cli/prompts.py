"""`ictbench prompts`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ictbench.cli.help_page import LOOK, page
from ictbench.cli.option_values import complete_runs
from ictbench.errors import ConfigError

if TYPE_CHECKING:
    from ictbench.runs.run_prompts import Which, WrittenPrompt

PAGE = page(
    LOOK,
    "docs/runs.md",
    "ictbench prompts runs/mini",
    "ictbench prompts runs/mini --family eat --loop 0 --prompt all --diff",
    "ictbench prompts runs/mini --family eat --loop 0 --out eat.txt",
)


def prompts(
    run: Annotated[
        Path, typer.Argument(help="Folder of a run, which may be in progress.", autocompletion=complete_runs)
    ],
    family: Annotated[str | None, typer.Option("--family", metavar="FAMILY", help="Only this family.")] = None,
    loop: Annotated[int | None, typer.Option("--loop", min=0, help="Only the loops of this index.")] = None,
    prompt: Annotated[
        str, typer.Option("--prompt", metavar="best|first|last|all|N", help="Which prompts of each loop.")
    ] = "best",
    diff: Annotated[
        bool, typer.Option("--diff", help="Show what differs from prompt[0], or with all from the prompt before.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE|FOLDER", help="Write the only prompt to a file, several to a new folder."),
    ] = None,
) -> None:
    """Print prompts of a run: the best of each loop, unless you choose others."""
    from ictbench import load_run
    from ictbench.cli.terminal_table import print_line
    from ictbench.runs.run_prompts import run_prompts
    from ictbench.visible_text import visible

    if diff and out:
        raise ConfigError("--diff is for reading, and --out writes whole prompts; leave one out")
    chosen = run_prompts(load_run(run), _which(prompt), family=family, loop=loop)
    if out:
        for path in _write(chosen, out):
            print(path)
        return
    for number, written in enumerate(chosen):
        print_line(written.title, "bold")
        before = chosen[number - 1].text if prompt == "all" and written.index else written.start
        print(visible(_diff(before, written.text) if diff else written.text) + "\n")


def _which(text: str) -> Which:
    if text in ("best", "first", "last", "all"):
        return text  # type: ignore[return-value]
    if text.isdecimal():
        return int(text)
    raise ConfigError(f"--prompt takes best, first, last, all or a number, not {text!r}")


def _diff(before: str, after: str) -> str:
    import difflib

    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2))
    return "\n".join(lines[2:]) or "(unchanged)"


def _write(chosen: list[WrittenPrompt], out: Path) -> list[Path]:
    if out.exists():
        raise ConfigError(f"{str(out)!r} already exists; choose another --out")
    try:
        if len(chosen) == 1:
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(chosen[0].text + "\n", encoding="utf-8")
            return [out]
        out.mkdir(parents=True)
        for written in chosen:
            (out / written.file_name).write_text(written.text + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{out} cannot be written ({error.strerror}); choose another --out") from error
    return [out / written.file_name for written in chosen]
