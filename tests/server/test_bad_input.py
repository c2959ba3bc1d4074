"""Bad input gets a clear problem document and changes nothing (docs/format.md §9, §14; RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

import aiohttp
import pytest

from ledger.core.dsse import Envelope
from ledger.core.encoding import Json, b64encode, canonical
from ledger.core.keys import Signer
from tests.harness.people import Person, key, person
from tests.harness.running import House, Served, submit_all
from tests.harness.speech import DAY_MS, START_MS, signed

NOBODY = "sha256:" + "0" * 64


class Expected(NamedTuple):
    status: int
    type: str
    field: str | None = None


class Stage:
    """Alpha and beta are registered; beta decided a transfer and revoked one of its keys: much may be said wrongly."""

    def __init__(self, house: House, alpha: Person) -> None:
        self.house, self.alpha, self.beta = house, alpha, person("beta")
        self.speech = house.speech
        self.gone = key("beta gone")
        _, beta, self.listing, agreed, self.offer, decision = house.story(alpha, self.beta)
        added = signed(self.speech.key_added(self.beta, self.gone), self.gone, self.beta.recovery)
        revoked = signed(self.speech.key_revoked(self.beta, self.gone), self.beta.recovery)
        self.beginning = [beta, self.listing, agreed, self.offer, decision, added, revoked]

    def good(self, **fields: Json) -> Json:
        """Return a good listing with other fields; None leaves one out."""
        statement = self.speech.listing_registered(self.alpha) | fields
        return {name: value for name, value in statement.items() if value is not None}

    def by_alpha(self, statement: Json) -> bytes:
        return signed(statement, self.alpha.key).recorded

    def envelope(self, **members: Json) -> bytes:
        """Return a good envelope with other members."""
        document = signed(self.good(), self.alpha.key).document() | members
        return json.dumps({name: value for name, value in document.items() if value is not None}).encode()

    def payload(self, payload: bytes) -> bytes:
        """Sign any bytes."""
        unsigned = Envelope(payload, ())
        return unsigned.with_signatures(
            [(self.alpha.key.public.keyid, self.alpha.key.sign(unsigned.signed_bytes))]
        ).recorded

    def spelled(self, old: bytes, new: bytes) -> bytes:
        """Sign a good payload in another spelling."""
        payload = canonical(self.good(title="Airports"))
        assert payload.count(old) == 1
        return self.payload(payload.replace(old, new))

    def signature(self, **members: Json) -> bytes:
        """Return an envelope with a spoiled signature."""
        (good,) = signed(self.good(), self.alpha.key).document()["signatures"]
        return self.envelope(
            signatures=[{name: value for name, value in (good | members).items() if value is not None}]
        )

    def signers(self, statement: Json, *keys: Signer) -> bytes:
        return signed(statement, *keys).recorded


Make = Callable[[Stage], bytes]
_DEEP = b"[" * 17 + b"]" * 17
CASES: dict[str, tuple[Make, Expected]] = {
    "empty": (lambda _: b"", Expected(400, "not-json")),
    "not JSON": (lambda _: b"{'payload'}", Expected(400, "not-json")),
    "not UTF-8": (lambda _: b'{"payload":"\xff"}', Expected(400, "not-json")),
    "a byte-order mark": (lambda s: b"\xef\xbb\xbf" + s.envelope(), Expected(400, "not-json")),
    "NaN": (lambda _: b'{"payload":NaN}', Expected(400, "not-json")),
    "two values": (lambda s: s.envelope() + s.envelope(), Expected(400, "not-json")),
    "not an object": (lambda _: b"[]", Expected(400, "not-an-object")),
    "null": (lambda _: b"null", Expected(400, "not-an-object")),
    "too deep": (lambda _: b'{"payload":' + _DEEP + b"}", Expected(400, "too-deep")),
    "absurdly deep": (lambda _: b"[" * 60_000, Expected(400, "too-deep")),
    "a float": (lambda _: b'{"payload":1.5}', Expected(400, "float")),
    "an exponent": (lambda _: b'{"payload":1e2}', Expected(400, "float")),
    "an integer out of range": (lambda _: b'{"payload":9007199254740992}', Expected(400, "integer-out-of-range")),
    "an integer of many digits": (lambda _: b'{"payload":' + b"9" * 5000 + b"}", Expected(400, "integer-out-of-range")),
    "a duplicate key": (lambda _: b'{"payload":"","payload":""}', Expected(400, "duplicate-key")),
    "a lone surrogate": (lambda _: b'{"payload":"\\ud800"}', Expected(400, "lone-surrogate")),
    "a control character": (lambda _: b'{"payload":"\\u0000"}', Expected(400, "control-character")),
    "a member too few": (lambda s: s.envelope(payloadType=None), Expected(400, "missing-field", "/payloadType")),
    "a member too many": (lambda s: s.envelope(extra=1), Expected(400, "unknown-field", "/extra")),
    "payload of a wrong type": (lambda s: s.envelope(payload=5), Expected(400, "wrong-type", "/payload")),
    "wrong base64": (lambda s: s.envelope(payload="e30"), Expected(400, "bad-base64", "/payload")),
    "base64 with stray bits": (lambda s: s.envelope(payload="e31="), Expected(400, "bad-base64", "/payload")),
    "wrong payload type": (
        lambda s: s.envelope(payloadType="text/plain"),
        Expected(400, "wrong-payload-type", "/payloadType"),
    ),
    "no signature": (lambda s: s.envelope(signatures=[]), Expected(400, "wrong-value", "/signatures")),
    "a malformed keyid": (
        lambda s: s.signature(keyid="AB"),
        Expected(400, "malformed-signature", "/signatures/0/keyid"),
    ),
    "a short signature": (
        lambda s: s.signature(sig=b64encode(bytes(63))),
        Expected(400, "malformed-signature", "/signatures/0/sig"),
    ),
    "a signature in wrong base64": (lambda s: s.signature(sig="*"), Expected(400, "bad-base64", "/signatures/0/sig")),
    "half a signature": (lambda s: s.signature(sig=None), Expected(400, "missing-field", "/signatures/0/sig")),
    "a signature twice": (
        lambda s: s.envelope(signatures=signed(s.good(), s.alpha.key).document()["signatures"] * 2),
        Expected(400, "duplicate-signature", "/signatures"),
    ),
    "payload: not JSON": (lambda s: s.payload(b"hello"), Expected(400, "not-json")),
    "payload: not an object": (lambda s: s.payload(b"[]"), Expected(400, "not-an-object")),
    "payload: a duplicate key": (
        lambda s: s.spelled(b'"title":"Airports"', b'"title":"Airports","title":"A"'),
        Expected(400, "duplicate-key"),
    ),
    "payload: white space": (lambda s: s.spelled(b'{"content"', b'{ "content"'), Expected(400, "non-canonical")),
    "payload: an escape too many": (
        lambda s: s.spelled(b"Airports", b"\\u0041irports"),
        Expected(400, "non-canonical"),
    ),
    "payload: a float": (lambda s: s.spelled(b'"issued_ms":17', b'"issued_ms":1.7'), Expected(400, "float")),
    "payload: a lone surrogate": (lambda s: s.spelled(b"Airports", b"\\udc00"), Expected(400, "lone-surrogate")),
    "payload: too deep": (lambda s: s.payload(b'{"type":' + _DEEP + b"}"), Expected(400, "too-deep")),
    "payload: too large": (lambda s: s.payload(b'{"a":"' + b"a" * 32_768 + b'"}'), Expected(413, "too-large")),
    "no type": (lambda s: s.by_alpha({"a": 1}), Expected(400, "missing-field", "/type")),
    "a type of a wrong type": (lambda s: s.by_alpha(s.good() | {"type": 5}), Expected(400, "wrong-type", "/type")),
    "an unknown type": (lambda s: s.by_alpha(s.good() | {"type": "a.b"}), Expected(400, "unknown-type", "/type")),
    "an unknown field": (lambda s: s.by_alpha(s.good(colour="red")), Expected(400, "unknown-field", "/colour")),
    "a missing field": (lambda s: s.by_alpha(s.good(title=None)), Expected(400, "missing-field", "/title")),
    "null for absent": (
        lambda s: s.by_alpha(s.good() | {"description": None}),
        Expected(400, "wrong-type", "/description"),
    ),
    "a field of a wrong type": (lambda s: s.by_alpha(s.good(title=7)), Expected(400, "wrong-type", "/title")),
    "a number as text": (
        lambda s: s.by_alpha(s.good(issued_ms=str(START_MS))),
        Expected(400, "wrong-type", "/issued_ms"),
    ),
    "true for a number": (lambda s: s.by_alpha(s.good(issued_ms=True)), Expected(400, "wrong-type", "/issued_ms")),
    "a wrong value, deep inside": (
        lambda s: s.by_alpha(s.good(content={"sealed": "ab"})),
        Expected(400, "wrong-value", "/content/sealed"),
    ),
    "a wrong nonce": (lambda s: s.by_alpha(s.good(nonce="AAA")), Expected(400, "bad-base64", "/nonce")),
    "too long a life": (
        lambda s: s.by_alpha(s.good(not_after_ms=START_MS + 90 * DAY_MS + 1)),
        Expected(400, "lifetime-too-long", "/not_after_ms"),
    ),
    "of another ledger, and badly signed": (
        lambda s: s.signers(s.good(ledger=NOBODY), s.beta.key),
        Expected(422, "wrong-ledger", "/ledger"),
    ),
    "a missing signature": (
        lambda s: s.signers(s.speech.license_agreed(s.alpha, s.beta, s.listing.id), s.alpha.key),
        Expected(403, "missing-signature", "/signers"),
    ),
    "an extra signature": (
        lambda s: s.signers(s.good(), s.alpha.key, s.beta.key),
        Expected(403, "extra-signature", "/signers"),
    ),
    "an unknown key": (
        lambda s: s.signers(s.speech.listing_registered(person("nobody")), person("nobody").key),
        Expected(403, "unknown-key", "/signers"),
    ),
    "a wrong signature": (
        lambda s: s.signature(sig=b64encode(s.beta.key.sign(b"something else"))),
        Expected(403, "wrong-signature", "/signers"),
    ),
}
SIGNED_FOR: dict[str, tuple[Make, Expected]] = {
    "of another ledger": (lambda s: s.by_alpha(s.good(ledger=NOBODY)), Expected(422, "wrong-ledger", "/ledger")),
    "a revoked key": (
        lambda s: s.signers(s.good(issuer="beta", signers=[s.gone.public.keyid]), s.gone),
        Expected(403, "revoked-key", "/signers"),
    ),
    "another party's key": (
        lambda s: s.signers(s.good(signers=[s.beta.key.public.keyid]), s.beta.key),
        Expected(403, "wrong-signers", "/signers"),
    ),
    "expired": (
        lambda s: s.by_alpha(s.good(issued_ms=START_MS - 2, not_after_ms=START_MS - 1)),
        Expected(422, "expired", "/not_after_ms"),
    ),
    "issued in the future": (
        lambda s: s.by_alpha(s.good(issued_ms=START_MS + 300_001, not_after_ms=START_MS + DAY_MS)),
        Expected(422, "issued-in-future", "/issued_ms"),
    ),
    "an unknown reference": (
        lambda s: s.by_alpha(s.speech.listing_withdrawn(s.alpha, NOBODY)),
        Expected(422, "unknown-reference", "/listing"),
    ),
    "a reference to another kind": (
        lambda s: s.by_alpha(s.speech.listing_withdrawn(s.alpha, s.offer.id)),
        Expected(422, "unknown-reference", "/listing"),
    ),
    "an unknown party": (
        lambda s: s.by_alpha(s.speech.transfer_offered(s.alpha, person("nobody"), s.listing.id)),
        Expected(422, "unknown-party", "/recipient"),
    ),
    "oneself": (
        lambda s: s.by_alpha(s.speech.transfer_offered(s.alpha, s.alpha, s.listing.id)),
        Expected(422, "same-party", "/recipient"),
    ),
    "a wrong role": (
        lambda s: s.signers(s.speech.listing_withdrawn(s.beta, s.listing.id), s.beta.key),
        Expected(403, "wrong-role", "/issuer"),
    ),
    "a decided transfer": (
        lambda s: s.signers(s.speech.transfer_refused(s.beta, s.offer.id), s.beta.key),
        Expected(409, "already-decided", "/transfer"),
    ),
    "a false seen": (
        lambda s: s.by_alpha(s.good(seen={"size": 1, "root": "0" * 64})),
        Expected(422, "seen-mismatch", "/seen"),
    ),
    "a taken name": (
        lambda s: s.house.registration(person("alpha", "another alpha")).recorded,
        Expected(409, "name-taken", "/issuer"),
    ),
}


@pytest.fixture
async def stage(served: Served, house: House, alpha: Person) -> Stage:
    stage = Stage(house, alpha)
    await submit_all(served.log, stage.beginning)
    return stage


def check_problem(document: Json, status: int, expected: Expected, *, is_signed: bool) -> None:
    """Check a problem document, in a response or in a line."""
    assert Expected(document["status"], document["type"], document.get("field")) == expected
    assert status == expected.status
    assert document["title"]
    assert ("refusal" in document) is is_signed
    assert set(document) <= {"type", "title", "status", "detail", "field", "refusal"}
    text = json.dumps(document)
    assert "Traceback" not in text
    assert ".py" not in text


def _cases() -> Iterator[tuple[str, Make, Expected, bool]]:
    for cases, is_signed in ((CASES, False), (SIGNED_FOR, True)):
        for name, (make, expected) in cases.items():
            yield name, make, expected, is_signed


async def test_each_alone(served: Served, session: aiohttp.ClientSession, stage: Stage) -> None:
    """Each gets a problem document with its reason and place, and nothing is recorded."""
    assert served.log.published is not None
    size = served.log.published.head.size
    for name, make, expected, is_signed in _cases():
        body = make(stage)
        async with session.post("/v1/statements", data=body, headers={"Content-Type": "application/json"}) as response:
            assert response.content_type == "application/problem+json", name
            document = await response.json()
            assert "Traceback" not in document["detail"]
            try:
                check_problem(document, response.status, expected, is_signed=is_signed)
            except AssertionError as error:
                raise AssertionError(f"{name}: {document}") from error
        assert served.log.published.head.size == size, name


async def test_all_in_one_stream_among_good_ones(
    served: Served, session: aiohttp.ClientSession, house: House, alpha: Person, stage: Stage
) -> None:
    assert served.log.published is not None
    size = served.log.published.head.size
    wrong = [(name, make(stage), expected, is_signed) for name, make, expected, is_signed in _cases()]
    Random(3).shuffle(wrong)
    good = house.listings(alpha, len(wrong))
    body = b"\n".join(line for bad, item in zip(wrong, good, strict=True) for line in (bad[1], item.recorded))
    async with session.post("/v1/statements", data=body, headers={"Content-Type": "application/jsonl"}) as response:
        lines = [json.loads(line) for line in (await response.read()).splitlines()]
    results = [line for line in lines if "line" in line]
    assert [line["line"] for line in results] == list(range(1, 2 * len(wrong) + 1))
    assert lines[-1] == {"done": 2 * len(wrong)}
    for (name, _, expected, is_signed), result in zip(wrong, results[::2], strict=True):
        try:
            check_problem(result["problem"], expected.status, expected, is_signed=is_signed)
        except AssertionError as error:
            raise AssertionError(f"{name}: {result}") from error
    assert [line["index"] for line in results[1::2]] == list(range(size, size + len(good)))


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({"Content-Type": "text/plain"}, b"{}", Expected(415, "unsupported-media-type")),
        ({"Content-Type": "application/x-ndjson"}, b"{}", Expected(415, "unsupported-media-type")),
        ({}, b"{}", Expected(415, "unsupported-media-type")),
        (
            {"Content-Type": "application/json", "Content-Encoding": "gzip"},
            b"{}",
            Expected(415, "unsupported-encoding"),
        ),
        ({"Content-Type": "application/jsonl", "Content-Encoding": "br"}, b"{}", Expected(415, "unsupported-encoding")),
        ({"Content-Type": "application/json"}, b" " * 65_536, Expected(413, "too-large")),
        ({"Content-Type": "application/json"}, b" " * 1_000_000, Expected(413, "too-large")),
    ],
)
async def test_bodies_that_are_not_even_read(
    served: Served, headers: dict[str, str], body: bytes, expected: Expected
) -> None:
    request = aiohttp.ClientSession(served.url, skip_auto_headers=["Content-Type"])
    async with request, request.post("/v1/statements", data=body, headers=headers) as response:
        check_problem(await response.json(), response.status, expected, is_signed=False)


async def test_the_largest_envelope_is_taken(session: aiohttp.ClientSession, house: House, alpha: Person) -> None:
    envelope = house.listings(alpha, 1)[0].recorded
    body = envelope + b" " * (65_535 - len(envelope))
    async with session.post("/v1/statements", data=body, headers={"Content-Type": "application/json"}) as response:
        assert response.status == 201
