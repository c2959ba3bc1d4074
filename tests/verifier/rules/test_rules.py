"""Acceptance (docs/format.md §9) and findings (§13): each lie is refused for the reason named for it."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.verifier.builder import (
    START_MS,
    Builder,
    b64,
    canonical,
    envelope,
    key_from,
    keyid,
    public,
    small_ledger,
    statement_name,
)
from verifier.core.policy import parse_policy
from verifier.replay.replay import replay
from verifier.replay.result import Replay

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def run(builder: Builder, directory: Path) -> Replay:
    builder.write(directory)
    policy = parse_policy(builder.policy().encode())
    return replay(str(directory), policy, policy.logs[0], progress=lambda *_: None)


def outcome(result: Replay) -> list[tuple[str, str, int | None]]:
    return [(failure.check.slug, failure.reason, failure.index) for failure in result.failures]


def base() -> tuple[Builder, str, str, str]:
    """Return a ledger with two parties, a listing, a license and an open transfer."""
    builder = Builder()
    builder.create()
    builder.register("acme")
    builder.register("birch")
    builder.register("cedar")
    listing = builder.list_dataset("acme")
    terms = builder.license("acme", "birch", listing)
    offer = builder.offer("acme", "birch", listing, license=terms)
    return builder, listing, terms, offer


A, A_RECOVERY = key_from("acme/signing"), key_from("acme/recovery")
B, B_RECOVERY = key_from("birch/signing"), key_from("birch/recovery")
OPERATOR, NEW = key_from("operator/signing"), key_from("new")
WEAK = b64(bytes([1]) + bytes(31))


def _signed(change: Callable[[Builder, dict[str, Any]], None]) -> Callable[[Builder, str, str, str], None]:
    """Return a lie that changes a good statement's fields before it is signed."""

    def lie(builder: Builder, _listing: str, _terms: str, offer: str) -> None:
        content = {"sealed": "ef" * 32}
        fields = json.loads(builder.statement("transfer.acknowledged", "birch", [B], transfer=offer, content=content))
        change(builder, fields)
        builder.record(envelope(canonical(fields), [B]))

    return lie


def _enveloped(change: Callable[[dict[str, Any]], None]) -> Callable[[Builder, str, str, str], None]:
    """Return a lie that changes a good envelope."""

    def lie(builder: Builder, _listing: str, _terms: str, offer: str) -> None:
        content = {"sealed": "ef" * 32}
        payload = builder.statement("transfer.acknowledged", "birch", [B], transfer=offer, content=content)
        signed = envelope(payload, [B])
        change(signed)
        builder.record(signed)

    return lie


def _raw_payload(payload: bytes) -> Callable[[Builder, str, str, str], None]:
    return lambda builder, *_: builder.record(envelope(payload, [B])) and None


def _resign(by: list[Any], signers: list[Any], **fields: Any) -> Callable[[Builder, str, str, str], None]:
    def lie(builder: Builder, _listing: str, _terms: str, offer: str) -> None:
        own = {"transfer": offer, "content": {"sealed": "ef" * 32}} | fields
        builder.record(envelope(builder.statement("transfer.acknowledged", "birch", signers, **own), by))

    return lie


def _duplicate(builder: Builder, *_: str) -> None:
    builder.record(json.loads(builder.entries[-1])["statement"])


def _forged(signed: dict[str, Any]) -> None:
    signature = bytearray(base64.b64decode(signed["signatures"][0]["sig"]))
    signature[40] ^= 1
    signed["signatures"][0]["sig"] = b64(bytes(signature))


def _revoke(builder: Builder) -> None:
    builder.append("party.key_revoked", "birch", [B_RECOVERY], keyid=keyid(B))


def _after_revocation(builder: Builder, _listing: str, _terms: str, offer: str) -> None:
    _revoke(builder)
    builder.decide("birch", offer)


def _license_alone(builder: Builder, listing: str, *_: str) -> None:
    terms = {"purposes": ["x"], "valid_from_ms": 0, "valid_until_ms": 1}
    builder.append("license.agreed", "acme", [A], listing=listing, licensee="birch", terms=terms)


def _decided_twice(builder: Builder, _listing: str, _terms: str, offer: str) -> None:
    builder.decide("birch", offer)
    builder.decide("birch", offer, "transfer.refused")


def _register(name: str, signing: Any, recovery: Any) -> Callable[[Builder, str, str, str], None]:
    return lambda builder, *_: builder.append(
        "party.registered", name, [signing, recovery], keys=[public(signing)], recovery_keys=[public(recovery)]
    ) and None  # fmt: skip


def _without_recovery_key(builder: Builder, *_: str) -> None:
    builder.append("party.registered", "dogwood", [NEW], keys=[public(NEW)], recovery_keys=[])


