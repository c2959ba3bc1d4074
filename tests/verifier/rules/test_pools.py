"""Statements about marks from a sealed pool, and what follows from them (docs/statements.md §5, §10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.verifier.builder import Builder, b64, canonical, sha
from tests.verifier.rules.test_rules import outcome, run
from tests.verifier.rules.test_rules_v2 import NOTHING, SEAL, World
from tests.verifier.schema.test_schema_v6 import MARKING
from verifier.core.policy import parse_policy
from verifier.replay.replay import replay
from verifier.replay.state import format_state, parse_state
from verifier.rules.subject import Observed
from verifier.sealed.disclosures import Disclosures

if TYPE_CHECKING:
    from pathlib import Path

    from verifier.core.checks import Finding

SALT, COIN = b64(b"s" * 16), b64(b"c" * 32)
OPENED = {"salt": SALT, "value": COIN}
CONTENT = "cd" * 32
"""What the builder's offers commit to."""


class Market(World):
    """Acme prepares pools for birch, which draws from them."""

    def commitment(self, kind: str, issuer: str, pointer: str, value: Any) -> dict[str, str]:
        """Return what seals a value in the next statement (docs/format.md §8.1)."""
        nonce = b64(sha(b"nonce%d" % (self.nonces + 1))[:16])
        named = [f"provenance-ledger/{kind}/v1", self.ledger, issuer, nonce, pointer, SALT, value]
        return {"sealed": sha(canonical(named)).hex()}

    def prepare(self, issuer: str = "acme", recipient: str = "birch", **fields: Any) -> str:
        coin = self.commitment("coin", issuer, "/coin", COIN)
        own = {"listing": self.listing, "recipient": recipient, "coin": coin, "seal": SEAL} | MARKING
        return self.say("transfer.prepared", issuer, **(own | fields))

    def request(self, prepared: str, issuer: str = "birch", **fields: Any) -> str:  # type: ignore[override]
        own = {"prepared": prepared, "coin": b64(b"r" * 32), "seen": self.seen()}
        return self.say("transfer.requested", issuer, **(own | fields))

    def drawn(self, **fields: Any) -> str:
        """Prepare, and let birch draw."""
        prepared = self.prepare(**fields)
        self.request(prepared)
        return prepared

    def mark(self, prepared: str, issuer: str = "acme", recipient: str = "birch", **fields: Any) -> str:
        marks = {"prepared": prepared, "coin": OPENED, "file": 0} | fields.pop("marks", {})
        return self.offer(issuer, recipient, fields.pop("listing", self.listing), marks=marks, **fields)


Course = Callable[[Market], Any]


GOOD: list[tuple[str, Course]] = [
    ("drawn and offered", lambda w: w.mark(w.drawn(), marks={"retired": [3, 5]}, license=w.terms)),
    ("offered again", lambda w: (p := w.drawn(), w.mark(p), w.mark(p))),
    ("requested over an older tree", lambda w: (
        p := w.prepare(), seen := w.seen(), w.list_dataset("cedar"), w.request(p, seen=seen))),
    ("prepared by somebody whose listing it is not", lambda w: w.prepare("birch", "cedar")),
    ("acknowledged", lambda w: w.decide("birch", w.mark(w.drawn()))),
]  # fmt: skip


@pytest.mark.parametrize("course", [row[1] for row in GOOD], ids=[row[0] for row in GOOD])
def test_what_the_page_allows_is_accepted(course: Course, tmp_path: Path) -> None:
    market = Market()
    course(market)
    result = run(market, tmp_path)
    assert (outcome(result), result.doubts, result.is_complete) == ([], [], True)


