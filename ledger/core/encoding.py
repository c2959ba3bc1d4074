"""Canonical JSON and strict base64 (docs/format.md §1; RFC 8785 restricted).

Signatures and hashes are over bytes, so every value has one spelling, and a reader that meets another refuses it. The
standard parser alone would keep the last of two equal keys and accept NaN: two readers of one text could then disagree.
"""

from __future__ import annotations

import base64
import binascii
import json
import unicodedata
from typing import Any, NoReturn

from ledger.core.errors import FormatError

Json = Any
"""A JSON value: dict, list, str, int, bool or None. Shapes are checked by `ledger.statements`, not by types."""

MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 16
_MAX_INTEGER_CHARACTERS = 17  # "-" and 16 digits
_DELETE = b"\x7f"


def canonical(value: Json) -> bytes:
    """Return the canonical bytes of `value`.

    Raises FormatError for a value outside §1.1. Spec: docs/format.md §1.2, RFC 8785 §3.2.
    """
    _check(value, 1)
    return _dump(value)


def parse_json(raw: bytes) -> Json:
    """Parse one JSON text, in any spelling; raise FormatError for everything that §1.3 refuses."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError("not-json", detail="the bytes are not UTF-8") from error
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        detail = f"{error.msg} at character {error.pos}"
        control = error.msg.startswith("Invalid control character") and text[error.pos] != "\n"
        reason = "control-character" if control else "not-json"
        raise FormatError(reason, detail=detail) from error
    except RecursionError as error:
        raise FormatError("too-deep", detail=f"nesting is at most {MAX_DEPTH}") from error
    # Without escapes and without non-ASCII bytes no string can hold a surrogate or a control character, and without
    # more than 16 brackets nothing nests deeper than 16: the walk is needed for the rest only.
    simple = raw.isascii() and b"\\" not in raw and _DELETE not in raw
    if not simple or raw.count(b"{") + raw.count(b"[") > MAX_DEPTH:
        _check(value, 1)
    return value


def parse_canonical(raw: bytes) -> Json:
    """Parse bytes that must be their value's canonical form; raise FormatError, `non-canonical` where they are not."""
    value = parse_json(raw)
    if _dump(value) != raw:
        raise FormatError("non-canonical", detail="the bytes differ from the canonical form of their value")
    return value


def b64encode(data: bytes) -> str:
    """Return base64 with padding (RFC 4648 §4)."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def b64decode(text: str, field: str = "") -> bytes:
    """Decode base64 that is the one spelling of its bytes; raise FormatError `bad-base64`.

    The comparison catches stray trailing bits, which `validate=True` lets through: two texts for the same bytes.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise FormatError("bad-base64", field) from error
    if b64encode(data) != text:
        raise FormatError("bad-base64", field)
    return data


def _dump(value: Json) -> bytes:
    text = _ENCODER.encode(value)
    if not text.isascii():
        text = _ORDERED_ENCODER.encode(_sorted(value))
    return text.encode("utf-8")


def _sorted(value: Json) -> Json:
    """Order members by UTF-16 code units: Python's own order, by code point, differs past U+FFFF."""
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value, key=lambda name: name.encode("utf-16-be"))}
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    return value


def _check(value: Json, depth: int) -> None:
    if isinstance(value, str):
        _check_string(value)
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int):
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise FormatError("integer-out-of-range", detail="integers are within ±(2^53 − 1)")
    elif isinstance(value, dict | list):
        if depth > MAX_DEPTH:
            raise FormatError("too-deep", detail=f"nesting is at most {MAX_DEPTH}")
        if isinstance(value, dict):
            for name in value:
                _check_string(name)
        for item in value.values() if isinstance(value, dict) else value:
            _check(item, depth + 1)
    else:
        raise FormatError("wrong-type", detail=f"{type(value).__name__} has no canonical form")


def _check_string(text: str) -> None:
    for character in text:
        if character < " " or character > "~":
            category = unicodedata.category(character)
            if category == "Cs":
                raise FormatError("lone-surrogate", detail=f"U+{ord(character):04X}")
            if category == "Cc" and character != "\n":
                raise FormatError("control-character", detail=f"U+{ord(character):04X}")


def _pairs(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise FormatError("duplicate-key", detail=ascii(name[:100]))
            seen.add(name)
    return value


def _integer(text: str) -> int:
    if len(text) <= _MAX_INTEGER_CHARACTERS:
        value = int(text)
        if -MAX_INTEGER <= value <= MAX_INTEGER:
            return value
    raise FormatError("integer-out-of-range", detail="integers are within ±(2^53 − 1)")


def _float(text: str) -> NoReturn:
    raise FormatError("float", detail=f"{text[:40]}: write decimals as strings")


def _constant(text: str) -> NoReturn:
    raise FormatError("not-json", detail=f"{text} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_float=_float, parse_int=_integer, parse_constant=_constant)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, check_circular=False)
_ORDERED_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)
