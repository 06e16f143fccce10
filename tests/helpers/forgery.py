"""A submission taken apart, edited and reassembled, as an attacker would do it."""

from __future__ import annotations

import gzip
import hashlib
import json
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ictbench.protocol import LoopResult, loop_plan
from ictbench.protocol.loop import outcome_string
from ictbench.protocol.loop_result import BatchResult, PromptResult
from ictbench.records import ModelSpec, Usage, episode_key, prompt_digest
from ictbench.results import Result
from ictbench.results.assemble import added_bytes, costs, family_result, role_measures
from ictbench.results.schema import checksum_of
from ictbench.submissions.episode_records import EpisodeRecord
from ictbench.submissions.layout import SubmissionFolder
from ictbench.submissions.metadata import metadata_from_result
from ictbench.submissions.submission_schema import Submission
from ictbench.suites import Sizes, load_suite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ictbench.protocol import LoopPlan
    from ictbench.records import Task

Json = dict[str, Any]


@dataclass
class Forgery:
    """Parts of a submission as JSON, to be edited in place."""

    metadata: Json
    result: Json
    episodes: list[Json]
    trajectories: list[Json]
    memories: list[Json] = field(default_factory=list)
    """Of a learner with a memory."""
    derived: bool = True
    """Whether `write` derives the metadata from the result."""
    checksum: bool = True
    """Whether `write` updates the checksum of the result."""
    files: dict[str, bytes] = field(default_factory=dict)
    """Files to write instead of those made from the parts; their digests are recorded."""

    @classmethod
    def of(cls, folder: SubmissionFolder) -> Forgery:
        """Take a submission apart."""
        return cls(
            json.loads(folder.metadata.read_bytes()),
            json.loads(folder.result.read_bytes()),
            _lines(folder.episodes),
            _lines(folder.trajectories),
            _lines(folder.memories) if folder.memories.exists() else [],
        )

    @staticmethod
    def digest_of(folder: SubmissionFolder) -> str:
        """Return the digest of a submission."""
        return Submission.model_validate_json(folder.metadata.read_bytes()).digest

    def family(self, number: int = 0) -> Json:
        """Return a family of the result."""
        return self.result["families"][number]  # type: ignore[no-any-return]

    def loop(self, family: int = 0, number: int = 0) -> Json:
        """Return a loop of the result."""
        return self.family(family)["loops"][number]  # type: ignore[no-any-return]

    def loops(self) -> Iterator[Json]:
        """Yield all loops of the result."""
        for family in self.result["families"]:
            yield from family["loops"]

    def records(self, tasks: list[str], prompt: Json) -> list[Json]:
        """Return the records of tasks under a prompt of the result."""
        keys = {f"{task}@{prompt['digest']}" for task in tasks}
        return [episode for episode in self.episodes if episode["key"] in keys]

    def unsolved(self) -> Json:
        """Return the record of a test episode under a best prompt that reached the step limit."""
        for loop in self.loops():
            for record in self.records(loop["test_tasks"], loop["prompts"][loop["best"]]):
                if record["trajectory"]["end"] == "step_limit":
                    return record
        raise AssertionError("every test episode under a best prompt is solved")

    def solved(self) -> Json:
        """Return the record of a solved episode of at least two decisions."""
        return next(e for e in self.episodes if e["trajectory"]["end"] == "solved" and e["trajectory"]["steps"][1:])

    def needed(self) -> set[str]:
        """Return the keys of the records that the loops need."""
        keys: set[str] = set()
        for loop in self.loops():
            digests = [prompt["digest"] for prompt in loop["prompts"]]
            for digest, batch in zip(digests, loop["batches"], strict=False):
                keys |= {f"{task}@{digest}" for task in batch["tasks"]}
            keys |= {f"{task}@{digest}" for task in loop["selection_tasks"] for digest in digests}
            keys |= {f"{task}@{digests[int(index)]}" for task in loop["test_tasks"] for index in loop["test"]}
        return keys

    def drop_unneeded(self) -> None:
        """Remove records that no loop needs."""
        needed = self.needed()
        self.episodes = [record for record in self.episodes if record["key"] in needed]
        self.trajectories = [record for record in self.trajectories if record["key"] in needed]

    def recompute(self) -> None:
        """Recompute the result from prompts and records, so that it agrees with them."""
        solved = {episode["key"]: episode["trajectory"]["end"] == "solved" for episode in self.episodes}
        summaries = {e["key"]: EpisodeRecord.model_validate(e).summary() for e in self.episodes}
        suite, sizes = load_suite(self.result["suite"]["name"]), Sizes(**self.result["sizes"])
        families, constant = [], self.result["reflector"]["name"] == "none"
        for family in self.result["families"]:
            name = family["name"]
            plans = [loop_plan(suite, name, loop["index"], sizes) for loop in family["loops"]]
            loops = [_recomputed_loop(plan, loop, solved) for plan, loop in zip(plans, family["loops"], strict=True)]
            families.append(family_result(name, suite.families[name], loops, summaries, constant=constant))
        self.result["families"] = [family.model_dump(mode="json") for family in families]
        means = role_measures(families, constant=constant)
        self.result["by_role"] = {role: measures.model_dump(mode="json") for role, measures in means.items()}
        played = [loop for family in families for loop in family.loops]
        for role, usage in costs(played, summaries).items():
            self.result["cost"][role] = usage.model_dump(mode="json")
        self.result.pop("added_bytes", None)
        if added := added_bytes(played, summaries):
            self.result["added_bytes"] = {**added}

    def write(self, path: Path) -> SubmissionFolder:
        """Write the submission with matching digests."""
        folder = SubmissionFolder(path)
        path.mkdir(parents=True)
        if self.checksum:
            self.result["checksum"] = checksum_of(self.result)
        if self.derived:
            self.metadata |= _derived(self.result)
        for name, content in self.written().items():
            (path / name).write_bytes(content)
        return folder

    def written(self) -> dict[str, bytes]:
        """Return the contents of the files, the metadata with matching digests."""
        files = {
            "result.json": json.dumps(self.result, ensure_ascii=False).encode(),
            "episodes.jsonl.gz": pack(self.episodes),
            "trajectories.jsonl.gz": pack(self.trajectories),
            **({"memories.jsonl.gz": pack(self.memories)} if self.memories else {}),
        } | self.files
        digests = {name: hashlib.sha256(files[name]).hexdigest() for name in files if name != "submission.json"}
        metadata = {**self.metadata, "files": digests}
        return {"submission.json": json.dumps(metadata, ensure_ascii=False).encode(), **files}


