"""A real headless Chromium with the page open from its file, and no network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, Page, sync_playwright

from tests.harness.needs import need

PAGE = Path(__file__).parents[2] / "verifier" / "page" / "verify.html"
_PATIENCE_MS = 60_000


class Opened:
    """The page in a browser, and everything that went wrong in it."""

    def __init__(self, page: Page) -> None:
        """Take a page that was opened."""
        self.page = page
        self.requests: list[str] = []
        """Addresses asked for since it was opened."""
        self.complaints: list[str] = []
        """Errors of the script and of the policy."""
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)

    def choose(self, **files: bytes) -> None:
        """Choose files by the slots of the form."""
        for slot, content in files.items():
            name = "bundle.zip" if slot == "bundle" else f"{slot}.txt"
            self.page.set_input_files(
                f"#{slot}-file", {"name": name, "mimeType": "application/octet-stream", "buffer": content}
            )

    def check(self, **files: bytes) -> dict[str, Any]:
        """Choose files, press the button, and return the result as data."""
        self.choose(**files)
        self.page.click("#run")
        return self.result()

    def result(self) -> dict[str, Any]:
        """Wait until everything was checked, and return the result as data."""
        self.page.wait_for_selector("html[data-exit-code]", state="attached", timeout=_PATIENCE_MS)
        result: dict[str, Any] = self.page.evaluate("window.result")
        assert self.page.get_attribute("html", "data-exit-code") == str(result["exit_code"])
        return result

    def call(self, script: str, argument: object = None) -> Any:
        """Return what a function of the script's parts (`verify`) makes of a JSON value."""
        return self.page.evaluate(f"async argument => {{ const parts = window.verify; {script} }}", argument)


@contextmanager
def launched() -> Iterator[Browser]:
    """Start a browser."""
    need("atomic")
    chromium = need("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Browser,
    path: Path = PAGE,
    scheme: Literal["dark", "light"] = "light",
    locale: str = "en-GB",
    width: int = 1200,
) -> Iterator[Opened]:
    """Open a page from its file, in a window of its own that has no network."""
    context = browser.new_context(
        color_scheme=scheme, locale=locale, offline=True, viewport={"width": width, "height": 900}
    )
    page = Opened(context.new_page())
    page.page.goto(path.as_uri())
    page.requests.clear()
    yield page
    context.close()
