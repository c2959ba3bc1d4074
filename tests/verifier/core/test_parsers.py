"""Parsers of foreign bytes: a value, or the one typed error."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier.builder import START_MS, b64, canonical, key_from, note_id, small_ledger, vkey, witness_line
from verifier.core.b64 import decode_base64, encode_base64
from verifier.core.errors import CheckFailed, MalformedInput
from verifier.core.jcs import decode_fast, format_canonical, parse_canonical
from verifier.core.notes import parse_checkpoint, parse_note, parse_vkey
from verifier.core.policy import open_checkpoint, parse_policy
from verifier.core.receipt import parse_receipt
from verifier.judgement.pins import parse_parties
from verifier.schema.entries import parse_entry, parse_statement, split_bundle
from verifier.schema.templates import read_template
from verifier.schema.versions import verify_fields

if TYPE_CHECKING:
    from collections.abc import Callable

VECTORS = Path(__file__).parents[2] / "vectors"
LEDGER = small_ledger()
SAMPLES = [*LEDGER.entries, LEDGER.note(), LEDGER.policy().encode(), b"c2sp.org/tlog-proof@v1\nindex 0\n\n"]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@st.composite
def _mutated(draw: st.DrawFn) -> bytes:
    raw = bytearray(draw(st.sampled_from(SAMPLES)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(raw) - 1))
        raw[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return bytes(raw)


hostile = st.binary() | _mutated() | json_values.map(lambda value: json.dumps(value).encode())


@given(hostile)
def test_only_typed_errors_come_out(raw: bytes) -> None:
    """Whatever a stranger sends, no parser raises anything that its caller does not expect."""
    parsers: list[Callable[[bytes], Any]] = [
        parse_entry,
        lambda raw: parse_statement(raw, 1),
        lambda raw: parse_statement(raw, 2),
        parse_note,
        parse_policy,
        parse_parties,
        parse_receipt,
        decode_fast,
        lambda raw: split_bundle(raw, 3),
        lambda raw: parse_canonical(raw, "x"),
        lambda raw: parse_checkpoint(parse_note(raw).text),
        lambda raw: parse_vkey(raw.decode(errors="replace")),
        lambda raw: decode_base64(raw.decode(errors="surrogateescape")),
    ]
    for parse in parsers:
        with suppress(MalformedInput, CheckFailed):
            parse(raw)


@given(json_values)
def test_canonical_bytes_are_read_back_and_no_others(value: Any) -> None:
    """What is accepted is exactly its own canonical form, on the fast path too."""
    raw = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode(errors="replace")
    try:
        parsed = parse_canonical(raw, "x")
    except MalformedInput:
        return
    assert format_canonical(parsed) == raw
    assert decode_fast(raw) in (None, parsed)
    with pytest.raises(MalformedInput):
        parse_canonical(raw + b" ", "x")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"\xff", "not-json"),
        (b"\xef\xbb\xbf{}", "not-json"),
        (b"NaN", "not-json"),
        (b'{"a":1}{', "not-json"),
        (b'{"a":1,"a":2}', "duplicate-key"),
        (b'[{"a":1,"a":1}]', "duplicate-key"),
        (b"1.0", "float"),
        (b"1e3", "float"),
        (b"9007199254740992", "integer-out-of-range"),
        (b"-" + b"9" * 5000, "integer-out-of-range"),
        (b'"\\ud800"', "lone-surrogate"),
        (b'{"\\udfff":1}', "lone-surrogate"),
        (b'"\\u0007"', "control-character"),
        (b'"\x7f"', "control-character"),
        ('"\u0085"'.encode(), "control-character"),
        (b"[" * 17 + b"]" * 17, "too-deep"),
        (b"[" * 60_000, "too-deep"),
        (b'{"b":1,"a":2}', "non-canonical"),
        ('{"\ufb33":1,"\U0001f600":2}'.encode(), "non-canonical"),
        (b'"\\/"', "non-canonical"),
        (b"-0", "non-canonical"),
        (b"[1, 2]", "non-canonical"),
    ],
)
def test_refused_json(raw: bytes, reason: str) -> None:
    """Every row of the table in §1.3, and the fast path accepts none of them silently."""
    with pytest.raises(MalformedInput) as caught:
        parse_canonical(raw, "x")
    assert caught.value.reason == reason


def test_accepted_json() -> None:
    """The limits themselves are inside; names are sorted by UTF-16 code units."""
    for raw in (b"[" * 16 + b"]" * 16, b"9007199254740991", b'"\\n"', '{"\U0001f600":2,"\ufb33":1}'.encode()):
        assert format_canonical(parse_canonical(raw, "x")) == raw


@given(st.text(alphabet="ABQgw+/=-_\n", max_size=12))
def test_base64_has_one_spelling(text: str) -> None:
    """Stray trailing bits, other alphabets and missing padding are refused."""
    decoded = decode_base64(text)
    assert decoded is None or encode_base64(decoded) == text
    assert decode_base64("QQ==") == b"A"
    assert decode_base64("QR==") is None


def test_note_of_another_implementation() -> None:
    """A checkpoint that Go's note package signed opens, and with any byte of its text changed it does not."""
    vector = json.loads((VECTORS / "note-go-sumdb.json").read_bytes())
    policy = parse_policy(f"log {vector['vkey']}\nquorum none\n".encode())
    raw = vector["note"].encode()
    opened = open_checkpoint(raw, policy, policy.logs[0])
    assert (opened.checkpoint.size, policy.logs[0].vkey) == (1000, vector["vkey"])
    for at in range(raw.index(b"\n\n")):
        with pytest.raises(CheckFailed):
            open_checkpoint(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :], policy, policy.logs[0])


