"""Disclosing and erasing through the real commands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from tests.cli.running import PASSPHRASE, at_a_terminal, environment, good, ledger, serving
from tests.cli.world import World
from tests.party.keys.test_certificates import certificate, write

SECRET = "Tail numbers of Freedonia"


class Sealed(NamedTuple):
    """A listing of alpha's with sealed places."""

    world: World
    listing: str

    @property
    def alpha(self) -> list[object]:
        return ["--home", self.world.home("alpha")]


@pytest.fixture
def sealed(served: World) -> Sealed:
    file = served.directory / "alpha" / "planes.csv"
    options = ["--title", SECRET, "--rights-holder", "Freedonia Air", "--seal", "title", "--seal", "/rights_holder"]
    done = good("listing", "register", file, *options, "--home", served.home("alpha"), "--json")
    return Sealed(served, str(done.document()["statement_id"]))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory = tmp_path_factory.mktemp("disclose")
    with serving(directory / "operator") as url:
        world = World(directory, url)
        world.register("alpha")
        (directory / "alpha" / "planes.csv").write_text("tail,year\nN1,2004\n")
        yield world


def test_what_was_sealed_is_listed_shown_and_remembered(sealed: Sealed, tmp_path: Path) -> None:
    everything = good("disclose", *sealed.alpha).out
    assert sealed.listing in everything
    assert SECRET not in everything
    assert SECRET in good("disclose", sealed.listing, *sealed.alpha).out
    out = tmp_path / "for-the-court.json"
    shown = good("disclose", sealed.listing, "title", "--for", "The court", "--out", out, *sealed.alpha)
    assert "cannot be taken back" in shown.out
    document = json.loads(out.read_bytes())
    assert [(item["pointer"], item["value"]) for item in document["disclosures"]] == [("/title", SECRET)]
    assert document["for"] == "The court"
    remembered = {
        item["pointer"]: item for item in good("disclose", sealed.listing, "--json", *sealed.alpha).document()
    }
    assert [item["for"] for item in remembered["/title"]["handed"]] == ["The court"]
    assert remembered["/rights_holder"]["handed"] == []
    everything_out = tmp_path / "all.json"
    good("disclose", sealed.listing, "--all", "--for", "All", "--out", everything_out, *sealed.alpha)
    assert len(json.loads(everything_out.read_bytes())["disclosures"]) == 3


def test_wrong_calls_say_what_is_right(sealed: Sealed, tmp_path: Path) -> None:
    out: list[object] = ["--out", tmp_path / "x.json"]
    cases: list[tuple[int, list[object]]] = [
        (2, ["disclose", sealed.listing, "/title"]),
        (2, ["disclose", sealed.listing, "/title", *out]),
        (2, ["disclose", sealed.listing, "--for", "x", *out]),
        (2, ["disclose", sealed.listing, "/title", "--all", "--for", "x", *out]),
        (1, ["disclose", sealed.listing, "/nothing", "--for", "x", *out]),
        (1, ["disclose", "sha256:" + "0" * 64, "--all", "--for", "x", *out]),
        (2, ["erase", sealed.listing, "--basis", "other", "--yes"]),
        (2, ["erase", sealed.listing, "/title", "--basis", "because", "--yes"]),
        (1, ["erase", sealed.listing, "/nothing", "--basis", "other", "--yes"]),
    ]
    for code, arguments in cases:
        ended = ledger(*arguments, *sealed.alpha)
        assert (ended.code, SECRET in ended.out + ended.err, "Traceback" in ended.err) == (code, False, False), (
            arguments
        )
    assert not (tmp_path / "x.json").exists()
    wrong = ledger("disclose", sealed.listing, *sealed.alpha, env=environment(LEDGER_PASSPHRASE="wrong"))
    assert (wrong.code, "passphrase" in wrong.err) == (2, True)


def test_an_erased_place_is_gone_for_its_owner_and_attested_for_everybody(sealed: Sealed, tmp_path: Path) -> None:
    earlier = tmp_path / "earlier.json"
    good("disclose", sealed.listing, "/title", "--for", "A journalist", "--out", earlier, *sealed.alpha)
    declined = ledger("erase", sealed.listing, "/title", "--basis", "gdpr-17", *sealed.alpha)
    assert declined.code == 1
    assert "A journalist" in declined.err
    assert "not destroyed" in declined.err
    assert SECRET in good("disclose", sealed.listing, *sealed.alpha).out
    code, shown = at_a_terminal("y\n", "erase", sealed.listing, "/title", "--basis", "gdpr-17", *sealed.alpha)
    assert (code, "Erased: /title" in shown) == (0, True)
    told = good("disclose", sealed.listing, *sealed.alpha).out
    assert SECRET not in told
    assert "erased" in told
    gone = ledger("disclose", sealed.listing, "/title", "--for", "x", "--out", tmp_path / "no", *sealed.alpha)
    assert (gone.code, "was erased" in gone.err) == (1, True)
    quiet = good("erase", sealed.listing, "/rights_holder", "--basis", "other", "--yes", "--no-attest", *sealed.alpha)
    assert "Nothing was said of it on the ledger." in quiet.out
    again = good("erase", sealed.listing, "/rights_holder", "--basis", "other", "--yes", "--json", *sealed.alpha)
    assert again.document()["type"] == "erasure.attested"


def test_a_party_is_pseudonymous_or_says_who_it_is_in_the_open_or_sealed(served: World, tmp_path: Path) -> None:
    served.new_keys("freedonia")
    private = ed25519.Ed25519PrivateKey.generate()
    now = datetime.now(UTC)
    chain = certificate("Freedonia Air", private, by=private, issuer="Freedonia Air", start=now - timedelta(days=1))
    files = write(tmp_path, [chain], private, PASSPHRASE.encode())
    options: list[object] = [
        "--legal-name",
        "Freedonia Air plc",
        "--jurisdiction",
        "FR",
        "--registration-authority",
        "RCS",
    ]
    options += ["--registration-number", "0815", "--certificate", files[0], "--certificate-key", files[1]]
    half = ledger(*served.registration("freedonia"), *options[:-2])
    assert (half.code, "--certificate-key" in half.err) == (2, True)
    sealed = ["--seal", "/identity/legal_name", "--seal", "/identity/registration/number"]
    good(*served.registration("freedonia"), *options, *sealed)
    shown = good("party", "show", "freedonia", "--home", served.home("alpha")).out
    assert all(words in shown for words in ("jurisdiction   FR", "RCS", "sealed (", "a chain of 1"))
    assert "Freedonia Air plc" not in shown
    assert not re.search(r"\b0815\b", shown)  # a keyid may hold these digits
    home = ["--home", served.home("freedonia")]
    statement = next(iter(good("disclose", "--json", *home).document()))
    told = good("disclose", statement, *home).out
    assert all(words in told for words in ("Freedonia Air plc", "0815"))
    assert "jurisdiction" not in good("party", "show", "alpha", "--home", served.home("alpha")).out


def test_a_lost_signing_key_loses_nothing_that_was_sealed(sealed: Sealed) -> None:
    world = sealed.world
    good("key", "new", world.key("alpha", "second"))
    world.key("alpha").rename(world.directory / "lost.json")
    good("party", "add-key", world.key("alpha", "second"), "--switch", *sealed.alpha)
    assert SECRET in good("disclose", sealed.listing, *sealed.alpha).out