def _created_twice(builder: Builder, *_: str) -> None:
    first = builder.ledger
    builder.create()
    builder.ledger = first


LIES: list[tuple[str, Callable[[Builder, str, str, str], Any], str, str]] = [
    ("no type", _signed(lambda _, f: f.pop("type")), "payload", "missing-field"),
    ("type of no string", _signed(lambda _, f: f.update(type=7)), "payload", "wrong-type"),
    ("unknown type", _signed(lambda _, f: f.update(type="transfer.sold")), "payload", "unknown-type"),
    ("not an object", _raw_payload(b"[]"), "payload", "not-an-object"),
    ("duplicate names", _raw_payload(b'{"type":"x","type":"x"}'), "payload", "duplicate-key"),
    ("not canonical", _raw_payload(b'{"type": "x"}'), "payload", "non-canonical"),
    ("float", _raw_payload(b'{"type":1.5}'), "payload", "float"),
    ("payload too large", _raw_payload(b'"' + b"x" * 32_767 + b'"'), "payload", "too-large"),
    ("missing field", _signed(lambda _, f: f.pop("nonce")), "fields", "missing-field"),
    ("unknown field", _signed(lambda _, f: f.update(extra=1)), "fields", "unknown-field"),
    ("null field", _signed(lambda _, f: f.update(seen=None)), "fields", "wrong-type"),
    ("a bool is no integer", _signed(lambda _, f: f.update(issued_ms=True)), "fields", "wrong-type"),
    ("bad name", _signed(lambda _, f: f.update(issuer="birch.")), "fields", "wrong-value"),
    ("bad base64", _signed(lambda _, f: f.update(nonce=f["nonce"][:-3] + "B==")), "fields", "bad-base64"),
    ("short nonce", _signed(lambda _, f: f.update(nonce="QQ==")), "fields", "wrong-value"),
    ("unsorted signers", _signed(lambda _, f: f.update(signers=["b" * 64, "a" * 64])), "fields", "wrong-value"),
    ("a long draft", _signed(lambda _, f: f.update(not_after_ms=f["issued_ms"] + 7_776_000_001)), "fields",
     "lifetime-too-long"),
    ("weak key", _resign([B], [B], type="party.key_added", transfer=None, content=None, use="signing",
                         key={"alg": "ed25519", "public_key": WEAK}), "fields", "weak-key"),
    ("wrong payload type", _enveloped(lambda e: e.update(payloadType="text/plain")), "envelope", "wrong-payload-type"),
    ("no signature", _enveloped(lambda e: e.update(signatures=[])), "envelope", "wrong-value"),
    ("extra member", _enveloped(lambda e: e.update(note="x")), "envelope", "unknown-field"),
    ("payload of no base64", _enveloped(lambda e: e.update(payload="%%%")), "envelope", "bad-base64"),
    ("short signature", _enveloped(lambda e: e["signatures"][0].update(sig="QQ==")), "envelope", "malformed-signature"),
    ("one keyid twice", _enveloped(lambda e: e.update(signatures=e["signatures"] * 2)), "envelope",
     "duplicate-signature"),
    ("another ledger of the same name", _signed(lambda _, f: f.update(ledger="sha256:" + "0" * 64)), "ledger",
     "wrong-ledger"),
    ("said twice", _duplicate, "duplicate", "duplicate-statement"),
    ("a signature stripped", _resign([B], [B, B_RECOVERY]), "signature-set", "missing-signature"),
    ("a signature added", _resign([A, B], [B]), "signature-set", "extra-signature"),
    ("unregistered key", _resign([NEW], [NEW]), "key-known", "unknown-key"),
    ("forged signature", _enveloped(_forged), "signature", "wrong-signature"),
    ("revoked key", _after_revocation, "key-revoked", "revoked-key"),
    ("unknown issuer", _signed(lambda _, f: f.update(issuer="nobody")), "issuer", "unknown-party"),
    ("a stranger signs", _resign([A], [A]), "signers", "wrong-signers"),
    ("a recovery key speaks", _resign([B_RECOVERY], [B_RECOVERY]), "signers", "wrong-signers"),
    ("license without the licensee", _license_alone, "signers", "wrong-signers"),
    ("too early", _signed(lambda b, f: f.update(issued_ms=b.time_ms + 300_001, not_after_ms=b.time_ms + 400_000)),
     "freshness", "issued-in-future"),
    ("stale draft", _signed(lambda b, f: f.update(issued_ms=b.time_ms - 2, not_after_ms=b.time_ms - 1)), "freshness",
     "expired"),
    ("false seen root", _signed(lambda _, f: f.update(seen={"root": "0" * 64, "size": 2})), "seen", "seen-mismatch"),
    ("seen of the future", _signed(lambda b, f: f.update(seen=b.seen() | {"size": 8})), "seen", "seen-mismatch"),
    ("created twice", _created_twice, "reference", "already-created"),
    ("name squatted", _register("acme", NEW, key_from("new/2")), "reference", "name-taken"),
    ("key of another party", _register("dogwood", A, NEW), "reference", "key-taken"),
    ("service key as party key", _register("dogwood", NEW, key_from("service")), "reference", "key-taken"),
    ("unknown transfer", _signed(lambda _, f: f.update(transfer="sha256:" + "1" * 64)), "reference",
     "unknown-reference"),
    ("id of another type", lambda b, listing, *_: b.decide("birch", listing), "reference", "unknown-reference"),
    ("stranger acknowledges", lambda b, _l, _t, offer: b.decide("cedar", offer), "reference", "wrong-role"),
    ("decided twice", _decided_twice, "reference", "already-decided"),
    ("to oneself", lambda b, listing, *_: b.offer("acme", "acme", listing), "reference", "same-party"),
    ("to nobody", lambda b, listing, *_: b.offer("acme", "nobody", listing), "reference", "unknown-party"),
    ("another's listing licensed", lambda b, listing, *_: b.license("birch", "acme", listing), "reference",
     "wrong-role"),
    ("another's listing withdrawn", lambda b, listing, *_: b.append("listing.withdrawn", "birch", [B],
                                                                     listing=listing), "reference", "wrong-role"),
    ("a stranger ends the license", lambda b, _l, terms, _o: b.append(
        "license.ended", "cedar", [key_from("cedar/signing")], license=terms), "reference", "wrong-role"),
    ("rules changed by a party", lambda b, *_: b.append(
        "ledger.rules_changed", "acme", [OPERATOR], rules=2, payload_types=["a"], statement_types=["a"],
        signature_forms=["a"]), "reference", "wrong-role"),
    ("rules skipped", lambda b, *_: b.append(
        "ledger.rules_changed", "operator", [OPERATOR], rules=3, payload_types=["a"], statement_types=["a"],
        signature_forms=["a"]), "reference", "wrong-rules-version"),
    ("another's key revoked", lambda b, *_: b.append("party.key_revoked", "birch", [B_RECOVERY], keyid=keyid(A)),
     "reference", "unknown-reference"),
    ("key added without a recovery key", lambda b, *_: b.append("party.key_added", "birch", [B, NEW],
                                                                key=public(NEW), use="signing"), "signers",
     "wrong-signers"),
    ("no recovery key", _without_recovery_key, "fields", "wrong-value"),
]  # fmt: skip


