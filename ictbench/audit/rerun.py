"""`ictbench.audit.rerun`: the models of a result run again, and what they gained compared."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import numpy as np

from ictbench._version import __version__
from ictbench.audit.findings import Findings, shown
from ictbench.audit.recompute import recompute
from ictbench.audit.rerun_plan import later_loops, plan_again
from ictbench.audit.target import check_packages, local_suite, read_target
from ictbench.audit.verification import MARGIN, Check, Reran, Verification
from ictbench.errors import ConfigError, RunError
from ictbench.results.equivalence import difference_of_means, mean_of_differences
from ictbench.results.intervals import MIN_LOOPS
from ictbench.runs.run_folder import RunFolder
from ictbench.runs.session import run_session, write_run
from ictbench.runs.sync_loop import run_blocking

if TYPE_CHECKING:
    from collections.abc import Callable

    from ictbench.results import Result
    from ictbench.results.intervals import Floats
    from ictbench.runs import Progress
    from ictbench.runs.option_types import RerunOptions


def rerun(
    path: str | Path,
    *,
    folder: str | Path | None = None,
    loops: int | None = None,
    margin: float = MARGIN,
    suite: str | Path | None = None,
    trust_code: bool = False,
    by: str = "",
    on_start: Callable[[Path, Progress], None] | None = None,
    **access: Unpack[RerunOptions],
) -> Verification:
    """Run the actor and the reflector of a result again, and test whether they are as good as it says.

    Held-out families are run, on loops that the digest draws from those that are not ranked: whoever submitted the
    result could hardly have prepared for them. Where games are finite the same ones are played, and the record says so.
    Equivalent is a mean of `best` over these families that lies within the margin of that of the result, by two
    one-sided tests at 5 %.

    Args:
        path: a submission's folder, or a run's.
        folder: where the new run lies; one that was begun before is continued. None for one under `runs/`.
        loops: how many a family, 3 or more; None for as many as the result has.
        margin: what counts as equal, as a difference of success.
        suite: file of the suite, where it does not ship with ictbench.
        trust_code: whether to import classes, and to use model options, that the result names.
        by: who says so, for the record.
        on_start: as of `ictbench.run`.
        access: how the models are reached, and within which limits.

    Raises:
        UsageError: it cannot be run as asked; nothing was played.
        RunError: the run stopped before its end; what it finished is recorded in its folder.
    """
    if not 0 < margin < 1:
        raise ConfigError(f"a margin is a share between 0 and 1, e.g. {MARGIN:g}, not {margin:g}")
    subject = read_target(Path(path))
    submitted, ours = subject.evidence.result, local_suite(subject.evidence.result, suite)
    for check in recompute(subject.evidence, ours):
        if check.verdict == "failed":
            raise ConfigError(f"{path} is not what it claims to be; {check.name}: {check.detail}")
    if not _best(submitted):
        raise ConfigError(f"{path} has no held-out family, and these are what is compared")
    count = submitted.sizes.loops if loops is None else loops
    if count < MIN_LOOPS:
        raise ConfigError(f"{count} loops show nothing: ask for {MIN_LOOPS} or more with --loops")
    indices = later_loops(ours, subject.digest, submitted.sizes.loops, count)
    plan = plan_again(submitted, ours, str(suite or ours.name), indices, access, trust_code=trust_code)
    place = RunFolder(Path(folder) if folder else Path("runs") / f"rerun-{subject.digest[:16]}")
    again = run_blocking(lambda: run_session(plan, list(plan.loops()), place, on_start, write_run))
    if not again.complete:
        raise RunError(f"the rerun in {place.path} is incomplete: {again.owed} owed; start it again to continue it")
    reran = _compare(submitted, again, indices, margin, fresh=not ours.pools.shared)
    checks = (_check_models(submitted, again), check_packages(submitted, again.versions), _check_equivalence(reran))
    return Verification(
        schema="ictbench.verification/1",
        badge="rerun",
        submission=subject.submission,
        result=submitted.checksum,
        passed=all(check.verdict != "failed" for check in checks),
        checks=checks,
        reran=reran,
        ictbench=__version__,
        versions=again.versions,
        date=datetime.now(UTC).replace(microsecond=0),
        by=by,
    )


def _compare(submitted: Result, again: Result, indices: tuple[int, ...], margin: float, *, fresh: bool) -> Reran:
    before, after = _best(submitted), _best(again)
    if fresh:
        found = difference_of_means(before, after)
    else:
        # The same games in the same loops.
        before = [one[: len(indices)] for one in before]
        found = mean_of_differences([other - one for one, other in zip(before, after, strict=True)], shared=True)
    assert found.low is not None
    assert found.high is not None
    return Reran(
        loops=indices,
        fresh_tasks=fresh,
        measure="best",
        submitted=float(np.mean([family.mean() for family in before])),
        rerun=float(np.mean([family.mean() for family in after])),
        low=found.low,
        high=found.high,
        margin=margin,
    )


def _best(result: Result) -> list[Floats]:
    """By held-out family, loops x test tasks: solved or not under the best prompt."""
    return [
        np.array([[float(outcome) for outcome in loop.test[loop.best]] for loop in family.loops])
        for family in result.families
        if family.role == "held-out"
    ]


def _check_models(submitted: Result, again: Result) -> Check:
    """Whether the models behind the names are the same, as far as their providers tell."""
    found, known = Findings("models"), 0
    for role in ("actor", "reflector"):
        theirs, ours = getattr(submitted, role).fingerprint, getattr(again, role).fingerprint
        known += theirs is not None and ours is not None
        if None not in (theirs, ours) and theirs != ours:
            found.add(f"the {role} was {shown(theirs)}, and is {shown(ours)} now")
    return found.check("the same" if known else "nothing tells which versions answered")


def _check_equivalence(reran: Reran) -> Check:
    found = Findings("equivalence")
    said = (
        f"best {reran.rerun:.3f}, submitted {reran.submitted:.3f}: difference {reran.rerun - reran.submitted:+.3f} "
        f"[{reran.low:+.3f}, {reran.high:+.3f}]"
    )
    if not -reran.margin < reran.low <= reran.high < reran.margin:
        found.add(f"{said} does not lie within ±{reran.margin:g}")
    return found.check(f"{said} lies within ±{reran.margin:g}")
