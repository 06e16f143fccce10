"""Random edits of a whole submission, alone and together, as hypothesis draws them."""

from __future__ import annotations

import gzip
from contextlib import suppress
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from mutations import positions, replace_value, values

if TYPE_CHECKING:
    from collections.abc import Callable

    from forgery import Forgery, Json

PARTS = ("metadata", "result", "episodes", "trajectories")
FILES = ("result.json", "episodes.jsonl.gz", "trajectories.jsonl.gz", "submission.json")

HOSTILE_TEXTS = (
    "<script>alert(1)</script>",
    "\x1b]52;c;AAAA\x07",
    "=HYPERLINK(0)",
    "|\n|`![](http://e)",
    "\u202etxt",
    "..",
    "../../etc/passwd",
    "--help",
    "openai/gpt-9",
    "openai.gpt9:official",
    "rules",
    "none",
    "file",
    "blind:rules",
    "minihack-v1/zap",
    "other:all",
    "solved",
    "failed",
    "held-out",
    "lite",
    "\u0661",
    "1e999",
    "\x00",
    "",
)
HOSTILE_NUMBERS = (-1, 0, 1, 2, 7, 999, 10**6, 10**15, -(10**15), 10**19, 0.5, 1e-320, 1.7e308, True)

places = st.integers(0, 10**6)


def of(items: list[Any], place: int) -> Any:
    return items[place % len(items)]


def replace(f: Forgery, part: str, position: list[int], new: Any) -> None:
    """Put any value anywhere."""
    setattr(f, part, replace_value(getattr(f, part), position, new))


def splice(f: Forgery, part: str, source: str, position: list[int], other: list[int]) -> None:
    """Put a value of a part in another place, where it may fit the schema."""
    replace_value(getattr(f, part), position, deepcopy(value_at(getattr(f, source), other)))


def value_at(value: Any, position: list[int]) -> Any:
    for place in position:
        if not isinstance(value, dict | list) or not value:
            break
        value = of(list(value.values()) if isinstance(value, dict) else value, place)
    return value


def swap_records(f: Forgery, one: int, other: int) -> None:
    """Exchange what was played in two records, under their keys."""
    first, second = of(f.episodes, one), of(f.episodes, other)
    first["trajectory"], second["trajectory"] = second["trajectory"], first["trajectory"]


def drop_record(f: Forgery, one: int) -> None:
    f.episodes.remove(of(f.episodes, one))


def repeat_record(f: Forgery, one: int) -> None:
    record = of(f.episodes, one)
    f.episodes.insert(f.episodes.index(record), deepcopy(record))


def end_otherwise(f: Forgery, one: int, end: str, failure: str | None) -> None:
    of(f.episodes, one)["trajectory"].update(end=end, failure=failure)


def edit_step(f: Forgery, one: int, step: int, name: str, new: Any) -> None:
    if steps := of(f.episodes, one)["trajectory"]["steps"]:
        of(steps, step)[name] = new


def cut_steps(f: Forgery, one: int, step: int) -> None:
    """Shorten an episode; its last observation is that of the first decision left out."""
    trajectory = of(f.episodes, one)["trajectory"]
    if steps := trajectory["steps"]:
        keep = step % len(steps)
        trajectory.update(last_digest=steps[keep]["digest"], steps=steps[:keep])


def edit_shown(f: Forgery, one: int, position: list[int], new: Any) -> None:
    """Edit a record and the published episode alike."""
    if f.trajectories:
        shown = of(f.trajectories, one)
        replace_value(shown, position, new)
        for record in f.episodes:
            if record["key"] == shown.get("key"):
                replace_value(record, position, deepcopy(new))


def choose_other_best(f: Forgery, family: int, loop: int, best: int) -> None:
    one = of(of(f.result["families"], family)["loops"], loop)
    one["best"] = best % len(one["prompts"])


def edit_prompt(f: Forgery, family: int, loop: int, index: int, text: str) -> None:
    of(of(of(f.result["families"], family)["loops"], loop)["prompts"], index)["text"] = text


def flip_byte(f: Forgery, name: str, place: int, bit: int, inside: bool) -> None:
    """Change one bit of a file as it would be written, or of what it holds compressed."""
    raw = bytearray(f.written()[name])
    packed = inside and name.endswith(".gz")
    content = bytearray(gzip.decompress(raw)) if packed else raw
    content[place % len(content)] ^= 1 << bit
    f.files[name] = gzip.compress(bytes(content), 1, mtime=0) if packed else bytes(content)


def edit(function: Callable[..., None], *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(st.just(function), st.tuples(*arguments))


anything = st.one_of(values, st.sampled_from(HOSTILE_TEXTS), st.sampled_from(HOSTILE_NUMBERS))
ends = st.sampled_from(["solved", "died", "env_ended", "step_limit", "failed"])
fields = st.sampled_from(["digest", "executed", "proposed", "keys", "reward", "thought"])

edits = st.lists(
    st.one_of(
        edit(replace, st.sampled_from(PARTS), positions, anything),
        edit(splice, st.sampled_from(PARTS), st.sampled_from(PARTS), positions, positions),
        edit(swap_records, places, places),
        edit(drop_record, places),
        edit(repeat_record, places),
        edit(end_otherwise, places, ends, st.sampled_from([None, "refused", "truncated", "bad_request"])),
        edit(edit_step, places, places, fields, anything),
        edit(cut_steps, places, places),
        edit(edit_shown, places, positions, anything),
        edit(choose_other_best, places, places, places),
        edit(edit_prompt, places, places, places, st.one_of(st.text(max_size=30), st.sampled_from(HOSTILE_TEXTS))),
        edit(flip_byte, st.sampled_from(FILES), places, st.integers(0, 7), st.booleans()),
    ),
    min_size=1,
    max_size=4,
)
"""A few edits, each a function of the forgery and its arguments."""


def make_consistent(f: Forgery) -> None:
    """Recompute sums, outcomes, digests and orders as far as the edited parts allow."""
    with suppress(Exception):
        f.episodes.sort(key=lambda record: str(record["key"]))
    with suppress(Exception):
        for loop in f.loops():
            rename_prompts(f, loop)
    with suppress(Exception):
        f.recompute()


def rename_prompts(f: Forgery, loop: Json) -> None:
    """Give edited prompts their digests, in the records, too."""
    from forgery import replace_prompt

    from ictbench.records import prompt_digest

    for index, prompt in enumerate(loop["prompts"]):
        if prompt_digest(prompt["text"]) != prompt["digest"]:
            replace_prompt(f, loop, index, prompt["text"])
