"""A reader who opens pages in a browser."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Dialog, Page

NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    """Return the path of Chromium, installing Debian's package if that is possible; None without one."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program or os.geteuid() != 0 or not shutil.which("apt-get"):
        return program
    for command in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
        subprocess.run(["apt-get", *command], check=False, capture_output=True, timeout=540)
    return shutil.which("chromium")


class Reader:
    """Reader who records what no page should do: errors, dialogs, requests for anything but the page itself."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[Any] = []
        self.problems: list[str] = []

    def open(
        self, path: Path, *, query: str = "", root: Path | None = None, timeout: float = 4000, **settings: Any
    ) -> Page:
        """Open a page in a new window.

        Args:
            path: The page.
            query: Query string to append to its address.
            root: Folder whose files the page may request; by default it may request only itself.
            timeout: Milliseconds that anything on the page may take.
            settings: Settings of Playwright, for example viewport and color_scheme.
        """
        context = self._browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})
        self._contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(timeout)
        page.on("console", lambda message: self.problems.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("dialog", self._dismiss)
        page.on("request", lambda request: self._record(request.url, path, root))
        page.goto(path.as_uri() + query)
        page.locator("main > :not(noscript)").first.wait_for(
            state="attached"
        )  # data are decompressed before a board is drawn
        return page

    def close(self) -> None:
        """Close all windows."""
        for context in self._contexts:
            context.close()

    def _dismiss(self, dialog: Dialog) -> None:
        self.problems.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _record(self, url: str, path: Path, root: Path | None) -> None:
        inside = root is not None and url.startswith(f"{root.as_uri()}/")
        if url.partition("?")[0] != path.as_uri() and not inside and not url.startswith("data:"):
            self.problems.append(f"request: {url}")