def test_a_weak_or_misnamed_vkey_is_refused() -> None:
    """A policy cannot trust the identity point, nor a key whose id is another's."""
    good = vkey("log", 1, key_from("log"))
    assert parse_vkey(good).key_id == note_id("log", 1, key_from("log"))
    for bad in (good.replace("log+", "lag+"), good[:-2], good.upper(), "log+00000000+AQEA"):
        with pytest.raises(MalformedInput):
            parse_vkey(bad)


@pytest.mark.parametrize(
    ("cosigners", "expected"),
    [(set(), False), ({"a"}, False), ({"a", "d"}, True), ({"b", "c"}, False), ({"b", "c", "d"}, True), ({"d"}, False)],
)
def test_nested_quorum(cosigners: set[str], expected: bool) -> None:
    """Combine k of n, any and all, one inside the other."""
    lines = [*(witness_line(name) for name in "abcd"), "group bc all b c", "group any1 any a bc", "group top 2 any1 d"]
    policy = parse_policy(LEDGER.policy(*lines, quorum="top").encode())
    assert policy.is_satisfied(cosigners) == expected


@pytest.mark.parametrize(
    "lines",
    [
        ["quorum none"],
        ["group g any a", "group g any b"],
        ["group g any a a"],
        ["group g any a", "group h any a"],
        ["group g 3 a b"],
        ["group g 0 a"],
        ["group g any later"],
        ["group none any a"],
        ["witness a2 " + vkey("a", 4, key_from("witness/a"))],
        ["witness plain " + vkey("plain", 1, key_from("plain"))],
        ["wotness x y"],
        ["log " + vkey("second", 4, key_from("second"))],
    ],
    ids=str,
)
def test_malformed_policy(lines: list[str]) -> None:
    """A policy that could be read in two ways is read in none."""
    text = LEDGER.policy(witness_line("a"), witness_line("b"), *lines)
    with pytest.raises(MalformedInput):
        parse_policy(text.encode())
    with pytest.raises(MalformedInput):
        parse_policy(LEDGER.policy(quorum="nobody").encode())


def test_the_template_reads_what_the_slow_path_reads() -> None:
    """The fast path of entries and statements is a short cut, not a second opinion."""
    from verifier.schema import entries

    for raw in LEDGER.entries:
        fast = entries._parse_template(raw)
        assert fast is not None
        assert fast == entries._parse_slowly(raw)
        value = parse_canonical(fast.payload, "payload")
        assert parse_statement(fast.payload, 1) == value
        assert canonical(json.loads(raw)) == raw


def with_signatures(signatures: list[dict[str, str]]) -> bytes:
    entry = json.loads(LEDGER.entries[1])
    entry["statement"]["signatures"] = signatures
    return canonical(entry)


def signatures_of(*widths: int) -> list[dict[str, str]]:
    return [{"keyid": f"{at:064x}", "sig": b64(bytes([at + 1]) * width)} for at, width in enumerate(widths)]