@pytest.mark.parametrize(("lie", "check", "reason"), [row[1:] for row in LIES], ids=[row[0] for row in LIES])
def test_a_lie_is_caught_by_its_check(
    lie: Callable[[Builder, str, str, str], Any], check: str, reason: str, tmp_path: Path
) -> None:
    """The check named for the lie catches it, at its index, and nothing else is blamed."""
    builder, listing, terms, offer = base()
    lie(builder, listing, terms, offer)
    lied_at = len(builder.entries) - 1
    builder.list_dataset("cedar")  # the replay goes on behind it
    result = run(builder, tmp_path)
    assert outcome(result) == [(check, reason, lied_at)]
    assert result.judged_size == len(builder.entries)


@pytest.mark.parametrize(
    ("members", "check", "reason"),
    [
        ({"index": 9}, "entry-index", "wrong-index"),
        ({"previous": "0" * 64}, "link", "wrong-previous"),
        ({"time": START_MS - 1}, "time", "time-decreased"),
        ({"note": 1}, "entry-form", "unknown-field"),
        ({"time": "now"}, "entry-form", "wrong-type"),
    ],
)
def test_an_entry_out_of_place_is_caught(members: dict[str, Any], check: str, reason: str, tmp_path: Path) -> None:
    """Index, link and time are the ledger's own; even signed over again they must hold."""
    builder, listing, _, _ = base()
    payload = builder.statement("listing.withdrawn", "acme", [A], listing=listing)
    builder.record(envelope(payload, [A]), **members)
    assert outcome(run(builder, tmp_path)) == [(check, reason, 7)]


def test_not_created(tmp_path: Path) -> None:
    """Without a good entry 0 there is no ledger: nothing behind it is judged, and nothing is accused."""
    builder = Builder(ledger="sha256:" + "0" * 64)
    builder.register("acme")
    builder.list_dataset("acme")
    result = run(builder, tmp_path)
    assert outcome(result) == [("reference", "not-created", 0)]
    assert [doubt.reason for doubt in result.doubts] == ["no-ledger"]


