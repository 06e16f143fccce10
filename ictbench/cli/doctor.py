"""`ictbench doctor`."""

from __future__ import annotations

from typing import Annotated

import typer


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the checks as JSON.")] = False,
) -> None:
    """Check what is installed and what works, and say how to get what is missing."""
    from ictbench.cli.doctor_checks import checks

    found = checks()
    if as_json:
        import json
        from dataclasses import asdict

        print(json.dumps([asdict(check) for check in found]))
    else:
        for check in found:
            mark = "ok" if check.ok else ("optional" if check.optional else "missing")
            remedy = f"; {check.remedy}" if check.remedy else ""
            print(f"{mark:9} {check.what:18} {check.found}{remedy}")
    if not all(check.ok or check.optional for check in found):
        raise typer.Exit(1)
