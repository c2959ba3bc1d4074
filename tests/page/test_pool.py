"""Marks that were drawn from a sealed pool have words of their own on the page (docs/marks.md §9)."""

from __future__ import annotations

import pytest

from tests.harness.bundle_pool import CASES
from tests.page.browser import Opened

BY_NAME = {case.name: case for case in CASES}
COINS = "If one of the two coins that drew its marks was random"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "good-pool-canary-exact",
            ["drawn for this copy are in the found rows", "not drawn", "nothing that was marked"],
        ),
        ("good-pool-omission-exact", ["the found file lacks", "not drawn"]),
        ("good-pool-tardos-exact", ["positions of the code that was sealed before the draw", "names that nobody has"]),
    ],
)
def test_what_is_told(page: Opened, name: str, words: list[str]) -> None:
    """Nothing rests on how unlikely a row is; what rests on the coins is said, and what the mapping cost."""
    bundle, policy = BY_NAME[name].make()
    assert page.check(bundle=bundle, policy=policy.encode())["is_enough"] is True
    told = page.page.locator("#report").inner_text()
    for part in [*words, COINS, "added a coin of its own", "has been paid for with"]:
        assert part in told
    for part in ("as unlikely as", "how unlikely each was", "as the sender says", "undefined", "NaN"):
        assert part not in told
    assert page.complaints == []


def test_what_is_told_without_the_file(page: Opened) -> None:
    bundle, policy = BY_NAME["good-conditional-pool"].make()
    assert page.check(bundle=bundle, policy=policy.encode())["verdict"] == "conditional"
    told = page.page.locator("#verdict").locator("..").inner_text()
    assert "the found file is not in the bundle and was not given" in told
    assert COINS in told


def test_marks_that_differ_from_what_was_agreed(page: Opened) -> None:
    bundle, policy = BY_NAME["good-pool-otherwise-than-agreed"].make()
    assert "marked-otherwise-than-agreed" in page.check(bundle=bundle, policy=policy.encode())["findings"]
    assert "marked a copy otherwise than the license agrees" in page.page.locator("#report").inner_text()
