"""What parties could say until version 4 of the rules, where version 5 takes more: their keys were Ed25519 only.

Version 5 has room for ML-DSA-44 (docs/format.md §3.1), so that here the earlier models narrow the later ones.
"""

from __future__ import annotations

from ledger.statements import ledger, party
from ledger.statements.fields import ShortKey, ShortKeys


class LedgerCreated(ledger.LedgerCreated):
    """Entry 0: makes the ledger and registers its operator."""

    keys: ShortKeys
    recovery_keys: ShortKeys


class PartyRegistered(party.PartyRegistered):
    """`issuer` is the new name; every new key signs, which proves possession."""

    keys: ShortKeys
    recovery_keys: ShortKeys


class PartyKeyAdded(party.PartyKeyAdded):
    """One more key of the issuer, signed by it and by a recovery key."""

    key: ShortKey
