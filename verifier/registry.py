"""What the chain says at one point: parties, keys, listings, licenses, transfers (docs/format.md §6).

`Registry.record` trusts its caller: only entries that passed every rule (verifier/rules.py) may reach it.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from verifier.ed25519 import key_id
from verifier.examine import id_bytes
from verifier.notes import parse_vkey
from verifier.schema import KNOWN_RULES, keyids

if TYPE_CHECKING:
    from verifier.examine import Statement

SIGNING, RECOVERY = "signing", "recovery"


def named_transfer(statement: Statement) -> bytes:
    """Return the id of the transfer that a decision of one names."""
    return statement.body if type(statement.body) is bytes else id_bytes(statement.body["transfer"])


@dataclass(slots=True)
class Key:
    """A party's key."""

    owner: str
    use: str
    public_key: bytes
    revoked_index: int | None = None
    compromised_since_ms: int | None = None
    signed: array[int] = field(default_factory=lambda: array("Q"))
    """Indexes of the entries it signed, ascending."""


@dataclass(slots=True)
class Listing:
    """A dataset on offer."""

    index: int
    issuer: str
    withdrawn_index: int | None = None


@dataclass(slots=True)
class License:
    """A license, in force in [valid_from_ms, valid_until_ms) unless ended."""

    index: int
    listing: bytes
    licensor: str
    licensee: str
    valid_from_ms: int
    valid_until_ms: int
    ended_index: int | None = None


@dataclass(slots=True)
class Transfer:
    """A hand-off."""

    index: int
    listing: bytes
    license: bytes | None
    sender: str
    recipient: str
    state: str = "offered"
    """`offered`, `acknowledged` or `refused`."""
    decided_index: int | None = None


@dataclass(slots=True)
class Registry:
    """The state that the rules judge the next entry by."""

    ledger: bytes | None = None
    """Statement id of `ledger.created`."""
    origin: str = ""
    operator: str = ""
    admission: str = "open"
    rules: int = KNOWN_RULES
    log_vkeys: tuple[str, ...] = ()
    reserved_keyids: set[str] = field(default_factory=set)
    """Log and service keys: never a party's."""
    parties: dict[str, int] = field(default_factory=dict)
    """Name to the index that registered it."""
    keys: dict[str, Key] = field(default_factory=dict)
    listings: dict[bytes, Listing] = field(default_factory=dict)
    licenses: dict[bytes, License] = field(default_factory=dict)
    transfers: dict[bytes, Transfer] = field(default_factory=dict)
    recorded: set[bytes] = field(default_factory=set)
    """Statement ids of all entries that passed."""
    times_ms: array[int] = field(default_factory=lambda: array("Q"))
    """Time of every entry, passed or not (0 where it has none that can be read)."""
    counts: dict[str, int] = field(default_factory=dict)
    """Statements by type."""

    def record(self, index: int, statement: Statement) -> None:
        """Apply the statement at `index`, which passed every rule."""
        self.recorded.add(statement.id)
        self.counts[statement.kind] = self.counts.get(statement.kind, 0) + 1
        for key in statement.introduced:
            self.keys[key.keyid] = Key(statement.issuer, key.use, key.public_key)
        for keyid in statement.signers:
            self.keys[keyid].signed.append(index)
        self._apply(index, statement)

    def _apply(self, index: int, statement: Statement) -> None:  # noqa: C901 (one case a type)
        issuer, body = statement.issuer, statement.body
        match statement.kind:
            case "transfer.offered":
                listing, license_id, recipient, _ = body
                self.transfers[statement.id] = Transfer(index, listing, license_id, issuer, recipient)
            case "transfer.acknowledged" | "transfer.refused":
                transfer = self.transfers[named_transfer(statement)]
                transfer.state = statement.kind.removeprefix("transfer.")
                transfer.decided_index = index
            case "listing.registered":
                self.listings[statement.id] = Listing(index, issuer)
            case "listing.withdrawn":
                self.listings[id_bytes(body["listing"])].withdrawn_index = index
            case "license.agreed":
                listing, terms = id_bytes(body["listing"]), body["terms"]
                self.licenses[statement.id] = License(
                    index, listing, issuer, body["licensee"], terms["valid_from_ms"], terms["valid_until_ms"]
                )
            case "license.ended":
                self.licenses[id_bytes(body["license"])].ended_index = index
            case "party.registered":
                self.parties[issuer] = index
            case "party.key_revoked":
                key = self.keys[body["keyid"]]
                key.revoked_index, key.compromised_since_ms = index, body.get("compromised_since_ms")
            case "ledger.rules_changed":
                self.rules = body["rules"]
            case "ledger.created":
                self._create(index, statement)

    def _create(self, index: int, statement: Statement) -> None:
        self.ledger = statement.id
        self.operator = statement.issuer
        self.parties[statement.issuer] = index
        body = statement.body
        self.origin, self.log_vkeys, self.admission = body["origin"], tuple(body["log_keys"]), body["admission"]
        self.reserved_keyids = {key_id(parse_vkey(text).public_key) for text in self.log_vkeys}
        self.reserved_keyids |= set(keyids([body["service_key"]]))
