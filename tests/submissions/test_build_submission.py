from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from honest import SLUG, STATEMENT, SUITE

import ictbench
from ictbench.board.entries import read_board
from ictbench.board.examine import check_submission
from ictbench.errors import SubmissionError
from ictbench.records import PluginSpec
from ictbench.reflectors.llm.rewrite import RewriteReflector
from ictbench.results import Result
from ictbench.results.result_file import read_result
from ictbench.runs import Run
from ictbench.submissions.build_submission import branch_name, draft, submission_files, submit
from ictbench.submissions.episode_records import evidence_of_run
from ictbench.submissions.layout import BoardFolder
from ictbench.submissions.metadata import (
    Statement,
    make_slug,
    metadata,
    metadata_mismatches,
    reflector_instruction,
    slug_problem,
)
from ictbench.submissions.read_submission import read_content
from ictbench.submissions.shown_episodes import shown_episode_keys
from ictbench.submissions.submission_schema import Submission

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from ictbench.submissions.layout import SubmissionFolder

MODEL = {"provider": "openai", "model": "gpt-9", "max_tokens": 2000}


@pytest.fixture
def altered_run(run: Run) -> Callable[..., Run]:
    """Return a function that returns the honest run with changed fields in its result."""

    def alter(**changes: Any) -> Run:
        content = {**json.loads(run.result.to_json()), **changes}
        return Run(run.folder, Result.model_validate(content))

    return alter


def missing(run: Run, boards: Path, statement: Statement = STATEMENT, slug: str | None = None) -> list[str]:
    return list(draft(run, boards, statement, slug).missing)


def test_submission_is_the_run_without_its_host(run: Run, honest: SubmissionFolder) -> None:
    result = read_result(honest.result)
    assert result.checksum == run.result.checksum
    assert result.model_dump(exclude={"host"}) == run.result.model_dump(exclude={"host"})
    host = result.host
    assert (host.folder, host.addresses, host.troubles, host.machine) == ("", {}, (), {})
    assert host.started == run.result.host.started
    assert str(run.folder).encode() not in b"".join(path.read_bytes() for path in honest.path.iterdir())


def test_metadata_follow_the_result_and_list_the_files(run: Run, honest: SubmissionFolder) -> None:
    submission = read_content(honest).submission
    assert (submission.name, submission.suite, submission.profile) == ("Scripted pair", SUITE, "lite")
    assert (submission.reflector.label, submission.actor.label) == ("rules", "rules")
    assert submission.reflector.open_weights is None
    assert submission.reflector_trained_on == ()
    assert submission.date.isoformat() == run.result.host.started[:10]
    assert submission.ictbench == ictbench.__version__
    for path in honest.content:
        assert submission.files[path.name] == hashlib.sha256(path.read_bytes()).hexdigest()  # type: ignore[index]


def test_the_digests_of_an_adapter_and_its_base_fit_into_the_metadata(altered_run: Callable[..., Run]) -> None:
    fingerprint = f"sha256:{'0' * 64}+sha256:{'1' * 64}"
    tuned = {"label": "hf/tuned", "name": "lessons", "model": MODEL, "fingerprint": fingerprint}
    result = altered_run(reflector=tuned).result
    stated = Submission.model_validate(metadata(result, STATEMENT, {"result.json": "0" * 64}))
    assert stated.reflector.revision == fingerprint


def test_episode_records_equal_those_of_the_run_with_short_hashes(run: Run, honest: SubmissionFolder) -> None:
    evidence = read_content(honest).evidence
    assert evidence.digits == 8
    pairs = list(zip(evidence_of_run(run.folder).episodes(), evidence.episodes(), strict=True))
    assert len(pairs) > 2_000
    for recorded, packed in pairs:
        assert (recorded.key, recorded.task, recorded.seed, recorded.usage, recorded.versions) == (
            *(packed.key, packed.task, packed.seed, packed.usage, packed.versions),
        )
        assert (recorded.trajectory.end, recorded.trajectory.last_digest[:8]) == (
            packed.trajectory.end,
            packed.trajectory.last_digest,
        )
        for before, after in zip(recorded.trajectory.steps, packed.trajectory.steps, strict=True):
            assert (before.executed, before.keys, before.reward) == (after.executed, after.keys, after.reward)
            assert (before.digest[:8], "", after.proposed or after.executed) == (
                *(after.digest, after.thought, before.proposed),
            )


