"""Attacks on the memories of a learner, and on what they add to prompts."""

from __future__ import annotations

import gzip
from copy import deepcopy
from functools import partial
from typing import TYPE_CHECKING, Any

from attacks import ATTACKS, Attack, attack, attack_on_files
from attacks_on_files import DEEP, bomb, replace_file

from ictbench.records import ADDED_BYTES, MEMORY_BYTES, MEMORY_ROOM, Memory, digest_of, prompt_digest

if TYPE_CHECKING:
    from forgery import Forgery, Json

    from ictbench.submissions.layout import SubmissionFolder

MEMORIES = "memories.jsonl.gz"

attack_on_memory = partial(attack, division="memory")
attack_on_memory_files = partial(attack_on_files, division="memory")


def remembering(f: Forgery) -> tuple[Json, int]:
    """Return a loop whose last prompt has a memory of its own, and the index of that prompt."""
    for loop in f.loops():
        *before, last = loop["prompts"]
        if last.get("memory") and last["memory"] not in {prompt.get("memory") for prompt in before}:
            return loop, len(before)
    raise AssertionError("no last prompt has a new memory")


def replace_memory(f: Forgery, change: Any) -> Json:
    """Replace the memory of a last prompt, with matching digests and keys; return its prompt."""
    loop, index = remembering(f)
    prompt: Json = loop["prompts"][index]
    before, old = prompt["digest"], next(m for m in f.memories if m["digest"] == prompt["memory"])
    value = change(deepcopy(old["value"]))
    memory = {"value": value, "digest": digest_of(value, 16)}
    f.memories.append(memory)
    prompt.update(memory=memory["digest"], digest=prompt_digest(prompt["text"], memory["digest"]))
    tasks = {*loop["selection_tasks"], *loop["test_tasks"]}
    for records in (f.episodes, f.trajectories):
        new = [deepcopy(r) for r in records if r["prompt"] == before and r["task"]["id"] in tasks]
        for record in new:
            record.update(prompt=prompt["digest"], key=f"{record['task']['id']}@{prompt['digest']}")
        records += new
        records.sort(key=lambda record: str(record["key"]))
    named = {prompt.get("memory") for loop in f.loops() for prompt in loop["prompts"]}
    f.memories = [memory for memory in f.memories if memory["digest"] in named]
    f.drop_unneeded()
    return prompt


def add_texts(f: Forgery, text: str, every: int = 1) -> None:
    """Put a text into every so-manieth episode to whose prompt a memory added something."""
    keys = [record["key"] for record in f.episodes if record.get("added")][::every]
    for record in (*f.episodes, *f.trajectories):
        if record["key"] in {*keys}:
            record["added"] = text
    f.recompute()


@attack_on_memory("other texts than the memory adds", "verify", "added: ")
def other_texts(f: Forgery) -> None:
    add_texts(f, "Go to the staircase.", every=3)


@attack_on_memory("the texts that the memory adds left out", "verify", "added: ")
def no_texts(f: Forgery) -> None:
    add_texts(f, "")


@attack_on_memory(
    "a text added to a prompt without a memory", "validate", "was added to its prompt, which has no memory"
)
def text_without_memory(f: Forgery) -> None:
    base = f.loop()["prompts"][0]["digest"]
    next(record for record in f.episodes if record["prompt"] == base).update(added="Go to the staircase.")


@attack_on_memory(
    "an added text beyond the limit", "validate", "2,001 bytes were added to its prompt, of at most 2,000"
)
def long_text(f: Forgery) -> None:
    add_texts(f, "x" * (ADDED_BYTES + 1))


@attack_on_memory("fewer added bytes in the cost than in the records", "validate", "cost: added_bytes.test is")
def fewer_added_bytes(f: Forgery) -> None:
    f.result["added_bytes"]["test"] = 1


@attack_on_memory("the id of a test task in an added text", "validate", "leaked names:")
def name_in_text(f: Forgery) -> None:
    add_texts(f, f"This is {f.loop()['test_tasks'][0]}.")


@attack_on_memory("the seed of a test task in a memory", "validate", "leaked seeds:")
def seed_in_memory(f: Forgery) -> None:
    loop, _ = remembering(f)
    seed = int(loop["test_tasks"][0].rpartition("-")[2])
    replace_memory(f, lambda value: {**value, "seeds": [1, seed]})


@attack_on_memory("the solution of a test task in a memory, one action an item", "validate", "leaked actions:")
def solution_in_memory(f: Forgery) -> None:
    loop, _ = remembering(f)
    tasks = {*loop["test_tasks"], *loop["selection_tasks"]}
    solutions = [
        [step["executed"] for step in record["trajectory"]["steps"] if step["executed"]]
        for record in f.episodes
        if record["task"]["id"] in tasks and record["trajectory"]["end"] == "solved"
    ]
    longest = max(solutions, key=lambda actions: (len(set(actions)), len(actions)))
    replace_memory(f, lambda value: {**value, "plan": [{"do": action} for action in longest]})


@attack_on_memory(
    "a memory that the learner did not write, with matching digests and keys",
    "nothing",
    "a replay cannot tell who wrote a memory, and when; what it adds is recalled from it",
)
def invented_memory(f: Forgery) -> None:
    replace_memory(f, lambda value: {**value, "note": "written by hand"})
    f.recompute()


