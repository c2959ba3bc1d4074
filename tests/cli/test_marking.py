"""Marked copies through the real commands: consent, parameters, the copy, what is sealed (docs/marks.md)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer

from ledger.cli.demo.story import EXAMPLES
from ledger.cli.party.marking import MarkOptions, Method
from tests.cli.running import good, ledger, serving
from tests.cli.world import World
from tests.harness.forked import Ended

PLANES = EXAMPLES / "planes.csv"
TERMS = ("--from", "-P1D", "--until", "P365D", "--action", "read")
CANARY = ("--mark", "canary", "--recipients", 20)
TARDOS = ("--mark", "tardos", "--recipients", 4, "--colluders", 2, "--bound", "0.001")


class Market(NamedTuple):
    """Alpha's listing of planes.csv, with a license for each of beta (who consents to marks) and delta (not)."""

    world: World
    listing: str
    licenses: dict[str, str]

    def offer(self, to: str, copy: Path, *options: object) -> Ended:
        named = ["--listing", self.listing, "--license", self.licenses[to], "--to", to, "--marked-copy", copy]
        home = ["--home", self.world.home("alpha"), "--manifest", copy.with_suffix(".manifest")]
        return ledger("transfer", "offer", PLANES, *named, *home, *options)

    def sealed(self, transfer: str, out: Path) -> dict[str, Any]:
        """Return the marks of a hand-off, as alpha's vault opens them."""
        where = ["/marks/seal", "--out", out, "--for", "the court", "--home", self.world.home("alpha")]
        good("disclose", transfer, *where)
        (opened,) = json.loads(out.read_bytes())["disclosures"]
        return dict(opened["value"])


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    directory = tmp_path_factory.mktemp("market")
    with serving(directory / "operator") as url:
        world = World(directory, url)
        for name in ("alpha", "beta", "delta"):
            world.register(name)
        titled = ["--title", "Planes", "--home", world.home("alpha"), "--json"]
        listing = str(good("listing", "register", PLANES, *titled).document()["statement_id"])
        beta = world.agree(listing, "alpha", "beta", *TERMS, "--marking-consent")
        yield Market(world, listing, {"beta": beta, "delta": world.agree(listing, "alpha", "delta", *TERMS)})


def added(copy: Path) -> list[str]:
    """Return the lines that the copy has and planes.csv has not."""
    before, after = (Counter(path.read_text().splitlines()) for path in (PLANES, copy))
    assert not before - after
    return list((after - before).elements())


def test_a_copy_is_marked_and_its_marks_are_sealed_by_its_offer(market: Market, tmp_path: Path) -> None:
    copy = tmp_path / "planes.csv"
    ended = market.offer("beta", copy, *CANARY, "--yes", "--json")
    assert ended.code == 0, ended
    for word in ("tailnum", "log2(20 / 0.000001)", "a random tenth"):
        assert word in ended.err
    transfer = ended.document()["statement_id"]
    marks = market.sealed(transfer, tmp_path / "opened.json")
    assert (marks["method"], marks["recipients"], marks["origin"]) == ("canary", 20, "drawn")
    assert len(added(copy)) == len(marks["rows"]) == len(marks["controls"])
    home = ["--home", market.world.home("beta")]
    good("transfer", "acknowledge", copy, "--manifest", copy.with_suffix(".manifest"), *home)
    again = market.offer("beta", copy, *CANARY, "--yes")
    assert (again.code, "never overwritten" in again.err) == (2, True)


def test_recipients_of_a_listing_share_a_code(market: Market, tmp_path: Path) -> None:
    copies = [tmp_path / "one.csv", tmp_path / "two.csv"]
    first, second = (market.offer("beta", copy, *TARDOS, "--yes", "--json") for copy in copies)
    assert (first.code, second.code) == (0, 0), (first, second)
    assert "an earlier hand-off" in second.err
    one, two = (
        market.sealed(ended.document()["statement_id"], copy.with_suffix(".json"))
        for ended, copy in zip((first, second), copies, strict=True)
    )
    assert one == two
    assert added(copies[0]) and sorted(added(copies[0])) == sorted(added(copies[1]))  # noqa: PT018 - one recipient
    other = market.offer("beta", tmp_path / "three.csv", *TARDOS, "--recipients", 5, "--yes")
    assert (other.code, "two codes" in other.err) == (1, True)


def test_nothing_is_marked_without_consent(market: Market, tmp_path: Path) -> None:
    copy = tmp_path / "planes.csv"
    refused = market.offer("delta", copy, *CANARY, "--yes")
    assert refused.code == 1
    assert "ledger license amend" in refused.err
    assert not copy.exists()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"method": None}, "--mark"),
        ({"recipients": None}, "--recipients"),
        ({"copy": None}, "--marked-copy"),
        ({"bound": "1"}, "--bound"),
        ({"bound": "0.0011"}, "at most 0.001"),
        ({"bits_per_row": 20}, "--canaries"),
        ({"yes": False}, "--yes"),
    ],
)
def test_options_that_do_not_go_together(changed: dict[str, Any], words: str) -> None:
    given = MarkOptions(Method.CANARY, 20, 3, "0.000001", None, None, Path("copy.csv"), yes=True)
    given.check()
    with pytest.raises(typer.BadParameter, match=words):
        replace(given, **changed).check()


def test_a_refused_offer_leaves_no_marked_copy(market: Market, tmp_path: Path) -> None:
    copy = tmp_path / "planes.csv"
    ended = market.offer("beta", copy, *CANARY, "--yes", "--to", "nobody")
    assert ended.code == 1
    assert "unknown-party" in ended.err
    assert not copy.exists()