def test_submission_is_smaller_than_the_run(run: Run, honest: SubmissionFolder) -> None:
    assert 2 * honest.episodes.stat().st_size < 1.3 * (run.folder / "episodes.jsonl.gz").stat().st_size
    assert b'"thought"' not in gzip.decompress(honest.episodes.read_bytes())


def test_same_run_gives_the_same_bytes(run: Run, honest: SubmissionFolder, tmp_path: Path) -> None:
    again = submission_files(draft(run, tmp_path, STATEMENT))
    assert again == {path.name: path.read_bytes() for path in honest.path.iterdir()}


def test_trajectories_hold_solved_and_unsolved_episodes_of_each_family(run: Run, honest: SubmissionFolder) -> None:
    shown = list(read_content(honest).shown_episodes())
    assert [episode.key for episode in shown] == shown_episode_keys(run.result)
    assert shown == [run.episode(episode.key) for episode in shown]
    assert {episode.task.family for episode in shown} == {"room-dark", "read", "puton", "zap"}
    assert {episode.trajectory.solved for episode in shown} == {True, False}


def test_all_missing_statements_are_reported_at_once(altered_run: Callable[..., Run], tmp_path: Path) -> None:
    model = {"label": "openai/gpt-9", "name": "rewrite", "options": {}, "model": MODEL, "fingerprint": None}
    problems = missing(altered_run(reflector=model, reflector_trained_on=None), tmp_path, Statement())
    assert [problem.partition(": --")[2].split()[0] for problem in problems] == [
        *("name", "description", "submitted-by", "reflector-trained-on", "reflector-weights", "reflector-revision"),
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"profile": "quick", "ranked": False}, "profile 'quick' is not ranked; run with --profile lite or standard"),
        ({"complete": False, "owed": 3}, "3 episodes or reflections are owed; continue it with the same --out"),
        (
            {"deviations": ["turns 2 instead of 5"]},
            "deviates from its profile: 'turns 2 instead of 5'; run without --turns",
        ),
        ({"deviations": ["held-out families left out: zap"]}, "left out: zap'; run with --families held-out or all"),
        ({"suite": {"name": "mine-v1", "digest": "0"}}, "suite 'mine-v1' has no board; run one of alfworld"),
        ({"suite": {"name": SUITE, "digest": "0"}}, "suite minihack-v1 has changed since this run"),
    ],
)
def test_ineligible_run_is_refused(altered_run: Callable[..., Run], tmp_path: Path, changes: Any, message: str) -> None:
    (problem,) = missing(altered_run(**changes), tmp_path)
    assert message in problem
    with pytest.raises(SubmissionError, match="cannot be submitted"):
        submit(draft(altered_run(**changes), tmp_path, STATEMENT), check_submission)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stated", [True, False])
def test_run_with_many_rejected_requests_is_refused(
    altered_run: Callable[..., Run], tmp_path: Path, stated: bool
) -> None:
    families = json.loads(altered_run().result.to_json())["families"]
    episodes = len(list(evidence_of_run(altered_run().folder).episodes()))
    reflections = sum(len(loop["prompts"]) - 1 for family in families for loop in family["loops"])
    for name, unit, total in (("failed", "episodes", episodes), ("reflection_failures", "reflections", reflections)):
        limit = int(0.02 * total)
        for count in (limit, limit + 1):
            deviation = f"bad_request {count} of {total} {unit}, more than 2%"
            of_first = families[0] | {"behaviour": families[0]["behaviour"] | {name: {"bad_request": count}}}
            claimed = [deviation] if stated and count > limit else []
            run = altered_run(families=[of_first, *families[1:]], deviations=claimed, ranked=not claimed)
            problems = missing(run, tmp_path)
            if count == limit:
                assert problems == []
            else:
                (problem,) = problems
                assert problem.startswith(deviation)
                assert "--retry-failed bad_request" in problem


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ({"name": "a\u202eb"}, "--name: it holds the invisible character U+202E; remove it: 'a\\u202eb'"),
        ({"description": "<script>"}, "--description: it holds markup (<s…); write plain text"),
        ({"links": ("http://a.example",)}, "--url: 'http://a.example' does not match"),
        (
            {"name": "日本"},
            "'' is not a valid submission name: use 1 to 64 lower-case letters, digits and inner hyphens: --slug",
        ),
    ],
)
def test_invalid_statement_is_refused(run: Run, tmp_path: Path, statement: Any, message: str) -> None:
    (problem,) = missing(run, tmp_path, STATEMENT.model_copy(update=statement))
    assert message in problem


