"""Scripted model server with a random but reproducible latency per request.

    python benchmarks/latency_server.py --median 0.2 --sigma 1

Prints its base URL and serves until it is stopped. Equal requests have equal latencies. As an actor, the model walks
back and forth; as a reflector, it writes a new prompt each time. It states each latency in its thought or analysis,
from which `ideal.py` computes the time of an ideal schedule.
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
    """Return the function that answers requests."""

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
    """Start the server in a subprocess and yield its base URL."""
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
