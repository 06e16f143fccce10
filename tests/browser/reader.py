"""Somebody who opens a report, and the browser to do it with."""

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
    """The program: one on the PATH, or Debian's, installed where we may."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found or os.geteuid() != 0 or not shutil.which("apt-get"):
        return found
    for command in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
        subprocess.run(["apt-get", *command], check=False, capture_output=True, timeout=540)
    return shutil.which("chromium")


class Reader:
    """Opens pages and notes what no page should do: errors, dialogs, requests for anything but the file itself."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[Any] = []
        self.troubles: list[str] = []

    def open(self, path: Path, *, query: str = "", root: Path | None = None, **settings: Any) -> Page:
        """A page in a window of its own; `settings` are Playwright's, e.g. viewport and color_scheme.

        Nothing else may be asked for, or, with `root`, nothing outside of that folder.
        """
        context = self._browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})
        self._contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(4000)
        page.on("console", lambda message: self.troubles.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        page.on("dialog", self._dismiss)
        page.on("request", lambda request: self._note(request.url, path, root))
        page.goto(path.as_uri() + query)
        return page

    def close(self) -> None:
        """Close all windows."""
        for context in self._contexts:
            context.close()

    def _dismiss(self, dialog: Dialog) -> None:
        self.troubles.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _note(self, url: str, path: Path, root: Path | None) -> None:
        inside = root is not None and url.startswith(f"{root.as_uri()}/")
        if url.partition("?")[0] != path.as_uri() and not inside and not url.startswith("data:"):
            self.troubles.append(f"request: {url}")