def test_training_families_are_taken_from_the_statement(altered_run: Callable[..., Run], tmp_path: Path) -> None:
    model = {"label": "openai/gpt-9", "name": "rewrite", "options": {}, "model": MODEL, "fingerprint": "v1"}
    run = altered_run(reflector=model, reflector_trained_on=None)
    statement = STATEMENT.model_copy(update={"reflector_weights": "closed", "trained_on": ("meta-train",)})
    prepared = draft(run, tmp_path, statement)
    assert prepared.missing == ()
    assert prepared.result.reflector_trained_on == tuple(
        f"{SUITE}/{name}" for name in ("eat", "room-random", "wear", "wield")
    )
    assert prepared.result.ranked
    held_out = draft(run, tmp_path, statement.model_copy(update={"trained_on": ("zap",)}))
    assert (held_out.missing, held_out.result.ranked) == ((), False)
    assert held_out.result.deviations == ("reflector trained on held-out zap",)
    unknown = draft(run, tmp_path, statement.model_copy(update={"trained_on": ("unknown",)}))
    assert (unknown.missing, unknown.result.reflector_trained_on) == ((), None)


def test_training_of_the_actor_is_taken_from_the_statement(altered_run: Callable[..., Run], tmp_path: Path) -> None:
    model = {"label": "openai/gpt-9", "name": "react", "options": {}, "model": MODEL, "fingerprint": "v1"}
    run = altered_run(actor=model, actor_trained_on=None)
    closed = STATEMENT.model_copy(update={"actor_weights": "closed"})
    (problem,) = missing(run, tmp_path, closed)
    assert problem.startswith("what the actor was trained on: --actor-trained-on SUITE/FAMILY")
    held_out = draft(run, tmp_path, closed.model_copy(update={"actor_trained_on": ("zap",)}))
    assert (held_out.missing, held_out.result.ranked) == ((), False)
    assert held_out.result.actor_trained_on == (f"{SUITE}/zap",)
    assert held_out.result.deviations == ("actor trained on held-out zap",)
    assert missing(run, tmp_path, closed.model_copy(update={"actor_trained_on": ("unknown",)})) == []
    wrong = STATEMENT.model_copy(update={"actor_trained_on": ("zap",)})
    (problem,) = missing(altered_run(actor_trained_on=[]), tmp_path, wrong)
    assert "its actor was trained on nothing, not minihack-v1/zap; continue the run with the other --actor-" in problem


def test_statement_cannot_contradict_the_training_in_the_result(run: Run, tmp_path: Path) -> None:
    (problem,) = missing(run, tmp_path, STATEMENT.model_copy(update={"trained_on": ("zap",)}))
    assert "was trained on nothing, not minihack-v1/zap; continue the run" in problem
    assert missing(run, tmp_path, STATEMENT.model_copy(update={"trained_on": ("nothing",)})) == []


def test_reflector_trained_on_a_held_out_family_is_accepted_and_marked(
    altered_run: Callable[..., Run], tmp_path: Path
) -> None:
    """The result lists the training among its deviations and is not ranked."""
    trained = {"reflector_trained_on": [f"{SUITE}/zap"], "deviations": ["reflector trained on held-out zap"]}
    submitted = submit(draft(altered_run(**trained, ranked=False), tmp_path, STATEMENT), check_submission, git=False)
    assert list(check_submission(submitted.folder, SUITE)) == []
    assert submitted.submission.reflector_trained_on == (f"{SUITE}/zap",)


def test_run_with_changed_records_is_not_submitted(run: Run, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run.folder, copy)
    lines = gzip.decompress((copy / "episodes.jsonl.gz").read_bytes()).splitlines(keepends=True)
    (copy / "episodes.jsonl.gz").write_bytes(gzip.compress(b"".join(lines[:-1])))
    with pytest.raises(SubmissionError, match="fails the board's checks: episodes: "):
        submit(draft(ictbench.load_run(copy), tmp_path / "boards", STATEMENT), check_submission, git=False)
    assert list((tmp_path / "boards").rglob("*.json")) == []


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Scripted pair", "scripted-pair"),
        ("GPT-9 (mini), v2.1", "gpt-9-mini-v2-1"),
        ("Réflexion", "reflexion"),
        ("日本", ""),
    ],
)
def test_slug_follows_from_the_name(name: str, slug: str) -> None:
    assert make_slug(name) == slug
    assert not slug or slug_problem(slug) is None


