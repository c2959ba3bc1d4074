"""What the chain says at one point, as far as acceptance of the next entry needs it (docs/format.md §9).

What follows from it is the judgement's to keep. `Registry.record` trusts its caller: only entries that passed every
rule (verifier/rules/acceptance.py) may reach it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from verifier.core.keys import ED25519, MLDSA44, PublicKey
from verifier.core.notes import TYPE_MLDSA44, VerifierKey, parse_vkey
from verifier.schema.checks import key_of
from verifier.schema.versions import NEWEST_RULES, STATEMENT_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verifier.core.jcs import Json
    from verifier.rules.examine import Statement

SIGNING, RECOVERY = "signing", "recovery"
ROTATION = 4
"""The version of the rules since which the log's keys may change (docs/format.md §16)."""


def log_key_id(key: VerifierKey) -> str:
    """Return the keyid (§3.2) of a log's key, which can never be a party's."""
    return PublicKey(key.public_key, MLDSA44 if key.kind == TYPE_MLDSA44 else ED25519).keyid


@dataclass(slots=True)
class Key:
    """A party's key."""

    owner: str
    use: str
    public_key: PublicKey
    revoked_index: int | None = None


@dataclass(slots=True)
class Listing:
    """A dataset on offer."""

    index: int
    issuer: str
    withdrawn_index: int | None = None


@dataclass(slots=True)
class License:
    """A license, with the term that amendments left it, in force in [valid_from_ms, valid_until_ms) unless ended."""

    index: int
    listing: bytes
    licensor: str
    licensee: str
    valid_from_ms: int
    valid_until_ms: int
    rules: int
    """The version of the rules that it was agreed under."""
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
    content: bytes | None = None
    """The commitment to it, which an acknowledgement may repeat; None once it is decided."""


@dataclass(slots=True)
class Preparation:
    """A sealed pool, of which the recipient's request draws what marks its copies (docs/marks.md §9)."""

    index: int
    listing: bytes
    issuer: str
    nonce: str
    recipient: str
    bound: str
    method: str
    recipients: int
    coin: str
    """The commitment to the sender's coin, in hex."""
    requested_index: int | None = None
    request: bytes | None = None
    """Statement id of the request."""

    def is_marking(self, marking: Mapping[str, Json]) -> bool:
        """Tell whether a license's `marking` is just this."""
        return dict(marking) == {"bound": self.bound, "method": self.method, "recipients": self.recipients}


@dataclass(slots=True)
class Claim:
    """A claim."""

    index: int
    subject: bytes
    """The license or transfer that it is about."""
    claimant: str
    respondent: str
    tribunal: str | None
    is_hold: bool
    """Nothing may be erased until it is determined."""
    answered_index: int | None = None
    determined_index: int | None = None


