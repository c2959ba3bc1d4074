"""The ledger's own statements, by its operator (docs/format.md §6.1, §6.2)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from ledger.core.errors import FormatError
from ledger.core.keys import ED25519, MLDSA44, PublicKey
from ledger.core.note import ED25519_TYPE, MLDSA44_TYPE, NoteKey, parse_vkey
from ledger.statements.common import OnLedger, Statement
from ledger.statements.fields import Hex32, Id, Keys, Maybe, Model, Origin, ShortKey, Size, Text1000, Words, refuse
from ledger.statements.party import check_distinct, introduce

MAX_LOG_KEYS = 8
"""How many keys of the log may be in force at once."""


class Predecessor(Model):
    """The ledger that this one continues, at its last checkpoint."""

    ledger: Id
    root: Hex32
    size: Size


class LedgerCreated(Statement):
    """Entry 0: makes the ledger and registers its operator."""

    type: Literal["ledger.created"] = "ledger.created"
    origin: Origin
    keys: Keys
    recovery_keys: Keys
    log_keys: Annotated[list[str], Field(min_length=1, max_length=MAX_LOG_KEYS)]
    service_key: ShortKey
    rules: Size
    relation: Text1000
    admission: Literal["open", "operator"]
    predecessor: Maybe[Predecessor] = None

    @model_validator(mode="after")
    def _keys_differ(self) -> LedgerCreated:
        keyids = [item.key.keyid for item in [*self.keys, *self.recovery_keys]]
        check_distinct([*keyids, *self.reserved_keyids])
        return self

    @property
    def reserved_keyids(self) -> list[str]:
        """The keyids of the log keys and the service key, which can never be a party's."""
        return [key.keyid for key in self.log_public_keys] + [self.service_key.key.keyid]

    @property
    def log_public_keys(self) -> list[PublicKey]:
        """The log's keys, whose vkeys bear the origin's name."""
        keys = []
        for text in self.log_keys:
            key = _vkey(text, "/log_keys")
            if key.name != self.origin or key.type != ED25519_TYPE:
                message = "a log key is a vkey of type 0x01 whose name is the origin"
                raise refuse(FormatError("wrong-value", "/log_keys", message))
            keys.append(PublicKey(key.raw))
        return keys

    @property
    def introduced(self) -> dict[str, tuple[PublicKey, str]]:
        """The operator's keys."""
        return introduce(self.keys, self.recovery_keys)


def _vkey(text: str, field: str = "") -> NoteKey:
    try:
        return parse_vkey(text)
    except FormatError as error:
        reason = "weak-key" if error.reason == "weak-key" else "wrong-value"
        raise refuse(FormatError(reason, field, error.detail)) from error


def _log_key(text: str) -> str:
    if _vkey(text).type not in _ALGORITHMS:
        raise refuse(FormatError("wrong-value", "", "a log key is a vkey of type 0x01 or 0x06"))
    return text


_ALGORITHMS = {ED25519_TYPE: ED25519, MLDSA44_TYPE: MLDSA44}
LogKey = Annotated[str, AfterValidator(_log_key)]


def public_of_vkey(text: str) -> PublicKey:
    """Return the public key of a log's vkey, which was checked."""
    key = parse_vkey(text)
    return PublicKey(key.raw, _ALGORITHMS[key.type])


class LedgerLogKeyAdded(OnLedger):
    """One more key signs every checkpoint from this entry on (docs/format.md §16.1)."""

    type: Literal["ledger.log_key_added"] = "ledger.log_key_added"
    log_key: LogKey


class LedgerLogKeyRetired(OnLedger):
    """A log key's end: checkpoints that contain this entry are not signed by it any more (docs/format.md §16.1)."""

    type: Literal["ledger.log_key_retired"] = "ledger.log_key_retired"
    log_key: LogKey


class LedgerRulesChanged(OnLedger):
    """Another version of the rules, in force from the next entry on."""

    type: Literal["ledger.rules_changed"] = "ledger.rules_changed"
    rules: Annotated[int, Field(ge=2, le=2**53 - 1)]
    payload_types: Words
    statement_types: Words
    signature_forms: Words
