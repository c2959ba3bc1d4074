"""What the chain says now, as facts that a store can keep: each has a key, a kind, and the index it comes from.

A `View` holds the facts that one batch refers to. Acceptance reads and writes the view; the store loads it before the
batch and saves what changed after it, in one transaction with the entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, TypeVar

from ledger.core.encoding import Json
from ledger.registry.finding import Finding
from ledger.statements.parse import NEWEST_RULES, InForce

LEDGER_KEY = "ledger"


@dataclass(frozen=True)
class Fact:
    """One thing that the chain says; `index` is that of the entry which made it."""

    kind: ClassVar[str]
    sparse: ClassVar[frozenset[str]] = frozenset()
    """The fields that a store need not keep where they are empty, which then is their default."""

    index: int

    @property
    def key(self) -> str:
        """The store's key, unique over all kinds."""
        raise NotImplementedError

    def document(self) -> dict[str, Json]:
        """Return the JSON form, which `read_fact` reads back; what version 2 added is left out where it is empty."""
        return {
            name: value
            for name, value in vars(self).items()
            if name not in self.sparse or (value != getattr(type(self), name, None) and value not in ([], {}))
        }


@dataclass(frozen=True)
class LedgerFact(Fact):
    """The ledger itself, from `ledger.created` and the newest `ledger.rules_changed`."""

    kind: ClassVar[str] = "ledger"

    id: str
    origin: str
    operator: str
    admission: str
    rules: int
    reserved_keyids: list[str]
    types: list[str] | None = None
    """What `ledger.rules_changed` allows; None where the version allows all of its types."""

    log_keys: dict[str, list[int]] = field(default_factory=dict)
    """Every log key there was (vkey), to the index of the entry that brought it and, once retired, that ended it."""

    sparse: ClassVar[frozenset[str]] = frozenset({"types", "log_keys"})

    @property
    def log_keys_in_force(self) -> list[str]:
        """The vkeys that the next checkpoint is signed by (docs/format.md §16.1)."""
        return [vkey for vkey, indexes in self.log_keys.items() if len(indexes) == 1]

    @property
    def key(self) -> str:
        """There is one."""
        return LEDGER_KEY

    @property
    def in_force(self) -> InForce:
        """What the next entry is read by."""
        return InForce.of(self.rules, self.types)