@dataclass(slots=True)
class Registry:
    """The state that the rules judge the next entry by."""

    ledger: bytes | None = None
    """Statement id of `ledger.created`."""
    origin: str = ""
    operator: str = ""
    admission: str = "open"
    rules: int = NEWEST_RULES
    """The version of the rules in force; before entry 0, the one that it is read by."""
    types: frozenset[str] = STATEMENT_TYPES[NEWEST_RULES]
    """The statement types that are allowed (docs/statements.md §1.3)."""
    log_vkeys: tuple[str, ...] = ()
    """The log keys in force: a checkpoint of this size carries a signature of each (docs/format.md §16.1)."""
    reserved_keyids: set[str] = field(default_factory=set)
    """Log and service keys: never a party's."""
    parties: dict[str, int] = field(default_factory=dict)
    """Name to the index that registered it."""
    keys: dict[str, Key] = field(default_factory=dict)
    listings: dict[bytes, Listing] = field(default_factory=dict)
    licenses: dict[bytes, License] = field(default_factory=dict)
    transfers: dict[bytes, Transfer] = field(default_factory=dict)
    claims: dict[bytes, Claim] = field(default_factory=dict)
    disclosures: set[bytes] = field(default_factory=set)
    """Ids of `disclosure.compelled`."""
    requests: dict[bytes, bytes] = field(default_factory=dict)
    """Id of an `erasure.requested` to the license or transfer that it names."""
    holds: dict[bytes, int] = field(default_factory=dict)
    """How many undetermined claims hold a license or transfer that they name."""
    holds_below: dict[bytes, int] = field(default_factory=dict)
    """How many hold a transfer that was offered under a license."""
    recorded: set[bytes] = field(default_factory=set)
    """Statement ids of all entries that passed."""
    first_time_ms: int | None = None
    """Time of entry 0, if it can be read."""
    last_time_ms: int = 0
    """Time of the last entry that could be read; passed or not."""
    newest_time_ms: int = 0
    """The greatest time of an entry."""
    counts: dict[str, int] = field(default_factory=dict)
    """Statements by type."""
    preparations: dict[bytes, Preparation] = field(default_factory=dict)
    keys_of: dict[str, list[Key]] = field(init=False, default_factory=dict)
    """All keys that a party ever registered."""
    lasting: set[str] = field(init=False, default_factory=set)
    """The parties that ever registered one of ML-DSA-44."""

    def __post_init__(self) -> None:
        """Derive what follows from the keys."""
        for key in self.keys.values():
            self._own(key)

    def record(self, index: int, statement: Statement) -> None:
        """Apply the statement at `index`, which passed every rule."""
        self.recorded.add(statement.id)
        self.counts[statement.kind] = self.counts.get(statement.kind, 0) + 1
        for key in statement.introduced:
            self.keys[key.keyid] = own = Key(statement.issuer, key.use, key.public_key)
            self._own(own)
        self._apply(index, statement)

    def algorithms(self, party: str, use: str) -> set[str]:
        """Return the algorithms of a party's unrevoked keys of one use (docs/format.md §6, *Signed by*)."""
        keys = self.keys_of.get(party, ())
        return {key.public_key.algorithm for key in keys if key.use == use and key.revoked_index is None}

    def is_held(self, subject: bytes) -> bool:
        """Tell whether a legal hold is on a license or transfer (docs/statements.md §9)."""
        if subject in self.holds or subject in self.holds_below:
            return True
        transfer = self.transfers.get(subject)
        return transfer is not None and transfer.license in self.holds

    def _apply(self, index: int, statement: Statement) -> None:  # noqa: C901, PLR0912, PLR0915 (one case a type)
        issuer, body = statement.issuer, statement.body
        match statement.kind:
            case "transfer.offered":
                offer = statement.offer
                self.transfers[statement.id] = Transfer(
                    index, offer.listing, offer.license, issuer, offer.recipient, content=offer.commitment
                )
            case "transfer.acknowledged" | "transfer.refused":
                transfer = self.transfers[body.id("transfer")]
                transfer.state = statement.kind.removeprefix("transfer.")
                transfer.decided_index, transfer.content = index, None
            case "transfer.prepared":
                self._prepare(index, statement)
            case "transfer.requested":
                preparation = self.preparations[body.id("prepared")]
                preparation.requested_index, preparation.request = index, statement.id
            case "listing.registered":
                self.listings[statement.id] = Listing(index, issuer)
            case "listing.withdrawn":
                self.listings[body.id("listing")].withdrawn_index = index
            case "license.agreed":
                term = body["terms"] if statement.rules == 1 else body
                self.licenses[statement.id] = License(
                    index,
                    body.id("listing"),
                    issuer,
                    body["licensee"],
                    term["valid_from_ms"],
                    term["valid_until_ms"],
                    statement.rules,
                )
            case "license.amended":
                terms = self.licenses[body.id("license")]
                terms.valid_from_ms = body.get("valid_from_ms", terms.valid_from_ms)
                terms.valid_until_ms = body.get("valid_until_ms", terms.valid_until_ms)
            case "license.ended":
                self.licenses[body.id("license")].ended_index = index
            case "party.registered":
                self.parties[issuer] = index
            case "party.key_revoked":
                self.keys[body["keyid"]].revoked_index = index
            case "disclosure.compelled":
                self.disclosures.add(statement.id)
            case "claim.opened":
                self._open_claim(index, statement)
            case "claim.answered":
                self.claims[body.id("claim")].answered_index = index
            case "claim.determined":
                claim = self.claims[body.id("claim")]
                claim.determined_index = index
                if claim.is_hold:
                    self._hold(claim.subject, -1)
            case "erasure.requested":
                self.requests[statement.id] = body.subject()
            case "ledger.rules_changed":
                self.rules, self.types = body["rules"], frozenset(body["statement_types"])
            case "ledger.log_key_added":
                self.log_vkeys = (*self.log_vkeys, body["log_key"])
                self.reserved_keyids.add(log_key_id(parse_vkey(body["log_key"])))
            case "ledger.log_key_retired":
                self.log_vkeys = tuple(vkey for vkey in self.log_vkeys if vkey != body["log_key"])
            case "ledger.created":
                self._create(index, statement)

    def _own(self, key: Key) -> None:
        self.keys_of.setdefault(key.owner, []).append(key)
        if key.public_key.algorithm == MLDSA44:
            self.lasting.add(key.owner)

    def _prepare(self, index: int, statement: Statement) -> None:
        body = statement.body
        self.preparations[statement.id] = Preparation(
            index,
            body.id("listing"),
            statement.issuer,
            body["nonce"],
            body["recipient"],
            body["bound"],
            body["method"],
            body["recipients"],
            body["coin"]["sealed"],
        )

    def _open_claim(self, index: int, statement: Statement) -> None:
        body = statement.body
        subject = body.subject()
        is_hold = body.get("legal_hold", False)
        self.claims[statement.id] = Claim(
            index, subject, statement.issuer, body["respondent"], body.get("tribunal"), is_hold
        )
        if is_hold:
            self._hold(subject, 1)

    def _hold(self, subject: bytes, change: int) -> None:
        """Count a hold that begins (1) or ends (-1) on what its claim names, and on the license above a transfer."""
        _count(self.holds, subject, change)
        transfer = self.transfers.get(subject)
        if transfer is not None and transfer.license is not None:
            _count(self.holds_below, transfer.license, change)

    def _create(self, index: int, statement: Statement) -> None:
        body = statement.body
        self.ledger = statement.id
        self.operator = statement.issuer
        self.parties[statement.issuer] = index
        self.rules, self.types = body["rules"], STATEMENT_TYPES[body["rules"]]
        self.origin, self.log_vkeys, self.admission = body["origin"], tuple(body["log_keys"]), body["admission"]
        self.reserved_keyids = {log_key_id(parse_vkey(text)) for text in self.log_vkeys}
        self.reserved_keyids.add(key_of(body["service_key"]).keyid)


def _count(counts: dict[bytes, int], name: bytes, change: int) -> None:
    """Change a count, and forget it at zero: what is no longer held is not kept."""
    counts[name] = counts.get(name, 0) + change
    if not counts[name]:
        del counts[name]
