"""The two packages read the same bytes alike: both accept, with the same value, or both refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.core import encoding, note
from ledger.core.checkpoint import parse_checkpoint
from ledger.core.errors import LedgerError
from ledger.core.note import COSIGNATURE_TYPE, ED25519_TYPE, NoteKey, sign_note
from ledger.core.policy import parse_policy
from ledger.core.receipt import format_receipt, parse_receipt
from tests.harness.people import key
from tests.harness.vectors import load
from verifier.core import b64, jcs, notes, policy, receipt
from verifier.core.errors import VerifierError

REFUSED = object()
EXAMPLES = settings(max_examples=600, derandomize=True, deadline=None)

LETTERS = st.text(st.characters(codec="utf-8"), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**54), 2**54) | st.floats(allow_nan=True) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
TOKENS = st.sampled_from(
    ["{", "}", "[", "]", ",", ":", '"a"', '"b"', '"\\u0041"', '"\\ud800"', '"\\ud83d\\ude00"', '"\\n"', '"\\t"', "1",
     '"\x7f"', '"\x85"', '"\n"', "-0", "0", "01", "1.0", "1e5", "-1", "9007199254740991", "9007199254740992", "true",
     "null", "NaN", "-Infinity", " ", "\n", "\ufeff", "\u00a0", '""', '{"a":1', "[" * 16, "]" * 16]
)  # fmt: skip
SPELLINGS = st.builds(
    lambda value, indent, is_sorted, is_ascii: json.dumps(
        value, indent=indent, sort_keys=is_sorted, ensure_ascii=is_ascii, separators=(",", ":")
    ).encode("utf-8", "surrogatepass"),
    VALUES,
    st.sampled_from([None, None, 1]),
    st.booleans(),
    st.booleans(),
)
JSON_TEXTS = (
    st.binary(max_size=30) | SPELLINGS | st.lists(TOKENS, max_size=12).map(lambda parts: "".join(parts).encode())
)


def opinion(error: type[Exception], parse: Callable[[], Any]) -> Any:
    """Return what was parsed, or REFUSED; any other exception is the test's failure."""
    try:
        return parse()
    except error:
        return REFUSED


@EXAMPLES
@given(JSON_TEXTS)
@example(b'{"\xf0\x90\x80\x80":1,"\xef\xbf\xbf":2}')
@example(b'{"\xef\xbf\xbf":2,"\xf0\x90\x80\x80":1}')
@example(b"[" * 100_000)
@example(b"-0")
@example(b'"\\/"')
@example(b"1" * 5000)
def test_json(raw: bytes) -> None:
    """Any spelling, the canonical one, and what the canonical one is."""
    ours = opinion(LedgerError, lambda: encoding.parse_json(raw))
    theirs = opinion(VerifierError, lambda: jcs.parse_json(raw, "text"))
    assert (ours is REFUSED) is (theirs is REFUSED)
    if ours is REFUSED:
        return
    assert json.dumps(ours) == json.dumps(theirs)
    canonical = encoding.canonical(ours)
    assert canonical == jcs.format_canonical(theirs)
    for text, is_canonical in ((raw, raw == canonical), (canonical, True)):
        assert (opinion(LedgerError, lambda: encoding.parse_canonical(text)) is not REFUSED) is is_canonical  # noqa: B023
        assert (opinion(VerifierError, lambda: jcs.parse_canonical(text, "text")) is not REFUSED) is is_canonical  # noqa: B023
    assert json.dumps(jcs.parse_canonical(canonical, "text")) == json.dumps(encoding.parse_json(canonical))


@EXAMPLES
@given(st.text(alphabet="AQgwB+/=-_ \né", max_size=12) | st.binary(max_size=40).map(encoding.b64encode))
def test_base64(text: str) -> None:
    ours = opinion(LedgerError, lambda: encoding.b64decode(text))
    theirs = b64.decode_base64(text)
    assert ours == (REFUSED if theirs is None else theirs)


LOG = NoteKey("ledger.example/log", ED25519_TYPE, key("log").public.raw)
WITNESS = NoteKey("witness.example", COSIGNATURE_TYPE, key("witness").public.raw)
OTHER = NoteKey("other.example", COSIGNATURE_TYPE, key("other").public.raw)
SIGNED = sign_note(b"ledger.example/log\n3\n" + encoding.b64encode(bytes(32)).encode() + b"\n", LOG.name, key("log"))


def changed(raw: bytes) -> st.SearchStrategy[bytes]:
    """Return `raw` with a piece of it replaced by a few likely bytes."""
    likely = st.lists(st.sampled_from(["\n", " ", "+", "0", "a", "=", "\u2014", "\t", "é", "\0"]), max_size=3)
    return st.builds(
        lambda start, length, piece: raw[:start] + "".join(piece).encode() + raw[start + length :],
        st.integers(0, len(raw)),
        st.integers(0, 4),
        likely,
    )


