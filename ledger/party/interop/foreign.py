"""Foreign JSON: bounded, without duplicate members; numbers that our statements cannot hold stay readable."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple, NoReturn

from ledger.core.encoding import Json
from ledger.party.interop.errors import NotUnderstood

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 64


class Left(NamedTuple):
    """A value that an import leaves out: its RFC 6901 pointer in the document, its name there, and why."""

    pointer: str
    name: str
    why: str

    def __str__(self) -> str:
        """Return it as one line for people."""
        return f"{self.name} ({self.pointer or '/'}): {self.why}"


def read_foreign(path: Path) -> Json:
    """Return the JSON of a file of at most 16 MiB; raise NotUnderstood."""
    with path.open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    return parse_foreign(raw)


def parse_foreign(raw: bytes) -> Json:
    """Parse foreign JSON; decimals become Decimal. Raises NotUnderstood, also past 16 MiB and 64 levels."""
    if len(raw) > MAX_BYTES:
        raise NotUnderstood(f"more than {MAX_BYTES} bytes")
    try:
        value = json.loads(
            raw.decode("utf-8-sig"), object_pairs_hook=_members, parse_float=Decimal, parse_constant=_constant
        )
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise NotUnderstood(f"this is not JSON that can be read: {error}") from error
    _check_depth(value, MAX_DEPTH)
    return value


def _members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("an object names a member twice")
    return value


def _constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _check_depth(value: Json, left: int) -> None:
    if not left:
        raise NotUnderstood(f"nested deeper than {MAX_DEPTH}")
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _check_depth(item, left - 1)
