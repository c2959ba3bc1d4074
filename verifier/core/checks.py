"""Every check of a verification, in the order of the plan, and what a check can leave behind.

A `Failure` is something false (exit 1), a `Doubt` is something that could not be told (exit 3), a `Finding` is what a
party did wrong on a sound ledger (docs/statements.md §10). The values of `Check` are stable.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Check(Enum):
    """One check; its value is the slug that reports carry."""

    CHECKPOINT_FORM = "checkpoint-form", "the checkpoint is a signed note of the right form (§10.1, §10.4)"
    CHECKPOINT_ORIGIN = "checkpoint-origin", "the checkpoint is of the log that the policy names (§10.5)"
    CHECKPOINT_SIGNATURE = "checkpoint-signature", "the log's key signed it, and no known line is wrong (§10.3)"
    QUORUM = "quorum", "the witnesses' cosignatures satisfy the policy (§10.5)"
    REMEMBERED = "remembered", "the log still contains what was verified before: no rollback, no fork"
    AVAILABLE = "available", "every file that the checkpoint covers could be read (§11.1)"
    BUNDLE = "bundle", "an entry bundle holds exactly its entries (§11.1)"
    ENTRY_FORM = "entry-form", "an entry is the canonical JSON of its four members (§7.1)"
    ENTRY_INDEX = "entry-index", "an entry stands at its own index (§7.1)"
    LINK = "link", "an entry names the leaf hash of the one before (§7.2)"
    TIME = "time", "an entry's time is not below that of the one before (§7.2)"
    ENVELOPE = "envelope", "the envelope (§9.1)"
    PAYLOAD = "payload", "the payload is canonical JSON of an allowed type (§9.2)"
    FIELDS = "fields", "the statement's fields (§9.3)"
    LEDGER = "ledger", "the statement is for this ledger (§9.4)"
    DUPLICATE = "duplicate", "the statement was not recorded before (§9.5)"
    SIGNATURE_SET = "signature-set", "exactly the signers signed (§9.6)"
    KEY_KNOWN = "key-known", "every signer is a registered or introduced key (§9.7)"
    SIGNATURE = "signature", "every signature is valid (§9.8)"
    KEY_REVOKED = "key-revoked", "no signer is revoked (§9.9)"
    ISSUER = "issuer", "the issuer is registered (§9.10)"
    SIGNERS = "signers", "the signers are those that the type requires (§9.11)"
    FRESHNESS = "freshness", "the statement was recorded in its time (§9.12)"
    SEEN = "seen", "the checkpoint it has seen is this log's (§9.13)"
    REFERENCE = "reference", "what it refers to exists and allows it (§9.14)"
    FITS = "fits", "the entry fits (§9.15)"
    IDENTITY = "identity", "the ledger names the origin of the policy, and its log key is in force (§6.1, §16.2)"
    ENTRY_BYTES = "entry-bytes", "an entry's bytes hash to the leaf that the signed root covers (§2)"
    ROOT = "root", "the entries hash to the signed root (§2)"
    TILE = "tile", "a hash tile holds the hashes of the tree (§11.1)"
    COSIGNATURE_TIME = "cosignature-time", "no cosignature is older than the newest entry (§10.6)"
    RULES_VERSION = "rules-version", "the rules in force are known (§6.2)"
    JUDGED = "judged", "every entry could be judged on a complete state (§9)"
    PIN = "pin", "a pinned party has the pinned key"
    DISCLOSURE = "disclosure", "a disclosure opens the place that it names, on this ledger (§8.6)"
    TIMESTAMP = "timestamp", "a time-stamp token is over a checkpoint of this log, and signed as it says (§21)"
    PREDECESSOR = "predecessor", "the ledger continues the one that its first entry names, as it was then (§20.4)"
    RECEIPT_FORM = "receipt-form", "the receipt has the right form (§11.2)"
    INCLUSION = "inclusion", "the entry is in the tree of the checkpoint (§2)"

    def __init__(self, slug: str, line: str) -> None:
        self.slug = slug
        """Stable name."""
        self.line = line
        """What holds when the check passes."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Something false, with what is needed to look at it again."""

    check: Check
    reason: str
    """A reason of docs/format.md §1.3 or §9 for an entry's acceptance, else a slug of this package."""
    index: int | None = None
    """The entry concerned, or the first of them."""
    where: str = ""
    """A path, a field or a key."""
    expected: str = ""
    actual: str = ""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something that could not be told: never a success."""

    check: Check
    reason: str
    index: int | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a party did, or what could not be decided, with the members of docs/statements.md §10."""

    slug: str
    index: int
    party: str
    entries: tuple[int, ...]
    """Those that it follows from, ascending, `index` among them."""
    since_ms: int
    sentence: str
    rests_on: tuple[tuple[int, str], ...] = ()
    """Index and pointer of the places that were sealed, and that a disclosure opened."""
    places: tuple[tuple[int, str], ...] = ()
    """Index and pointer of the places that are sealed, where it could not be decided."""