@EXAMPLES
@given(changed(SIGNED) | st.binary(max_size=60))
@example(SIGNED)
def test_notes_and_checkpoints(raw: bytes) -> None:
    ours = opinion(LedgerError, lambda: note.parse_note(raw))
    theirs = opinion(VerifierError, lambda: notes.parse_note(raw))
    assert (ours is REFUSED) is (theirs is REFUSED)
    if ours is REFUSED:
        return
    assert ours.text == theirs.text
    lines = [[(line.name, line.key_id, line.signature) for line in item.signatures] for item in (ours, theirs)]
    assert lines[0] == lines[1]
    head = opinion(LedgerError, lambda: parse_checkpoint(ours.text))
    same = opinion(VerifierError, lambda: notes.parse_checkpoint(theirs.text))
    assert (head is REFUSED) is (same is REFUSED)
    if head is not REFUSED:
        assert (head.origin, head.head.size, head.head.root) == (same.origin, same.size, same.root)


@EXAMPLES
@given(changed(LOG.vkey().encode()).map(lambda raw: raw.decode("utf-8", "replace")) | LETTERS)
@example(LOG.vkey())
@example(WITNESS.vkey())
def test_vkeys(text: str) -> None:
    ours = opinion(LedgerError, lambda: note.parse_vkey(text))
    theirs = opinion(VerifierError, lambda: notes.parse_vkey(text))
    assert (ours is REFUSED) is (theirs is REFUSED)
    if ours is not REFUSED:
        assert (ours.name, ours.id, ours.type, ours.raw) == (theirs.name, theirs.key_id, theirs.kind, theirs.public_key)


LINES = [
    f"log {LOG.vkey()}", f"log {LOG.vkey()} https://x.example", f"witness w {WITNESS.vkey()}",
    f"witness o {OTHER.vkey()}", f"witness none {OTHER.vkey()}", f"log {WITNESS.vkey()}", f"witness l {LOG.vkey()}",
    "group g all w o", "group g any w", "group g 1 w", "group g 2 w o", "group g 3 w o", "group g 0 w", "group g 01 w",
    "group h any g o", "group h any w w", "group g " + "9" * 5000 + " w", "group w any o", "group g ² w", "quorum w",
    "quorum g", "quorum h", "quorum none", "quorum nobody", "", "# comment", "  # comment", "\tquorum\tnone", "log",
    "quorum", "quorum w o", "other line",
]  # fmt: skip
POLICY_LINES = st.sampled_from([*LINES[:5] * 4, *LINES])


@EXAMPLES
@given(st.lists(POLICY_LINES, max_size=8))
@example([f"log {LOG.vkey()}", f"witness w {WITNESS.vkey()}", f"witness o {OTHER.vkey()}", "group g 2 w o", "quorum g"])
def test_policies(lines: list[str]) -> None:
    text = "\n".join(lines)
    ours = opinion(LedgerError, lambda: parse_policy(text))
    theirs = opinion(VerifierError, lambda: policy.parse_policy(text.encode()))
    assert (ours is REFUSED) is (theirs is REFUSED)
    if ours is not REFUSED:
        assert [log.name for log in ours.logs] == [log.name for log in theirs.logs]
        for signed in (set(), {"w"}, {"o"}, {"w", "o"}):
            assert ours._satisfied(ours.quorum, signed) is theirs.is_satisfied(signed)


@pytest.mark.parametrize("case", load("policies.json")["cases"], ids=lambda case: case["name"])
def test_policies_that_the_page_reads_too(case: dict[str, Any]) -> None:
    """Words that every object of the page's language has are no thresholds, members or names (tests/page/node)."""
    ours = opinion(LedgerError, lambda: parse_policy(case["policy"]))
    theirs = opinion(VerifierError, lambda: policy.parse_policy(case["policy"].encode()))
    if "refused" in case:
        assert ours is theirs is REFUSED
        return
    groups = [[group.name, group.threshold, list(group.members)] for group in theirs.groups]
    assert groups == [[name, group.threshold, list(group.members)] for name, group in ours.groups.items()]
    assert groups == case["groups"]
    assert [log.name for log in ours.logs] == [log.name for log in theirs.logs] == case["logs"]
    assert list(ours.witnesses) == list(theirs.witnesses) == case["witnesses"]
    assert (ours.quorum, theirs.quorum) == (case["quorum"] or "none", case["quorum"])


RECEIPT = format_receipt(2, [bytes(32), b"\1" * 32], SIGNED)


@EXAMPLES
@given(changed(RECEIPT) | st.binary(max_size=60))
@example(RECEIPT)
@example(RECEIPT.replace(b"index", b"extra AAAA\nindex", 1))
def test_receipts(raw: bytes) -> None:
    ours = opinion(LedgerError, lambda: parse_receipt(raw))
    theirs = opinion(VerifierError, lambda: receipt.parse_receipt(raw))
    assert (ours is REFUSED) is (theirs is REFUSED)
    if ours is not REFUSED:
        assert (ours.index, list(ours.path), ours.checkpoint) == (theirs.index, list(theirs.path), theirs.note)
