"""`ictbench doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

from ictbench.cli.help_page import MAINTAIN, page

PAGE = page(
    MAINTAIN,
    "docs/quickstart.md",
    "ictbench doctor",
    "ictbench doctor --json",
)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the checks as JSON.")] = False,
) -> None:
    """Check what is installed and what works, and name the remedy for what does not.

    Exit code 1: something that every user needs is missing.
    """
    from ictbench.cli.doctor_checks import run_checks

    checks = run_checks()
    if as_json:
        import json
        from dataclasses import asdict

        print(json.dumps([asdict(check) for check in checks]))
    else:
        width = max(len(check.what) for check in checks)
        width = max(len(check.what) for check in checks)
        for check in checks:
            status = "ok" if check.ok else ("optional" if check.optional else "missing")
            remedy = f"; {check.remedy}" if check.remedy else ""
            print(f"{status:9} {check.what:{width}} {check.found}{remedy}")
    if not all(check.ok or check.optional for check in checks):
        raise typer.Exit(1)
