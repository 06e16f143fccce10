"""A program in place of a model server, which can misbehave and records its requests."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Handler(BaseHTTPRequestHandler):
    options: argparse.Namespace

    def do_GET(self) -> None:
        after = self.options.after
        if self.headers["Authorization"] != f"Bearer {self.options.key}":
            self.answer(401, {"error": "no such key"})
        else:
            self.answer(200 if after is None or after.exists() else 503, {"environment": dict(os.environ)})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.record({"body": body, "authorization": self.headers["Authorization"]})
        if self.options.dies:
            print("CUDA error: device lost", flush=True)
            os._exit(7)
        choice = {"message": {"role": "assistant", "content": "Action: wait"}, "finish_reason": "stop"}
        self.answer(200, {"model": body["model"], "choices": [choice]})

    def answer(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def record(self, entry: Any) -> None:
        if self.options.record:
            with self.options.record.open("a") as file:
                file.write(json.dumps(entry) + "\n")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named by the base class
        pass


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--record", type=Path, default=os.environ.get("STAND_IN_RECORD"))
    parser.add_argument("--after", type=Path, help="become healthy only once this file exists")
    parser.add_argument("--key", default=os.environ.get("VLLM_API_KEY") or os.environ.get("API_KEY"))
    parser.add_argument("--loads", type=Path, help="take the port only once this file exists")
    parser.add_argument("--fails", help="print this and exit")
    parser.add_argument("--dies", action="store_true", help="exit at the first request")
    parser.add_argument("--stubborn", action="store_true", help="ignore SIGTERM")
    parser.add_argument("--child", type=Path, help="start a program and write its process id here")
    options, _ = parser.parse_known_args()
    Handler.options = options
    if options.record:
        options.record = Path(options.record)
        with options.record.open("a") as file:
            file.write(json.dumps(sys.argv[1:]) + "\n")
    if options.fails:
        sys.exit(options.fails)
    if options.stubborn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if options.child:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        options.child.write_text(str(child.pid))
    while options.loads and not options.loads.exists():
        time.sleep(0.02)
    print("the stand-in server is ready", flush=True)
    ThreadingHTTPServer((options.host, options.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