@dataclass(frozen=True)
class PartyFact(Fact):
    """A party, the keyids it ever registered, oldest first, and what stands for its name, if it said so.

    `algorithms` are those of its unrevoked keys, by use; empty as long as all of them are Ed25519.
    """

    kind: ClassVar[str] = "party"
    sparse: ClassVar[frozenset[str]] = frozenset({"identity", "algorithms"})

    name: str
    keyids: list[str]
    identity: Json = None
    algorithms: dict[str, list[str]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """A name has no colon past the prefix, so it cannot be taken for an id."""
        return party_key(self.name)


@dataclass(frozen=True)
class KeyFact(Fact):
    """A party's key; `use` is signing or recovery; `revoked_index` is None while it speaks."""

    kind: ClassVar[str] = "key"

    keyid: str
    alg: str
    public_key: str
    party: str
    use: str
    revoked_index: int | None = None
    compromised_since_ms: int | None = None

    @property
    def key(self) -> str:
        """The keyid, prefixed."""
        return key_key(self.keyid)


@dataclass(frozen=True)
class Thing(Fact):
    """What a statement made and others name; `subjects` is all that an entry naming it concerns (§12.3)."""

    id: str
    subjects: list[str]

    @property
    def key(self) -> str:
        """The statement id."""
        return self.id


@dataclass(frozen=True)
class ListingFact(Thing):
    """A listing as it stands; withdrawn once `withdrawn_index` is set.

    `fields` are all other fields that describe it (docs/statements.md §3); `changed_index` is the newest entry that set
    one of them, `version_index` the newest that set its version.
    """

    kind: ClassVar[str] = "listing"
    sparse: ClassVar[frozenset[str]] = frozenset({"fields", "changed_index", "version_index"})

    issuer: str
    title: Json
    withdrawn_index: int | None = None
    fields: dict[str, Json] = field(default_factory=dict)
    changed_index: int | None = None
    version_index: int | None = None

    @property
    def venue(self) -> str | None:
        """The party on whose exchange it is listed, if it names one."""
        venue: dict[str, str] = self.fields.get("venue", {})
        return venue.get("party")


@dataclass(frozen=True)
class LicenseFact(Thing):
    """A license as it stands; ended once `ended_index` is set, at `ended_ms`.

    `rules` is the version that gave its terms their form: 2, or less under version 1, where the term stands in `terms`.
    `ancestors` are the up to 64 nearest licenses above it, nearest first. `terms_index`, `bound_index` and
    `consent_index` are the entries that set its terms, a bound of its term and `marking_consent` last.
    """

    kind: ClassVar[str] = "license"
    sparse: ClassVar[frozenset[str]] = frozenset(
        {"rules", "valid_from_ms", "valid_until_ms", "agreed_ms", "ended_ms", "fields", "parent", "ancestors"}
        | {"terms_index", "bound_index", "consent_index"}
    )

    listing: str
    licensor: str
    licensee: str
    terms: dict[str, Json]
    ended_index: int | None = None
    rules: int = 0
    valid_from_ms: int = 0
    valid_until_ms: int = 0
    agreed_ms: int = 0
    ended_ms: int = 0
    fields: dict[str, Json] = field(default_factory=dict)
    parent: str | None = None
    ancestors: list[str] = field(default_factory=list)
    terms_index: int = 0
    bound_index: int = 0
    consent_index: int | None = None

    @property
    def is_version_1(self) -> bool:
        """It was agreed under version 1 of the rules, whose terms have another form."""
        return self.rules < 2

    @property
    def term(self) -> tuple[int, int]:
        """From when, and until when it is valid, as agreed: Unix milliseconds, half-open."""
        if self.is_version_1:
            return self.terms["valid_from_ms"], self.terms["valid_until_ms"]
        return self.valid_from_ms, self.valid_until_ms

    @property
    def basis(self) -> list[int]:
        """E(L) of docs/statements.md §10: the entries that its present state follows from, ascending."""
        found = {self.terms_index or self.index, self.bound_index or self.index}
        return sorted(found if self.ended_index is None else found | {self.ended_index})

    @property
    def consents_to_marks(self) -> bool:
        """The licensee agrees, as it stands, that its copies are marked."""
        return self.fields.get("marking_consent") is True

    @property
    def marking(self) -> dict[str, Json] | None:
        """How it agrees that they are: bound, method, recipients; None if it does not say."""
        found: dict[str, Json] | None = self.fields.get("marking")
        return found

    def is_in_force(self, time_ms: int) -> bool:
        """Tell whether it is in force at a moment that is not before its newest entry's."""
        valid_from_ms, valid_until_ms = self.term
        is_ended = self.ended_index is not None and time_ms >= self.ended_ms
        return valid_from_ms <= time_ms < valid_until_ms and not is_ended


@dataclass(frozen=True)
class TransferFact(Thing):
    """A hand-off; `state` is offered, acknowledged or refused, the latter two by the entry `decided_index`.

    `erased_ms` is when its recipient first attested its erasure; `is_erased`, that it did so after it had acknowledged.
    `holds` are the claims that hold it and are not determined. `content` is the commitment to what is handed over, as
    long as it is not decided.
    """

    kind: ClassVar[str] = "transfer"
    sparse: ClassVar[frozenset[str]] = frozenset({"acknowledge_by_ms", "is_erased", "erased_ms", "holds", "content"})

    listing: str
    license: str | None
    sender: str
    recipient: str
    state: str = "offered"
    decided_index: int | None = None
    acknowledge_by_ms: int | None = None
    is_erased: bool = False
    erased_ms: int | None = None
    holds: list[str] = field(default_factory=list)
    content: str = ""


@dataclass(frozen=True)
class PreparationFact(Thing):
    """A sealed pool of marks, for hand-offs of a listing to one recipient; `request` is the id of its request.

    `nonce` is its statement's (base64), `coin` the commitment to its sender's coin.
    """

    kind: ClassVar[str] = "preparation"

    listing: str
    sender: str
    recipient: str
    bound: str
    method: str
    recipients: int
    nonce: str
    coin: str
    request: str | None = None
    requested_index: int | None = None


_FactT = TypeVar("_FactT", bound=Fact)


def party_key(name: str) -> str:
    """Return the store's key of a party."""
    return f"party:{name}"


def key_key(keyid: str) -> str:
    """Return the store's key of a public key."""
    return f"key:{keyid}"


class View:
    """The facts that a batch may refer to, and what the batch changes. A key that was not loaded counts as absent."""

    def __init__(
        self, facts: Iterable[Fact] = (), recorded: Mapping[str, int] | None = None, asked: Iterable[str] = ()
    ) -> None:
        """Start from stored `facts`, from the indexes of statement ids already `recorded`, and the keys `asked` for."""
        self._facts = {fact.key: fact for fact in facts}
        self._asked = {*self._facts, *asked}
        self.recorded = dict(recorded or {})
        self.changed: dict[str, Fact] = {}
        self.findings: dict[tuple[int, int], Finding | None] = {}
        """What the batch finds, by index and number; None: what was found no longer holds."""

    def get(self, kind: type[_FactT], key: str | None) -> _FactT | None:
        """Return the fact with this key if it is of this kind."""
        fact = self._facts.get(key) if key is not None else None
        return fact if isinstance(fact, kind) else None

    @property
    def ledger(self) -> LedgerFact | None:
        """The ledger, or None before entry 0."""
        return self.get(LedgerFact, LEDGER_KEY)

    @property
    def in_force(self) -> InForce:
        """What the next entry is read by; before entry 0, the newest version."""
        return self.ledger.in_force if self.ledger is not None else InForce.of(NEWEST_RULES)

    def missing(self, keys: Iterable[str]) -> set[str]:
        """Return those of the keys that the store was not asked for."""
        return {key for key in keys if key not in self._asked}

    def add(self, other: View) -> None:
        """Take over what else was loaded; what is here already may be newer, and stays."""
        for key, fact in other._facts.items():
            self._facts.setdefault(key, fact)
        self._asked |= other._asked
        for name, index in other.recorded.items():
            self.recorded.setdefault(name, index)

    def put(self, fact: Fact) -> None:
        """Set a fact."""
        self._facts[fact.key] = self.changed[fact.key] = fact
        self._asked.add(fact.key)

    def change(self, fact: Fact, **fields: Json) -> None:
        """Replace fields of a fact."""
        self.put(replace(fact, **fields))

    def keep_findings(self, found: Iterable[Finding]) -> None:
        """Take up what was found; it replaces what stood at the same places."""
        self.findings.update((finding.place, finding) for finding in found)

    def take_back(self, places: Iterable[tuple[int, int]]) -> None:
        """Drop the findings at these places, if there are any."""
        self.findings.update(dict.fromkeys(places))
