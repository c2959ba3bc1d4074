"""People whose keys follow from their names, so that every run of a test signs with the same keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from ledger.core.keys import LastingKey, Signer, SigningKey


def key(label: str) -> SigningKey:
    """Return the one key of this label."""
    return SigningKey(sha256(f"provenance-ledger test key {label}".encode()).digest())


def lasting_key(label: str) -> LastingKey:
    """Return the one ML-DSA-44 key of this label; its signatures differ from run to run."""
    return LastingKey(sha256(f"provenance-ledger test key {label}".encode()).digest())


@dataclass
class Person:
    """A party with its private keys; the lists grow as it adds keys."""

    name: str
    keys: list[Signer] = field(default_factory=list)
    recovery_keys: list[Signer] = field(default_factory=list)

    @property
    def key(self) -> Signer:
        """The first signing key."""
        return self.keys[0]

    @property
    def recovery(self) -> Signer:
        """The first recovery key."""
        return self.recovery_keys[0]

    @property
    def voice(self) -> list[Signer]:
        """The keys that it takes to speak: the first of each algorithm."""
        return _first_of_each(self.keys)

    @property
    def recovery_voice(self) -> list[Signer]:
        """The recovery keys that it takes."""
        return _first_of_each(self.recovery_keys)

    @property
    def all_keys(self) -> list[Signer]:
        """Every key."""
        return [*self.keys, *self.recovery_keys]


def _first_of_each(keys: Iterable[Signer]) -> list[Signer]:
    found: dict[str, Signer] = {}
    for item in keys:
        found.setdefault(item.public.alg, item)
    return list(found.values())


def person(name: str, label: str | None = None) -> Person:
    """Return a person with one signing and one recovery key; `label` tells apart two people of one name."""
    label = label or name
    return Person(name, [key(f"{label} signing")], [key(f"{label} recovery")])