@pytest.mark.parametrize("widths", [(64,), (2420,), (64, 2420), (2420, 64, 64), (64,) * 16])
def test_the_template_reads_signatures_of_both_algorithms(widths: tuple[int, ...]) -> None:
    from verifier.schema import entries

    raw = with_signatures(signatures_of(*widths))
    assert entries._parse_template(raw) is not None
    for at in range(raw.index(b'"signatures"'), len(raw), 1 + len(raw) // 400):
        for byte in b'"+,9=AQw}':
            changed = raw[:at] + bytes([byte]) + raw[at + 1 :]
            fast = entries._parse_template(changed)
            if fast is not None:
                assert fast == entries._parse_slowly(changed)


@pytest.mark.parametrize(
    "signatures",
    [
        [],
        *[signatures_of(64, width) for width in (0, 63, 65, 2419, 2421)],
        signatures_of(*(64,) * 17),
        signatures_of(64, 64)[::-1],
        signatures_of(64) * 2,
        [signatures_of(64)[0] | {"sig": "A" * 85 + "B=="}],
        [signatures_of(64)[0] | {"sig": "A" * 3226 + "B="}],
    ],
)
def test_the_template_reads_no_other_signatures(signatures: list[dict[str, str]]) -> None:
    from verifier.schema import entries

    raw = with_signatures(signatures)
    assert entries._parse_template(raw) is None
    assert entries._parse_slowly(raw).envelope_failure is not None


def slowly(payload: bytes) -> Any:
    """Return the statement by way of the general reader and the field tables, None if they refuse it."""
    try:
        value = parse_canonical(payload, "payload")
        verify_fields(value["type"], value, 1)
    except (MalformedInput, KeyError, TypeError):
        return None
    return value


_PAYLOADS = [entry.payload for entry in map(parse_entry, LEDGER.entries)]
_TRICKS: list[tuple[str, list[Any]]] = [
    ("issuer", ["a" * 63, "a" * 64, "-a", "a.", "a..b", ".".join(["a" * 31] * 4), ".".join(["a" * 32] * 4), 1, "A"]),
    ("recipient", ["a" * 64, ".".join(["b" * 62] * 2), ".".join(["b" * 64] * 2), None]),
    ("nonce", ["A" * 22 + "==", "A" * 21 + "B==", "", "A" * 24]),
    ("issued_ms", [-1, True, 2**53 - 1, 2**53, 10**16, "1", 1.5]),
    ("not_after_ms", [0, START_MS + 7_776_000_000, START_MS + 7_776_000_001, 2**53]),
    ("signers", [[], ["a" * 64, "a" * 64], ["b" * 64, "a" * 64], ["a" * 64, "b" * 64], ["A" * 64],
                 [f"{number:064x}" for number in range(16)], [f"{number:064x}" for number in range(17)]]),
    ("seen", [{"root": "a" * 64, "size": 1}, {"root": "a" * 64, "size": 0}, {"root": "a" * 64, "size": 2**53}, {},
              {"root": "a" * 63, "size": 1}]),
    ("license", ["sha256:" + "a" * 64, "sha256:" + "A" * 64, "a" * 64]),
    ("content", [{"sealed": "a" * 64}, {"sealed": "a" * 65}, {}, {"sealed": "a" * 64, "x": 1}]),
    ("extra", [1]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "values"), _TRICKS, ids=[name for name, _ in _TRICKS])
def test_templates_accept_what_the_tables_accept(name: str, values: list[Any]) -> None:
    """The short cut for hand-offs refuses nothing that is good, and never accepts what is not."""
    offers = [payload for payload in _PAYLOADS if b'"transfer.' in payload]
    assert {read_template(payload, 1) is not None for payload in offers if b"refused" not in payload} == {True}
    for payload in offers:
        for value in values:
            changed = canonical(json.loads(payload) | {name: value})
            template = read_template(changed, 1)
            assert template is None or template == slowly(changed)
            if b"refused" not in payload:
                assert (template is None) == (slowly(changed) is None), changed


@given(st.sampled_from(_PAYLOADS), st.integers(0, 10_000), st.binary(min_size=1, max_size=1))
def test_a_template_never_accepts_alone(payload: bytes, at: int, byte: bytes) -> None:
    """One byte changed anywhere: both readers say the same."""
    changed = payload[: at % len(payload)] + byte + payload[at % len(payload) + 1 :]
    template = read_template(changed, 1)
    assert template is None or template == slowly(changed)