@pytest.mark.parametrize(
    "slug", ["", "..", "a/b", "A", "-a", "a-", "con", "nul", "com1", "x" * 65, "a\u200bb", "a.b", "a\n"]
)
def test_invalid_slug_is_refused(slug: str, run: Run, tmp_path: Path) -> None:
    assert slug_problem(slug)
    if slug:
        assert any("--slug" in problem for problem in missing(run, tmp_path, slug=slug))


def test_existing_submission_is_not_overwritten(run: Run, honest: SubmissionFolder) -> None:
    before = {path.name: path.read_bytes() for path in honest.path.iterdir()}
    boards = honest.path.parents[2]
    (problem,) = missing(run, boards)
    assert problem == f"a submission {SLUG!r} exists already: choose another --name or --slug"
    with pytest.raises(SubmissionError):
        submit(draft(run, boards, STATEMENT), check_submission, git=False)
    assert {path.name: path.read_bytes() for path in honest.path.iterdir()} == before


def test_folder_created_in_the_meantime_is_not_overwritten(run: Run, tmp_path: Path) -> None:
    prepared = draft(run, tmp_path, STATEMENT)
    prepared.folder.path.mkdir(parents=True)
    (prepared.folder.path / "another").touch()
    with pytest.raises(OSError, match="not empty"):
        submit(prepared, check_submission, git=False)
    assert [path.name for path in prepared.folder.path.parent.iterdir()] == [SLUG]
    assert [path.name for path in prepared.folder.path.iterdir()] == ["another"]


def test_instruction_is_that_of_the_inner_reflector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RewriteReflector, "instruction", "Be thorough.", raising=False)
    rewrite = PluginSpec(label="openai/m", name="rewrite")
    blind = PluginSpec(label="blind", name="blind", options={"reflector": rewrite.model_dump(exclude={"model"})})
    assert reflector_instruction(rewrite) == reflector_instruction(blind) == "Be thorough."
    assert reflector_instruction(PluginSpec(label="rules", name="rules")) == ""


def test_instruction_in_the_metadata_is_that_of_the_result(altered_run: Callable[..., Run], tmp_path: Path) -> None:
    model = {"label": "openai/gpt-9", "name": "rewrite", "model": MODEL, "fingerprint": "v1"}
    told = altered_run(reflector={**model, "options": {"instruction": "Be brief."}})
    closed = STATEMENT.model_copy(update={"reflector_weights": "closed"})
    result = draft(told, tmp_path, closed).result
    stated = metadata(
        result, closed, dict.fromkeys(("result.json", "episodes.jsonl.gz", "trajectories.jsonl.gz"), "0" * 64)
    )
    assert stated["instruction"].startswith("Be brief.\n\nAnswer with exactly these two sections")
    assert list(metadata_mismatches(Submission.model_validate(stated), result)) == []
    forged = Submission.model_validate({**stated, "instruction": "Be honest."})
    assert list(metadata_mismatches(forged, result)) == ["instruction is 'Be honest.', but the result says 'Be brief.'"]


