"""`ledger found register` as people run it, from the day of the find to the bundle that shows it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from ledger.core.encoding import canonical
from tests.cli.running import good, ledger, serving
from tests.cli.test_trace import PLANES, TARDOS, TERMS, leaked
from tests.cli.world import World
from tests.harness.verify import run_verifier


class Found(NamedTuple):
    """A leak of the copy that beta got, registered by alpha before it was traced."""

    world: World
    file: Path
    home: list[object]
    transfer: str
    registered: dict[str, object]


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
    directory = tmp_path_factory.mktemp("found")
    with serving(directory / "operator") as url:
        world = World(directory, url)
        for name in ("alpha", "beta"):
            world.register(name)
        home: list[object] = ["--home", world.home("alpha")]
        listing = str(
            good("listing", "register", PLANES, "--title", "Planes", *home, "--json").document()["statement_id"]
        )
        consent, copy = world.agree(listing, "alpha", "beta", *TERMS), directory / "beta" / "planes.csv"
        sides = ["--listing", listing, "--to", "beta"]
        pool = good("transfer", "prepare", PLANES, *sides, *TARDOS, *home, "--json").document()["prepared"]
        good("transfer", "request", pool, "--yes", "--home", world.home("beta"))
        offer = ["--license", consent, "--marked-copy", copy, *sides]
        transfer = str(good("transfer", "offer", PLANES, *offer, *home, "--json").document()["statement_id"])
        file = leaked(copy, directory / "leak.csv")
        headers, page = directory / "answer.txt", directory / "page.png"
        headers.write_text("HTTP/1.1 200 OK\n")
        page.write_bytes(b"\x89PNG")
        told = ["--where", "https://forum.example/t/1", "--how", "downloaded, curl 8.5", "--second", "B. Roe, notary"]
        beside = ["--headers", headers, "--capture", page, "--who", "J. Doe"]
        registered = good("found", "register", file, *told, *beside, *home, "--json").document()
        yield Found(world, file, home, transfer, registered)


def test_the_ledger_learns_nothing_of_what_was_found(market: Found) -> None:
    """Neither the file's digest nor a word stands in any entry, and the listing offers nothing."""
    shown = good("listing", "show", str(market.registered["statement"]), *market.home, "--json").out
    link = market.registered["link"]
    assert isinstance(link, dict)
    for secret in (link["file"]["sha256"], "forum.example", "notary", "leak.csv"):
        assert secret not in shown
    again = ledger("found", "register", market.file, "--where", "x", "--how", "y", *market.home)
    assert (again.code, "registered already" in again.err) == (1, True)


def test_the_vault_keeps_what_was_registered(market: Found) -> None:
    kept = Path(str(market.registered["kept"]))
    assert json.loads((kept / "registration.json").read_bytes())["link"] == market.registered["link"]
    assert sorted(path.read_bytes() for path in (kept / "records").iterdir()) == [b"HTTP/1.1 200 OK\n", b"\x89PNG"]


def test_the_bundle_shows_since_when_it_was_in_hand(market: Found, tmp_path: Path) -> None:
    """And a step of custody that is told otherwise is not made evidence of."""
    trace, out = tmp_path / "trace.json", tmp_path / "case.zip"
    good("trace", market.file, *market.home, "--out", trace)
    document = json.loads(trace.read_bytes())
    assert document["registration"]["statement"] == market.registered["statement"]
    claim = ["--transfer", market.transfer, "--against", "beta", "--clause", "4", "--evidence", trace]
    opened = str(good("claim", "open", *claim, *market.home, "--json").document()["statement_id"])
    good("evidence", "build", "--trace", trace, "--claim", opened, "--found", market.file, "--out", out, *market.home)
    verdict = run_verifier("bundle", str(out), "--policy", str(market.world.policy))
    assert (verdict.exit_code, verdict.report["failures"]) == (0, [])
    registration = verdict.report["registration"]
    assert (registration["index"], registration["is_before_marks"]) == (market.registered["index"], False)
    assert registration["link"] == market.registered["link"]
    with zipfile.ZipFile(out) as archive:
        report = archive.read("report.html").decode()
        evidence = json.loads(archive.read("evidence.json"))
    assert "B. Roe, notary" in report
    assert all("previous" in step for step in evidence["custody"])
    document["custody"][0]["before"] = "ab" * 32
    trace.write_bytes(canonical(document) + b"\n")
    again = ["--transfer", market.transfer, "--found", market.file, "--out", tmp_path / "again.zip"]
    refused = ledger("evidence", "build", "--trace", trace, *again, *market.home)
    assert (refused.code, "does not hang on the registration" in refused.err) == (1, True)
