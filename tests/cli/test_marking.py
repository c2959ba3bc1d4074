"""Marked copies through the real commands: consent, parameters, the copy, what is sealed (docs/marks.md)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ledger.cli.demo.story import EXAMPLES
from ledger.core.encoding import canonical
from tests.cli.running import good, ledger, serving
from tests.cli.world import World
from tests.harness.forked import Ended

PLANES = EXAMPLES / "planes.csv"
TERMS = ("--from", "-P1D", "--until", "P365D", "--action", "read")
CANARY = ("--mark", "canary", "--recipients", 20)
OMISSION = ("--mark", "omission", "--recipients", 20)
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

    def prepare(self, to: str, *options: object) -> Ended:
        home = ["--home", self.world.home("alpha")]
        return ledger("transfer", "prepare", PLANES, "--listing", self.listing, "--to", to, *home, *options)

    def request(self, who: str, prepared: str) -> Ended:
        return ledger("transfer", "request", prepared, "--yes", "--home", self.world.home(who))

    def drawn(self, to: str, *options: object) -> str:
        """Prepare, and have it requested; return the preparation's id."""
        prepared = str(good(*self._prepare(to, *options)).document()["prepared"])
        assert self.request(to, prepared).code == 0
        return prepared

    def _prepare(self, to: str, *options: object) -> list[object]:
        home = ["--home", self.world.home("alpha")]
        own = ["--listing", self.listing, "--to", to, *home, *options, "--yes", "--json"]
        return ["transfer", "prepare", PLANES, *own]

    def elsewhere(self) -> list[object]:
        """Register another listing, license it to beta, and return the options of an offer of it."""
        titled = ["--title", "Planes again", "--home", self.world.home("alpha"), "--json"]
        other = str(good("listing", "register", PLANES, *titled).document()["statement_id"])
        agreed = self.world.agree(other, "alpha", "beta", *TERMS, "--marking-consent")
        return ["--listing", other, "--license", agreed]

    def sealed(self, prepared: str, out: Path) -> dict[str, Any]:
        """Return the pool of a preparation, as alpha's vault opens it."""
        where = ["/seal", "--out", out, "--for", "the court", "--home", self.world.home("alpha")]
        good("disclose", prepared, *where)
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


def test_a_copy_is_marked_by_what_was_drawn_from_a_pool_sealed_before(market: Market, tmp_path: Path) -> None:
    ended = market.prepare("beta", *CANARY, "--yes", "--json")
    assert ended.code == 0, ended
    for word in ("rows that exist nowhere else", "log2(20 / 0.000001)", "a random 10%"):
        assert word in ended.err
    prepared, copy = str(ended.document()["prepared"]), tmp_path / "planes.csv"
    early = market.offer("beta", copy, "--prepared", prepared)
    assert (early.code, "ledger transfer request" in early.err) == (1, True)
    assert not copy.exists()
    assert market.request("beta", prepared).code == 0
    assert market.request("beta", prepared).code == 1  # a coin is added once
    assert market.offer("beta", copy).code == 0  # the newest preparation is found
    pool = market.sealed(prepared, tmp_path / "opened.json")
    assert len(pool["rows"]) > 10 * pool["draws"]
    assert len(added(copy)) == pool["draws"]
    home = ["--home", market.world.home("beta")]
    good("transfer", "acknowledge", copy, "--manifest", copy.with_suffix(".manifest"), *home)
    again = market.offer("beta", copy)
    assert (again.code, "never overwritten" in again.err) == (2, True)
    later = tmp_path / "later.csv"
    assert market.offer("beta", later).code == 0
    assert sorted(added(later)) == sorted(added(copy))  # two versions do not tell which rows are marks


def test_a_refused_offer_leaves_no_marked_copy(market: Market, tmp_path: Path) -> None:
    """The pool was sealed for another listing: the ledger refuses the offer, and its marks are of no use to anybody."""
    prepared, copy = market.drawn("beta", *CANARY), tmp_path / "planes.csv"
    sides = market.elsewhere()
    ended = market.offer("beta", copy, "--prepared", prepared, *sides)
    assert ended.code == 1
    assert "/marks/prepared" in ended.err
    assert not copy.exists()


def test_a_license_of_somebody_else_consents_for_nobody(market: Market, tmp_path: Path) -> None:
    ended = market.offer("beta", tmp_path / "planes.csv", "--to", "delta")
    assert (ended.code, "is a license of beta, not of delta" in ended.err) == (1, True)


def test_a_pool_is_for_its_recipient(market: Market) -> None:
    prepared = str(market.prepare("beta", *CANARY, "--yes", "--json").document()["prepared"])
    ended = market.request("delta", prepared)
    assert (ended.code, "prepared for beta" in ended.err) == (1, True)


