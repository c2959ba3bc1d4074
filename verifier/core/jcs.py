"""Canonical JSON: a reader that refuses (docs/format.md §1), exact and unhurried.

`parse_canonical` decides; `decode_fast` is the short cut for the common case. It never accepts alone: its caller must
follow it with a strict check of every field (verifier/schema/versions.py), because it leaves depth and the range of
integers to that check, and must come back to `parse_canonical` whenever anything at all is wrong.
"""

from __future__ import annotations

import json
import re
from json.encoder import c_make_encoder, encode_basestring  # type: ignore[attr-defined]  # untyped
from typing import Any, Never

from verifier.core.errors import MalformedInput

MAX_INTEGER = 2**53 - 1
"""The greatest integer of the format, and the least negated (§1.1)."""
MAX_DEPTH = 16
"""The deepest nesting of arrays and objects, the outermost being 1 (§1.3)."""
MAX_DIGITS = 16
"""Digits of `MAX_INTEGER`: more are out of range, whatever they are, and `int` would take quadratic time on them."""

Json = Any
"""A JSON value that is not yet checked."""

_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")


class _Refusal(Exception):
    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(reason)


def _refuse_float(literal: str) -> Never:
    raise _Refusal("float", literal[:40])


def _refuse_constant(literal: str) -> Never:
    raise _Refusal("not-json", literal)


def _parse_int(literal: str) -> int:
    if len(literal) > MAX_DIGITS + 1 or abs(int(literal)) > MAX_INTEGER:
        raise _Refusal("integer-out-of-range", literal[:40])
    return int(literal)


def _parse_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):  # a reader that keeps the last of two equal names can be told two stories
        raise _Refusal("duplicate-key")
    return members


_strict = json.JSONDecoder(
    parse_float=_refuse_float, parse_constant=_refuse_constant, parse_int=_parse_int, object_pairs_hook=_parse_object
)
_decoder = json.JSONDecoder(parse_float=_refuse_float, parse_constant=_refuse_constant)
_scan = _decoder.scan_once  # type: ignore[attr-defined]  # undocumented, and much faster than `decode`
_encode = c_make_encoder(None, repr, encode_basestring, None, ":", ",", True, False, False)  # noqa: FBT003 (C function)
"""What `json.dumps(sort_keys=True, ensure_ascii=False, separators=(",", ":"))` makes anew at every call."""


def format_canonical(value: Json) -> bytes:
    """Return the canonical bytes of a value that `parse_canonical` or this program made (RFC 8785)."""
    return _format(value).encode()


def _format(value: Json) -> str:
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))  # RFC 8785 §3.2.3
        return "{" + ",".join(f"{_format(name)}:{_format(member)}" for name, member in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_format, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _walk(value: Json, depth: int) -> None:
    """Refuse what JSON allows and the format does not, in names and strings at any depth."""
    if isinstance(value, str):
        if _SURROGATE.search(value):
            raise _Refusal("lone-surrogate")
        if _CONTROL.search(value):
            raise _Refusal("control-character")
    elif isinstance(value, dict | list):
        if depth > MAX_DEPTH:
            raise _Refusal("too-deep")
        for member in value:
            _walk(member, depth + 1)
        if isinstance(value, dict):
            for member in value.values():
                _walk(member, depth + 1)


def parse_json(raw: bytes, what: str) -> Json:
    """Return the value of one JSON text that need not be canonical.

    Raises `MalformedInput` with a reason of docs/format.md §1.3 for anything else.
    """
    try:
        value = _strict.decode(raw.decode())
        _walk(value, 1)
    except _Refusal as refusal:
        raise MalformedInput(what, refusal.reason, refusal.detail) from None
    except RecursionError:  # thousands of brackets: the decoder gives up before `_walk` can count them
        raise MalformedInput(what, "too-deep") from None
    except ValueError as error:  # UnicodeDecodeError, JSONDecodeError
        raise MalformedInput(what, "not-json", str(error)[:80]) from None
    return value


def parse_canonical(raw: bytes, what: str) -> Json:
    """Return the value that `raw` is the canonical form of.

    Raises `MalformedInput` with a reason of docs/format.md §1.3 for anything else.
    """
    value = parse_json(raw, what)
    if format_canonical(value) != raw:
        raise MalformedInput(what, "non-canonical")
    return value


def decode_fast(raw: bytes) -> Json:
    """Return the value of `raw`, or None where only `parse_canonical` can tell.

    Equality with the re-encoded value rules out white space, repeated names, long escapes and unsorted ASCII names;
    without a backslash there is no escape that could hide a control character or a surrogate.
    """
    try:
        text = raw.decode()
        if "\\" in text or ("\x7f" in text if raw.isascii() else _CONTROL.search(text)):
            return None  # (the decoder itself refuses what is below U+0020)
        value, end = _scan(text, 0)
        return value if end == len(text) and "".join(_encode(value, 0)) == text else None
    except (ValueError, StopIteration, RecursionError, _Refusal):
        return None
