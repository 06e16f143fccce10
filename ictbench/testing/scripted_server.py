"""Scripted model behind a real HTTP server on loopback, in OpenAI's and Anthropic's wire formats.

It is also a program: `python -m ictbench.testing.scripted_server --latency lognormal:0.2:1.0 --answer "Action: wait"`
prints its base URL on the first line and serves until SIGINT or SIGTERM. `--faults "rate_limited:0.02,reset:0.01"`
makes requests fail on purpose; see `ictbench.testing.faults`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import hashlib
import json
import signal
import threading
from collections import Counter
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aiohttp import web

from ictbench.testing.api_error import ApiError
from ictbench.testing.faults import Faults
from ictbench.testing.http_delivery import deliver, encode_reply
from ictbench.testing.scripted_replies import Answer, Latency, Reply, as_answer
from ictbench.testing.server_zoo import find_personality
from ictbench.testing.server_zoo.personality import PersonalityFormat
from ictbench.testing.wire_formats import WIRE_FORMATS, WireFormat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    from ictbench.testing.faults import Fault
    from ictbench.testing.server_zoo.personality import Personality

MAX_REQUEST_BYTES = 256 * 2**20
START_SECONDS = 30.0
GRACE_SECONDS = 0.1
"""Seconds that requests in progress get when the server is stopped."""


class ScriptedServer:
    """Server that answers `POST /v1/chat/completions` and `POST /v1/messages` by a script, in its own thread.

    A request with `stream: true` gets its reply as server-sent events.

        with ScriptedServer(["Action: wait"], latency=Latency.lognormal(0.2, 1.0)) as server:
            model = OpenAIModel(ModelSpec(provider="openai", model="scripted", base_url=server.url))

    Token counts in its replies are numbers of words. `GET /stats` returns what `stats()` returns.

    Attributes:
        url: Base URL for OpenAI's format, ending in `/v1`, or with another path if the personality has one.
        anthropic_url: Base URL for Anthropic's format, without `/v1`.
        base_url: The one of both that the personality speaks; `url` without a personality.
        requests: Number of completions requested so far.
        in_flight: Number of requests without a reply, including those that wait to be served.
        max_in_flight: Maximum of `in_flight` so far.
        max_serving: Maximum number of requests served at the same time, at most `concurrency`.
        total_latency: Sum of the scripted latencies in seconds.
        statuses: Number of replies by HTTP status; 0 counts replies that never arrive.
        faults: Number of injected faults by name.
        requests_log: Bodies of all requests in the order in which they were served, if `record` is set.
        embedded: Texts for which embeddings were requested.
    """

    def __init__(
        self,
        answer: Answer | Sequence[str | Reply],
        *,
        latency: Latency | None = None,
        faults: Faults | None = None,
        concurrency: int | None = None,
        model: str | None = None,
        personality: Personality | None = None,
        seed: int = 0,
        record: bool = False,
        port: int = 0,
        embed: Callable[[str], Sequence[float]] | None = None,
    ) -> None:
        """Prepare the server; it starts when its context is entered.

        Args:
            answer: Computes the reply from the body of a request, or a list of replies to cycle through.
            latency: Latency of replies; 0 by default.
            faults: Faults to inject; none by default.
            concurrency: Maximum number of requests served at the same time, others wait; None for no limit.
            model: Model name in replies and in `GET /v1/models`; by default the personality's, or `scripted`.
            personality: The server to be like; None for one without quirks that speaks both formats. See
                `ictbench.testing.server_zoo`.
            seed: Seed of the latencies; each depends on it and on the request's number.
            record: Whether to keep the bodies of all requests in `requests_log`.
            port: Port; 0 for a free one.
            embed: Computes the vector of a text for `POST /v1/embeddings`; None for a server without embeddings.
        """
        self.url = self.anthropic_url = self.base_url = ""
        self.requests = self.in_flight = self.max_in_flight = self.max_serving = 0
        self.total_latency = 0.0
        self.statuses: Counter[int] = Counter()
        self.faults: Counter[str] = Counter()
        self.requests_log: list[dict[str, Any]] = []
        self.embedded: list[str] = []
        self._embed = embed
        self._answer = as_answer(answer)
        self._latency = latency or Latency()
        self._faults = faults or Faults()
        self._times_sent: Counter[str] = Counter()
        self._slots = asyncio.Semaphore(concurrency) if concurrency else contextlib.nullcontext()
        self._serving = 0
        self._clients: set[Any] = set()
        self._personality = personality
        self._formats = (PersonalityFormat(personality),) if personality else WIRE_FORMATS
        self._model = model or (personality.model if personality else "scripted")
        self._seed = seed
        self._record = record
        self._port = port
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> ScriptedServer:
        if self._thread:
            raise RuntimeError("a ScriptedServer can be entered once")
        started: Future[str] = Future()
        self._thread = threading.Thread(target=self._run, args=(started,), name="scripted-server", daemon=True)
        self._thread.start()
        self.anthropic_url = started.result(START_SECONDS)
        self.url = f"{self.anthropic_url}{self._personality.base_path if self._personality else '/v1'}"
        self.base_url = self.anthropic_url if self._formats[0].name == "anthropic" else self.url
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._loop and self._thread:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    @property
    def connections(self) -> int:
        """Number of TCP connections over which completions were requested."""
        return len(self._clients)

    def stats(self) -> dict[str, Any]:
        """Return all counters as plain JSON."""
        return {
            "requests": self.requests,
            "in_flight": self.in_flight,
            "max_in_flight": self.max_in_flight,
            "connections": self.connections,
            "max_serving": self.max_serving,
            "total_latency": self.total_latency,
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "faults": dict(sorted(self.faults.items())),
        }

    def _run(self, started: Future[str]) -> None:
        try:
            asyncio.run(self._serve(started))
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    async def _serve(self, started: Future[str]) -> None:
        self._loop = asyncio.get_running_loop()
        app = web.Application(client_max_size=MAX_REQUEST_BYTES)
        for wire in self._formats:
            for path in wire.paths:
                app.router.add_post(path, functools.partial(self._complete, wire))
        first = self._formats[0]
        app.router.add_get(first.models_path, functools.partial(self._models, first))
        app.router.add_get("/stats", self._stats)
        if self._embed:
            app.router.add_post("/v1/embeddings", self._embeddings)
        if self._personality and self._personality.other_endpoints is not None:
            app.router.add_route("*", "/{path:.*}", self._other_endpoint)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=GRACE_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", self._port).start()
            started.set_result(f"http://127.0.0.1:{runner.addresses[0][1]}")
            await self._stop.wait()
        finally:
            await runner.cleanup()

    async def _complete(self, wire: WireFormat, request: web.Request) -> web.StreamResponse:
        self.requests += 1
        number = self.requests
        if request.transport:
            self._clients.add(request.transport.get_extra_info("peername"))
        with self._count_in_flight():
            content = await request.read()
            async with self._slots:
                self._serving += 1
                self.max_serving = max(self.max_serving, self._serving)
                try:
                    reply, body = self._reply(wire, content)
                    seconds = reply.seconds
                    if seconds is None:
                        seconds = self._latency.seconds(self._seed, number)
                    await asyncio.sleep(seconds)
                    self.total_latency += seconds
                finally:
                    self._serving -= 1
            words = sum(len(message["content"].split()) for message in body.get("messages", ()))
            try:
                content, content_type = encode_reply(reply, wire, body, self._model, number, words)
            except ApiError as error:
                reply = Reply(status=error.status, error=error)
                content, content_type = encode_reply(reply, wire, body, self._model, number, words)
            self.statuses[0 if reply.delivery in {"drop", "hang"} else reply.status] += 1
            return await deliver(request, reply, content, {"Content-Type": content_type, **wire.headers})

    @contextlib.contextmanager
    def _count_in_flight(self) -> Iterator[None]:
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        try:
            yield
        finally:
            self.in_flight -= 1

    def _reply(self, wire: WireFormat, content: bytes) -> tuple[Reply, dict[str, Any]]:
        """Return the reply to a request, and the request as the script sees it, empty if it is malformed."""
        request = None
        try:
            request = json.loads(content)
            body = wire.parse(request)
        except ValueError as error:
            return Reply(str(error), status=400), {}
        except ApiError as error:
            return Reply(status=error.status, error=error), {}
        finally:
            if self._record and request is not None:
                self.requests_log.append(request)
        fault = self._draw_fault(content)
        if fault and (reply := self._faults.reply(fault, wire)):
            return reply, body
        try:
            answer = self._answer(body)
        except Exception as error:  # whatever a broken script raises, the client should see it
            return Reply(f"the script raised {error!r}", status=500), body
        reply = Reply(answer) if isinstance(answer, str) else answer
        return (self._faults.slow_down(reply) if fault else reply), body

    def _draw_fault(self, content: bytes) -> Fault | None:
        if not self._faults.rates:
            return None
        digest = hashlib.sha256(content).hexdigest()
        fault = self._faults.draw(digest, self._times_sent[digest])
        self._times_sent[digest] += 1
        if fault:
            self.faults[fault.value] += 1
        return fault

    async def _embeddings(self, request: web.Request) -> web.Response:
        texts = (await request.json())["input"]
        self.embedded += texts
        vectors = [list(self._embed(text)) for text in texts] if self._embed else []
        data = [{"object": "embedding", "index": number, "embedding": vector} for number, vector in enumerate(vectors)]
        tokens = sum(len(text.split()) for text in texts)
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return web.json_response({"object": "list", "data": data, "model": self._model, "usage": usage})

    async def _models(self, wire: WireFormat, request: web.Request) -> web.Response:
        return web.json_response(wire.models(self._model))

    async def _other_endpoint(self, request: web.Request) -> web.Response:
        return web.json_response(self._personality.other_endpoints if self._personality else None)

    async def _stats(self, request: web.Request) -> web.Response:
        return web.json_response(self.stats())


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m ictbench.testing.scripted_server", description=__doc__)
    parser.add_argument("--answer", action="append", help="text of the reply; if repeated, cycled through")
    parser.add_argument("--latency", type=Latency.parse, default=Latency(), help="constant:S or lognormal:MEDIAN:SIGMA")
    parser.add_argument("--faults", type=Faults.parse, default=Faults(), help="NAME:RATE,NAME:RATE,…")
    parser.add_argument("--concurrency", type=int, help="maximum number of requests served at the same time")
    parser.add_argument("--model", help="name of the model")
    parser.add_argument("--personality", help="the server to be like, e.g. ollama")
    parser.add_argument("--port", type=int, default=0, help="port; 0 for a free one")
    parser.add_argument("--seed", type=int, default=0, help="seed of latencies and faults")
    options = vars(parser.parse_args(arguments))
    if options["personality"]:
        options["personality"] = find_personality(options["personality"])
    options["faults"] = replace(options["faults"], seed=options["seed"])
    # Blocked before the server's thread starts, so that only sigwait receives the signal.
    stop_signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals)
    with ScriptedServer(options.pop("answer") or ["Action: wait"], **options) as server:
        print(server.base_url, flush=True)
        signal.sigwait(stop_signals)


if __name__ == "__main__":
    main()
