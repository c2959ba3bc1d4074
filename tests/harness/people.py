"""People whose keys follow from their names, so that every run of a test signs the same bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from ledger.core.keys import SigningKey


def key(label: str) -> SigningKey:
    """Return the one key of this label."""
    return SigningKey(sha256(f"provenance-ledger test key {label}".encode()).digest())


@dataclass
class Person:
    """A party with its private keys; the lists grow as it adds keys."""

    name: str
    keys: list[SigningKey] = field(default_factory=list)
    recovery_keys: list[SigningKey] = field(default_factory=list)

    @property
    def key(self) -> SigningKey:
        """The first signing key."""
        return self.keys[0]

    @property
    def recovery(self) -> SigningKey:
        """The first recovery key."""
        return self.recovery_keys[0]

    @property
    def all_keys(self) -> list[SigningKey]:
        """Every key."""
        return [*self.keys, *self.recovery_keys]


def person(name: str, label: str | None = None) -> Person:
    """Return a person with one signing and one recovery key; `label` tells apart two people of one name."""
    label = label or name
    return Person(name, [key(f"{label} signing")], [key(f"{label} recovery")])
