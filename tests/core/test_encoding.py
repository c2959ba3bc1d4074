"""Canonical JSON and base64: one spelling of every value, and a reason for every other (docs/format.md §1)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core.encoding import Json, b64decode, b64encode, canonical, parse_canonical, parse_json
from ledger.core.errors import FormatError, LedgerError

CANONICAL: list[tuple[bytes, Json]] = [
    (b"null", None), (b"true", True), (b"false", False), (b"0", 0), (b"-1", -1), (b'""', ""), (b"[]", []), (b"{}", {}),
    (b"9007199254740991", 2**53 - 1), (b"-9007199254740991", 1 - 2**53), (b'[1,"a",[],{}]', [1, "a", [], {}]),
    (b'{"a":1,"b":2}', {"b": 2, "a": 1}), (b'"\\"\\\\\\n/"', '"\\\n/'),
    ('"é€😀\u2028\u00ad"'.encode(), "é€😀\u2028\u00ad"),
    # RFC 8785 §3.2.3, without the names that are control characters: by UTF-16 code units, a surrogate pair (U+1F600)
    # stands before U+FB33, which code points would have put first.
    ('{"1":1,"ö":2,"€":3,"😀":4,"\ufb33":5}'.encode(), {"\ufb33": 5, "😀": 4, "€": 3, "ö": 2, "1": 1}),
    (b"[" * 16 + b"]" * 16, [[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]),
]  # fmt: skip

REFUSED = [
    (b"", "not-json"), (b"{", "not-json"), (b"{}{}", "not-json"), (b"nul", "not-json"), (b"01", "not-json"),
    (b"+1", "not-json"), (b"'a'", "not-json"), (b"[1,]", "not-json"), (b'{"a":1,}', "not-json"), (b"{a:1}", "not-json"),
    (b"NaN", "not-json"), (b"[Infinity]", "not-json"), (b"-Infinity", "not-json"), (b"\xef\xbb\xbf{}", "not-json"),
    (b'"\xff"', "not-json"), (b'"\xed\xa0\x80"', "not-json"), (b'"\xc0\x80"', "not-json"), (b'"\n"', "not-json"),
    (b'"\\x41"', "not-json"), (b'"\\u12"', "not-json"), (b"\xa0{}", "not-json"), (b"{}\0", "not-json"),
    (b'{"a":1,"a":1}', "duplicate-key"), (b'{"x":[{"a":1,"b":2,"a":3}]}', "duplicate-key"),
    (b'{"a":1,"\\u0061":2}', "duplicate-key"), (b"1.0", "float"), (b"1e5", "float"), (b"1E5", "float"),
    (b"-0.0", "float"), (b"[1.5]", "float"), (b"1e400", "float"), (b"9007199254740992", "integer-out-of-range"),
    (b"-9007199254740992", "integer-out-of-range"), (b"1" * 5000, "integer-out-of-range"),
    (b'"\\ud800"', "lone-surrogate"), (b'"\\udc00\\ud800"', "lone-surrogate"), (b'{"\\udfff":1}', "lone-surrogate"),
    (b'{"a":[{"b\\ud83d":1}]}', "lone-surrogate"), (b'"\\u0000"', "control-character"),
    (b'"\\t"', "control-character"), (b'"\\r"', "control-character"), (b'"\x01"', "control-character"),
    (b'"\x7f"', "control-character"), (b'"\\u007f"', "control-character"), (b'{"\\u0085":1}', "control-character"),
    ('"\x9f"'.encode(), "control-character"), (b"[" * 17 + b"]" * 17, "too-deep"),
    (b'{"a":' * 17 + b"1" + b"}" * 17, "too-deep"), (b"[" * 100_000 + b"]" * 100_000, "too-deep"),
    (b"[" * 100_000, "too-deep"),
]  # fmt: skip

OTHER_SPELLINGS = [
    b" 1", b"1 ", b"1\n", b"-0", b'{"b":1,"a":2}', b'{"a": 1}', b'"\\/"', b'"\\u0041"', b'"\\u000a"', b'"\\u00e9"',
    b'"\\ud83d\\ude00"', b"[1, 2]", '{"\ufb33":1,"😀":2}'.encode(), b"\t{}",
]  # fmt: skip


@pytest.mark.parametrize(("raw", "value"), CANONICAL)
def test_canonical(raw: bytes, value: Json) -> None:
    assert canonical(value) == raw
    assert json.dumps(parse_canonical(raw)) == json.dumps(json.loads(raw))


@pytest.mark.parametrize(("raw", "reason"), REFUSED, ids=[repr(raw[:24]) + reason for raw, reason in REFUSED])
def test_refused(raw: bytes, reason: str) -> None:
    for parse in (parse_json, parse_canonical):
        with pytest.raises(FormatError) as caught:
            parse(raw)
        assert caught.value.reason == reason


@pytest.mark.parametrize("raw", OTHER_SPELLINGS)
def test_another_spelling(raw: bytes) -> None:
    """Read where any spelling will do; refused where bytes are signed or hashed."""
    value = parse_json(raw)
    with pytest.raises(FormatError) as caught:
        parse_canonical(raw)
    assert caught.value.reason == "non-canonical"
    assert parse_canonical(canonical(value)) == value


@pytest.mark.parametrize(
    ("value", "reason"),
    [(2**53, "integer-out-of-range"), (-(2**53), "integer-out-of-range"), ("\ud800", "lone-surrogate"),
     ({"\udc00": 1}, "lone-surrogate"), ("\r", "control-character"), ({"a\x00": 1}, "control-character"),
     ("\x85", "control-character"), ([[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]], "too-deep"), (1.5, "wrong-type"),
     (b"bytes", "wrong-type"), (float("nan"), "wrong-type"), ((1, 2), "wrong-type")],
)  # fmt: skip
def test_values_without_a_canonical_form(value: Json, reason: str) -> None:
    with pytest.raises(FormatError) as caught:
        canonical(value)
    assert caught.value.reason == reason


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(1 - 2**53, 2**53 - 1)
    | st.text(st.characters(codec="utf-8", categories=["L", "S"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("aé€😀\ufb33", max_size=3), inner, max_size=4),
    max_leaves=20,
)


@settings(derandomize=True, deadline=None)
@given(VALUES)
def test_round_trip(value: Json) -> None:
    """Reading gives the value back, with its names in UTF-16 order; any spelling has the same canonical form."""
    raw = canonical(value)
    assert parse_canonical(raw) == value
    assert canonical(parse_json(json.dumps(value, indent=1).encode())) == raw


@settings(derandomize=True, deadline=None)
@given(st.binary())
def test_arbitrary_bytes(raw: bytes) -> None:
    for parse in (parse_json, parse_canonical):
        try:
            parse(raw)
        except LedgerError:
            continue


def test_base64_has_one_spelling() -> None:
    """Of the 64 last digits before `==`, four end in zero bits: the others would be second names for the same byte."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    good = {digit: bytes([at]) for digit, at in (("A", 0), ("Q", 1), ("g", 2), ("w", 3))}
    for digit in alphabet:
        if digit in good:
            assert b64decode(f"A{digit}==") == good[digit]
        else:
            with pytest.raises(FormatError):
                b64decode(f"A{digit}==")


@pytest.mark.parametrize(
    "text", ["A", "AA", "AAA", "AAA=\n", " AAA=", "AA==AA==", "A-_=", "é", "====", "AAA=A", "AA\x00="]
)
def test_bad_base64(text: str) -> None:
    with pytest.raises(FormatError) as caught:
        b64decode(text, "/nonce")
    assert (caught.value.reason, caught.value.field) == ("bad-base64", "/nonce")


@settings(derandomize=True)
@given(st.binary())
def test_base64_round_trip(data: bytes) -> None:
    assert b64decode(b64encode(data)) == data
