"""What follows a hand-off, through the real commands: uses, onward hand-offs, claims, erasure, venues, findings."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.cli.running import at_a_terminal, good, ledger, serving, verifier
from tests.cli.world import World
from tests.harness.forked import Ended

NOBODY = "sha256:" + "0" * 64
TERMS = ("--from", "-P1D", "--until", "P365D", "--action", "read", "--purpose", "AcademicResearch")


class Dealings(NamedTuple):
    """Alpha's listing, licensed to beta and handed over; delta is a third party."""

    world: World
    listing: str
    license: str
    transfer: str

    def by(self, name: str, *arguments: object) -> Ended:
        """Run a command in somebody's home, which must succeed."""
        return good(*arguments, "--home", self.world.home(name))

    def refused(self, name: str, *arguments: object, code: int = 1) -> str:
        """Run a command in somebody's home, which must fail so; return what it says."""
        ended = ledger(*arguments, "--home", self.world.home(name))
        assert ended.code == code, ended
        assert "Traceback" not in ended.err
        return ended.err

    def said(self, name: str, *arguments: object) -> str:
        """Run a command that has a statement recorded; return its id."""
        return str(self.by(name, *arguments, "--json").document()["statement_id"])

    def statement(self, statement_id: str) -> dict[str, Any]:
        """Return a statement as it was recorded, from a receipt's entry in the vault of who said it."""
        name = f"{statement_id.removeprefix('sha256:')}.entry"
        (path, *_) = sorted(self.world.directory.glob(f"*/home/entries/{name}"))
        envelope = json.loads(path.read_bytes())["statement"]
        return dict(json.loads(base64.b64decode(envelope["payload"])))

    def findings(self, party: str) -> list[tuple[str, int]]:
        """Return slug and index of what the ledger finds against a party."""
        page = self.by("alpha", "findings", "--party", party, "--json").document()
        return [(item["slug"], item["index"]) for item in page["items"] if item["party"] == party]


@pytest.fixture(scope="module")
def dealings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dealings]:
    directory = tmp_path_factory.mktemp("dealings")
    with serving(directory / "operator") as url:
        world = World(directory, url)
        for name in ("alpha", "beta", "delta"):
            world.register(name)
        file = directory / "alpha" / "planes.csv"
        file.write_text("tail,year\nN1,2004\n")
        titled = ["--title", "Planes", "--home", world.home("alpha"), "--json"]
        listing = str(good("listing", "register", file, *titled).document()["statement_id"])
        license_id = world.agree(listing, "alpha", "beta", *TERMS)
        yield Dealings(world, listing, license_id, world.hand_over(listing, license_id, "alpha", "beta", file))


def test_a_use_is_reported_with_its_secrets_sealed(dealings: Dealings, tmp_path: Path) -> None:
    before = dealings.findings("beta")
    model = tmp_path / "model.bin"
    model.write_bytes(b"abc")
    options = ["--action", "read", "--purpose", "AcademicResearch", "--region", "DE", "--count", 3]
    options += ["--transfer", dealings.transfer, "--from", "-P1D", "--until", "PT0S", "--fulfils", "inform"]
    options += ["--derivative", f"Model={model}", "--derivative", "Paper", "--fulfils", "attribute"]
    options += ["--seal", "purpose", "--seal", "/derivatives/0/title"]
    said = dealings.said("beta", "usage", "report", dealings.license, *options)
    statement = dealings.statement(said)
    assert statement["purpose"].keys() == statement["derivatives"][0]["title"].keys() == {"sealed"}
    assert statement["derivatives"][0]["sha256"].startswith("ba7816bf")
    assert statement["derivatives"][1] == {"title": "Paper"}
    assert (statement["spatial"], statement["count"]) == ("DE", 3)
    assert statement["fulfils"] == ["attribute", "inform"]
    assert statement["until_ms"] - statement["from_ms"] >= 86_400_000
    shown = dealings.by("beta", "disclose", said).out
    assert "AcademicResearch" in shown
    found = dealings.findings("beta")
    assert [slug for slug, at in found if slug.startswith("usage") and (slug, at) not in before] == []
    listed = dealings.by("alpha", "findings").out
    assert "Undetermined" in listed
    assert "/purpose of entry" in listed


def test_a_use_that_is_not_allowed_is_recorded_and_found(dealings: Dealings) -> None:
    done = dealings.by("beta", "usage", "report", dealings.license, "--action", "train", "--json").document()
    assert ("usage-prohibited", done["index"]) in dealings.findings("beta")
    listed = dealings.by("beta", "findings", "--party", "beta").out
    assert f"usage-prohibited: beta used data in a way that is not allowed: entry {done['index']}" in listed
    assert "verifier replay" in listed


