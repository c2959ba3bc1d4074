"""Hostile bundles: whatever the bytes, there is an answer and no traceback; and nothing that is read can be changed."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.harness.bundles import Files, document, good, with_manifest, zipped
from tests.harness.forged_bytes import raw_zip
from verifier.bundle.bundle import Examination, verify_bundle
from verifier.bundle.found import UnknownEncoding, read_table
from verifier.bundle.report import describe, format_html, format_text
from verifier.bundle.zip import read_zip
from verifier.core.errors import MalformedInput
from verifier.core.policy import parse_policy
from verifier.sealed.normal import READINGS, normal_form

POLICY = parse_policy(good().story.policy().encode())
READ = ("case.json", "disclosures.json", "evidence.json", "judgement.json")
FREE = (
    *("case.json/question", "case.json/acts", "disclosures.json/for"),
    *("evidence.json/found/name", "evidence.json/custody", "evidence.json/counts"),
)
"""What nobody but its author stands for: it is read, and shown as what somebody says."""


@cache
def sound() -> Files:
    return good(includes_found=True, shape="exact", base=6, marks=4).files()


def examined(raw: bytes) -> Examination:
    """Examine, and report in every way, as the command does."""
    examination = verify_bundle(raw, POLICY, POLICY.logs[0])
    assert json.dumps(describe(examination))
    assert format_text(examination, "a")
    assert format_html(examination, "a")
    return examination


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes(raw: bytes) -> None:
    """Bytes that are no bundle: said to be none."""
    outcome = examined(raw).outcome
    assert (outcome.exit_code, outcome.failures[0].check.slug) == (1, "bundle-form")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_byte_of_the_zip_can_be_changed(data: st.DataObject) -> None:
    """Whatever byte is changed: the bundle is refused, or its members are what they were."""
    raw = _small()
    at = data.draw(st.integers(0, len(raw) - 1))
    changed = raw[:at] + bytes([raw[at] ^ data.draw(st.integers(1, 255))]) + raw[at + 1 :]
    try:
        members = read_zip(changed, lambda _: True)
    except MalformedInput:
        return
    assert members == read_zip(raw, lambda _: True)


@cache
def _small() -> bytes:
    return zipped({"manifest.json": b"{}\n" * 9, "case.json": b"[1,2,3]\n", "entries/0.entry": bytes(40)})


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=12), st.binary(max_size=9), st.integers(0, 2**32 - 1)), max_size=4))
def test_zips_of_any_members(entries: list[tuple[bytes, bytes, int]]) -> None:
    assert examined(raw_zip(entries)).exit_code == 1


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of everything in a JSON value that has no members."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if members is None:
        return [path]
    return [leaf for name, member in members for leaf in leaves(member, (*path, name))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


def other(value: Any) -> Any:
    """Return another value of the same kind, far enough from it that no rounding explains it."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 7
    if value is None:
        return "a"
    return value[:-1] + ("b" if value[-1:] != "b" else "c")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_value_that_is_read_can_be_changed(data: st.DataObject) -> None:
    """With the manifest written anew, too."""
    files = dict(sound())
    path = data.draw(st.sampled_from(READ))
    value = json.loads(files[path])
    places = [leaf for leaf in leaves(value) if not "/".join(map(str, (path, *leaf))).startswith(FREE)]
    place = data.draw(st.sampled_from(places))
    old = value
    for name in place:
        old = old[name]
    files[path] = document(replaced(value, place, other(old)))
    assert examined(zipped(with_manifest(files))).exit_code in {1, 3}, (path, place, old)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_no_byte_of_what_was_signed_can_be_changed(data: st.DataObject) -> None:
    files = dict(sound())
    paths = [path for path in files if path.startswith(("entries", "receipts", "histories", "checkpoint", "found"))]
    path = data.draw(st.sampled_from(paths))
    raw = files[path]
    at = data.draw(st.integers(0, len(raw) - 1))
    files[path] = raw[:at] + bytes([raw[at] ^ data.draw(st.integers(1, 127))]) + raw[at + 1 :]
    assert examined(zipped(with_manifest(files))).exit_code == 1


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None)
@given(st.data(), ANY_JSON)
def test_any_value_in_any_place(data: st.DataObject, new: Any) -> None:
    """There is always an answer."""
    files = dict(sound())
    path = data.draw(st.sampled_from((*READ, "histories/0.json")))
    value = json.loads(files[path])
    place = data.draw(st.sampled_from(leaves(value)))
    place = place[: data.draw(st.integers(0, len(place)))]
    files[path] = json.dumps(replaced(value, place, new), sort_keys=True, separators=(",", ":")).encode() + b"\n"
    assert examined(zipped(with_manifest(files))).exit_code in {0, 1}


@settings(deadline=None)
@given(
    st.binary(max_size=60) | st.text(alphabet='ab,"\n\r;{}[]:1.e', max_size=40).map(str.encode),
    st.sampled_from(["csv", "tsv", "jsonl"]),
    st.sampled_from(["", "utf-8", "gb18030", "utf-16", "none"]),
)
def test_found_files_of_any_bytes(raw: bytes, kind: str, encoding: str) -> None:
    try:
        table = read_table(raw, kind, ",", encoding)
    except (MalformedInput, UnknownEncoding):
        return
    assert all(len(row) == len(table.columns) for row in table.rows)


@settings(deadline=None)
@given(st.text() | st.text(alphabet="0123456789.,-/: tze+", max_size=30), st.sampled_from(READINGS))
def test_normal_forms_of_any_text(cell: str, reading: str) -> None:
    form = normal_form(cell, reading)
    assert form is None or (form and form == form.strip(" "))
