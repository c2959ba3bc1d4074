"""A strict reader of DER (X.690 §10), for the few structures that a time-stamp token is made of.

It walks, and never recurses: hostile nesting costs nothing. What is not the one encoding of a value is refused:
indefinite and padded lengths, long tags, integers with surplus bytes, and whatever stands behind the end.
"""

from __future__ import annotations

from typing import NamedTuple

from verifier.core.errors import MalformedInput

BOOLEAN, INTEGER, OCTET_STRING, OID = 0x01, 0x02, 0x04, 0x06
GENERALIZED_TIME, SEQUENCE, SET = 0x18, 0x30, 0x31
_LONG_TAG = 0x1F
_MAX_LENGTH_BYTES = 4
_MAX_OID_BYTES = 64


def context(number: int, *, constructed: bool = True) -> int:
    """Return the context-specific tag [number], 0 … 30."""
    return 0x80 | (0x20 if constructed else 0) | number


def refuse(what: str) -> MalformedInput:
    """Return the error for bytes that are not what they should be."""
    return MalformedInput("time-stamp token", "malformed", what)


class Element(NamedTuple):
    """One value: its tag byte, its contents, and all of its bytes."""

    tag: int
    content: bytes
    raw: bytes

    def members(self) -> Reader:
        """Return a reader of the contents of a constructed value."""
        return Reader(self.content)


class Reader:
    """Reads values one behind the other; every method raises `MalformedInput` for what is not there as asked."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    def peek(self) -> int | None:
        """Return the tag byte of the next value, None at the end."""
        return self._raw[self._at] if self._at < len(self._raw) else None

    def any(self) -> Element:
        """Return the next value."""
        start, end = self._at, len(self._raw)
        if end - start < 2:
            raise refuse("cut short")
        tag, length, at = self._raw[start], self._raw[start + 1], start + 2
        if tag & _LONG_TAG == _LONG_TAG:
            raise refuse("a tag above 30")
        if length & 0x80:
            count = length & 0x7F
            digits = self._raw[at : at + count]
            length = int.from_bytes(digits, "big")
            # Neither indefinite (0x80, which is BER) nor longer than it has to be.
            if not 1 <= count <= _MAX_LENGTH_BYTES or len(digits) < count or digits[0] == 0 or length < 0x80:
                raise refuse("a length")
            at += count
        if length > end - at:
            raise refuse("cut short")
        self._at = at + length
        return Element(tag, self._raw[at : self._at], self._raw[start : self._at])

    def next(self, tag: int) -> Element:
        """Return the next value, which has this tag."""
        if self.peek() != tag:
            raise refuse(f"no value with tag {tag:#04x}")
        return self.any()

    def optional(self, tag: int) -> Element | None:
        """Return the next value if it has this tag."""
        return self.any() if self.peek() == tag else None

    def members(self, tag: int = SEQUENCE) -> Reader:
        """Return a reader of the next value's contents."""
        return self.next(tag).members()

    def integer(self, tag: int = INTEGER) -> int:
        """Return an INTEGER."""
        content = self.next(tag).content
        surplus = len(content) > 1 and (content[0], content[1] & 0x80) in {(0x00, 0x00), (0xFF, 0x80)}
        if not content or surplus:
            raise refuse("an integer")
        return int.from_bytes(content, "big", signed=True)

    def oid(self) -> str:
        """Return an OBJECT IDENTIFIER in dotted decimals."""
        content = self.next(OID).content
        if not content or len(content) > _MAX_OID_BYTES or content[-1] & 0x80:
            raise refuse("an object identifier")
        arcs, value, starts = [], 0, True
        for byte in content:
            if starts and byte == 0x80:
                raise refuse("an object identifier")
            value = value << 7 | byte & 0x7F
            starts = not byte & 0x80
            if starts:
                arcs.append(value)
                value = 0
        first = min(arcs[0] // 40, 2)
        return ".".join(map(str, [first, arcs[0] - 40 * first, *arcs[1:]]))

    def is_true(self) -> bool:
        """Return an optional BOOLEAN that is false by default; authorities that write a FALSE out are understood."""
        element = self.optional(BOOLEAN)
        if element is not None and element.content not in {b"\x00", b"\xff"}:
            raise refuse("a boolean")
        return element is not None and element.content == b"\xff"

    def end(self) -> None:
        """Refuse whatever is left."""
        if self._at != len(self._raw):
            raise refuse("surplus bytes")


def read_whole(raw: bytes, tag: int = SEQUENCE) -> Element:
    """Return the one value that `raw` is.

    Raises `MalformedInput`.
    """
    reader = Reader(raw)
    element = reader.next(tag)
    reader.end()
    return element