def pack(values: list[Json]) -> bytes:
    """Return values as gzipped JSON lines."""
    text = "".join(f"{json.dumps(value, ensure_ascii=False)}\n" for value in values)
    return gzip.compress(text.encode("utf-8", "surrogatepass"), 1, mtime=0)


def claim_model(forgery: Forgery) -> None:
    """Name a language model as the actor of the run."""
    max_tokens = load_suite("minihack-v1").actor.max_tokens
    forgery.result["actor"] = {
        "label": "openai/gpt-9",
        "name": "react",
        "options": {"decoding": "free", "history": None},
        "model": ModelSpec(provider="openai", model="gpt-9", max_tokens=max_tokens).model_dump(),
        "fingerprint": "gpt-9-2027",
    }
    forgery.metadata["actor"] = {"label": "openai/gpt-9", "revision": "gpt-9-2027", "open_weights": False}
    for record in (*forgery.episodes, *forgery.trajectories):
        calls = len(record["trajectory"]["steps"])
        record["usage"] = Usage(calls=calls, input_tokens=900 * calls, output_tokens=90 * calls).model_dump()
    forgery.recompute()


def replace_prompt(forgery: Forgery, loop: Json, index: int, text: str) -> None:
    """Replace the text of a prompt in a loop, and the prompt digest and key of its records."""
    before, after = loop["prompts"][index]["digest"], prompt_digest(text)
    tasks = {*loop["selection_tasks"], *loop["test_tasks"], *(t for batch in loop["batches"] for t in batch["tasks"])}
    for prompt in loop["prompts"]:
        if prompt["digest"] == before:
            prompt.update(text=text, digest=after)
    for records in (forgery.episodes, forgery.trajectories):
        # Another loop may have the same prompt and the same experience, so the old records stay until none needs them.
        new = [deepcopy(r) for r in records if r["prompt"] == before and r["task"]["id"] in tasks]
        for record in new:
            record.update(prompt=after, key=f"{record['task']['id']}@{after}")
        known = {record["key"] for record in records}
        records += [record for record in new if record["key"] not in known]
        records.sort(key=lambda record: str(record["key"]))
    forgery.drop_unneeded()


def _recomputed_loop(plan: LoopPlan, loop: Json, solved: dict[str, bool]) -> LoopResult:
    """Return a loop with its own prompts, and with tasks of the plan and outcomes of the records."""
    prompts = [PromptResult(**prompt) for prompt in loop["prompts"]]

    def outcomes(tasks: tuple[Task, ...], prompt: PromptResult) -> str:
        return outcome_string(solved[episode_key(task.id, prompt.digest)] for task in tasks)

    def ids(tasks: tuple[Task, ...]) -> tuple[str, ...]:
        return tuple(task.id for task in tasks)

    selection = tuple(outcomes(plan.selection, prompt) for prompt in prompts)
    scores = [outcomes.count("1") for outcomes in selection]
    best = scores.index(max(scores))
    return LoopResult(
        index=plan.index,
        prompts=tuple(prompts),
        batches=tuple(
            BatchResult(tasks=ids(batch), outcomes=outcomes(batch, prompt))
            for batch, prompt in zip(plan.batches, prompts, strict=False)
        ),
        selection_tasks=ids(plan.selection),
        selection=selection,
        best=best,
        test_tasks=ids(plan.test),
        test={index: outcomes(plan.test, prompts[index]) for index in sorted({0, best, plan.turns})},
        audit=(),
    )


def _derived(content: Json) -> Json:
    """Return the part of the metadata that follows from a result; empty if the result is invalid."""
    try:
        result = Result.model_validate(content)
    except ValueError:
        return {}
    return metadata_from_result(result)


def _lines(path: Path) -> list[Json]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