def test_operator_admission(tmp_path: Path) -> None:
    """Where the operator admits, a party that registers itself is refused, and one that it admits is not."""
    builder = Builder(admission="operator")
    builder.create()
    builder.register("acme")
    _register("birch", B, B_RECOVERY)(builder, "", "", "")
    assert outcome(run(builder, tmp_path)) == [("signers", "wrong-signers", 2)]


def test_keys_come_and_go(tmp_path: Path) -> None:
    """A key speaks from the entry that adds it up to the one that revokes it, itself if need be."""
    builder, listing, _, offer = base()
    builder.append("party.key_added", "birch", [B_RECOVERY, NEW], key=public(NEW), use="signing")
    builder.append("transfer.acknowledged", "birch", [NEW], transfer=offer, content={"sealed": "ef" * 32})
    builder.append("party.key_revoked", "birch", [NEW], keyid=keyid(NEW))
    builder.append("listing.withdrawn", "acme", [A], listing=listing)
    result = run(builder, tmp_path)
    assert outcome(result) == []
    assert result.is_complete


def test_unknown_rules_are_not_judged(tmp_path: Path) -> None:
    """Behind a version that it does not know, the verifier checks bytes and links, and says that it could not tell."""
    builder, _, _, _ = base()
    builder.change_to_unknown_rules()
    builder.record(envelope(b"whatever it allows", [NEW]))
    at = len(builder.entries) - 1
    result = run(builder, tmp_path)
    assert outcome(result) == []
    assert [(doubt.reason, doubt.index) for doubt in result.doubts] == [("unknown-rules", at)]
    builder.record({"payload": "", "payloadType": "", "signatures": []}, previous="1" * 64)
    assert outcome(run(builder, tmp_path)) == [("link", "wrong-previous", at + 1)]


def test_entry_0_must_be_of_the_policys_log(tmp_path: Path) -> None:
    """Statements made for one log cannot be shown under the checkpoint of another."""
    builder = Builder()
    builder.create(
        origin="elsewhere.example/log", log_keys=[Builder(origin="elsewhere.example/log").policy().split()[1]]
    )
    assert {(check, reason) for check, reason, _ in outcome(run(builder, tmp_path))} == {
        ("identity", "wrong-origin"),
        ("identity", "wrong-log-key"),
    }


def test_findings(tmp_path: Path) -> None:
    """What is merely unlawful is recorded, and named (§13)."""
    builder, listing, terms, offer = base()
    other = builder.list_dataset("cedar")
    expected: list[tuple[str, int]] = []

    def offered(slugs: list[str], sender: str, recipient: str, listing: str, **fields: Any) -> None:
        builder.offer(sender, recipient, listing, **fields)
        expected.extend((slug, len(builder.entries) - 1) for slug in slugs)

    offered(["transfer-without-license"], "acme", "birch", listing)
    offered(["transfer-without-license"], "acme", "birch", other, license=terms)
    offered(["transfer-wrong-recipient"], "acme", "cedar", listing, license=terms)
    offered(["transfer-wrong-sender"], "cedar", "birch", listing, license=terms)
    late = builder.license("acme", "birch", listing, terms={"purposes": ["x"], "valid_from_ms": START_MS + 5,
                                                            "valid_until_ms": START_MS + 6})  # fmt: skip
    offered(["transfer-outside-term"], "acme", "birch", listing, license=late)
    builder.time_ms = START_MS + 5
    offered([], "acme", "birch", listing, license=late)
    builder.time_ms = START_MS + 6
    offered(["transfer-outside-term"], "acme", "birch", listing, license=late)
    builder.append("license.ended", "birch", [B], license=terms)
    offered(["transfer-outside-term"], "acme", "birch", listing, license=terms)
    builder.append("listing.withdrawn", "acme", [A], listing=listing)
    offered(["listing-withdrawn", "transfer-without-license"], "acme", "birch", listing)
    builder.time_ms = START_MS + 7
    builder.append("transfer.acknowledged", "birch", [B], transfer=offer, content={"sealed": "ef" * 32})
    expected.append(("key-compromised", len(builder.entries) - 1))
    builder.append("party.key_revoked", "birch", [B_RECOVERY], keyid=keyid(B), compromised_since_ms=START_MS + 7)
    result = run(builder, tmp_path)
    assert outcome(result) == []
    assert sorted((finding.slug, finding.index) for finding in result.findings) == sorted(expected)


def test_the_small_ledger_is_sound(tmp_path: Path) -> None:
    """Everything that the builder makes by the book is accepted, with every state as it should be."""
    result = run(small_ledger(), tmp_path)
    assert (outcome(result), result.doubts, result.findings) == ([], [], [])
    states = [transfer.state for transfer in result.registry.transfers.values()]
    assert states == ["acknowledged", "refused", "offered"]
    assert statement_name(base64.b64decode(json.loads(small_ledger().entries[0])["statement"]["payload"])) == (
        small_ledger().ledger
    )
