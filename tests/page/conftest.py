"""One browser a module: while it is open, its own event loop runs, so that no other module may begin."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.page.browser import Opened, launched, opened


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start a browser."""
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Opened]:
    """Open the page from its file."""
    with opened(browser) as page:
        yield page
