"""Where everything of a board lies.

leaderboards/<suite>/
├── submissions/<slug>/             what a submitter hands in, and nothing else
│   ├── submission.json             who, what, when; SHA-256 of the other files
│   ├── result.json                 the run's result, without its host
│   ├── episodes.jsonl.gz           a line an episode, to be played again; observations as short hashes
│   └── trajectories.jsonl.gz       a few episodes in full, to be read
├── unranked/<slug>/                the same, put there by the board to be shown and never ranked: runs of any profile
├── verifications/<slug>/           the board's own: submitters never write here
│   ├── replayed.json
│   └── rerun.json
├── log.jsonl                       additions, attempts, corrections and removals; lines are only ever added
└── tables/                         built: CSV and Markdown
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

Badge = Literal["replayed", "rerun"]
"""`replayed`: the recorded actions led to the recorded outcomes. `rerun`: the models, run again, gained as much."""


@dataclass(frozen=True, slots=True)
class SubmissionFolder:
    """Paths of a submission's files; its name is its slug."""

    path: Path

    @property
    def slug(self) -> str:
        """Names the submission within its board."""
        return self.path.name

    @property
    def metadata(self) -> Path:
        """Schema `ictbench.submission/1`."""
        return self.path / "submission.json"

    @property
    def result(self) -> Path:
        """Schema `ictbench.result/1`."""
        return self.path / "result.json"

    @property
    def episodes(self) -> Path:
        """One line an episode, as `ictbench.submissions.episode_records.EpisodeRecord`."""
        return self.path / "episodes.jsonl.gz"

    @property
    def trajectories(self) -> Path:
        """One line an episode, as `ictbench.records.Episode`."""
        return self.path / "trajectories.jsonl.gz"

    @property
    def content(self) -> tuple[Path, ...]:
        """The files that the metadata holds the digests of."""
        return self.result, self.episodes, self.trajectories


@dataclass(frozen=True, slots=True)
class BoardFolder:
    """Paths of one suite's board; its name is the suite's."""

    path: Path

    @property
    def suite(self) -> str:
        """Name of the suite."""
        return self.path.name

    @property
    def submissions(self) -> Path:
        """A folder a submission."""
        return self.path / "submissions"

    @property
    def unranked(self) -> Path:
        """A folder an entry that the board shows and never ranks."""
        return self.path / "unranked"

    @property
    def verifications(self) -> Path:
        """A folder an entry, with what the board found out about it."""
        return self.path / "verifications"

    @property
    def log(self) -> Path:
        """What happened to the board, one JSON object a line."""
        return self.path / "log.jsonl"

    @property
    def tables(self) -> Path:
        """The built tables."""
        return self.path / "tables"

    def submission(self, slug: str) -> SubmissionFolder:
        """The folder of one submission, there or not."""
        return SubmissionFolder(self.submissions / slug)

    def shown(self, slug: str) -> SubmissionFolder:
        """The folder of one entry that is never ranked, there or not."""
        return SubmissionFolder(self.unranked / slug)

    def verification(self, slug: str, badge: Badge) -> Path:
        """The board's record of one check of a submission, there or not."""
        return self.verifications / slug / f"{badge}.json"
