"""Terms through the real commands: built from options, shown before signing, sealed, amended, ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.cli.running import good, ledger, serving
from tests.cli.world import World
from tests.harness.forked import Ended

PURPOSE = "/terms/permission/0/constraint/0/rightOperand"
TERM = ("--from", "2026-01-01", "--until", "2036-01-01")


class Market(NamedTuple):
    """Alpha offers a listing to beta, who may pass it on to gamma."""

    world: World
    listing: str

    def by(self, name: str, *arguments: object) -> Ended:
        return good(*arguments, "--home", self.world.home(name))

    def draft(self, name: str, licensee: str, *terms: object) -> tuple[Path, Ended]:
        """Draft a license; return the draft and what the command showed."""
        out = self.world.directory / f"draft {len(list(self.world.directory.iterdir()))}.json"
        sides = ["--listing", self.listing, "--licensee", licensee, *TERM, "--out", out]
        return out, self.by(name, "license", "draft", *sides, *terms)

    def agreed(self, draft: Path, *names: str) -> str:
        """Have both sides sign; submit, and return the statement's id."""
        for name in names:
            self.by(name, "license", "sign", draft, "--yes")
        return str(self.by(names[0], "license", "submit", draft, "--json").document()["statement_id"])

    def statement(self, name: str, license_id: str) -> dict[str, Any]:
        return dict(self.by(name, "license", "show", license_id, "--json").document()["statement"])


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    directory = tmp_path_factory.mktemp("terms")
    with serving(directory / "operator") as url:
        world = World(directory, url)
        for name in ("alpha", "beta", "gamma"):
            world.register(name)
        file = directory / "alpha" / "planes.csv"
        file.write_text("tail,year\nN1,2004\n")
        titled = ["--title", "Planes", "--version", "1.2", "--keyword", "air", "--region", "EU"]
        done = good("listing", "register", file, *titled, "--home", world.home("alpha"), "--json")
        yield Market(world, str(done.document()["statement_id"]))


def test_options_become_odrl_and_are_said_in_words_before_anybody_signs(market: Market, tmp_path: Path) -> None:
    contract = tmp_path / "contract.txt"
    contract.write_text("Be good.")
    options: list[object] = ["--purpose", "AcademicResearch", "--purpose", "teaching", "--region", "EU", "--count", "5"]
    options += ["--action", "read", "--prohibit", "train", "--delete-within", "P30D", "--text", contract]
    options += ["--governing-law", "Law of Utopia", "--forum", "Court of Utopia", "--marking-consent"]
    options += ["--dsp-agreement", "urn:uuid:1", "--seal", "/forum"]
    draft, drafted = market.draft("alpha", "beta", *options)
    shown = market.by("beta", "license", "sign", draft, "--yes", "--text", contract).out
    for words in (
        "beta may read it [read]",
        'one of: "AcademicResearch", "teaching"',
        "the number of times is at most 5",
        "beta must never train models on it [train]",
        "within P30D of the end of the license",
        "Law of Utopia",
        "Court of Utopia",
        "copies may be marked",
        "urn:uuid:1",
        "/forum",
    ):
        assert words in shown
        assert words in drafted.out
    license_id = market.agreed(draft, "alpha")
    statement = market.statement("beta", license_id)
    assert statement["forum"].keys() == {"sealed"}
    assert (statement["governing_law"], statement["marking_consent"]) == ("Law of Utopia", True)
    assert statement["terms"]["@type"] == "Agreement"
    assert [rule["action"] for rule in statement["terms"]["permission"]] == ["read"]
    told = market.by("beta", "license", "show", license_id).out
    assert "Court of Utopia" not in told
    assert "sealed (" in told