def test_a_copy_may_lack_rows_instead(market: Market, tmp_path: Path) -> None:
    copy = tmp_path / "planes.csv"
    prepared = market.drawn("beta", *OMISSION)
    assert market.offer("beta", copy, "--prepared", prepared).code == 0
    before, after = (Counter(path.read_text().splitlines()) for path in (PLANES, copy))
    assert not after - before
    pool = market.sealed(prepared, tmp_path / "opened.json")
    assert sum((before - after).values()) == pool["draws"]
    good(
        "transfer",
        "acknowledge",
        copy,
        "--manifest",
        copy.with_suffix(".manifest"),
        "--home",
        market.world.home("beta"),
    )


def test_recipients_of_a_listing_share_a_code(market: Market, tmp_path: Path) -> None:
    first = market.prepare("beta", *TARDOS, "--yes", "--json")
    second = market.prepare("beta", *TARDOS, "--yes", "--json")
    assert (first.code, second.code) == (0, 0), (first, second)
    assert "as in the copies of others" in second.err
    prepared = [str(ended.document()["prepared"]) for ended in (first, second)]
    one, two = (market.sealed(name, tmp_path / f"{at}.json") for at, name in enumerate(prepared))
    assert one == two
    for name in prepared:
        assert market.request("beta", name).code == 0
    copies = [tmp_path / "one.csv", tmp_path / "two.csv"]
    for copy, name in zip(copies, prepared, strict=True):
        assert market.offer("beta", copy, "--prepared", name).code == 0
    # Another draw of the same code: another word, though of the same recipient.
    assert added(copies[0]) != added(copies[1])
    other = market.prepare("beta", *TARDOS, "--colluders", 3, "--yes")
    assert (other.code, "two codes" in other.err) == (1, True)


def test_what_was_signed_for_is_handed_back_checked_and_kept(market: Market, tmp_path: Path) -> None:
    got, alpha, beta = tmp_path / "got", *(("--home", market.world.home(name)) for name in ("alpha", "beta"))
    got.mkdir()
    copy = got / "planes.csv"
    market.drawn("beta", *CANARY)
    assert market.offer("beta", copy).code == 0
    how = (copy, "--manifest", copy.with_suffix(".manifest"), *beta)
    taken = ledger("transfer", "acknowledge", *how, "--opening", copy)
    assert (taken.code, "never overwritten" in taken.err) == (2, True)  # before anything is signed
    (got / "acknowledgement-opening.json").touch()  # another hand-off's
    done = good("transfer", "acknowledge", *how, "--json").document()
    opening = Path(done["opening"])
    assert (opening.parent, opening.stat().st_mode & 0o777) == (got, 0o600)
    kept = good("transfer", "keep-opening", opening, *alpha, "--json").document()
    assert kept["is_same"] is True
    assert kept["acknowledged"] == done["statement_id"]
    assert "exactly what you handed over" in good("transfer", "keep-opening", opening, *alpha).out
    assert "/content" in good("disclose", done["statement_id"], *alpha).out
    stranger = ledger("transfer", "keep-opening", opening, "--home", market.world.home("delta"))
    assert (stranger.code, "not handed over by delta" in stranger.err) == (1, True)
    forged = got / "forged.json"
    whole = json.loads(opening.read_bytes())
    whole["disclosures"][0]["value"]["files"][0]["bytes"] += 1
    forged.write_bytes(canonical(whole))
    ended = ledger("transfer", "keep-opening", forged, *alpha)
    assert (ended.code, "does not open it" in ended.err) == (1, True)
    forged.write_text("{}")
    ended = ledger("transfer", "keep-opening", forged, *alpha)
    assert (ended.code, "not a file of disclosures" in ended.err) == (1, True)


def test_nothing_is_marked_without_consent(market: Market, tmp_path: Path) -> None:
    copy = tmp_path / "planes.csv"
    market.drawn("delta", *CANARY)
    refused = market.offer("delta", copy)
    assert refused.code == 1
    assert "ledger license amend" in refused.err
    assert not copy.exists()


def test_what_is_not_prepared_says_what_to_do(market: Market, tmp_path: Path) -> None:
    ended = market.offer("beta", tmp_path / "planes.csv", *market.elsewhere())
    assert (ended.code, "ledger transfer prepare" in ended.err) == (1, True)
    assert "--bound" in market.prepare("beta", *CANARY, "--bound", "1", "--yes").err
    assert "at most 0.001" in market.prepare("beta", *CANARY, "--bound", "0.01", "--yes").err
    assert "--yes" in market.prepare("beta", *CANARY).err
    alone = good("transfer", "offer", "--help").out
    assert "--prepared" in alone
