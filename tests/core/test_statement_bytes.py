"""Envelopes, statement ids, entries and commitments, byte for byte (docs/format.md §4, §7, §8)."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core.commitment import Place, commit
from ledger.core.dsse import STATEMENT_TYPE, Envelope, pae, parse_envelope, sign, statement_id
from ledger.core.encoding import Json, b64encode, canonical
from ledger.core.entry import ZERO_LINK, Entry, fits, parse_entry
from ledger.core.errors import FormatError, LedgerError
from ledger.core.hashing import leaf_hash
from ledger.core.keys import verify_ed25519
from tests.harness.people import key

ALICE, BOB = key("alice"), key("bob")
ENVELOPE = sign({"type": "x"}, [ALICE, BOB])
ENTRY = Entry(3, "ab" * 32, ENVELOPE, 1_700_000_000_000)
MANY = settings(max_examples=300, derandomize=True, deadline=None)


def test_pae() -> None:
    """The example of the DSSE v1 specification."""
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_pae_counts_bytes() -> None:
    assert pae("é", "😀".encode()) == b"DSSEv1 2 \xc3\xa9 4 \xf0\x9f\x98\x80"


def test_statement_id_is_over_what_is_signed() -> None:
    payload = canonical({"type": "x"})
    signed = b"DSSEv1 %d %s %d %s" % (len(STATEMENT_TYPE), STATEMENT_TYPE.encode(), len(payload), payload)
    assert statement_id(payload) == ENVELOPE.id == "sha256:" + sha256(signed).hexdigest()
    assert all(
        verify_ed25519({ALICE.public.keyid: ALICE, BOB.public.keyid: BOB}[keyid].public.raw, signed, signature)
        for keyid, signature in ENVELOPE.signatures
    )


def test_the_recorded_envelope_is_canonical() -> None:
    assert ENVELOPE.recorded == canonical(ENVELOPE.document())
    assert [keyid for keyid, _ in ENVELOPE.signatures] == sorted([ALICE.public.keyid, BOB.public.keyid])


def test_any_posted_spelling_is_recorded_alike() -> None:
    document = ENVELOPE.document()
    document["signatures"].reverse()
    posted = json.dumps(dict(reversed(document.items())), indent=2).encode()
    assert parse_envelope(posted).recorded == ENVELOPE.recorded


def test_signatures_are_added_in_any_order() -> None:
    one = sign({"type": "x"}, [BOB])
    other = one.with_signatures([(ALICE.public.keyid, ALICE.sign(one.signed_bytes))])
    assert other == ENVELOPE
    assert other.id == one.id


def change(*path: Any, to: Any = None, drop: bool = False) -> bytes:
    """Return the envelope with one place changed or dropped."""
    document: Any = ENVELOPE.document()
    place = document
    for name in path[:-1]:
        place = place[name]
    if drop:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return json.dumps(document).encode()


SIG = ENVELOPE.document()["signatures"][0]
BAD_ENVELOPES = [
    (b"x", "not-json", ""),
    (b"[]", "not-an-object", ""),
    (b'"x"', "not-an-object", ""),
    (b" " * 65_536, "too-large", ""),
    (ENVELOPE.recorded[:-1] + b',"payload":""}', "duplicate-key", ""),
    (change("payload", drop=True), "missing-field", "/payload"),
    (change("payloadType", drop=True), "missing-field", "/payloadType"),
    (change("signatures", drop=True), "missing-field", "/signatures"),
    (change("comment", to=1), "unknown-field", "/comment"),
    (change("payload", to=1), "wrong-type", "/payload"),
    (change("payload", to="AAB="), "bad-base64", "/payload"),
    (change("payload", to="AA"), "bad-base64", "/payload"),
    (change("payloadType", to=None), "wrong-type", "/payloadType"),
    (change("payloadType", to="application/json"), "wrong-payload-type", "/payloadType"),
    (change("signatures", to={}), "wrong-type", "/signatures"),
    (change("signatures", to=[]), "wrong-value", "/signatures"),
    (change("signatures", to=[{**SIG, "keyid": f"{n:064x}"} for n in range(17)]), "wrong-value", "/signatures"),
    (change("signatures", to=[SIG, SIG]), "duplicate-signature", "/signatures"),
    (change("signatures", 1, to="x"), "wrong-type", "/signatures/1"),
    (change("signatures", 1, "sig", drop=True), "missing-field", "/signatures/1/sig"),
    (change("signatures", 1, "alg", to="x"), "unknown-field", "/signatures/1/alg"),
    (change("signatures", 0, "sig", to=7), "wrong-type", "/signatures/0"),
    (change("signatures", 0, "sig", to="*"), "bad-base64", "/signatures/0/sig"),
    (change("signatures", 0, "sig", to=SIG["sig"][:-3] + "B=="), "bad-base64", "/signatures/0/sig"),
    (change("signatures", 0, "sig", to=b64encode(bytes(63))), "malformed-signature", "/signatures/0/sig"),
    (change("signatures", 0, "sig", to=""), "malformed-signature", "/signatures/0/sig"),
    (change("signatures", 0, "keyid", to="AB" * 32), "malformed-signature", "/signatures/0/keyid"),
    (change("signatures", 0, "keyid", to=SIG["keyid"] + "\n"), "malformed-signature", "/signatures/0/keyid"),
]


@pytest.mark.parametrize(("raw", "reason", "field"), BAD_ENVELOPES)
def test_bad_envelope(raw: bytes, reason: str, field: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_envelope(raw)
    assert (caught.value.reason, caught.value.field) == (reason, field)


def test_another_kind_of_envelope() -> None:
    """A refusal is no statement, and the other way round."""
    refusal = sign({}, [ALICE], "application/vnd.provenance-ledger.refusal.v1+json")
    assert parse_envelope(refusal.recorded, refusal.payload_type) == refusal
    with pytest.raises(FormatError):
        parse_envelope(refusal.recorded)


def test_the_entry_is_canonical_and_reads_back() -> None:
    expected = {"index": 3, "previous": "ab" * 32, "statement": ENVELOPE.document(), "time": 1_700_000_000_000}
    assert ENTRY.raw == canonical(expected)
    assert parse_entry(ENTRY.raw) == ENTRY
    assert ENTRY.leaf == leaf_hash(ENTRY.raw) == sha256(b"\0" + ENTRY.raw).digest()
    assert Entry(0, ZERO_LINK, ENVELOPE, 0).raw == canonical(expected | {"index": 0, "previous": "0" * 64, "time": 0})


def entry_with(**changes: Json) -> bytes:
    document = json.loads(ENTRY.raw) | changes
    return canonical({name: value for name, value in document.items() if value is not None})


@pytest.mark.parametrize(
    ("raw", "reason", "field"),
    [
        (b"", "not-json", ""),
        (b"[]", "not-an-object", ""),
        (b" " + ENTRY.raw, "non-canonical", ""),
        (ENTRY.raw[:-1] + b',"time":1}', "duplicate-key", ""),
        (entry_with(index=None), "missing-field", "/index"),
        (entry_with(comment=1), "unknown-field", "/comment"),
        (entry_with(index=-1), "wrong-value", "/index"),
        (entry_with(index=True), "wrong-value", "/index"),
        (entry_with(time="1"), "wrong-value", "/time"),
        (entry_with(previous="AB" * 32), "wrong-value", "/previous"),
        (entry_with(previous=7), "wrong-value", "/previous"),
        (entry_with(statement=[]), "not-an-object", ""),
        (entry_with(statement=ENVELOPE.document() | {"signatures": []}), "wrong-value", "/signatures"),
        (ENTRY.raw + b" " * 65_536, "too-large", ""),
    ],
)
def test_bad_entry(raw: bytes, reason: str, field: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_entry(raw)
    assert (caught.value.reason, caught.value.field) == (reason, field)


def test_unsorted_signatures_are_another_spelling() -> None:
    document = ENVELOPE.document()
    document["signatures"].reverse()
    with pytest.raises(FormatError) as caught:
        parse_entry(entry_with(statement=document))
    assert caught.value.reason == "non-canonical"


def test_fits_is_exact() -> None:
    """An entry that fits has at most 65,535 bytes at any index and time (§7.1): the frame counts 16 digits for each."""
    overhead = len(Envelope(b"", ENVELOPE.signatures).recorded)
    room = 65_535 - len(Entry(10**15, "0" * 64, ENVELOPE, 10**15).raw) + len(ENVELOPE.recorded) - overhead
    for payload_bytes in (room // 4 * 3 - 3, room // 4 * 3, room // 4 * 3 + 3):
        envelope = Envelope(bytes(payload_bytes), ENVELOPE.signatures)
        assert fits(envelope) is (len(Entry(10**15, "0" * 64, envelope, 10**15).raw) <= 65_535)
    assert not fits(Envelope(bytes(room // 4 * 3 + 3), ENVELOPE.signatures))
    assert fits(Envelope(bytes(room // 4 * 3), ENVELOPE.signatures))


@MANY
@given(st.binary(max_size=100))
def test_arbitrary_bytes(raw: bytes) -> None:
    for parse in (parse_envelope, parse_entry):
        try:
            parse(raw)
        except LedgerError:
            continue


@MANY
@given(st.integers(0, len(ENTRY.raw) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_changes_the_entry(at: int, change: int) -> None:
    raw = ENTRY.raw[:at] + bytes([ENTRY.raw[at] ^ change]) + ENTRY.raw[at + 1 :]
    try:
        entry = parse_entry(raw)
    except LedgerError:
        return
    assert entry.raw == raw != ENTRY.raw
    assert entry != ENTRY


PLACE = Place("content", "sha256:" + "11" * 32, "alice.example", b64encode(bytes(16)), "/content")
SALT = b64encode(b"\1" * 16)
VALUE = {"files": [{"bytes": 3, "media_type": "text/csv", "sha256": "22" * 32}]}


def test_commitment() -> None:
    """The bytes of §8.1, written out."""
    text = (
        '["provenance-ledger/content/v1","sha256:'
        + "11" * 32
        + '","alice.example","AAAAAAAAAAAAAAAAAAAAAA==","/content",'
        '"AQEBAQEBAQEBAQEBAQEBAQ==",{"files":[{"bytes":3,"media_type":"text/csv","sha256":"' + "22" * 32 + '"}]}]'
    )
    assert commit(PLACE, SALT, VALUE) == sha256(text.encode()).hexdigest()


def test_a_commitment_fits_one_place() -> None:
    """Change anything, and it is another commitment: it cannot be copied."""
    places = [Place(**(vars(PLACE) | {name: "x"})) for name in vars(PLACE)]
    seals = {commit(place, SALT, VALUE) for place in [PLACE, *places]}
    seals |= {commit(PLACE, b64encode(bytes(16)), VALUE), commit(PLACE, SALT, {"files": []})}
    assert len(seals) == 8
