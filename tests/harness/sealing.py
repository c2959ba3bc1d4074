"""Sealing places of a statement, and the disclosures that open them (docs/format.md §8)."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from ledger.core.commitment import Place, commit
from ledger.core.encoding import Json, b64encode, canonical


def steps(pointer: str) -> list[str]:
    """Take an RFC 6901 pointer apart."""
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def member(container: Any, name: str) -> Any:
    """Return what one step of a pointer leads to."""
    return container[int(name)] if isinstance(container, list) else container[name]


def value_at(statement: Json, pointer: str) -> Any:
    """Return the value at a pointer; raise KeyError or IndexError where there is none."""
    value: Any = statement
    for name in steps(pointer):
        value = member(value, name)
    return value


def salt_of(label: str) -> str:
    """Return a salt that follows from its label, so that every run seals alike."""
    return b64encode(sha256(f"salt {label}".encode()).digest()[:16])


def seal(statement: dict[str, Json], *pointers: str, kind: str = "field") -> list[dict[str, Json]]:
    """Seal places of a statement, in place; return their disclosures, which lack `statement_id` until it is signed."""
    disclosures = []
    for pointer in pointers:
        *path, last = steps(pointer)
        container: Any = statement
        for name in path:
            container = member(container, name)
        value = member(container, last)
        place = Place(kind, statement["ledger"], statement["issuer"], statement["nonce"], pointer)
        salt = salt_of(f"{statement['nonce']} {pointer}")
        container[int(last) if isinstance(container, list) else last] = {"sealed": commit(place, salt, value)}
        disclosures.append(
            {
                "issuer": statement["issuer"],
                "kind": kind,
                "ledger": statement["ledger"],
                "nonce": statement["nonce"],
                "pointer": pointer,
                "salt": salt,
                "statement_id": "",
                "type": "provenance-ledger.disclosure/v1",
                "value": value,
            }
        )
    return disclosures


def disclosures_file(disclosures: list[dict[str, Json]], **members: Json) -> bytes:
    """Return the file that hands disclosures to somebody (§8.6)."""
    document = {"disclosures": disclosures, "type": "provenance-ledger.disclosures/v1"} | members
    return canonical(document) + b"\n"
