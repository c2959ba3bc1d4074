"""What the chain says now, as facts that a store can keep: each has a key, a kind, and the index it comes from.

A `View` holds the facts that one batch refers to. Acceptance reads and writes the view; the store loads it before the
batch and saves what changed after it, in one transaction with the entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeVar

from ledger.core.encoding import Json

LEDGER_KEY = "ledger"


@dataclass(frozen=True)
class Fact:
    """One thing that the chain says; `index` is that of the entry which made it."""

    kind: ClassVar[str]

    index: int

    @property
    def key(self) -> str:
        """The store's key, unique over all kinds."""
        raise NotImplementedError

    def document(self) -> dict[str, Json]:
        """Return the JSON form, which `read_fact` reads back."""
        return dict(vars(self))


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

    @property
    def key(self) -> str:
        """There is one."""
        return LEDGER_KEY


@dataclass(frozen=True)
class PartyFact(Fact):
    """A party and the keyids it ever registered, oldest first."""

    kind: ClassVar[str] = "party"

    name: str
    keyids: list[str]

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
    """A listing, license or transfer; `subjects` is all that an entry naming it concerns (docs/format.md §12.3)."""

    id: str
    subjects: list[str]

    @property
    def key(self) -> str:
        """The statement id."""
        return self.id


@dataclass(frozen=True)
class ListingFact(Thing):
    """A listing; withdrawn once `withdrawn_index` is set."""

    kind: ClassVar[str] = "listing"

    issuer: str
    title: str
    withdrawn_index: int | None = None


@dataclass(frozen=True)
class LicenseFact(Thing):
    """A license; ended once `ended_index` is set."""

    kind: ClassVar[str] = "license"

    listing: str
    licensor: str
    licensee: str
    terms: dict[str, Json]
    ended_index: int | None = None


@dataclass(frozen=True)
class TransferFact(Thing):
    """A hand-off; `state` is offered, acknowledged or refused, the latter two by the entry `decided_index`."""

    kind: ClassVar[str] = "transfer"

    listing: str
    license: str | None
    sender: str
    recipient: str
    state: str = "offered"
    decided_index: int | None = None


_KINDS: dict[str, type[Fact]] = {
    fact.kind: fact for fact in (LedgerFact, PartyFact, KeyFact, ListingFact, LicenseFact, TransferFact)
}
_FactT = TypeVar("_FactT", bound=Fact)


def party_key(name: str) -> str:
    """Return the store's key of a party."""
    return f"party:{name}"


def key_key(keyid: str) -> str:
    """Return the store's key of a public key."""
    return f"key:{keyid}"


def read_fact(kind: str, document: dict[str, Any]) -> Fact:
    """Read back what `Fact.document` returned."""
    return _KINDS[kind](**document)


class View:
    """The facts that a batch may refer to, and what the batch changes. A key that was not loaded counts as absent."""

    def __init__(self, facts: Iterable[Fact] = (), recorded: Mapping[str, int] | None = None) -> None:
        """Start from stored `facts` and from the indexes of statement ids already `recorded`."""
        self._facts = {fact.key: fact for fact in facts}
        self.recorded = dict(recorded or {})
        self.changed: dict[str, Fact] = {}

    def get(self, kind: type[_FactT], key: str | None) -> _FactT | None:
        """Return the fact with this key if it is of this kind."""
        fact = self._facts.get(key) if key is not None else None
        return fact if isinstance(fact, kind) else None

    @property
    def ledger(self) -> LedgerFact | None:
        """The ledger, or None before entry 0."""
        return self.get(LedgerFact, LEDGER_KEY)

    def put(self, fact: Fact) -> None:
        """Set a fact."""
        self._facts[fact.key] = self.changed[fact.key] = fact

    def change(self, fact: Fact, **fields: Json) -> None:
        """Replace fields of a fact."""
        self.put(replace(fact, **fields))