def test_a_report_that_makes_no_sense_says_what_would(dealings: Dealings) -> None:
    report = ["usage", "report", dealings.license, "--action"]
    assert "wrong-value: /action" in dealings.refused("beta", *report, "fly", code=2)
    assert "wrong-role" in dealings.refused("alpha", *report, "read")
    assert "this step is for the other side" in dealings.refused("alpha", *report, "read")
    assert "unknown-reference" in dealings.refused("beta", "usage", "report", NOBODY, "--action", "read")
    assert "†" in dealings.refused("beta", *report, "read", "--seal", "/action")
    assert "nothing at /purpose" in dealings.refused("beta", *report, "read", "--seal", "/purpose")
    assert "P30D" in dealings.refused("beta", *report, "read", "--from", "P1M", code=2)


def test_data_handed_on_need_a_reason(dealings: Dealings) -> None:
    about = ["--transfer", dealings.transfer, "--authority", "Amtsgericht Ulm", "--instrument", "2 C 118/27"]
    compelled = dealings.said("beta", "transfer", "compelled", *about, "--demanded", "-P3D", "--seal", "/instrument")
    assert dealings.statement(compelled)["instrument"].keys() == {"sealed"}
    before = dealings.findings("beta")
    forward = ["transfer", "forward", dealings.transfer]
    dealings.by("beta", *forward, "--outsider", "Amtsgericht Ulm", "--disclosure", compelled, "--seal", "outsider")
    assert dealings.findings("beta") == before
    handed_on = dealings.by("beta", *forward, "--to", "delta", "--region", "EU", "--json").document()
    assert [*before, ("onward-without-permission", handed_on["index"])] == dealings.findings("beta")
    assert "--to or --outsider: both" in dealings.refused("beta", *forward, "--to", "delta", "--outsider", "x", code=2)
    assert "neither" in dealings.refused("beta", *forward, code=2)
    assert "wrong-role" in dealings.refused("alpha", *forward, "--to", "delta")


def open_claim(dealings: Dealings, *options: object) -> str:
    """Open alpha's claim against beta on their license."""
    about = ["--license", dealings.license, "--against", "beta", "--clause", "§ 4: no training"]
    return dealings.said("alpha", "claim", "open", *about, *options)


def test_a_claim_is_answered_holds_erasure_and_is_decided(dealings: Dealings) -> None:
    evidence = dealings.world.directory / "evidence.txt"
    evidence.write_text("It was trained on.")
    options = [
        "--answer-by",
        "P14D",
        "--legal-hold",
        "--tribunal",
        "delta",
        "--evidence",
        evidence,
        "--demand",
        "Stop.",
    ]
    claim = open_claim(dealings, *options, "--seal", "/demand")
    assert dealings.statement(claim)["evidence"]["bytes"] == 18
    assert "alone answers it" in dealings.refused("alpha", "claim", "answer", claim, "--position", "denied")
    held = ["erasure", "attest", "--transfer", dealings.transfer, "--basis", "contract", "--destroyed", "data"]
    refused = dealings.refused("beta", *held)
    assert "legal-hold" in refused
    assert "ledger claim list" in refused
    for statement, place in ((claim, "/demand"), (dealings.transfer, "/content")):
        for quietly in ([], ["--no-attest"]):
            kept = dealings.refused("alpha", "erase", statement, place, "--basis", "other", "--yes", *quietly)
            assert claim in kept
            assert "Nothing was destroyed" in kept
    assert "Stop." in dealings.by("alpha", "disclose", claim).out
    shown = dealings.by("beta", "claim", "show", claim).out
    assert "alpha claims against beta" in shown
    assert "sealed (" in shown
    assert "Not answered yet" in shown
    dealings.by("beta", "claim", "answer", claim, "--position", "partly-admitted", "--answer", "Once.")
    again = dealings.refused("beta", "claim", "answer", claim, "--position", "denied")
    assert "already-decided" in again
    decide = ["claim", "determine", claim, "--outcome"]
    assert "delta" in dealings.refused("alpha", *decide, "upheld")
    assert "alone withdraws" in dealings.refused("beta", *decide, "withdrawn")
    assert "claim settle" in dealings.refused("alpha", *decide, "settled", code=2)
    dealings.by("delta", *decide, "upheld", "--decision", "So it was.", "--document", evidence)
    shown = dealings.by("alpha", "claim", "show", claim).out
    assert "upheld: So it was." in shown
    assert "partly-admitted: Once." in shown
    listed = dealings.by("alpha", "claim", "list", "--party", "beta").out
    assert f"{claim}  alpha against beta: ended by entry" in listed
    dealings.by("beta", *held)


