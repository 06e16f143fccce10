"""Server that speaks OpenEnv's protocol, in a thread of this process, and can fail as servers do.

`tests/interchange/test_openenv_worlds.py` plays the same hall on a server of the `openenv-core` package.
"""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web
from anyio.from_thread import start_blocking_portal

if TYPE_CHECKING:
    from collections.abc import Iterator

DOORS = ["a", "b", "c"]
INTERFACE = {"text_from": "words", "actions_from": "doors", "solved_from": "won"}


class Hall:
    """One of three doors leads out."""

    def __init__(self) -> None:
        self.steps_left: int | None = None
        """Steps after which the server is down; None for never."""
        self.deterministic = True
        self.sessions, self.max_sessions = 0, 100
        self.metadata: dict[str, Any] = {"name": "hall", "version": "1.2"}
        self.action_fields: tuple[str, ...] = ("door",)

    @property
    def is_down(self) -> bool:
        return self.steps_left == 0

    async def page(self, request: web.Request) -> web.Response:
        if self.is_down:
            raise web.HTTPServiceUnavailable
        fields = {name: {"type": "string"} for name in (*self.action_fields, "metadata")}
        pages = {"/metadata": self.metadata, "/schema": {"action": {"properties": fields}}}
        return web.json_response(pages[request.path])

    async def session(self, request: web.Request) -> web.StreamResponse:
        if self.is_down:
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if self.sessions >= self.max_sessions:
            await socket.send_json({"type": "error", "data": {"message": "at capacity", "code": "CAPACITY_REACHED"}})
            await socket.close()
            return socket
        self.sessions += 1
        try:
            dice, exit_door = random.Random(), ""
            async for message in socket:
                asked = message.json()
                if asked["type"] == "close" or self.is_down:
                    break
                if asked["type"] == "reset":
                    dice = random.Random(asked["data"]["seed"] if self.deterministic else None)
                    exit_door = dice.choice(DOORS)
                    await socket.send_json(observed("A hall.", won=False, reward=None))
                elif "door" not in asked["data"]:
                    problem = {"message": "Invalid message", "code": "VALIDATION_ERROR", "errors": ["door is missing"]}
                    await socket.send_json({"type": "error", "data": problem})
                else:
                    self.steps_left = self.steps_left and self.steps_left - 1
                    won = asked["data"]["door"] == exit_door
                    words = "Daylight." if won else f"A wall {dice.randrange(99)}."
                    await socket.send_json(observed(words, won=won, reward=float(won)))
        finally:
            self.sessions -= 1
            await socket.close()
        return socket


def observed(words: str, *, won: bool, reward: float | None) -> dict[str, Any]:
    """Return an answer of the server."""
    seen = {"words": words, "hint": "none", "doors": DOORS, "won": won}
    return {"type": "observation", "data": {"observation": seen, "reward": reward, "done": won}}


@contextmanager
def serving(hall: Hall) -> Iterator[str]:
    """Yield the address of a server."""
    app = web.Application()
    app.add_routes([web.get("/ws", hall.session), web.get("/metadata", hall.page), web.get("/schema", hall.page)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    with start_blocking_portal() as portal:
        portal.call(runner.setup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        portal.call(site.start)
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            portal.call(runner.cleanup)
