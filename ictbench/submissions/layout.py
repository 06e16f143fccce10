"""Folder layout of a board and its submissions.

leaderboards/<suite>/
├── submissions/<slug>/             files of one submission
│   ├── submission.json             metadata; SHA-256 of the other files
│   ├── result.json                 the run's result, without its host
│   ├── episodes.jsonl.gz           one line per episode, for replay; observations as short hashes
│   ├── trajectories.jsonl.gz       a few episodes in full, for readers
│   └── memories.jsonl.gz           of a learner with a memory; it and the two above may lie elsewhere instead
├── unranked/<slug>/                the same for runs of any profile that the board shows without a rank
├── verifications/<slug>/           records of the board; submitters never write here
│   ├── replayed.json
│   └── rerun.json
├── evidence.yaml                   addresses from which evidence may be read; without it, none
├── evidence/                       evidence outside of submissions, each file named for its SHA-256
├── log.jsonl                       additions, attempts, corrections and removals; append-only
└── tables/                         generated CSV and Markdown
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

Badge = Literal["replayed", "rerun"]
"""`replayed`: the recorded actions lead to the recorded outcomes. `rerun`: a new run of the models gained as much."""


@dataclass(frozen=True, slots=True)
class SubmissionFolder:
    """Paths of a submission's files; its name is its slug."""

    path: Path
    board_path: Path | None = None
    """Folder of its board; None if it lies in that board."""

    @property
    def board(self) -> BoardFolder:
        """The board to which it is submitted."""
        return BoardFolder(self.board_path or self.path.parent.parent)

    @property
    def slug(self) -> str:
        """Name of the submission within its board."""
        return self.path.name

    @property
    def metadata(self) -> Path:
        """Metadata, schema `ictbench.submission/1`."""
        return self.path / "submission.json"

    @property
    def result(self) -> Path:
        """Result, schema `ictbench.result/2`."""
        return self.path / "result.json"

    @property
    def episodes(self) -> Path:
        """One `ictbench.submissions.episode_records.EpisodeRecord` per line."""
        return self.path / "episodes.jsonl.gz"

    @property
    def trajectories(self) -> Path:
        """One `ictbench.records.Episode` per line."""
        return self.path / "trajectories.jsonl.gz"

    @property
    def memories(self) -> Path:
        """One `ictbench.records.Memory` per line; only of learners of the division `memory`."""
        return self.path / "memories.jsonl.gz"

    @property
    def content(self) -> tuple[Path, ...]:
        """Files whose digests the metadata of every submission hold."""
        return self.result, self.episodes, self.trajectories

    @property
    def all_files(self) -> tuple[Path, ...]:
        """Files that a submission may have."""
        return self.metadata, *self.content, self.memories


@dataclass(frozen=True, slots=True)
class BoardFolder:
    """Paths of one suite's board; its folder is named for the suite."""

    path: Path

    @property
    def suite(self) -> str:
        """Name of the suite."""
        return self.path.name

    @property
    def submissions(self) -> Path:
        """One folder per submission."""
        return self.path / "submissions"

    @property
    def unranked(self) -> Path:
        """One folder per entry that the board shows without a rank."""
        return self.path / "unranked"

    @property
    def verifications(self) -> Path:
        """One folder per entry, with the board's verification records."""
        return self.path / "verifications"

    @property
    def log(self) -> Path:
        """Log of the board, one JSON object per line."""
        return self.path / "log.jsonl"

    @property
    def stores(self) -> Path:
        """The board's `ictbench.submissions.evidence_location.BoardStores`, as YAML."""
        return self.path / "evidence.yaml"

    @property
    def evidence(self) -> Path:
        """Evidence that lies in no submission, each file named for its SHA-256."""
        return self.path / "evidence"

    @property
    def tables(self) -> Path:
        """Generated tables."""
        return self.path / "tables"

    def submission(self, slug: str) -> SubmissionFolder:
        """Return the folder of a submission, which need not exist."""
        return SubmissionFolder(self.submissions / slug)

    def shown(self, slug: str) -> SubmissionFolder:
        """Return the folder of an unranked entry, which need not exist."""
        return SubmissionFolder(self.unranked / slug)

    def verification(self, slug: str, badge: Badge) -> Path:
        """Return the path of a verification record, which need not exist."""
        return self.verifications / slug / f"{badge}.json"
