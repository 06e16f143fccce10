"""Time of `leaderboard validate` and `build` with 1,000 entries, and the size of what a page reads at once.

    PYTHONPATH=tests/helpers python benchmarks/board_scale.py FOLDER [--entries 1000]

The board holds synthetic results with random outcomes, measures and names, so that pages compress no better than real
ones. Each has the episode files of one real `lite` run; the real submission of that run is the new entry. The synthetic
ones would not pass the checks, so the benchmark notes in its own cache that they did, as an earlier `validate` would
have. The folder is kept: a second call starts from it.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import re
import resource
import shutil
import time
import zlib
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boards import make_result, submit
from honest import honest_submission

from ictbench.board import examine
from ictbench.board.conflicts import content_digest
from ictbench.board.finding_cache import FindingCache, submission_key
from ictbench.board.validate import validate
from ictbench.results.schema import Measures, Player, SuiteId
from ictbench.submissions.layout import BoardFolder, SubmissionFolder
from ictbench.submissions.read_submission import read_content
from ictbench.suites import load_suite
from ictbench.web.board import build_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench import Result
    from ictbench.results.schema import FamilyResult

SUITE = "minihack-v1"
FAMILIES, LOOPS, TASKS = ("room-dark", "read", "puton", "zap"), 5, 20
SUBMITTERS = 50


def main() -> None:
    """Make the board, and print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--entries", type=int, default=1000)
    options = parser.parse_args()
    folder: Path = options.folder
    (folder / "honest").mkdir(parents=True, exist_ok=True)
    honest = honest_submission(folder / "honest")
    board = BoardFolder(folder / "leaderboards" / SUITE)
    shutil.rmtree(board.submission("new").path, ignore_errors=True)
    for number in range(options.entries):
        if not board.submission(f"entry-{number}").path.exists():
            add_entry(board, number, honest)
    shutil.rmtree(folder / "cache", ignore_errors=True)
    findings = FindingCache(folder / "cache")
    for number in range(options.entries):
        note_passed(board.submission(f"entry-{number}"), findings)
    boards = board.path.parent

    shutil.copytree(honest.path, board.submission("new").path)
    with timed("validate, one new entry"):
        problems = list(validate(boards, findings=findings))
    assert not problems, problems
    with timed("validate again"):
        list(validate(boards, findings=findings))
    shutil.rmtree(board.submission("new").path)
    with timed("build, nothing known"):
        build_site(boards, folder / "site", tables=False, findings=findings)
    add_entry(board, options.entries, honest)
    with timed("build, one new entry"):
        build_site(boards, folder / "site", tables=False, findings=findings)
    shutil.rmtree(board.submission(f"entry-{options.entries}").path)
    print_sizes(folder / "site")


def add_entry(board: BoardFolder, number: int, honest: SubmissionFolder) -> None:
    """Add a synthetic entry with random outcomes."""
    draw = random.Random(number)
    rate = draw.uniform(0.3, 0.9)
    slug, by = f"entry-{number}", f"submitter-{number % SUBMITTERS}"
    player = Player(label=f"made_up:Maker{number}", name=f"made_up:Maker{number}")
    families = tuple(_redrawn(family, draw, rate) for family in _template().families)
    means = {role: _drawn(measures, draw) for role, measures in _template().by_role.items()}
    result = _template().model_copy(update={"families": families, "reflector": player, "by_role": means})
    files = {name: (honest.path / name).read_bytes() for name in ("episodes.jsonl.gz", "trajectories.jsonl.gz")}
    words = [draw.randbytes(draw.randint(2, 5)).hex() for _ in range(5)]
    name, about = f"Entry {number} {' '.join(words[:2])}", " ".join(words)
    submit(board, slug, result, submitted_by=by, name=name, description=about, files_instead=files)


@cache
def _template() -> Result:
    draw = random.Random(0)
    outcomes = {name: [("0" * TASKS, _outcomes(draw, 0.5)) for _ in range(LOOPS)] for name in FAMILIES}
    return make_result(outcomes, "made_up:Maker", suite=SuiteId(name=SUITE, digest=load_suite(SUITE).digest))


def _redrawn(family: FamilyResult, draw: random.Random, rate: float) -> FamilyResult:
    """Return a family with other outcomes of the best prompts, and any measures: nothing here depends on them."""
    loops = [loop.model_copy(update={"test": {**loop.test, loop.best: _outcomes(draw, rate)}}) for loop in family.loops]
    assert family.measures is not None
    return family.model_copy(update={"loops": tuple(loops), "measures": _drawn(family.measures, draw)})


def _drawn(measures: Measures, draw: random.Random) -> Measures:
    """Return measures with random values in all places that have one."""
    return Measures.model_validate(_drawn_json(measures.model_dump(mode="json"), draw))


def _drawn_json(value: Any, draw: random.Random) -> Any:
    if isinstance(value, dict) and value.keys() >= {"low", "value", "high"}:
        drawn = dict(zip(("low", "value", "high"), sorted(draw.random() for _ in range(3)), strict=True))
        return {name: old if old is None else drawn.get(name, old) for name, old in value.items()}
    if isinstance(value, dict):
        return {name: _drawn_json(old, draw) for name, old in value.items()}
    if isinstance(value, list):
        return [_drawn_json(old, draw) for old in value]
    return draw.random() if isinstance(value, float) else value


def _outcomes(draw: random.Random, rate: float) -> str:
    return "".join("1" if draw.random() < rate else "0" for _ in range(TASKS))


def note_passed(folder: SubmissionFolder, findings: FindingCache) -> None:
    """Note that a submission passed, as its own check would have."""
    content = read_content(folder)
    item = examine.Examination(folder, SUITE, load_suite(SUITE).digest, submitted=True, checked=True)
    findings.put(examine.Identified(content=content_digest(content.result)), submission_key(content.submission))
    findings.put(examine.Passed(), *item.key(content))


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print the wall time and the processor time of a block, with its processes."""
    wall, cpu = time.perf_counter(), _cpu()
    yield
    print(f"{what:28} {time.perf_counter() - wall:7.1f} s   processor {_cpu() - cpu:7.1f} s", flush=True)


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def print_sizes(site: Path) -> None:
    """Print the sizes of what the pages read, in kilobytes."""
    for path in (site / "index.html", site / SUITE / "index.html"):
        text = path.read_text("utf-8")
        elements = re.findall(r'<script type="([^"]*)" id="([^"]*)">([^<]*)</script>', text)
        print(f"{path.relative_to(site)}: {len(text) / 1000:.0f} kB")
        for kind, name, content in elements:
            if name == "document" or not name.startswith("curves-") or name.endswith("-0"):
                plain: Any = zlib.decompress(base64.b64decode(content)) if "base64" in kind else content
                print(f"  {name}: {len(content) / 1000:.0f} kB, as JSON {len(plain) / 1000:.0f} kB")
                json.loads(plain)


if __name__ == "__main__":
    main()
