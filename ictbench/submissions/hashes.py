"""Digests and versions that a result states, which must look like ones before anything is looked up by them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ictbench.results import Result

SHA256, PROMPT, MEMORY = (re.compile(f"[0-9a-f]{{{digits}}}") for digits in (64, 12, 16))


def hash_problems(result: Result) -> Iterator[str]:
    """Yield the digests of a result that are no hexadecimal hashes of the right length."""
    stated = {"suite.digest": result.suite.digest, "episodes_sha256": result.episodes_sha256}
    for place, digest in stated.items():
        if not SHA256.fullmatch(digest):
            yield f"{place} is {digest!r:.80}, which is not a SHA-256 digest; submit the run again"
    for family in result.families:
        for loop in family.loops:
            for index, prompt in enumerate(loop.prompts):
                place = f"prompt[{index}] in {family.name!r:.40}, loop {loop.index}"
                if not PROMPT.fullmatch(prompt.digest):
                    yield (
                        f"the digest of {place}, is {prompt.digest!r:.40}, not 12 hexadecimal digits; submit the run "
                        "again"
                    )
                if prompt.memory and not MEMORY.fullmatch(prompt.memory):
                    yield (
                        f"the memory of {place}, is {prompt.memory!r:.40}, not 16 hexadecimal digits; submit the run "
                        "again"
                    )
