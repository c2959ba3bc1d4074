"""The page verify.html, opened in the browser that this machine has, as an expert would open it."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

_PATIENCE_MS = 120_000
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def read_in_a_browser(bundle: Path, policy: Path, parties: Path) -> int | None:
    """Return the exit code that the page comes to, without network; None if there is no browser to ask."""
    program = next(filter(None, map(shutil.which, _BROWSERS)), None)
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - for those who have it; the demo goes without
    except ImportError:
        return None
    if program is None:
        return None
    page_file = bundle.with_name("verify.html")
    with zipfile.ZipFile(bundle) as archive:
        page_file.write_bytes(archive.read("verify.html"))
    try:
        playwright = sync_playwright().start()
    except Exception:  # noqa: BLE001 - what its driver raises where it does not start, for want of a library, say
        return None
    try:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_context(offline=True).new_page()
        page.goto(page_file.as_uri())
        for slot, path in (("bundle", bundle), ("policy", policy), ("parties", parties)):
            page.set_input_files(f"#{slot}-file", path)
        page.click("#run")
        page.wait_for_selector("html[data-exit-code]", state="attached", timeout=_PATIENCE_MS)
        code = page.get_attribute("html", "data-exit-code")
        browser.close()
    finally:
        playwright.stop()
    return int(code) if code is not None else None
