"""How far a name is known to be that company's: pins, and who vouches for it where nobody pinned it.

A --parties file has lines `party <name> <keyid>`; blank lines and lines that start with `#` are skipped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from verifier.core.checks import Check, Doubt, Failure
from verifier.core.errors import MalformedInput
from verifier.core.ids import id_text
from verifier.core.words import quote
from verifier.judgement.identity import Evidence, Roots, verify_identity

if TYPE_CHECKING:
    from verifier.judgement.facts import Facts
    from verifier.rules.registry import Registry

PINNED, EVIDENCED, CERTIFIED, NAME_ONLY = "pinned", "evidenced", "evidenced by certificate", "name only"
"""The key was given to this verifier; the operator signed the registration too; a certificate's key signed the
party's keys; or there is only the name."""

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


@dataclass(frozen=True, slots=True)
class PinCheck:
    """What the pins come to on one ledger."""

    failures: list[Failure] = field(default_factory=list)
    """Pins that are contradicted."""
    doubts: list[Doubt] = field(default_factory=list)
    """Pins of a key that an entry may register which was not judged."""
    pinned: dict[str, list[str]] = field(default_factory=dict)
    """Keyids by name, revoked ones too: such a key still says who the name was."""
    absent: list[str] = field(default_factory=list)
    """Pinned names that are not registered."""


def verify_pins(registry: Registry, pins: Pins, *, is_complete: bool) -> PinCheck:
    """Compare the pins with the ledger; `is_complete` tells that the registry is that of the whole log.

    A name is pinned if every line for it names a key that the ledger registers for it, for whatever use. A pinned key
    that is somebody else's is a contradiction too, whether or not the name is registered.
    """
    check = PinCheck(absent=sorted({name for name, _ in pins} - registry.parties.keys()))
    unsettled = set[str]()
    for name, keyid in pins:
        key = registry.keys.get(keyid)
        if key is not None and key.owner == name:
            check.pinned.setdefault(name, []).append(keyid)
        elif key is not None or (name in registry.parties and is_complete):
            actual = f"key of {key.owner}" if key else "not a key of this ledger"
            index, expected = registry.parties.get(name), f"key of {name}: {keyid}"
            check.failures.append(Failure(Check.PIN, "pin-mismatch", index, name, expected, actual))
            unsettled.add(name)
        elif name in registry.parties:
            check.doubts.append(Doubt(Check.PIN, "key-not-seen", where=f"{name}: {keyid}"))
            unsettled.add(name)
    for name in unsettled & check.pinned.keys():
        del check.pinned[name]
    return check


def party_evidence(registry: Registry, facts: Facts, roots: Roots, name: str) -> Evidence | None:
    """Return what the certificates of a registered party come to; None if it showed none."""
    presented = facts.certificates.get(name)
    if presented is None or registry.ledger is None:
        return None
    return verify_identity(id_text(registry.ledger), name, presented, roots)


def format_evidence(evidence: Evidence) -> str:
    """Return in words what a party's certificates come to, to stand behind `certificate` and a colon."""
    disclosed = " (disclosed)" if evidence.is_disclosed else ""
    if not evidence.is_proven:
        where = "" if evidence.position is None else f", number {evidence.position + 1} of the chain"
        return f"not proven, {evidence.reason}{where}{disclosed}"
    root = "known root" if evidence.is_root_known else "unknown root"
    return f"subject {quote(evidence.subject)}, last issuer {quote(evidence.issuer)}, {root}{disclosed}"


def party_status(
    registry: Registry, pinned: dict[str, list[str]], name: str, evidence: Evidence | None = None
) -> tuple[str, str | None]:
    """Return how far a registered party's name is known to be that company's, and who says so if anybody does."""
    if name in pinned:
        return PINNED, None
    if registry.admission == "operator" and name != registry.operator:  # or its registration had been refused (§6.3)
        return EVIDENCED, registry.operator
    if evidence is not None and evidence.is_proven:
        return CERTIFIED, None
    return NAME_ONLY, None
