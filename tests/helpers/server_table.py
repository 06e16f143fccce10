"""Table of what works with which model server.

`PYTHONPATH=tests/helpers python -m server_table` runs the protocol against every server of the zoo, and prints
docs/servers.md.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from zoo_protocol import RUNS, plain, run_protocol

from ictbench.testing import PERSONALITIES
from ictbench.testing.server_zoo.message_quirks import NoSystemRole
from ictbench.testing.server_zoo.parameter_quirks import Rejects, RejectsUnknown
from ictbench.testing.server_zoo.reply_quirks import Reasons

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zoo_protocol import Outcome

    from ictbench.testing import Personality

HEAD = """\
# Model servers

This page lists what works with which model server, and how ictbench adapts to it. Each row comes from runs against a
test server that has the documented quirks of the real one (see [A zoo of servers](plugins.md#a-zoo-of-servers)). A
scripted model behind it plays, reflects and learns. Its episodes and prompts must equal those of a server without
quirks.

- **text**, **json**, **tools**: `--actor-decoding free`, `json` and `tools`. *no* means that the run stops before it
  plays, and shows the server's own words.
- **begun reply**: whether a reflector that begins the reply, such as `lessons`, has it continued. *unused* means that
  the provider asks without a beginning.
- **seed**: whether the server takes one. Without it, replicates of an episode differ by chance alone.
- **reasoning**: where the server puts the reasoning of its model. ictbench neither executes it nor takes it for a
  prompt.
- **adaptation**: what ictbench changes in its requests. It is found before the first episode and recorded as a part of
  the player.

`PYTHONPATH=tests/helpers python -m server_table` makes these runs and prints this page.
`tests/testing/test_zoo_protocol.py` makes them in CI. `tests/testing/test_server_zoo.py` reads replies and streams of
every test server with litellm, and those of the matching APIs with OpenAI's and Anthropic's clients. For SGLang,
llama.cpp, MLX LM, Ollama, TGI and Gemini's compatible endpoint, litellm has no provider or one for another API, so it
reads them as `openai/…`.

| server | provider | text | json | tools | begun reply | seed | system role | reasoning | adaptation |
|---|---|---|---|---|---|---|---|---|---|"""

QUIRKS_HEAD = """
## Quirks and their sources

The test servers send the error messages that these pages quote. Where a page quotes none (overflow and `stop` at
OpenAI, `stop` at xAI, overflow at DeepSeek), the wording is ours."""


def row(personality: Personality, outcomes: Mapping[str, Outcome]) -> str:
    """Return the row of a server.

    Args:
        personality: The server.
        outcomes: The outcome of each of `RUNS`.
    """
    adaptations = {adaptation(outcomes[kind]) for kind in RUNS} - {""}
    cells = [
        f"[{personality.title}](#{anchor(personality)})",
        f"`{personality.provider}/`",
        *(worked(kind, outcomes[kind]) for kind in RUNS[:-1]),
        begun(outcomes["begun"]),
        seed(personality),
        "no" if any(isinstance(quirk, NoSystemRole) for quirk in personality.quirks) else "yes",
        next((quirk.place for quirk in personality.quirks if isinstance(quirk, Reasons)), "none"),
        "; ".join(sorted(adaptations, key=len)[-1:]) or "none",
    ]
    return f"| {' | '.join(cells)} |"


def worked(kind: str, outcome: Outcome) -> str:
    """Return whether a run recorded what it records against a server without quirks."""
    if outcome.played is None:
        return "no"
    return "yes" if outcome.played == plain(kind) else "WRONG"


def begun(outcome: Outcome) -> str:
    """Return whether the server continued the begun reply of a reflector."""
    begins = [body for body in outcome.requests if body["messages"][-1]["role"] == "assistant"]
    if outcome.played is None:
        return "no"
    return worked("begun", outcome) if begins else "unused"


def adaptation(outcome: Outcome) -> str:
    """Return what was changed in the requests of the actor, in words."""
    model = outcome.result.actor.model if outcome.result else None
    return str(getattr(getattr(model, "adaptation", None), "in_words", ""))


def seed(personality: Personality) -> str:
    """Return whether the server takes a sampling seed."""
    rejects = any(
        (isinstance(quirk, Rejects) and quirk.parameter == "seed")
        or (isinstance(quirk, RejectsUnknown) and "seed" not in quirk.known)
        for quirk in personality.quirks
    )
    return "no" if rejects or personality.wire == "anthropic" else "yes"


def anchor(personality: Personality) -> str:
    """Return the anchor of the list of a server's quirks."""
    return f"quirks-{personality.name}"


def quirks(personality: Personality) -> str:
    """Return the list of a server's quirks with their sources."""
    lines = [f"- {summary} ([source]({source}))" for summary, source in personality.sources().items()]
    return "\n".join(
        [f"\n### {personality.title} {{ #{anchor(personality)} }}\n", f"Name: `{personality.name}`.\n", *lines]
    )


def main() -> None:
    """Print the page."""
    os.environ.setdefault("OPENAI_API_KEY", "none")
    os.environ.setdefault("ANTHROPIC_API_KEY", "none")
    print(HEAD)
    for personality in PERSONALITIES.values():
        print(row(personality, {kind: run_protocol(kind, personality) for kind in RUNS}), flush=True)
    print(QUIRKS_HEAD)
    for personality in PERSONALITIES.values():
        print(quirks(personality))


if __name__ == "__main__":
    main()
