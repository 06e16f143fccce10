"""A scripted model whose every answer takes its own time, and says how long: the same question, the same latency.

    python benchmarks/latency_server.py --median 0.2 --sigma 1

prints its base URL and serves until it is told to stop. As an actor it walks to and fro; as a reflector it writes a new
prompt each time. Its latency stands in the thought, or in the analysis, so that whoever reads a finished run knows
what an ideal schedule would have taken.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ictbench.testing import Latency, Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator


def policy(latency: Latency) -> Any:
    """The script of the server."""

    def answer(body: dict[str, Any]) -> Reply:
        messages = body["messages"]
        digest = hashlib.sha256(json.dumps(messages).encode()).hexdigest() if latency.median else ""
        seconds = latency.seconds(0, digest)
        if "IMPROVED PROMPT:" in messages[-1]["content"] or "IMPROVED PROMPT:" in messages[0]["content"]:
            text = f"ANALYSIS:\n{seconds!r}\nIMPROVED PROMPT:\nWalk to and fro. This is attempt {digest}."
        else:
            text = f"Thought: {seconds!r}\nAction: step {'ns'[len(messages) // 2 % 2]}"
        return Reply(text, seconds=seconds)

    return answer


@contextmanager
def latency_server(latency: Latency) -> Iterator[str]:
    """The base URL of such a server, in a process of its own."""
    command = [sys.executable, __file__, "--median", str(latency.median), "--sigma", str(latency.sigma)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--median", type=float, default=0.2, help="seconds")
    parser.add_argument("--sigma", type=float, default=1.0)
    options = parser.parse_args()
    stopping = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, stopping)
    with ScriptedServer(policy(Latency.lognormal(options.median, options.sigma))) as server:
        print(server.url, flush=True)
        signal.sigwait(stopping)


if __name__ == "__main__":
    main()
