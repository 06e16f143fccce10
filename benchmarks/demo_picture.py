"""Picture of the demo for the home page: runs `ictbench demo`, and draws what it prints as an SVG file.

python benchmarks/demo_picture.py docs/images/demo.svg
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

WIDTH = 80
"""Columns of the terminal."""

HEADINGS = ("Success on selection tasks", "A learned prompt")
"""Beginnings of the lines that are shown in bold."""


def main(out: Path) -> None:
    """Run the demo and write the picture."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "ictbench", "demo"],
            cwd=folder,
            env={**os.environ, "COLUMNS": str(WIDTH)},
            capture_output=True,
            text=True,
            check=True,
        )
    out.write_text(drawing([*turns(done.stderr), "", *learned_prompt(done.stdout)]), encoding="utf-8")


def turns(progress: str) -> list[str]:
    """Return the table of success by turn, without the line of counts and times below it."""
    return progress[progress.rindex(HEADINGS[0]) : progress.rindex("\nepisodes ")].splitlines()


def learned_prompt(output: str) -> list[str]:
    """Return the learned part of the learned prompt, with its heading."""
    prompt = output[output.index(HEADINGS[1]) : output.index("Report with curves")].rstrip().splitlines()
    learned = next(number for number, line in enumerate(prompt) if line.strip().startswith("Learned"))
    return [prompt[0], "  …", *prompt[learned:]]


def drawing(lines: list[str]) -> str:
    """Return the SVG of a terminal with these lines; it loads nothing."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), highlight=False)
    console.print(Text("$ ictbench demo", "green"))
    for line in lines:
        console.print(Text(line, "bold" if line.startswith(HEADINGS) else ""), overflow="ignore", no_wrap=True)
    without_fonts = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    svg = console.export_svg(
        title="ictbench demo", theme=DIMMED_MONOKAI, code_format=without_fonts, unique_id="ictbench-demo"
    )
    return svg.replace("Fira Code, monospace", "monospace") + "\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
