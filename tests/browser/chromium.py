"""A page in a real browser that remembers whatever goes wrong in it."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Request, ViewportSize

ColorScheme = Literal["light", "dark"]

DESKTOP = ViewportSize(width=1300, height=800)
PHONE = ViewportSize(width=390, height=844)

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
PATIENCE = 60_000  # milliseconds: the machine may have other things to do
_LOCAL_SCHEMES = ("data", "blob", "about")


def chromium_path() -> str | None:
    """The browser of this machine; None if it has none."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


def launch(playwright: Playwright, path: str) -> Browser:
    """Without a window. A browser of root has no sandbox."""
    return playwright.chromium.launch(executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else [])


class Watch:
    """Opens pages at `origin` and records every console error, failed script, and request to another host."""

    def __init__(self, browser: Browser, origin: str, hosts: Sequence[str] = ()) -> None:
        self._browser, self._origin = browser, origin
        self._hosts = {urlsplit(origin).netloc, *hosts}
        self.faults: list[str] = []

    def open(
        self, color_scheme: ColorScheme = "light", viewport: ViewportSize = DESKTOP, *, has_touch: bool = False
    ) -> Page:
        """A page with cookies of its own; `goto` takes paths of the service."""
        context = self._browser.new_context(
            base_url=self._origin, color_scheme=color_scheme, viewport=viewport, has_touch=has_touch
        )
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.faults.append(f"error in a script: {error}"))
        page.on("request", self._on_request)
        return page

    def forgive(self, words: str) -> None:
        """Take back the faults that have these words in them, which the test wanted. Fails if there is none."""
        kept = [fault for fault in self.faults if words not in fault]
        assert len(kept) < len(self.faults), f"no fault has {words!r} in it: {self.faults}"
        self.faults = kept

    def close(self) -> None:
        for context in self._browser.contexts:
            context.close()

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.faults.append(f"console: {message.text} ({message.location.get('url')})")

    def _on_request(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme not in _LOCAL_SCHEMES and url.netloc not in self._hosts:
            self.faults.append(f"request to another host: {request.url}")


def serious_faults(page: Page) -> list[str]:
    """What axe calls serious or critical in the page as it is now, a line each."""
    # To load the style sheets itself axe would add styles to the page, which our policy forbids.
    violations: list[dict[str, Any]] = Axe().run(page, options={"preload": False}).response["violations"]
    return [
        f"{found['id']}: {node['target']} {node['failureSummary']}"
        for found in violations
        if found["impact"] in ("serious", "critical")
        for node in found["nodes"]
    ]


def save_screenshot(page: Page, name: str, folder: Path) -> None:
    """Save the page as an image of the documentation if ASTRA_TEST_SCREENSHOTS is set, else in `folder`."""
    target = _IMAGES if os.environ.get("ASTRA_TEST_SCREENSHOTS") else folder
    # To hide the caret Playwright would add a style to the page, which our policy forbids.
    page.screenshot(path=target / name, quality=82 if name.endswith(".jpg") else None, caret="initial")