def test_how_copies_are_marked_is_agreed_in_words_and_can_be_changed(market: Market, tmp_path: Path) -> None:
    draft, drafted = market.draft("alpha", "beta", "--action", "read", "--marking", "canary:20:0.000001")
    words = "copies may be marked with rows that exist nowhere else [canary]; at most 0.000001 of all 20 recipients"
    assert words in " ".join(drafted.out.split())
    license_id = market.agreed(draft, "alpha", "beta")
    statement = market.statement("beta", license_id)
    assert statement["marking"] == {"bound": "0.000001", "method": "canary", "recipients": 20}
    assert statement["marking_consent"] is True
    out = tmp_path / "other.json"
    amended = market.by("beta", "license", "amend", license_id, "--marking", "omission:9:0.001", "--out", out).out
    assert "by leaving rows out [omission]" in amended
    market.agreed(out, "alpha", "beta")
    assert "[omission]" in market.by("alpha", "license", "show", license_id).out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--marking", "canary"), "canary:20:0.000001"),
        (("--marking", "stars:20:0.1"), "canary, omission, tardos"),
        (("--marking", "canary:0:0.1"), "how many recipients"),
        (("--marking", "canary:20:0.0"), "accused falsely"),
        (("--marking", "canary:20:0.1", "--no-marking-consent"), "--no-marking-consent that they are not"),
    ],
)
def test_a_marking_that_says_too_little_is_not_drafted(
    market: Market, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    sides = [
        "--listing",
        market.listing,
        "--licensee",
        "beta",
        *TERM,
        "--action",
        "read",
        "--out",
        tmp_path / "no.json",
    ]
    ended = ledger("license", "draft", *sides, *options, "--home", market.world.home("alpha"))
    assert ended.code == 2
    assert words in " ".join(ended.err.replace("│", " ").split())
    assert not (tmp_path / "no.json").exists()


def test_what_is_sealed_in_a_draft_is_seen_by_who_signs_and_nobody_is_made_to_sign_blind(market: Market) -> None:
    draft, _ = market.draft("alpha", "beta", "--purpose", "Project Nightjar", "--seal", PURPOSE)
    whole = json.loads(draft.read_bytes())
    blind = draft.with_name("blind.json")
    blind.write_text(json.dumps({**whole, "disclosures": []}))
    refused = ledger("license", "sign", blind, "--yes", "--home", market.world.home("beta"))
    assert (refused.code, "without showing it" in refused.err) == (1, True)
    other = json.loads(json.dumps(whole).replace("Nightjar", "Buzzard"))
    blind.write_text(json.dumps(other))
    refused = ledger("license", "sign", blind, "--yes", "--home", market.world.home("beta"))
    assert (refused.code, "does not open" in refused.err) == (1, True)
    assert "Project Nightjar" in market.by("beta", "license", "sign", draft, "--yes").out
    license_id = market.agreed(draft, "alpha")
    assert "Nightjar" not in json.dumps(market.statement("beta", license_id))
    for name in ("alpha", "beta"):
        assert "Nightjar" in market.by(name, "disclose", license_id).out


def test_terms_may_be_a_file_and_bad_ones_name_the_clause(market: Market, tmp_path: Path) -> None:
    terms = tmp_path / "terms.json"
    within = {"leftOperand": "purpose", "operator": "isA", "rightOperand": "Marketing"}
    terms.write_text(json.dumps({"permission": [{"action": "distribute", "constraint": [within]}]}))
    draft, _ = market.draft("alpha", "beta", "--terms", terms)
    statement = market.statement("beta", market.agreed(draft, "alpha", "beta"))
    assert statement["terms"]["permission"][0]["constraint"] == [within]
    sides = ["--listing", market.listing, "--licensee", "beta", *TERM, "--out", tmp_path / "no.json"]
    home = ["--home", market.world.home("alpha")]
    both = ledger("license", "draft", *sides, "--terms", terms, "--purpose", "x", *home)
    none = ledger("license", "draft", *sides, *home)
    assert (both.code, none.code) == (2, 2)
    for change, words in (
        ({"leftOperand": "weather"}, "unjudgeable-terms: /terms/permission/0/constraint/0"),
        ({"rightOperand": 7}, "unjudgeable-terms: /terms/permission/0/constraint/0"),
    ):
        terms.write_text(json.dumps({"permission": [{"action": "use", "constraint": [within | change]}]}))
        refused = ledger("license", "draft", *sides, "--terms", terms, *home)
        assert (refused.code, words in refused.err, "docs/terms.md" in refused.err) == (2, True, True), refused
    contrary = ledger("license", "draft", *sides, "--action", "train", "--prohibit", "use", *home)
    assert "contradictory-terms: /terms/permission/0" in contrary.err
    assert not (tmp_path / "no.json").exists()


def test_a_license_is_passed_on_amended_and_ended(market: Market, tmp_path: Path) -> None:
    draft, _ = market.draft("alpha", "beta", "--action", "use")
    license_id = market.agreed(draft, "alpha", "beta")
    below, _ = market.draft("beta", "gamma", "--action", "read", "--parent", license_id)
    sub_license = market.agreed(below, "beta", "gamma")
    assert market.statement("gamma", sub_license)["parent"] == license_id
    out = tmp_path / "longer.json"
    market.by("beta", "license", "amend", license_id, "--until", "2037-01-01", "--prohibit", "sell", "--out", out)
    shown = market.by("alpha", "license", "sign", out, "--yes").out
    for words in ("alpha and beta change their license", license_id, "just before 2037-01-01", "never sell it"):
        assert words in shown
    market.by("beta", "license", "sign", out, "--yes")
    amended = market.by("beta", "license", "submit", out)
    assert "The license is amended." in amended.out
    told = market.by("gamma", "license", "show", license_id).out
    assert "What follows replaces it, by entry" in told
    assert told.index("2036-01-01") < told.index("just before 2037-01-01")
    stranger = ledger(
        "license",
        "amend",
        license_id,
        "--until",
        "2038-01-01",
        "--out",
        tmp_path / "x",
        "--home",
        market.world.home("gamma"),
    )
    assert stranger.code == 1
    options = ["--code", "breach", "--notice", "by letter", "--notice-sent", "2026-01-02", "--seal", "/notice"]
    market.by("alpha", "license", "end", license_id, *options, "--reason", "Forwarded it.")
    assert "ended by entry" in market.by("beta", "license", "show", license_id).out
    late = tmp_path / "late.json"
    market.by("beta", "license", "amend", license_id, "--forum", "elsewhere", "--out", late)
    for name in ("alpha", "beta"):
        market.by(name, "license", "sign", late, "--yes")
    refused = ledger("license", "submit", late, "--home", market.world.home("beta"))
    assert (refused.code, "already-decided" in refused.err) == (1, True)


def test_a_listing_says_more_and_is_changed(market: Market, tmp_path: Path) -> None:
    file = market.world.directory / "alpha" / "planes.csv"
    form = tmp_path / "form.json"
    said = {"title": "Form", "publisher": "P", "sources": [{"title": "A register", "retrieved_ms": 0}]}
    form.write_text(json.dumps(said | {"use": {"intended_purpose": ["Research", "Teaching"]}}))
    options = ["--from", form, "--title", "Derived", "--derived-from", market.listing, "--venue", "exchange"]
    options += ["--classification", "important", "--classified-by", "CAC", "--classified-as-of", "2026-01-01"]
    done = market.by(
        "alpha",
        "listing",
        "register",
        file,
        *options,
        "--seal",
        "classification",
        "--seal",
        "/use/intended_purpose/1",
        "--json",
    )
    listing = done.document()["statement_id"]
    shown = market.by("beta", "listing", "show", listing).out
    assert "title A register, retrieved 1970-01-01" in shown
    assert "intended purpose Research; sealed (" in shown
    assert "Sealed" not in shown
    assert all(words in shown for words in ("Derived", "A register", market.listing, "exchange"))
    assert "important" not in shown
    market.by("alpha", "listing", "amend", listing, "--version", "2.0", file)
    market.by("alpha", "listing", "classify", listing, "--level", "core", "--by", "CAC", "--as-of", "2026-02-01")
    assert "changed        by entry" in market.by("beta", "listing", "show", listing).out
    market.by("alpha", "listing", "withdraw", listing, "--reason", "secret", "--seal", "reason")
    assert "withdrawn by entry" in market.by("beta", "listing", "show", listing).out
    form.write_text(json.dumps({"title": "Form", "content": {"sealed": "0" * 64}}))
    refused = ledger("listing", "register", file, "--from", form, "--home", market.world.home("alpha"))
    assert (refused.code, "has no field content" in refused.err) == (1, True)