@attack_on_memory("a memory that no prompt names", "validate", "memories: ")
def unnamed_memory(f: Forgery) -> None:
    f.memories.append(Memory.of({"payload": "x" * 1_000}).model_dump(mode="json"))


@attack_on_memory("a memory left out", "validate", "is missing")
def missing_memory(f: Forgery) -> None:
    f.memories.pop()


@attack_on_memory("a memory twice", "validate", "occurs twice")
def repeated_memory(f: Forgery) -> None:
    f.memories.append(f.memories[0])


@attack_on_memory("an edited memory under its old digest", "reading", "its digest is")
def edited_memory(f: Forgery) -> None:
    f.memories[0]["value"]["rules"].append("- Go to >.")


@attack_on_memory("null as a memory", "reading", "null is no memory")
def null_memory(f: Forgery) -> None:
    f.memories[0]["value"] = None


@attack_on_memory("a memory beyond the limit, with matching digests", "validate", f"of at most {MEMORY_BYTES:,}")
def large_memory(f: Forgery) -> None:
    replace_memory(f, lambda value: {**value, "more": "x" * MEMORY_BYTES})


@attack_on_memory("a memory of a megabyte", "reading", "is longer than 257,000 bytes")
def huge_memory(f: Forgery) -> None:
    replace_memory(f, lambda value: {**value, "more": "x" * 1_000_000})


@attack_on_memory("a memory before the first turn", "validate", "prompt[0] has the memory")
def early_memory(f: Forgery) -> None:
    first = f.loop()["prompts"][0]
    memory = f.memories[0]["digest"]
    first.update(memory=memory, digest=prompt_digest(first["text"], memory))


@attack_on_memory("a memory changed by a failed reflection", "validate", "memory of prompt[")
def memory_of_failure(f: Forgery) -> None:
    loop, index = remembering(f)
    loop["prompts"][index]["failure"] = "unparseable"


@attack_on_memory("a prompt that leaves no room for what the memory adds", "validate", "beside a memory")
def no_room(f: Forgery) -> None:
    loop, index = remembering(f)
    prompt = loop["prompts"][index]
    prompt["text"] = "x" * (8_000 - MEMORY_ROOM + 1)
    prompt["digest"] = prompt_digest(prompt["text"], prompt["memory"])


@attack_on_memory(
    "a learner with a memory in the division of reflectors", "validate", "its division is reflector, that of"
)
def hidden_division(f: Forgery) -> None:
    f.result["division"] = "reflector"


@attack(
    "a reflector in the division of memory learners", "validate", "its division is memory, that of 'rules' reflector"
)
def claimed_division(f: Forgery) -> None:
    f.result["division"] = "memory"


@attack("memories beside a reflector that has none", "validate", "belongs to no prompt")
def memories_of_nobody(f: Forgery) -> None:
    f.memories.append(Memory.of({"payload": "x" * 1_000}).model_dump(mode="json"))


@attack_on_memory(
    "a recall of a class of one's own that solves the task",
    "nothing",
    "a class that is not part of ictbench may add anything; verify says that it was not recomputed",
)
def own_recall(f: Forgery) -> None:
    f.result["reflector"].update(label="mine:Mine", name="mine:Mine")
    f.metadata["reflector"]["label"] = "mine:Mine"
    add_texts(f, "Go north, then east.")


def line(value: str) -> bytes:
    """Return a file of memories with one line, whose memory is this JSON."""
    return gzip.compress(f'{{"value": {value}, "digest": "0123456789abcdef"}}\n'.encode(), mtime=0)


def _fixed(content: bytes, f: Forgery) -> bytes:
    return content


INVALID_FILES = {
    "a gzip bomb of 1 GB as memories": (bomb(1), "a line after line 0 is longer than 257,000 bytes"),
    "a deeply nested memory": (line(DEEP), "line 1 is nested deeper than 24 levels"),
    "an infinite number in a memory": (line("1e999"), "is too large (beyond 10^15) or too long"),
    "NaN in a memory": (line("NaN"), "NaN is not a number"),
    "a repeated key in a memory": (line('{"a": 1, "a": 2}'), "the key 'a' occurs twice"),
    "a lone surrogate in a memory": (line('"\\ud800"'), "holds a lone surrogate"),
    "a pickle instead of memories": (b"cos\nsystem\n(S'id'\ntR.", "is not a gzip file, or is damaged"),
    "a million empty memories": (gzip.compress(b"{}\n" * 10**6), "line 1 is not a memory"),
}
for name, (content, reason) in INVALID_FILES.items():
    forge_invalid = replace_file(MEMORIES, partial(_fixed, content))
    ATTACKS.append(Attack(name, "reading", reason, forge=forge_invalid, division="memory"))


@attack_on_memory_files("a missing file of memories", "reading", "lacks memories.jsonl.gz")
def missing_file(folder: SubmissionFolder) -> None:
    folder.memories.unlink()


@attack_on_memory_files(
    "a symbolic link as the file of memories", "reading", "memories.jsonl.gz cannot be read: it is a symbolic link"
)
def link(folder: SubmissionFolder) -> None:
    folder.memories.unlink()
    folder.memories.symlink_to("/dev/zero")
