"""Who speaks: parties and their keys (docs/format.md §6.3–6.5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import model_validator

from ledger.core.errors import FormatError
from ledger.core.keys import PublicKey
from ledger.statements.common import OnLedger
from ledger.statements.fields import PRESENT, Key, KeyId, Keys, Reason, Time, refuse

SIGNING = "signing"
RECOVERY = "recovery"


def introduce(keys: Sequence[Key], recovery_keys: Sequence[Key]) -> dict[str, tuple[PublicKey, str]]:
    """Return keyid to (key, use) for the two lists of a new party."""
    signing = {item.key.keyid: (item.key, SIGNING) for item in keys}
    return signing | {item.key.keyid: (item.key, RECOVERY) for item in recovery_keys}


def check_distinct(keyids: Sequence[str]) -> None:
    """Refuse, for pydantic, a key that appears twice."""
    if len(set(keyids)) != len(keyids):
        raise refuse(FormatError("wrong-value", "/recovery_keys", "a key appears once"))


class PartyRegistered(OnLedger):
    """`issuer` is the new name; every new key signs, which proves possession."""

    type: Literal["party.registered"] = "party.registered"
    keys: Keys
    recovery_keys: Keys

    @model_validator(mode="after")
    def _distinct(self) -> PartyRegistered:
        check_distinct([item.key.keyid for item in [*self.keys, *self.recovery_keys]])
        return self

    @property
    def introduced(self) -> dict[str, tuple[PublicKey, str]]:
        """The keys of both lists."""
        return introduce(self.keys, self.recovery_keys)


class PartyKeyAdded(OnLedger):
    """One more key of the issuer, signed by it and by a recovery key."""

    type: Literal["party.key_added"] = "party.key_added"
    key: Key
    use: Literal["signing", "recovery"]

    @property
    def introduced(self) -> dict[str, tuple[PublicKey, str]]:
        """The new key."""
        return {self.key.key.keyid: (self.key.key, self.use)}


class PartyKeyRevoked(OnLedger):
    """The end of a key. `compromised_since_ms` flags what it signed from then on, and voids nothing."""

    type: Literal["party.key_revoked"] = "party.key_revoked"
    keyid: KeyId
    compromised_since_ms: Annotated[Time | None, PRESENT] = None
    reason: Annotated[Reason | None, PRESENT] = None
