"""Who speaks: parties, what stands for their names, and their keys (docs/statements.md §2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from ledger.core.encoding import b64decode
from ledger.core.errors import FormatError
from ledger.core.keys import PublicKey
from ledger.statements.common import OnLedger, require_any
from ledger.statements.fields import (
    Key,
    KeyId,
    Keys,
    Line100,
    Line300,
    Maybe,
    Model,
    Sealable,
    Text1000,
    Time,
    refuse,
)

SIGNING = "signing"
RECOVERY = "recovery"
_MAX_CERTIFICATE_BYTES = 4096
_MAX_SIGNATURE_BYTES = 1024


def introduce(keys: Sequence[Key], recovery_keys: Sequence[Key]) -> dict[str, tuple[PublicKey, str]]:
    """Return keyid to (key, use) for the two lists of a new party."""
    signing = {item.key.keyid: (item.key, SIGNING) for item in keys}
    return signing | {item.key.keyid: (item.key, RECOVERY) for item in recovery_keys}


def check_distinct(keyids: Sequence[str]) -> None:
    """Refuse, for pydantic, a key that appears twice."""
    if len(set(keyids)) != len(keyids):
        raise refuse(FormatError("wrong-value", "/recovery_keys", "a key appears once"))


def _base64(text: str, limit: int) -> str:
    try:
        data = b64decode(text)
    except FormatError as error:
        raise refuse(error) from error
    if not 1 <= len(data) <= limit:
        raise refuse(FormatError("wrong-value", "", f"base64 of 1 to {limit} bytes"))
    return text


Certificate = Annotated[str, AfterValidator(lambda text: _base64(text, _MAX_CERTIFICATE_BYTES))]
Signature = Annotated[str, AfterValidator(lambda text: _base64(text, _MAX_SIGNATURE_BYTES))]


class Registration(Model):
    """Where and under which number the company is registered."""

    authority: Sealable[Line300]
    number: Sealable[Line100]


class Certificates(Model):
    """X.509 certificates in DER, the party's own first, and its signature over the party's keys; only a form here."""

    chain: Annotated[list[Certificate], Field(min_length=1, max_length=4)]
    signature: Signature


class Identity(Model):
    """What stands for a party's name, at least one of these; parties may be pseudonymous."""

    legal_name: Maybe[Sealable[Line300]] = None
    jurisdiction: Maybe[Sealable[Line100]] = None
    registration: Maybe[Sealable[Registration]] = None
    certificates: Maybe[Sealable[Certificates]] = None

    @model_validator(mode="after")
    def _any(self) -> Identity:
        require_any(self, type(self).model_fields)
        return self


class PartyRegistered(OnLedger):
    """`issuer` is the new name; every new key signs, which proves possession."""

    type: Literal["party.registered"] = "party.registered"
    keys: Keys
    recovery_keys: Keys
    identity: Maybe[Sealable[Identity]] = None

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
    compromised_since_ms: Maybe[Time] = None
    reason: Maybe[Sealable[Text1000]] = None