def test_a_settlement_is_signed_by_both(dealings: Dealings) -> None:
    claim = open_claim(dealings)
    assert "names no tribunal" in dealings.refused("alpha", "claim", "determine", claim, "--outcome", "upheld")
    paper = dealings.world.directory / "settlement.pdf"
    paper.write_bytes(b"%PDF we agree")
    draft = dealings.world.directory / "settlement.json"
    settle = ["claim", "settle", claim, "--document", paper, "--decision", "Beta pays.", "--out", draft]
    assert "settles nothing" in dealings.refused("delta", *settle)
    dealings.by("beta", *settle, "--seal", "/decision")
    assert "not signed yet" in dealings.refused("beta", "claim", "submit", draft)
    declined = at_a_terminal("n\n", "claim", "sign", draft, "--home", dealings.world.home("beta"))
    assert declined[0] == 1
    shown = dealings.by("beta", "claim", "sign", draft, "--yes", "--document", paper).out
    for words in ("alpha claims against beta", "§ 4: no training", "Beta pays.", "/decision", "compared: it is"):
        assert words in shown
    assert "no settlement" not in shown
    paper.write_bytes(b"%PDF we do not")
    assert "is not the document" in dealings.refused("alpha", "claim", "sign", draft, "--yes", "--document", paper)
    assert "not for delta" in dealings.refused("delta", "claim", "sign", draft, "--yes")
    dealings.by("alpha", "claim", "sign", draft, "--yes")
    dealings.by("beta", "claim", "submit", draft)
    assert "ended before" in dealings.refused("alpha", "claim", "sign", draft, "--yes")
    document = dealings.by("alpha", "claim", "show", claim, "--json").document()
    determined = document["determination"]["statement"]
    assert (determined["outcome"], determined["decision"].keys()) == ("settled", {"sealed"})
    assert "Beta pays." in dealings.by("alpha", "disclose", document["determination"]["statement_id"]).out


def test_erasure_is_asked_for_and_attested(dealings: Dealings) -> None:
    file = dealings.world.directory / "alpha" / "planes.csv"
    transfer = dealings.world.hand_over(dealings.listing, dealings.license, "alpha", "beta", file)
    options = ["--transfer", transfer, "--basis", "gdpr-17"]
    assert "wrong-role" in dealings.refused("beta", "erasure", "request", *options, "--by", "P30D")
    assert "both" in dealings.refused(
        "alpha", "erasure", "request", *options, "--license", dealings.license, "--by", "P30D", code=2
    )
    request = dealings.said("alpha", "erasure", "request", *options, "--by", "-PT1S", "--scope", "All.")
    assert "erasure-late" in [slug for slug, _ in dealings.findings("beta")]
    attest = ["erasure", "attest", *options, "--request", request]
    assert "--destroyed data" in dealings.refused("beta", *attest, code=2)
    done = dealings.said("beta", *attest, "--destroyed", "derivatives", "--destroyed", "data", "--method", "Shredder")
    assert dealings.statement(done)["destroyed"] == ["data", "derivatives"]


def test_salts_are_not_attested_while_the_vault_has_them(dealings: Dealings) -> None:
    said = dealings.said("delta", "venue", "announce", "operating", "--note", "Open again.", "--seal", "/note")
    attest = ["erasure", "attest", "--statement", said, "--basis", "other"]
    assert "go together" in dealings.refused("delta", *attest, code=2)
    assert "ledger erase" in dealings.refused("delta", *attest, "--pointer", "note")
    dealings.by("delta", "erase", said, "/note", "--basis", "other", "--yes", "--no-attest")
    done = dealings.said("delta", *attest, "--pointer", "note")
    assert dealings.statement(done)["destroyed"] == ["salts"]


def test_a_venue_that_closed_is_found_in_what_follows(dealings: Dealings) -> None:
    dealings.by("beta", "venue", "observe", "delta", "closed", "--note", "Nobody answers.")
    assert "unknown-party" in dealings.refused("beta", "venue", "observe", "nobody", "closed")
    done = dealings.by("delta", "venue", "announce", "closed", "--note", "Insolvent.").out
    assert "delta announced: closed." in done
    assert dealings.refused("delta", "venue", "announce", "bankrupt", code=2)


def test_a_history_is_signed_kept_and_shown(dealings: Dealings) -> None:
    shown = dealings.by("beta", "party", "history", dealings.license, "--newest", 2).out
    assert f"concern {dealings.license}" in shown
    assert "These are the newest 2" in shown
    document = dealings.by("beta", "party", "history", "alpha", dealings.license, "--newest", 1000, "--json").document()
    assert [entry["index"] for entry in document["entries"]] == document["indexes"]
    types = {entry["type"] for entry in document["entries"]}
    assert {"party.registered", "license.agreed", "transfer.offered"} <= types
    assert Path(document["kept"]).is_file()
    assert document["subjects"] == sorted(["alpha", dealings.license])


def test_the_verifier_finds_the_same(dealings: Dealings) -> None:
    dealings.by("beta", "usage", "report", dealings.license, "--action", "train")
    arguments = ["replay", dealings.world.url, "--policy", dealings.world.policy, "--json"]
    replayed = verifier(*arguments)
    assert replayed.code == 0, replayed
    page = dealings.by("alpha", "findings", "--limit", 500, "--json").document()
    keys = ("slug", "index", "party", "entries", "since_ms")
    ours = sorted(([item[key] for key in keys] for item in page["items"]), key=str)
    theirs = sorted(([item[key] for key in keys] for item in replayed.document()["findings"]), key=str)
    assert ours == theirs
    assert ours