BAD: list[tuple[str, Course, str, str]] = [
    ("prepared: no listing", lambda w: w.prepare(listing=w.terms), "unknown-reference", "/listing"),
    ("prepared for nobody", lambda w: w.prepare(recipient="nobody"), "unknown-party", "/recipient"),
    ("prepared for oneself", lambda w: w.prepare(recipient="acme"), "same-party", "/recipient"),
    ("prepared: the listing goes first", lambda w: w.prepare(listing=NOTHING, recipient="nobody"),
     "unknown-reference", "/listing"),
    ("requested: nothing", lambda w: w.request(w.offered), "unknown-reference", "/prepared"),
    ("requested by the sender", lambda w: w.request(w.prepare(), "acme"), "wrong-role", "/issuer"),
    ("requested by a stranger", lambda w: w.request(w.prepare(), "cedar"), "wrong-role", "/issuer"),
    ("requested twice", lambda w: w.request(w.drawn()), "already-decided", ""),
    ("requested, having seen nothing", lambda w: w.request(w.prepare(), seen=None), "wrong-value", "/seen"),
    ("requested over a tree without the pool", lambda w: (seen := w.seen(), w.request(w.prepare(), seen=seen)),
     "wrong-value", "/seen"),
    ("the role goes before what was seen", lambda w: w.request(w.prepare(), "cedar", seen=None), "wrong-role",
     "/issuer"),
    ("a second request goes before what was seen", lambda w: w.request(w.drawn(), seen=None), "already-decided", ""),
    ("marked by nothing", lambda w: w.mark(w.offered), "unknown-reference", "/marks/prepared"),
    ("marked by what nobody drew", lambda w: w.mark(w.prepare()), "wrong-value", "/marks/prepared"),
    ("marked by another sender's", lambda w: w.mark(w.drawn(), "cedar"), "wrong-value", "/marks/prepared"),
    ("marked by another recipient's", lambda w: w.mark(w.drawn(), recipient="cedar"), "wrong-value",
     "/marks/prepared"),
    ("marked by another listing's", lambda w: w.mark(w.drawn(), listing=w.list_dataset("acme")), "wrong-value",
     "/marks/prepared"),
    ("another coin", lambda w: w.mark(w.drawn(), marks={"coin": OPENED | {"value": b64(bytes(32))}}), "wrong-value",
     "/marks/coin"),
    ("another salt", lambda w: w.mark(w.drawn(), marks={"coin": OPENED | {"salt": b64(bytes(16))}}), "wrong-value",
     "/marks/coin"),
    ("the draw goes before the coin", lambda w: w.mark(w.prepare(), marks={"coin": OPENED | {"value": b64(bytes(32))}}),
     "wrong-value", "/marks/prepared"),
    ("the recipient goes before the marks", lambda w: w.mark(NOTHING, recipient="nobody"), "unknown-party",
     "/recipient"),
    ("it opens something else", lambda w: w.decide("birch", w.mark(w.drawn()), opens="ef" * 32), "wrong-value",
     "/opens"),
    ("it opens, after it was decided", lambda w: (t := w.mark(w.drawn()), w.decide("birch", t),
                                                  w.decide("birch", t, opens="ef" * 32)), "already-decided", ""),
    ("it opens, says another", lambda w: w.decide("cedar", w.mark(w.drawn()), opens="ef" * 32), "wrong-role",
     "/issuer"),
]  # fmt: skip