def test_a_class_that_a_result_names_is_imported_only_with_trust_code(
    run: Run, altered_run: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = f"import os\nos.mkdir({str(tmp_path / 'imported')!r})\nclass Mine: instruction = 'Hi'\n"
    (tmp_path / "stranger.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    player = run.result.reflector.model_dump() | {"name": "stranger:Mine", "label": "stranger:Mine"}
    altered = altered_run(reflector=player)
    (problem,) = missing(altered, tmp_path)
    assert problem.startswith("the reflector would import 'stranger:Mine', to read its instruction; if the code is")
    assert not (tmp_path / "imported").exists()
    assert draft(altered, tmp_path, STATEMENT, trust_code=True).missing == ()
    assert (tmp_path / "imported").exists()


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


def test_submission_in_a_checkout_becomes_a_branch_without_other_changes(run: Run, tmp_path: Path) -> None:
    git(tmp_path, "init", "--initial-branch=main")
    for name, value in (("user.name", "A"), ("user.email", "a@example.org"), ("core.autocrlf", "true")):
        git(tmp_path, "config", name, value)
    (tmp_path / "README.md").write_text("a board\n", encoding="utf-8")
    (tmp_path / ".gitattributes").write_text("leaderboards/** -text\n", encoding="utf-8")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--message", "first")
    (tmp_path / "README.md").write_text("edited\n", encoding="utf-8")
    (tmp_path / "staged").write_text("staged\n", encoding="utf-8")
    git(tmp_path, "add", "staged")
    (tmp_path / ".git/hooks/pre-commit").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    before = git(tmp_path, "status", "--porcelain"), (tmp_path / ".git/config").read_bytes()
    submitted = submit(draft(run, tmp_path / "leaderboards", STATEMENT), check_submission)
    assert submitted.branch == branch_name(SLUG) == f"submission/{SLUG}"
    assert (git(tmp_path, "status", "--porcelain"), (tmp_path / ".git/config").read_bytes()) == before
    assert git(tmp_path, "branch", "--show-current") == "main\n"
    path = f"leaderboards/{SUITE}/submissions/{SLUG}"
    changed = git(tmp_path, "diff", "--name-status", "main", submitted.branch).splitlines()
    assert changed == [f"A\t{path}/{name}" for name in sorted(submitted.sizes)]
    assert git(tmp_path, "rev-list", "--count", f"main..{submitted.branch}") == "1\n"
    (problem,) = missing(run, tmp_path / "leaderboards")
    assert "a submission '" in problem
    git(tmp_path, "stash")
    git(tmp_path, "switch", submitted.branch)
    folder = BoardFolder(tmp_path / "leaderboards" / SUITE).submission(SLUG)
    assert list(check_submission(folder, SUITE)) == []


def test_quick_run_is_shown_without_a_rank(tmp_path: Path) -> None:
    small: dict[str, Any] = {
        "turns": 1,
        "batch_size": 1,
        "loops": 1,
        "selection_size": 1,
        "test_size": 2,
        "families": "eat",
    }
    options: dict[str, Any] = {"suite": "minihack-v1", "reflector": "none", "actor": "rules", "executor": "inline"}
    run = ictbench.run(**options, **small, out=tmp_path / "run")
    assert [problem for problem in draft(run, tmp_path / "boards", STATEMENT).missing if "run with" in problem] == [
        "profile 'quick' is not ranked; run with --profile lite or standard, without --turns, --batch-size, --loops, "
        "--selection-size, --test-size",
        "no held-out family was run, and ranks are by held-out families; run with --families held-out or all",
    ]
    submitted = submit(draft(run, tmp_path / "boards", STATEMENT, unranked=True), check_submission, git=False)
    assert submitted.folder.path.parent == tmp_path / "boards" / "minihack-v1" / "unranked"
    (entry,) = read_board(BoardFolder(tmp_path / "boards" / "minihack-v1")).entries
    assert (entry.section, entry.measures) == ("shown", None)


def test_checkout_that_git_refuses_is_reported_with_the_remedy(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "--quiet")
    # Git's own switch for tests: treat every repository as that of another user.
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    ready = draft(run, tmp_path / "leaderboards", STATEMENT)
    with pytest.raises(SubmissionError, match=r"dubious ownership.*; or use --no-git"):
        submit(ready, check_submission)
    assert submit(ready, check_submission, git=False).branch is None


def test_checkout_without_a_commit_is_refused_with_the_remedy(run: Run, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    with pytest.raises(SubmissionError, match="has no commit yet; make one first, or use --no-git"):
        submit(draft(run, tmp_path / "leaderboards", STATEMENT), check_submission)


def test_all_metadata_problems_are_reported_at_once(honest: SubmissionFolder, tmp_path: Path) -> None:
    folder = BoardFolder(tmp_path / SUITE).submission(SLUG)
    shutil.copytree(honest.path, folder.path)
    content = json.loads(folder.metadata.read_bytes())
    folder.metadata.write_text(
        json.dumps({**content, "name": "<b>", "links": ["ftp://a"], "more": 1}), encoding="utf-8"
    )
    (problem,) = check_submission(folder, SUITE)
    assert all(part in problem for part in ("name: it holds markup", "links.0: ", "more is not a known field"))
    folder.episodes.unlink()
    (folder.path / "more").touch()
    (problem,) = check_submission(folder, SUITE)
    assert "lacks episodes.jsonl.gz" in problem
    assert "holds 'more'" in problem


def test_a_board_that_cannot_be_written_is_named(run: Run, tmp_path: Path) -> None:
    place = tmp_path / "boards" / SUITE / "submissions"
    place.parent.mkdir(parents=True)
    place.write_text("a file", encoding="utf-8")
    with pytest.raises(SubmissionError, match=r"submissions cannot be written \(.*\); name another --leaderboards"):
        submit(draft(run, tmp_path / "boards", STATEMENT), check_submission, git=False)
