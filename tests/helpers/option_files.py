"""Files derived from the declaration of options. `make options` writes them; a test checks that they are current."""

from __future__ import annotations

import itertools
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from ictbench.runs.option_help import argument_type, default_text, type_text
from ictbench.runs.options import OPTIONS, options_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ictbench.runs.option import Option

ROOT = Path(__file__).resolve().parents[2]
TYPES = ROOT / "ictbench/runs/option_types.py"
PAGE = ROOT / "docs/runs.md"
BEGIN, END = "<!-- options: begin -->\n", "<!-- options: end -->\n"

HEAD = '''"""Types of option values, for checks of calls. Written by `make options` from `ictbench.runs.options`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ictbench.actors import Actor
    from ictbench.envs import TextEnv
    from ictbench.reflectors import Reflector
'''


def files() -> dict[Path, str]:
    """Return the content that each file should have."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return {TYPES: _types(), PAGE: f"{before}{BEGIN}{_table()}{END}{after}"}


def _types() -> str:
    return "\n\n".join(
        [
            HEAD,
            _typed_dict(
                "RunOptions", "Options of `ictbench.run` and `ictbench.dry_run`.", OPTIONS.values(), described=True
            ),
            _typed_dict("RerunOptions", "Options of a run that a rerun takes.", options_of("rerun").values()),
            _typed_dict("VerifyOptions", "Options of a run that a verification takes.", options_of("verify").values()),
            _typed_dict(
                "MetaOptions", "Options of a run that the meta-environment takes.", options_of("meta").values()
            ),
            _typed_dict(
                "CampaignOptions",
                "Options that hold for all cells of a campaign together.",
                options_of("campaign").values(),
            ),
        ]
    )


def _typed_dict(name: str, about: str, options: Iterable[Option], *, described: bool = False) -> str:
    lines = [f"class {name}(TypedDict, total=False):", f'    """{about}"""', ""]
    for option in options:
        lines.append(f"    {option.name}: {type_text(argument_type(option))}")
        if described:
            lines += textwrap.wrap(f'"""{option.help}"""', 110, initial_indent=" " * 4, subsequent_indent=" " * 4)
    return "\n".join(lines) + "\n"


def _table() -> str:
    lines: list[str] = []
    for group, options in itertools.groupby(OPTIONS.values(), key=lambda option: option.group):
        lines += ["", f"### {group}", "", "| option | value | default |", "|---|---|---|"]
        lines += [f"| `{option.flag}` | {option.help} | {default_text(option)} |" for option in options]
    return "\n".join([*lines, "", ""])


if __name__ == "__main__":
    for path, content in files().items():
        path.write_text(content, encoding="utf-8")