@pytest.mark.parametrize(("course", "reason", "where"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_the_page_forbids_is_refused(course: Course, reason: str, where: str, tmp_path: Path) -> None:
    """The last statement of a course is refused for its reason, at its place, and nothing else is blamed."""
    market = Market()
    course(market)
    at = len(market.entries) - 1
    market.list_dataset("cedar")
    result = run(market, tmp_path)
    assert [(item.check.slug, item.reason, item.index, item.where) for item in result.failures] == [
        ("reference", reason, at, where)
    ]


def test_what_an_offer_of_version_5_sealed_can_be_opened_under_version_6(tmp_path: Path) -> None:
    """A version says what may be said from then on, about whatever is not decided yet."""
    builder = Builder(rules=5)
    builder.create()
    for name in ("acme", "birch"):
        builder.register(name)
    listing = builder.list_dataset("acme")
    first, second = (builder.offer("acme", "birch", listing) for _ in range(2))
    builder.change_rules()
    builder.decide("birch", first, opens=CONTENT)
    builder.decide("birch", second, opens="ef" * 32)
    assert outcome(run(builder, tmp_path)) == [("reference", "wrong-value", len(builder.entries) - 1)]


def test_a_resumed_replay_knows_what_was_prepared_and_sealed(tmp_path: Path) -> None:
    """After every entry; what is not decided yet can be opened, and what was not requested cannot be drawn from."""
    market = Market()
    prepared = market.drawn()
    market.prepare()
    market.decide("birch", market.mark(prepared))
    market.decide("birch", market.mark(prepared), opens="ef" * 32)
    market.request(prepared)
    policy = parse_policy(market.policy().encode())
    whole = run(market, tmp_path / "whole")
    assert [reason for _, reason, _ in outcome(whole)] == ["wrong-value", "already-decided"]
    assert all(item.content is None for item in whole.registry.transfers.values() if item.decided_index is not None)
    for size in range(1, len(market.entries) - 2):
        early = run(Builder(entries=market.entries[:size], leaves=market.leaves[:size]), tmp_path / str(size))
        saved = parse_state(format_state(early.state()), policy, policy.logs[0])
        resumed = replay(str(tmp_path / "whole"), policy, policy.logs[0], state=saved, progress=lambda *_: None)
        assert outcome(resumed) == outcome(whole)
        assert resumed.registry == whole.registry


def findings(market: Market, tmp_path: Path) -> list[tuple[str, int, tuple[int, ...]]]:
    def told(item: Finding) -> tuple[str, int, tuple[int, ...]]:
        return item.slug, item.index, item.entries

    result = run(market, tmp_path)
    assert outcome(result) == []
    return [told(item) for item in result.findings if item.slug.startswith("marked")]


@pytest.mark.parametrize(
    ("agreed", "is_found"),
    [
        (MARKING, False),
        (MARKING | {"method": "canary"}, True),
        (MARKING | {"bound": "0.0010"}, True),
        (MARKING | {"recipients": 4}, True),
        (None, False),
    ],
)
def test_marks_are_as_they_were_agreed_or_that_is_a_finding(
    agreed: dict[str, Any] | None, is_found: bool, tmp_path: Path
) -> None:
    """Names the preparation, the agreement, and the amendment that decides."""
    market = Market()
    terms_at = run(market, tmp_path / "before").registry.licenses[bytes.fromhex(market.terms[7:])].index
    said: dict[str, Any] = {} if agreed is None else {"marking": agreed}
    market.amend(marking_consent=True, **said)
    amended_at = len(market.entries) - 1
    prepared_at = len(market.entries)
    market.mark(market.drawn(), license=market.terms)
    at = len(market.entries) - 1
    expected = [("marked-otherwise-than-agreed", at, (terms_at, amended_at, prepared_at, at))] if is_found else []
    assert findings(market, tmp_path) == expected


def test_the_newest_word_on_consent_says_how(tmp_path: Path) -> None:
    """One that says no more than yes takes the manner away, and one that says no the consent."""
    market = Market()
    market.amend(marking_consent=True, marking=MARKING | {"method": "canary"})
    market.amend(valid_until_ms=2**50)
    prepared = market.drawn()
    market.mark(prepared, license=market.terms)
    found = [len(market.entries) - 1]
    market.amend(marking_consent=True)
    market.mark(prepared, license=market.terms)
    market.amend(marking_consent=False)
    market.mark(prepared, license=market.terms)
    found.append(len(market.entries) - 1)
    assert [(slug, at) for slug, at, _ in findings(market, tmp_path)] == [
        ("marked-otherwise-than-agreed", found[0]),
        ("marked-without-consent", found[1]),
    ]


def test_a_license_of_another_listing_says_nothing_of_how(tmp_path: Path) -> None:
    market = Market()
    other = market.list_dataset("acme")
    terms = market.license("acme", "birch", other, marking_consent=True, marking=MARKING | {"method": "canary"})
    market.mark(market.drawn(), license=terms)
    assert findings(market, tmp_path) == []


def test_a_pool_concerns_what_its_listing_concerns(tmp_path: Path) -> None:
    """docs/format.md §12.3: the preparation and its request, and both parties; not the transfers of another listing."""
    market = Market()
    first = len(market.entries)
    prepared = market.drawn()
    transfer = market.mark(prepared)
    for subject, expected in (
        (market.listing, {first, first + 1, first + 2}),
        (prepared, {first, first + 1}),
        (transfer, {first + 2}),
        ("birch", {first, first + 1, first + 2}),
    ):
        observed = Observed(subject)
        replay_with(market, tmp_path, observed)
        assert {at for at in observed.concerning if at >= first} == expected, subject


def replay_with(market: Market, directory: Path, observed: Observed) -> None:
    market.write(directory)
    policy = parse_policy(market.policy().encode())
    replay(str(directory), policy, policy.logs[0], observe=observed.take, progress=lambda *_: None)


def _row(*cells: str) -> str:
    return b64(canonical(list(cells)))


POOL: dict[str, Any] = {
    "type": "provenance-ledger.pool/v1", "method": "omission", "columns": ["name"], "key": b64(bytes(32)), "draws": 2,
    "rows": [_row("a"), _row("b"), _row("c")],
}  # fmt: skip
CODE: dict[str, Any] = {
    "type": "provenance-ledger.pool/v1", "method": "tardos", "columns": ["name"], "key": b64(bytes(32)),
    "colluders": 2, "positions": [{"bias": 1 << 31, "rows": [_row("a"), _row("b")]}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("pointer", "kind", "value", "fault"),
    [
        ("/seal", "pool", POOL, None),
        ("/seal", "pool", CODE, None),
        ("/seal", "pool", POOL | {"columns": ["\u4e2d" * 1_000]}, None),
        ("/seal", "pool", POOL | {"draws": 3}, "disclosure-malformed"),
        ("/seal", "pool", POOL | {"draws": 0}, "disclosure-malformed"),
        ("/seal", "pool", POOL | {"rows": [_row("a"), _row("b"), _row("b")]}, "disclosure-malformed"),
        ("/seal", "pool", POOL | {"rows": [_row("a"), _row("b"), _row("c", "d")]}, "disclosure-malformed"),
        ("/seal", "pool", POOL | {"rows": [_row("a"), _row("b"), b64(b'[ "c"]')]}, "disclosure-malformed"),
        ("/seal", "pool", POOL | {"method": "paint"}, "disclosure-malformed"),
        ("/seal", "pool", POOL | {"bits": [1]}, "disclosure-malformed"),
        ("/seal", "pool", POOL | {"columns": ["x" * 1_000_001]}, "disclosure-malformed"),
        ("/seal", "pool", CODE | {"method": "canary"}, "disclosure-malformed"),
        ("/seal", "pool", CODE | {"positions": CODE["positions"] * 2}, "disclosure-malformed"),
        ("/seal", "marks", POOL, "disclosure-malformed"),
        ("/seal", "field", POOL, "disclosure-malformed"),
        ("/seal", "pool", [], "disclosure-malformed"),
        ("/coin", "coin", COIN, None),
        ("/coin", "coin", b64(bytes(31)), "disclosure-malformed"),
        ("/coin", "field", COIN, "disclosure-malformed"),
    ],
)
def test_what_opens_pool_and_coin(pointer: str, kind: str, value: Any, fault: str | None, tmp_path: Path) -> None:
    """A value of the form and kind of its place; nothing is put in its place."""
    market = Market()
    sealed = market.commitment(kind, "acme", pointer, value)
    nonce = b64(sha(b"nonce%d" % (market.nonces + 1))[:16])
    changed: dict[str, Any] = {pointer[1:]: sealed}
    prepared = market.prepare(**changed)
    item = {"issuer": "acme", "kind": kind, "ledger": market.ledger, "nonce": nonce, "pointer": pointer, "salt": SALT,
            "statement_id": prepared, "type": "provenance-ledger.disclosure/v1", "value": value}  # fmt: skip
    disclosures = Disclosures()
    disclosures.add(canonical({"disclosures": [item], "type": "provenance-ledger.disclosures/v1"}) + b"\n")
    market.write(tmp_path)
    policy = parse_policy(market.policy().encode())
    result = replay(str(tmp_path), policy, policy.logs[0], disclosures=disclosures, progress=lambda *_: None)
    assert [item.reason for item in result.failures] == ([fault] if fault else [])
    assert result.judgement.opened_count == (0 if fault else 1)


def test_the_sealed_places_of_a_preparation_are_counted_and_can_be_erased(tmp_path: Path) -> None:
    market = Market()
    before = run(market, tmp_path / "before").judgement.sealed_count
    at = len(market.entries)
    prepared = market.prepare()
    market.say("erasure.attested", "acme", statement=prepared, basis="contract", destroyed=["salts"],
               pointers=["/seal"])  # fmt: skip
    result = run(market, tmp_path / "log")
    assert outcome(result) == []
    assert result.judgement.sealed_count == before + 2
    assert [(item.index, item.pointer) for item in result.judgement.erased] == [(at, "/seal")]
