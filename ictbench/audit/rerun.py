"""Rerun of the models of a result, and comparison of their results: `ictbench rerun`."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import numpy as np

from ictbench._version import __version__
from ictbench.audit.findings import Findings, quote
from ictbench.audit.recompute import recompute
from ictbench.audit.rerun_plan import OwnModels, draw_loops, plan_rerun
from ictbench.audit.target import check_packages, local_suite, read_target
from ictbench.audit.verification import MARGIN, Check, Reran, Verification
from ictbench.errors import ConfigError, RunError
from ictbench.results.equivalence import difference_of_means, mean_of_differences
from ictbench.results.formatting import signed
from ictbench.results.intervals import MIN_LOOPS
from ictbench.results.outcomes import outcomes_by_prompt
from ictbench.results.schema import Interval
from ictbench.runs.options import check_caller
from ictbench.runs.run_folder import RunFolder
from ictbench.runs.session import run_session, write_run
from ictbench.runs.sync_loop import run_blocking

if TYPE_CHECKING:
    from collections.abc import Callable

    from ictbench.audit.target import Target
    from ictbench.results import Result
    from ictbench.results.standard_errors import Floats
    from ictbench.runs import Progress
    from ictbench.runs.option_types import RerunOptions
    from ictbench.suites import Suite


def rerun(
    path: str | Path,
    *,
    folder: str | Path | None = None,
    loops: int | None = None,
    margin: float = MARGIN,
    suite: str | Path | None = None,
    salt: str | None = None,
    actor_model: str | None = None,
    reflector_model: str | None = None,
    trust_code: bool = False,
    by: str = "",
    on_start: Callable[[Path, Progress], None] | None = None,
    **access: Unpack[RerunOptions],
) -> Verification:
    """Run the actor and the reflector of a result again, and test whether they reach the same success.

    Held-out families are run, on loops that a salt of the verifier's draws from the unranked ones, so that a submitter
    cannot predict them. If games are finite, the same games are scored again, after experience in another order, and
    the record says so. The results are equivalent if two one-sided tests at 5 % show that the means of `best` over
    these families differ by less than the margin.

    Args:
        path: Folder of a submission or of a run.
        folder: Folder of the new run; an unfinished one is continued. None for one in `runs/`.
        loops: Loops per family, at least 3; None for as many as the result has.
        margin: Largest difference of success that counts as equal.
        suite: File of the suite, if it is not installed.
        salt: Part of the seed of the loops; None for that of an unfinished rerun in the folder, or a random one.
        actor_model: `provider/model` here, in place of the one that the result names.
        reflector_model: The same for the reflector.
        trust_code: Whether to import the classes, and to use the model options, that the result names.
        by: Name of the verifier, for the record.
        on_start: See `ictbench.run`.
        access: How to reach the models, and within which limits.

    Raises:
        UsageError: The result cannot be run again as requested; nothing was played.
        RunError: The run stopped before its end. Its folder keeps what was finished.
    """
    if not 0 < margin < 1:
        raise ConfigError(f"--margin is a share between 0 and 1, e.g. {MARGIN:g}, not {margin:g}")
    check_caller("rerun", access)
    target = read_target(Path(path))
    submitted, own_suite = target.evidence.result, local_suite(target.evidence.result, suite)
    _check_target(path, target, own_suite)
    count = submitted.sizes.loops if loops is None else loops
    if count < MIN_LOOPS:
        raise ConfigError(f"{count} loops cannot show equivalence; request {MIN_LOOPS} or more with --loops")
    if own_suite.pools.shared and count > submitted.sizes.loops:
        raise ConfigError(
            f"{count} loops on finite games cannot be compared with {submitted.sizes.loops}; request at most "
            f"{submitted.sizes.loops} with --loops"
        )
    run_folder = RunFolder(Path(folder) if folder else Path("runs") / f"rerun-{target.digest[:16]}")
    salt = salt or _recorded_salt(run_folder) or secrets.token_hex(8)
    indices = draw_loops(own_suite, target.digest, salt, submitted.sizes.loops, count)
    plan = plan_rerun(
        submitted,
        own_suite,
        str(suite or own_suite.name),
        indices,
        access,
        salt=salt,
        own_models=OwnModels(actor_model, reflector_model),
        trust_code=trust_code,
    )
    result = run_blocking(lambda: run_session(plan, list(plan.loops()), run_folder, on_start, write_run))
    if not result.complete:
        raise RunError(
            f"the rerun in {run_folder.path} is incomplete: {result.owed} owed; run the command again to continue it"
        )
    reran = _compare(submitted, result, indices, salt, margin, fresh=not own_suite.pools.shared)
    checks = (_check_models(submitted, result), check_packages(submitted, result.versions), _check_equivalence(reran))
    return Verification(
        schema="ictbench.verification/1",
        badge="rerun",
        submission=target.submission,
        result=submitted.checksum,
        passed=all(check.verdict != "failed" for check in checks),
        checks=checks,
        reran=reran,
        ictbench=__version__,
        versions=result.versions,
        date=datetime.now(UTC).replace(microsecond=0),
        by=by,
    )


def _check_target(path: str | Path, target: Target, suite: Suite) -> None:
    """Check that a result follows from its records and has held-out families.

    Raises:
        ConfigError: It does not, or has none.
    """
    for check in recompute(target.evidence, suite):
        if check.verdict == "failed":
            raise ConfigError(f"{path} fails the check {check.name} of `ictbench verify`: {check.detail}")
    if not _best_outcomes(target.evidence.result):
        raise ConfigError(f"{path} has no held-out family, so there is nothing to compare")


def _recorded_salt(folder: RunFolder) -> str:
    """Return the salt of the rerun in a folder; empty if there is none."""
    return str(folder.read_config().get("rerun_salt", "")) if folder.config.exists() else ""


def _compare(
    submitted: Result, rerun: Result, indices: tuple[int, ...], salt: str, margin: float, *, fresh: bool
) -> Reran:
    before, after = _best_outcomes(submitted), _best_outcomes(rerun)
    if fresh:
        difference = difference_of_means(before, after)
    else:
        # The same games. Which loop is compared with which does not matter: each draws its experience at random.
        before = [outcomes[: len(indices)] for outcomes in before]
        difference = mean_of_differences([b - a for a, b in zip(before, after, strict=True)], shared=True)
    assert difference.low is not None
    assert difference.high is not None
    return Reran(
        loops=indices,
        salt=salt,
        fresh_tasks=fresh,
        measure="best",
        submitted=float(np.mean([family.mean() for family in before])),
        rerun=float(np.mean([family.mean() for family in after])),
        low=difference.low,
        high=difference.high,
        margin=margin,
    )


def _best_outcomes(result: Result) -> list[Floats]:
    """Return the test outcomes under the best prompt, one array (loops x test tasks) per held-out family."""
    return [outcomes_by_prompt(family.loops)["best"] for family in result.families if family.role == "held-out"]


def _check_models(submitted: Result, rerun: Result) -> Check:
    """Check that the models are the same versions, as far as their providers report versions."""
    findings, known, elsewhere = Findings("models"), 0, ""
    for role in ("actor", "reflector"):
        before, after = getattr(submitted, role).fingerprint, getattr(rerun, role).fingerprint
        known += before is not None and after is not None
        if None not in (before, after) and before != after:
            findings.add(f"the {role} was {quote(before)}, and is {quote(after)} now")
        named, here = (getattr(result, role).model for result in (submitted, rerun))
        if named and here and named.name != here.name:
            elsewhere += f"; the {role}'s {quote(named.name)} is {quote(here.name)} here"
    return findings.check(("the same" if known else "the providers report no versions") + elsewhere)


def _check_equivalence(reran: Reran) -> Check:
    findings = Findings("equivalence")
    difference = Interval(value=reran.rerun - reran.submitted, low=reran.low, high=reran.high)
    comparison = f"best {reran.rerun:.3f}, submitted {reran.submitted:.3f}: difference {signed(difference, 3)}"
    if reran.inconclusive:
        loops = 2 * len(reran.loops)
        findings.add(
            f"{comparison} is neither shown to lie within ±{reran.margin:g} nor to differ from 0; more loops decide, "
            f"e.g. --loops {loops} with another --out"
        )
    elif not reran.equivalent:
        findings.add(f"{comparison} differs from 0 and does not lie within ±{reran.margin:g}")
    return findings.check(f"{comparison} lies within ±{reran.margin:g}")
