"""Pinning companies to keys: lines `party <name> <keyid>`, blank lines and lines that start with `#` skipped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from verifier.checks import Check, Failure
from verifier.errors import MalformedInput

if TYPE_CHECKING:
    from verifier.registry import Registry

PINNED, NAME_ONLY = "pinned", "name only"
"""How far a party's name is known to be that company's: its key was given to this verifier, or nothing was."""

_LINE = re.compile(r"party[ \t]+([a-z0-9.-]{1,128})[ \t]+([0-9a-f]{64})")

Pins = tuple[tuple[str, str], ...]
"""Name and keyid, in the order of the file."""


def parse_parties(raw: bytes) -> Pins:
    """Return the pins that a --parties file holds.

    Raises `MalformedInput`.
    """
    try:
        lines = raw.decode().split("\n")
    except UnicodeDecodeError:
        raise MalformedInput("parties file", "malformed", "not UTF-8") from None
    pins: list[tuple[str, str]] = []
    for number, line in enumerate(lines, start=1):
        bare = line.strip(" \t\r")
        if not bare or bare.startswith("#"):
            continue
        match = _LINE.fullmatch(bare)
        if match is None:
            raise MalformedInput("parties file", "malformed", f"line {number}")
        pins.append((match[1], match[2]))
    return tuple(pins)


def verify_pins(registry: Registry, pins: Pins) -> tuple[list[Failure], set[str], list[str]]:
    """Return the pins that are contradicted, the parties that are pinned, and the pinned names that are not there.

    A name is pinned if every line for it names a key that the ledger registers for it. A pinned key that is somebody
    else's is a contradiction too, whether or not the name is registered.
    """
    failures: list[Failure] = []
    for name, keyid in pins:
        key = registry.keys.get(keyid)
        owner = key.owner if key else None
        if owner != name and (owner is not None or name in registry.parties):
            actual = f"key of {owner}" if owner else "not a key of this ledger"
            failures.append(
                Failure(Check.PIN, "pin-mismatch", registry.parties.get(name), name, f"key of {name}: {keyid}", actual)
            )
    wrong = {failure.where for failure in failures}
    names = {name for name, _ in pins}
    pinned = {name for name in names if name in registry.parties} - wrong
    return failures, pinned, sorted(names - registry.parties.keys())
