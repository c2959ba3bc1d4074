"""The page for people: by keyboard, to a screen reader, in two languages, in the dark, on paper, alone in one file."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from ledger.party.evidence.single import single_page
from tests.harness.bundles import finished, good
from tests.page.browser import PAGE, Opened, opened


@pytest.fixture(scope="module")
def bundle() -> tuple[bytes, bytes]:
    raw, policy = finished(good())
    return raw, policy.encode()


@pytest.fixture
def page(browser: Browser) -> Iterator[Opened]:
    """Open a page for one test alone: they change language and files."""
    with opened(browser) as page:
        yield page
        assert page.requests == []
        assert page.complaints == []


def test_the_policy_allows_what_is_there_and_nothing_else() -> None:
    page = PAGE.read_text()
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert {"script-src", "style-src", "base-uri", "form-action", "require-trusted-types-for"} <= rules.keys()
    assert "unsafe" not in policy
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!#)|@import|url\(|innerHTML|outerHTML|insertAdjacent""", page)
    assert not re.search(r"""\b(?:fetch|XMLHttpRequest|WebSocket|EventSource|sendBeacon|importScripts)\s*\(""", page)


def test_every_text_is_there_in_both_languages(page: Opened) -> None:
    texts = page.call("return parts.TEXTS")
    for key, (english, chinese) in texts.items():
        assert english, key
        assert chinese not in {"", english}, key
        assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", chinese)), key
    used = set(re.findall(r'data-t="(\w+)"', PAGE.read_text()))
    assert used <= texts.keys()


def test_keyboard_alone(page: Opened, bundle: tuple[bytes, bytes]) -> None:
    """Everything can be reached with Tab and worked with Enter; the result takes the focus, and is announced."""
    reached = []
    for _ in range(9):
        page.page.keyboard.press("Tab")
        reached.append(page.page.evaluate("document.activeElement.id || document.activeElement.textContent"))
    assert reached[0] == "Skip to the result"
    assert reached[1:7] == ["English", "中文", "bundle-file", "policy-file", "parties-file", "found-file"]
    assert page.page.is_disabled("#run"), "there is nothing to check yet"
    raw, policy = bundle
    page.choose(bundle=raw, policy=policy)
    page.page.focus("#run")
    page.page.keyboard.press("Enter")
    assert page.result()["exit_code"] == 0
    assert page.page.evaluate("document.activeElement.id") == "verdict"
    status = page.page.locator("[role=status]")
    assert "Verified, and enough" in status.inner_text()


@pytest.mark.parametrize(("scheme", "language", "width"), [("light", 0, 1200), ("dark", 1, 1200), ("light", 1, 400)])
def test_accessible(
    browser: Browser, scheme: Literal["dark", "light"], language: int, width: int, bundle: tuple[bytes, bytes]
) -> None:
    """axe-core, before and after: landmarks, names, contrast, tables, languages."""
    with opened(browser, scheme=scheme, width=width) as page:
        page.page.click(f'[data-language="{language}"]')
        for is_done in (False, True):
            if is_done:
                page.check(bundle=bundle[0], policy=bundle[1])
            found = Axe().run(page.page)
            assert found.violations_count == 0, found.generate_report()
        for landmark in ("header", "main", "footer", "main section[aria-labelledby]"):
            assert page.page.locator(landmark).count() >= 1, landmark
        assert page.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "it scrolls sideways"


def test_languages_can_be_changed_at_any_time(page: Opened, bundle: tuple[bytes, bytes]) -> None:
    page.check(bundle=bundle[0], policy=bundle[1])
    english = page.page.locator("#report").inner_text()
    page.page.click('[data-language="1"]')
    assert page.page.get_attribute("html", "lang") == "zh-Hans"
    chinese = page.page.locator("#report").inner_text()
    assert "核验通过" in chinese
    assert "The case" not in chinese
    page.page.click('[data-language="0"]')
    assert page.page.get_attribute("html", "lang") == "en"
    assert page.page.locator("#report").inner_text() == english


def test_a_browser_that_speaks_chinese_is_spoken_to_in_chinese(browser: Browser) -> None:
    with opened(browser, locale="zh-CN") as page:
        assert page.page.title() == "证据核验"


def test_files_that_are_dropped_are_known_by_what_they_are(page: Opened, bundle: tuple[bytes, bytes]) -> None:
    """In any order, under any name; bundle and policy together are checked at once."""
    dropped = page.page.evaluate_handle(
        "files => { const transfer = new DataTransfer();"
        "for (const [name, text] of files) transfer.items.add("
        "  new File([Uint8Array.from(atob(text), c => c.charCodeAt(0))], name));"
        "return transfer; }",
        [["b", b64encode(bundle[1]).decode()], ["a", b64encode(bundle[0]).decode()]],
    )
    page.page.dispatch_event("body", "drop", {"dataTransfer": dropped})
    assert page.result()["exit_code"] == 0


def test_one_page_with_the_bundle_in_it(browser: Browser, tmp_path: Path, bundle: tuple[bytes, bytes]) -> None:
    """It says first that a sceptic should not believe it, gives the bundle out, and needs a policy from outside."""
    raw, policy = bundle
    path = tmp_path / "evidence.html"
    path.write_bytes(single_page(PAGE.read_bytes(), raw))
    with opened(browser, path) as page:
        assert page.page.locator("body").inner_text().strip().startswith("This page carries its own evidence")
        assert page.page.is_disabled("#run")
        assert page.check(policy=policy)["exit_code"] == 0
        with page.page.expect_download() as download:
            page.page.click("#save")
        assert Path(download.value.path()).read_bytes() == raw
        assert page.complaints == []


def test_printed(page: Opened, bundle: tuple[bytes, bytes]) -> None:
    """On paper stands the result, and not the form."""
    page.check(bundle=bundle[0], policy=bundle[1])
    page.page.emulate_media(media="print")
    assert not page.page.locator("#inputs").is_visible()
    assert page.page.locator("#verdict").is_visible()
    assert len(page.page.pdf()) > 10_000
